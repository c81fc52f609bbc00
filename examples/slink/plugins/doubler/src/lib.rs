//! Doubles, with the help of the adder.

use slink_types::Sum;
use soft_mock::plugin::{plugin, HookResult, Import, Imports, Plugin, Value};

#[derive(Default)]
struct Doubler {
    adder: Option<Import<dyn Sum>>,
}

/// A live function is live with static linking too.
pub fn live_half(number: i64) -> i64 {
    number / 2
}

#[plugin]
impl Plugin for Doubler {
    fn import(&mut self, imports: &mut Imports<'_>) -> HookResult {
        self.adder = Some(imports.get("adder")?);
        Ok(())
    }

    fn invoke_func(&self, name: &str, params: Value) -> HookResult<Value> {
        let number: i64 = params.get()?;
        let adder = self.adder.as_ref().ok_or("there is no adder")?;
        Ok(format!("{name} of {number}: {}", adder.sum(number, number)).into())
    }
}
