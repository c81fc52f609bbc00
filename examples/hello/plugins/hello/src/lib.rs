//! The plugin: change a line, build it, reload it.

use hello_types::Beat;
use soft_mock::plugin::{plugin, HookResult, NoSuchFunction, Plugin, Value};

#[derive(Default)]
struct Hello;

#[plugin]
impl Plugin for Hello {
    fn on_load(&mut self, _data: &Value) -> HookResult {
        println!("hello: loaded");
        Ok(())
    }

    fn on_free(&mut self) -> HookResult {
        println!("hello: freed");
        Ok(())
    }

    fn invoke_func(&self, name: &str, params: Value) -> HookResult<Value> {
        match name {
            "heartbeat" => {
                let beat: Beat = params.get()?;
                println!("hello: beat {}", beat.count);
                Ok(Value::none())
            }
            other => Err(NoSuchFunction(other.to_owned()).into()),
        }
    }
}
