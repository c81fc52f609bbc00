//! Patched functions whose new bodies nobody calls for a while: told once.
//!
//! What runs only at a program's start is patched like anything else, and no call of it comes. That
//! none will can't be known; that none came can. Of a function whose new body was called once,
//! whenever that was, nothing is told any more: it is one of those that run again and again.
//!
//! A process counts calls from the newest patch on, also of functions that it carries along as they
//! were. Whether the body that they have was called before is known here.
//!
//! Knows nothing of how processes find out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use soft_mock_abi::report::Status;

use super::asked::Asked;
use crate::control::Connection;
use crate::session::engine::effect::Effect;
use crate::session::engine::Event;
use crate::ui::{self, FunctionPlace};

/// As long as a person may take from their editor to what they want to see.
const PATIENCE: Duration = Duration::from_secs(5);

/// A function of a program.
type Key = (PathBuf, String);

#[derive(Debug, Default)]
pub(crate) struct Uncalled {
    /// Patched, by which patch, and not looked at since.
    waiting: BTreeMap<Key, (u64, FunctionPlace)>,
    /// What was told of, and wasn't called since as far as is known.
    told: BTreeSet<Key>,
    /// New bodies of these were called.
    called: BTreeSet<Key>,
    /// Of those, the ones whose present body was.
    ran: BTreeSet<Key>,
    looks: Vec<Look>,
}

/// A question to the processes of a program.
#[derive(Debug)]
struct Look {
    program: PathBuf,
    /// The patch whose functions are told of if they weren't called.
    patch: Option<u64>,
    asked: Asked,
}

impl Uncalled {
    /// A patch is active; these may be called from now on.
    pub(crate) fn patched(
        &mut self,
        patch: u64,
        program: &Path,
        functions: Vec<FunctionPlace>,
    ) -> Option<Effect> {
        for function in functions {
            let key = (program.to_owned(), function.name.clone());
            if !self.called.contains(&key) {
                self.waiting.insert(key, (patch, function));
            }
        }
        let waits = self.waited_for(patch).is_some();
        waits.then_some(Effect::Later(PATIENCE, Event::CallsDue(patch)))
    }

