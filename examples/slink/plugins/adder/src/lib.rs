//! Adds.

use std::sync::Arc;

use slink_types::Sum;
use soft_mock::plugin::{guarded, plugin, Export, HookResult, Plugin, Value};

#[derive(Default)]
struct Adder;

struct Adding;

#[guarded]
impl Sum for Adding {
    fn sum(&self, one: i64, other: i64) -> i64 {
        one + other
    }
}

#[plugin]
impl Plugin for Adder {
    fn export(&mut self) -> HookResult<Export> {
        Ok(Export::new::<dyn Sum>(Arc::new(Adding)))
    }

    fn invoke_func(&self, name: &str, params: Value) -> HookResult<Value> {
        let number: i64 = params.get()?;
        Ok(format!("{name} of {number}: {}", Adding.sum(number, 1)).into())
    }
}
