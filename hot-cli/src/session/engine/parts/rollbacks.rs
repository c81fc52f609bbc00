//! Patches that are being taken back, because another terminal asked for it.
//!
//! Knows nothing of what a patch holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::time::Instant;

use soft_mock_abi::protocol::{Loaded, Refused, Rollback, ToProgram};
use soft_mock_abi::report::Installed;

use crate::control::Connection;
use crate::protocol::{Reply, RolledBack};
use crate::session::engine::effect::Effect;

/// The rollback that isn't done by all processes yet, if one isn't.
#[derive(Debug, Default)]
pub(crate) struct Rollbacks {
    under_way: Option<UnderWay>,
}

#[derive(Debug)]
struct UnderWay {
    id: u64,
    waiting: Vec<Connection>,
    done: Done,
}

/// What the processes did.
#[derive(Debug)]
pub(crate) struct Done {
    /// The terminal that asked for it; none if it was answered.
    terminal: Option<Sender<Reply>>,
    /// The numbers of the patches, by program.
    patches: BTreeMap<PathBuf, Vec<u64>>,
    loaded: Vec<(PathBuf, Loaded)>,
    refused: Vec<(PathBuf, String)>,
    pub(crate) since: Instant,
}

/// What was taken back in a program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InProgram {
    pub(crate) program: PathBuf,
    pub(crate) patches: Vec<u64>,
    /// The functions that run their former code.
    pub(crate) functions: Vec<Installed>,
}

impl Rollbacks {
    /// Whether what the programs run is about to change, so that it can't be compared with now.
    pub(crate) fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// Whether a process means the rollback with this id.
    pub(crate) fn is(&self, id: u64) -> bool {
        self.under_way.as_ref().is_some_and(|now| now.id == id)
    }

    /// Takes patches back in these processes, as many in each as in its program. With none, that is
    /// done.
    pub(crate) fn begin(
        &mut self,
        id: u64,
        terminal: Sender<Reply>,
        patches: BTreeMap<PathBuf, Vec<u64>>,
        processes: Vec<(Connection, usize)>,
    ) -> (Vec<Effect>, Option<Done>) {
        let tell = |(conn, patches): &(Connection, usize)| {
            let patches = *patches;
            Effect::Send(*conn, ToProgram::Rollback(Rollback { id, patches }))
        };
        let effects = processes.iter().map(tell).collect();
        self.under_way = Some(UnderWay {
            id,
            waiting: processes.into_iter().map(|(conn, _)| conn).collect(),
            done: Done {
                terminal: Some(terminal),
                patches,
                loaded: Vec::new(),
                refused: Vec::new(),
                since: Instant::now(),
            },
        });
        (effects, self.take_done())
    }

    /// A process, of this program and with this pid, did it or refuses.
    pub(crate) fn answered(
        &mut self,
        conn: Connection,
        (program, pid): (&Path, u32),
        answer: Result<Loaded, Refused>,
    ) -> Option<Done> {
        let now = self.under_way.as_mut()?;
        now.waiting.retain(|other| *other != conn);
        let program = program.to_owned();
        match answer {
            Ok(loaded) => now.done.loaded.push((program, loaded)),
            Err(refused) => {
                let why = format!("pid {pid}: {}", refused.error);
                now.done.refused.push((program, why));
            }
        }
        self.take_done()
    }

    /// Nobody waits for a process that is gone.
    pub(crate) fn left(&mut self, conn: Connection) -> Option<Done> {
        let now = self.under_way.as_mut()?;
        now.waiting.retain(|other| *other != conn);
        self.take_done()
    }

    /// The terminal needn't wait as long as the program does.
    pub(crate) fn wait_no_longer(&mut self) -> Option<Effect> {
        let terminal = self.under_way.as_mut()?.done.terminal.take()?;
        Some(Effect::Reply(terminal, Reply::Waiting))
    }

    /// The programs are restarted: nobody answers any more.
    pub(crate) fn restarted(&mut self) -> Option<Effect> {
        let terminal = self.under_way.take()?.done.terminal?;
        let why = "the program was restarted meanwhile".to_owned();
        Some(Effect::Reply(terminal, Reply::Refused(why)))
    }