    /// These have other bodies, of which nothing is known yet.
    pub(crate) fn replaced<'a>(
        &mut self,
        program: &Path,
        functions: impl Iterator<Item = &'a str>,
    ) {
        for name in functions {
            let key = (program.to_owned(), name.to_owned());
            self.waiting.remove(&key);
            self.told.remove(&key);
            self.ran.remove(&key);
        }
    }

    /// What a process of `program` tells, without what is known to have run.
    pub(crate) fn correct(&self, program: &Path, status: &mut Status) {
        let ran = |name: &String| self.ran.contains(&(program.to_owned(), name.clone()));
        status.not_called.retain(|name| !ran(name));
    }

    /// The program of a patch, if nothing is known yet of calls of its functions.
    pub(crate) fn waited_for(&self, patch: u64) -> Option<&Path> {
        let mut waiting = self.waiting.iter();
        let ((program, _), _) = waiting.find(|(_, (of, _))| *of == patch)?;
        Some(program)
    }

    /// Asks these processes, as functions of a patch had their time.
    pub(crate) fn due(&mut self, patch: u64, id: u64, processes: Vec<Connection>) -> Vec<Effect> {
        match self.waited_for(patch).map(Path::to_owned) {
            Some(program) => self.ask(id, program, Some(patch), processes),
            None => Vec::new(),
        }
    }

    /// These are about to get other bodies, or the same ones once more. Whether the present ones
    /// were called is asked before, where that isn't known.
    pub(crate) fn before<'a>(
        &mut self,
        id: u64,
        program: &Path,
        mut functions: impl Iterator<Item = &'a str>,
        processes: Vec<Connection>,
    ) -> Vec<Effect> {
        let is_unknown = |name: &str| {
            let key = (program.to_owned(), name.to_owned());
            let is_patched = self.told.contains(&key)
                || self.waiting.contains_key(&key)
                || self.called.contains(&key);
            is_patched && !self.ran.contains(&key)
        };
        match functions.any(is_unknown) {
            true => self.ask(id, program.to_owned(), None, processes),
            false => Vec::new(),
        }
    }

    fn ask(
        &mut self,
        id: u64,
        program: PathBuf,
        patch: Option<u64>,
        processes: Vec<Connection>,
    ) -> Vec<Effect> {
        let (asked, effects) = Asked::of(id, processes);
        if !asked.is_over() {
            self.looks.push(Look {
                program,
                patch,
                asked,
            });
        }
        effects
    }

    /// A process has answered.
    pub(crate) fn answered(&mut self, conn: Connection, id: u64, status: &Status) -> Vec<Effect> {
        for look in &mut self.looks {
            look.asked.answered(conn, id, status);
        }
        self.take()
    }

    /// Nobody waits for a process that is gone.
    pub(crate) fn left(&mut self, conn: Connection) -> Vec<Effect> {
        for look in &mut self.looks {
            look.asked.left(conn);
        }
        self.take()
    }

    /// What is to be told since all have answered, or are gone.
    fn take(&mut self) -> Vec<Effect> {
        let looks = std::mem::take(&mut self.looks).into_iter();
        let (done, open): (Vec<Look>, _) = looks.partition(|look| look.asked.is_over());
        self.looks = open;
        let told = done.into_iter().filter_map(|look| self.looked(look));
        told.collect()
    }

    fn looked(&mut self, look: Look) -> Option<Effect> {
        if look.asked.told.is_empty() {
            return None;
        }
        let was_called = |key: &Key| {
            let mut told = look.asked.told.values();
            key.0 == look.program && told.any(|status| !status.not_called.contains(&key.1))
        };
        let known = self.told.iter().chain(self.waiting.keys());
        let known = known.chain(&self.called);
        let called: Vec<Key> = known.filter(|key| was_called(key)).cloned().collect();
        for key in called {
            self.told.remove(&key);
            self.waiting.remove(&key);
            self.called.insert(key.clone());
            self.ran.insert(key);
        }
        let mut functions = Vec::new();
        self.waiting.retain(|key, (patch, function)| {
            let is_due = Some(*patch) == look.patch;
            if is_due {
                self.told.insert(key.clone());
                functions.push(function.clone());
            }
            !is_due
        });
        (!functions.is_empty()).then_some(Effect::Tell(ui::Event::NotCalled(functions)))
    }

    /// The programs are ended. What is called again and again will be so.
    pub(crate) fn restarted(&mut self) {
        self.waiting.clear();
        self.told.clear();
        self.ran.clear();
        self.looks.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: &str = "/app";

    fn function(name: &str) -> FunctionPlace {
        FunctionPlace {
            name: name.to_owned(),
            file: "src/main.rs".to_owned(),
            line: 3,
        }
    }

    fn patched(uncalled: &mut Uncalled, patch: u64, names: &[&str]) -> bool {
        let functions = names.iter().map(|name| function(name)).collect();
        uncalled.patched(patch, Path::new(APP), functions).is_some()
    }

    fn status(not_called: &[&str]) -> Status {
        Status {
            not_called: not_called.iter().map(|name| (*name).to_owned()).collect(),
            ..Status::default()
        }
    }

    fn told(effects: impl IntoIterator<Item = Effect>) -> Vec<String> {
        let mut names = Vec::new();
        for effect in effects {
            let Effect::Tell(ui::Event::NotCalled(functions)) = effect else {
                panic!("nothing else is told");
            };
            names.extend(functions.into_iter().map(|function| function.name));
        }
        names
    }

    /// What is told of a patch if a process says so.
    fn looked(uncalled: &mut Uncalled, patch: u64, not_called: &[&str]) -> Vec<String> {
        let process = Connection::numbered(1);
        let asked = uncalled.due(patch, patch + 100, vec![process]);
        assert!(!asked.is_empty());
        told(uncalled.answered(process, patch + 100, &status(not_called)))
    }

    #[test]
    fn what_was_called_once_is_never_told_again() {
        let mut uncalled = Uncalled::default();
        assert!(patched(&mut uncalled, 1, &["routes", "index"]));
        assert_eq!(looked(&mut uncalled, 1, &["routes"]), ["routes"]);
        // `index` was called.
        assert!(!patched(&mut uncalled, 2, &["index"]));
        assert!(patched(&mut uncalled, 3, &["index", "routes"]));
        assert_eq!(looked(&mut uncalled, 3, &["index", "routes"]), ["routes"]);
    }

    #[test]
    fn what_is_called_later_is_learned_before_it_is_patched_again() {
        let mut uncalled = Uncalled::default();
        let process = Connection::numbered(1);
        patched(&mut uncalled, 1, &["index"]);
        assert_eq!(looked(&mut uncalled, 1, &["index"]), ["index"]);
        let app = Path::new(APP);
        let asked = uncalled.before(7, app, ["other"].into_iter(), vec![process]);
        assert!(asked.is_empty());
        let asked = uncalled.before(8, app, ["index"].into_iter(), vec![process]);
        assert_eq!(asked.len(), 1);
        assert!(uncalled.answered(process, 8, &status(&[])).is_empty());
        assert!(!patched(&mut uncalled, 2, &["index"]));
        // The same of what wasn't looked at yet: another patch may carry it along.
        patched(&mut uncalled, 3, &["create"]);
        let asked = uncalled.before(9, app, ["create"].into_iter(), vec![process]);
        assert_eq!(asked.len(), 1);
        assert!(uncalled.answered(process, 9, &status(&[])).is_empty());
        assert!(uncalled.waited_for(3).is_none());
    }

    #[test]
    fn the_newest_patch_of_a_function_counts_and_one_that_is_undone_does_not() {
        let mut uncalled = Uncalled::default();
        patched(&mut uncalled, 1, &["routes", "setup"]);
        patched(&mut uncalled, 2, &["routes"]);
        uncalled.replaced(Path::new(APP), ["setup"].into_iter());
        assert!(uncalled.waited_for(1).is_none());
        assert_eq!(looked(&mut uncalled, 2, &["routes", "setup"]), ["routes"]);
        patched(&mut uncalled, 3, &["routes"]);
        uncalled.restarted();
        assert!(uncalled.waited_for(3).is_none());
    }

    #[test]
    fn what_a_patch_carries_along_was_called_if_its_body_was() {
        let mut uncalled = Uncalled::default();
        let (app, process) = (Path::new(APP), Connection::numbered(1));
        let shown = |uncalled: &Uncalled| {
            let mut told = status(&["index", "routes"]);
            uncalled.correct(app, &mut told);
            told.not_called
        };
        patched(&mut uncalled, 1, &["index", "routes"]);
        assert_eq!(looked(&mut uncalled, 1, &["routes"]), ["routes"]);
        // Another patch carries both: the process begins to count anew.
        patched(&mut uncalled, 2, &["list"]);
        assert_eq!(shown(&uncalled), ["routes"]);
        // Its next body, which is asked for before it is carried along in its turn.
        uncalled.replaced(app, ["index"].into_iter());
        assert!(!patched(&mut uncalled, 3, &["index"]));
        assert_eq!(shown(&uncalled), ["index", "routes"]);
        let asked = uncalled.before(9, app, ["index"].into_iter(), vec![process]);
        assert_eq!(asked.len(), 1);
        assert!(told(uncalled.answered(process, 9, &status(&["routes"]))).is_empty());
        assert_eq!(shown(&uncalled), ["routes"]);
    }

    #[test]
    fn a_call_in_any_process_is_one() {
        let mut uncalled = Uncalled::default();
        let [one, two, gone] = [1, 2, 3].map(Connection::numbered);
        patched(&mut uncalled, 1, &["serve", "setup"]);
        assert_eq!(uncalled.due(1, 9, vec![one, two, gone]).len(), 3);
        let both = status(&["serve", "setup"]);
        assert!(uncalled.answered(one, 9, &both).is_empty());
        assert!(uncalled.answered(two, 9, &status(&["setup"])).is_empty());
        assert_eq!(told(uncalled.left(gone)), ["setup"]);
        // Nobody is left to answer.
        patched(&mut uncalled, 2, &["setup"]);
        assert!(uncalled.due(2, 10, Vec::new()).is_empty());
        uncalled.due(2, 11, vec![one]);
        assert!(uncalled.left(one).is_empty());
    }
}
