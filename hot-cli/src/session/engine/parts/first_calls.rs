//! First calls of patched functions: of each patch, each function is told once, whichever process
//! was first.
//!
//! Knows nothing of how processes find out.

use std::collections::BTreeSet;

use soft_mock_abi::protocol::Called;

use crate::session::engine::effect::Effect;
use crate::ui;

/// What was told, of the newest patch that was called.
#[derive(Debug, Default)]
pub(crate) struct FirstCalls {
    patch: u64,
    told: BTreeSet<String>,
}

impl FirstCalls {
    /// A process was the first to call functions of a patch, or another one was before. Of older
    /// patches nothing is told any more.
    pub(crate) fn called(&mut self, called: &Called) -> Option<Effect> {
        if called.id > self.patch {
            self.patch = called.id;
            self.told.clear();
        }
        if called.id < self.patch {
            return None;
        }
        let functions = called.functions.iter();
        let new = functions.filter(|function| self.told.insert(function.name.clone()));
        let functions: Vec<ui::FunctionPlace> = new.map(Into::into).collect();
        (!functions.is_empty()).then(|| {
            Effect::Tell(ui::Event::FirstCall {
                functions,
                after: called.after,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use soft_mock_abi::report::Installed;

    use super::*;

    #[test]
    fn each_function_is_told_once() {
        let mut calls = FirstCalls::default();
        let mut told = |id: u64, names: &[&str]| {
            let installed = |name: &&str| Installed {
                name: (*name).to_owned(),
                file: "src/main.rs".to_owned(),
                line: 3,
                running: 0,
                restored: false,
                called: Some(true),
            };
            let called = Called {
                id,
                functions: names.iter().map(installed).collect(),
                after: Duration::from_millis(4),
            };
            match calls.called(&called) {
                Some(Effect::Tell(ui::Event::FirstCall { functions, .. })) => {
                    functions.into_iter().map(|place| place.name).collect()
                }
                _ => Vec::new(),
            }
        };
        assert_eq!(told(1, &["a"]), ["a"]);
        assert_eq!(told(1, &["a", "b"]), ["b"], "another process");
        assert_eq!(told(2, &["a"]), ["a"], "another patch");
        assert_eq!(told(1, &["c"]), [""; 0], "an older one");
    }
}
