//! The loop's steps by which functions that were compiled alone are compared with those of their
//! crates: one that means something else there is patched again, from the whole crate.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;

use super::effect::Effect;
use super::jobs::Job;
use super::{announce, Engine};
use crate::patch::{Compared, Comparison, Other};
use crate::ui;

impl Engine {
    /// Nothing was saved for a moment.
    pub(super) fn compare_if_idle(&mut self, turn: u64) {
        let Some(key) = self.meanings.due(turn) else {
            return;
        };
        let is_busy =
            self.patches.are_any() || self.rollbacks.is_under_way() || self.restarts.is_under_way();
        if is_busy {
            let effects = self.meanings.wait();
            return self.perform(effects);
        }
        let number = self.numbers.next();
        let programs = &self.programs;
        let begun = self.meanings.begin(number, &key, &|site, function| {
            programs.runs_body(&key, site, function)
        });
        match (begun, programs.get(&key)) {
            (Some(begun), Some(program)) => {
                let comparison = Comparison {
                    number,
                    program: Arc::clone(program),
                    wanted: begun.wanted,
                    alone: begun.alone,
                    cancel: begun.cancel,
                };
                self.perform([Effect::Start(Job::Compare(Box::new(comparison)))]);
            }
            _ => {
                self.meanings.forget(&key);
                let effects = self.meanings.wait();
                self.perform(effects);
            }
        }
    }

    /// Functions were compared. What means something else is told, and patched again.
    pub(super) fn compared(&mut self, number: u64, compared: Result<Option<Compared>>) {
        let Some(program) = self.meanings.take_compared(number) else {
            return; // A save came in between: it is done once more.
        };
        match compared {
            Ok(None) => {}
            Err(error) => self.tell(ui::Event::Detail(format!(
                "functions can't be compared with those of their crates: {error:#}"
            ))),
            Ok(Some(compared)) => {
                self.tell_all(compared.notes.into_iter().map(ui::Event::Detail));
                let mut others = Vec::new();
                for (site, function, other) in compared.others {
                    let function = announce::place(&function);
                    self.tell(match other {
                        Other::Refers(found) => ui::Event::MeansOther {
                            function,
                            alone: found.alone,
                            in_crate: found.in_crate,
                        },
                        Other::IsNoRust => ui::Event::CompilesAlone { function },
                    });
                    others.push(site);
                }
                if !others.is_empty() {
                    self.programs.record_meanings(&program, others);
                    return self.act(Instant::now());
                }
            }
        }
        let effects = self.meanings.wait();
        self.perform(effects);
    }
}
