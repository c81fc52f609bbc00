//! Offers `count`, which counts how often it was called since the plugin was loaded.

use std::sync::atomic::{AtomicU32, Ordering};

use extension_types::{Command, Commands};
use soft_mock::plugin::{guarded, plugin, HookResult, Plugin, Vault};

#[derive(Default)]
struct Clock;

#[derive(Default)]
struct Count(AtomicU32);

#[guarded]
impl Command for Count {
    fn help(&self) -> String {
        "count: counts on".to_owned()
    }

    fn run(&self, _argument: &str) -> String {
        format!("call {}", self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

#[plugin]
impl Plugin for Clock {
    fn on_init(&mut self, vault: &Vault) -> HookResult {
        vault.extension::<Commands>()?.by_name.insert(
            vault,
            "count",
            Box::new(Count::default()),
        )?;
        Ok(())
    }
}
