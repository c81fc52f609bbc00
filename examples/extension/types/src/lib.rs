//! The host's own part of the vault: commands that plugins offer.

use soft_mock::plugin::{Entries, Extension};

soft_mock::plugin::shared!();

/// A command line that a plugin understands.
pub trait Command: Send + Sync {
    /// One line about it.
    fn help(&self) -> String;

    /// Runs it.
    fn run(&self, argument: &str) -> String;
}

/// All commands, by name.
#[derive(Debug, Default)]
pub struct Commands {
    /// Each belongs to the plugin that put it in, and goes when that goes.
    pub by_name: Entries<Box<dyn Command>>,
}

impl Extension for Commands {
    fn carry_over(&self, old: &Self, carried: &dyn Fn(&str) -> bool) {
        self.by_name.carry_over(&old.by_name, carried);
    }
}
