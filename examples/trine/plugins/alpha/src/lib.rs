//! `alpha`, which imports nothing.

use std::sync::Arc;

use soft_mock::plugin::{guarded, plugin, Export, HookResult, Plugin};
use trine_types::Step;

#[derive(Default)]
struct Alpha;

struct Walker;

#[guarded]
impl Step for Walker {
    fn walk(&self, way: &mut Vec<String>) {
        way.push("alpha 1".to_owned());
    }
}

#[plugin]
impl Plugin for Alpha {
    fn export(&mut self) -> HookResult<Export> {
        Ok(Export::new::<dyn Step>(Arc::new(Walker)))
    }
}