    fn take_done(&mut self) -> Option<Done> {
        let done = self.under_way.take_if(|now| now.waiting.is_empty())?;
        Some(done.done)
    }
}

impl Done {
    /// What was taken back, program by program. One whose processes all refuse is left out.
    pub(crate) fn in_programs(&self) -> Vec<InProgram> {
        let mut all = Vec::new();
        for (program, patches) in &self.patches {
            let loaded = self.loaded.iter().find(|(other, _)| other == program);
            let refused = self.refused.iter().any(|(other, _)| other == program);
            if loaded.is_none() && refused {
                continue;
            }
            all.push(InProgram {
                program: program.clone(),
                patches: patches.clone(),
                functions: loaded
                    .map(|(_, loaded)| loaded.report.functions.clone())
                    .unwrap_or_default(),
            });
        }
        all
    }

    /// What went wrong beside it.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = &String> {
        let reports = self.loaded.iter().map(|(_, loaded)| &loaded.report);
        reports.flat_map(|report| &report.warnings)
    }

    /// All of it, for people.
    pub(crate) fn summary(&self) -> RolledBack {
        let programs = self.in_programs();
        let mut undone: Vec<u64> = programs.iter().flat_map(|p| p.patches.clone()).collect();
        undone.sort_unstable_by(|a, b| b.cmp(a));
        RolledBack {
            undone,
            functions: programs.into_iter().flat_map(|p| p.functions).collect(),
            processes: self.loaded.len(),
            refused: self.refused.iter().map(|(_, why)| why.clone()).collect(),
        }
    }

    /// The answer for the terminal, if it still waits.
    pub(crate) fn reply(self) -> Option<Effect> {
        let done = self.summary();
        let answer = match done.undone.is_empty() {
            true => Reply::Refused(done.refused.join("; ")),
            false => Reply::RolledBack(done),
        };
        Some(Effect::Reply(self.terminal?, answer))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::session::engine::parts::answers::{loaded, refused};

    #[test]
    fn done_when_every_process_has_answered_or_is_gone() {
        let (terminal, _replies) = channel();
        let mut rollbacks = Rollbacks::default();
        let [one, two, three] = [1, 2, 3].map(Connection::numbered);
        let (a, b) = (Path::new("/a"), Path::new("/b"));
        let patches = BTreeMap::from([(a.to_owned(), vec![3, 1]), (b.to_owned(), vec![2])]);
        let processes = vec![(one, 2), (two, 2), (three, 1)];
        let (effects, done) = rollbacks.begin(9, terminal, patches, processes);
        assert!(done.is_none() && effects.len() == 3);
        assert!(rollbacks.is(9) && !rollbacks.is(8));

        assert!(rollbacks.answered(one, (a, 11), loaded(9)).is_none());
        assert!(rollbacks.left(two).is_none());
        let done = rollbacks.answered(three, (b, 13), refused(9));
        let done = done.expect("all have answered");
        assert!(!rollbacks.is_under_way());
        let summary = done.summary();
        assert_eq!(
            summary.undone,
            [3, 1],
            "not the patch of a program that refuses"
        );
        assert_eq!(
            (summary.processes, &summary.refused[..]),
            (1, &["pid 13: no".to_owned()][..])
        );
        assert!(matches!(
            done.reply(),
            Some(Effect::Reply(_, Reply::RolledBack(_)))
        ));
    }

    #[test]
    fn a_terminal_is_answered_once() {
        let (terminal, _replies) = channel();
        let mut rollbacks = Rollbacks::default();
        let one = Connection::numbered(1);
        let patches = BTreeMap::from([(PathBuf::from("/a"), vec![1])]);
        rollbacks.begin(1, terminal.clone(), patches.clone(), vec![(one, 1)]);
        assert!(rollbacks.wait_no_longer().is_some());
        assert!(rollbacks.wait_no_longer().is_none());
        assert!(rollbacks.restarted().is_none());
        assert!(!rollbacks.is_under_way());

        let (_, done) = rollbacks.begin(2, terminal, patches, Vec::new());
        assert!(done.is_some(), "nobody is waited for");
    }
}
