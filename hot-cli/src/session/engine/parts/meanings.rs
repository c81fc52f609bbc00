//! Functions that run as micro-crates compiled them and aren't compared yet with those of their
//! crates.
//!
//! That is done when nothing was saved for a moment, one program at a time, and dropped when a save
//! comes. Knows nothing of how functions are compared, or what the program runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::patches::Patch;
use crate::os::process::Cancel;
use crate::patch::Alone;
use crate::program::plan::{PlannedFunction, SiteKey, Wanted};
use crate::session::engine::effect::Effect;
use crate::session::engine::Event;

/// How long nothing may have been saved.
const QUIET: Duration = Duration::from_secs(2);

/// What is to be compared, and what is.
#[derive(Default)]
pub(crate) struct Meanings {
    /// By program.
    waiting: BTreeMap<PathBuf, Waiting>,
    running: Option<Running>,
    /// Counts the moments in which nothing may be saved.
    turn: u64,
}

struct Waiting {
    /// What the files said when the last of its patches was made.
    wanted: Box<Wanted>,
    alone: Vec<Alone>,
}

/// What is compared now.
pub(crate) struct Begun {
    pub(crate) wanted: Box<Wanted>,
    pub(crate) alone: Vec<Alone>,
    pub(crate) cancel: Cancel,
}

struct Running {
    number: u64,
    program: PathBuf,
    cancel: Cancel,
}

impl Meanings {
    /// Files were saved: what is being compared is dropped, and waits again.
    pub(crate) fn saved(&mut self) -> Option<Effect> {
        self.drop_comparison();
        self.wait()
    }

    /// A patch is active.
    pub(crate) fn patched(&mut self, patch: &Patch) -> Option<Effect> {
        self.drop_comparison();
        if patch.alone.is_empty() && !patch.load.plugins.is_empty() {
            // It was made from whole crates, and holds whatever differs.
            self.waiting.remove(&patch.program);
            return self.wait();
        }
        let waiting = self
            .waiting
            .entry(patch.program.clone())
            .or_insert_with(|| Waiting {
                wanted: patch.wanted.clone(),
                alone: Vec::new(),
            });
        waiting.wanted.clone_from(&patch.wanted);
        waiting.alone.extend(patch.alone.iter().cloned());
        self.wait()
    }

    /// Begins a moment in which nothing may be saved, if there is something to compare.
    pub(crate) fn wait(&mut self) -> Option<Effect> {
        self.turn += 1;
        let waits = !self.waiting.is_empty() && self.running.is_none();
        waits.then(|| Effect::Later(QUIET, Event::Idle(self.turn)))
    }

    /// Whose functions are to be compared now, if nothing has happened since this moment began.
    pub(crate) fn due(&self, turn: u64) -> Option<PathBuf> {
        let first = self.waiting.keys().next().cloned();
        first.filter(|_| self.running.is_none() && self.turn == turn)
    }

    /// Begins with the functions of a program that still run what was compiled for them.
    pub(crate) fn begin(
        &mut self,
        number: u64,
        program: &Path,
        runs: &dyn Fn(&SiteKey, &PlannedFunction) -> bool,
    ) -> Option<Begun> {
        let waiting = self.waiting.get_mut(program)?;
        waiting.alone.retain_mut(|alone| alone.keep(runs));
        if waiting.alone.is_empty() {
            self.waiting.remove(program);
            return None;
        }
        let cancel = Cancel::in_background();
        self.running = Some(Running {
            number,
            program: program.to_owned(),
            cancel: cancel.clone(),
        });
        Some(Begun {
            wanted: waiting.wanted.clone(),
            alone: waiting.alone.clone(),
            cancel,
        })
    }

    /// A comparison has ended: of which program. None if it was dropped before.
    pub(crate) fn take_compared(&mut self, number: u64) -> Option<PathBuf> {
        let done = self.running.take_if(|running| running.number == number)?;
        self.waiting.remove(&done.program);
        Some(done.program)
    }

    /// The programs are ended.
    pub(crate) fn restarted(&mut self) {
        self.drop_comparison();
        self.waiting.clear();
    }

    /// A program is gone for good.
    pub(crate) fn forget(&mut self, program: &Path) {
        if self
            .running
            .as_ref()
            .is_some_and(|running| running.program == program)
        {
            self.drop_comparison();
        }
        self.waiting.remove(program);
    }

    fn drop_comparison(&mut self) {
        if let Some(running) = self.running.take() {
            running.cancel.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use soft_mock_abi::protocol::Load;

    use super::*;

    fn function() -> PlannedFunction {
        PlannedFunction {
            name: "a::f".into(),
            file: "/a.rs".into(),
            line: 1,
            body: Default::default(),
            uses: Default::default(),
            code: None,
            brought: None,
        }
    }

    fn patch(alone: Vec<Alone>) -> Patch {
        Patch {
            program: "/a".into(),
            wanted: Box::default(),
            once: Vec::new(),
            preserved_statics: Default::default(),
            successors: Vec::new(),
            kept_bodies: Vec::new(),
            alone,
            load: Load {
                id: 1,
                plugins: vec!["/p.so".into()],
                ..Load::default()
            },
            since: std::time::Instant::now(),
            recipients: Vec::new(),
        }
    }

    /// The number of the moment that has begun.
    fn turn(effect: Option<Effect>) -> Option<u64> {
        match effect? {
            Effect::Later(_, Event::Idle(turn)) => Some(turn),
            _ => None,
        }
    }

    #[test]
    fn a_save_drops_what_is_compared_and_it_waits_again() {
        let mut meanings = Meanings::default();
        assert!(meanings.saved().is_none(), "there is nothing to compare");
        let first = turn(meanings.patched(&patch(vec![Alone::of(function())])));
        let first = first.expect("a moment");
        let second = turn(meanings.saved()).expect("another one");
        assert_eq!(meanings.due(first), None, "something was saved");
        let key = meanings.due(second).expect("a program");

        let begun = meanings.begin(1, &key, &|_, _| true).expect("functions");
        assert_eq!(begun.alone.len(), 1);
        assert!(meanings.wait().is_none(), "one at a time");
        assert!(!begun.cancel.is_cancelled());
        let third = turn(meanings.saved()).expect("it waits again");
        assert!(begun.cancel.is_cancelled());
        assert_eq!(meanings.take_compared(1), None, "it came too late");

        assert_eq!(meanings.due(third), Some(key.clone()));
        assert!(meanings.begin(2, &key, &|_, _| true).is_some());
        assert_eq!(meanings.take_compared(2), Some(key));
        assert!(meanings.saved().is_none(), "it is done");
    }

    #[test]
    fn what_does_not_run_is_not_compared() {
        let mut meanings = Meanings::default();
        let alone = || vec![Alone::of(function())];
        meanings.patched(&patch(alone()));
        let key = Path::new("/a");
        let replaced = meanings.begin(1, key, &|_, _| false);
        assert!(replaced.is_none(), "it runs something else");
        meanings.patched(&patch(alone()));
        let whole = meanings.patched(&patch(Vec::new()));
        assert!(whole.is_none(), "whole crates hold whatever differs");
        meanings.patched(&patch(alone()));
        meanings.restarted();
        assert!(meanings.wait().is_none(), "another program runs");
    }
}
