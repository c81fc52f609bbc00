//! Offers `greet`.

use extension_types::{Command, Commands};
use soft_mock::plugin::{guarded, plugin, HookResult, Plugin, Vault};

#[derive(Default)]
struct Greeter;

struct Greet;

#[guarded]
impl Command for Greet {
    fn help(&self) -> String {
        "greet NAME: says hello".to_owned()
    }

    fn run(&self, argument: &str) -> String {
        format!("hello, {argument}")
    }
}

#[plugin]
impl Plugin for Greeter {
    fn on_init(&mut self, vault: &Vault) -> HookResult {
        vault
            .extension::<Commands>()?
            .by_name
            .insert(vault, "greet", Box::new(Greet))?;
        Ok(())
    }
}
