//! `gamma`, which imports `beta`.

use std::sync::{Arc, OnceLock};

use soft_mock::plugin::{
    guarded, plugin, Export, HookResult, Import, Imports, NoSuchFunction, Plugin, Value,
};
use trine_types::Step;

#[derive(Default)]
struct Gamma {
    walker: Arc<Walker>,
}

#[derive(Default)]
struct Walker {
    next: OnceLock<Import<dyn Step>>,
}

#[guarded]
impl Step for Walker {
    fn walk(&self, way: &mut Vec<String>) {
        way.push("gamma 1".to_owned());
        if let Some(next) = self.next.get() {
            next.walk(way);
        }
    }
}

#[plugin]
impl Plugin for Gamma {
    fn export(&mut self) -> HookResult<Export> {
        Ok(Export::new::<dyn Step>(self.walker.clone()))
    }

    fn import(&mut self, imports: &mut Imports<'_>) -> HookResult {
        self.walker
            .next
            .set(imports.get("beta")?)
            .map_err(|_| "imported twice")?;
        Ok(())
    }

    fn invoke_func(&self, name: &str, _params: Value) -> HookResult<Value> {
        match name {
            "walk" => {
                let mut way = Vec::new();
                self.walker.walk(&mut way);
                Ok(way.join(" -> ").into())
            }
            other => Err(NoSuchFunction(other.to_owned()).into()),
        }
    }
}
