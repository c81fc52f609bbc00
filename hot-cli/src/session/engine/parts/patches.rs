//! A patch on its way: built on another thread, sent to all processes of its program, answered by
//! each.
//!
//! One is built at a time; a newer save takes the place of what is being built. But not again and
//! again: where saves come faster than a patch compiles, none would ever be there. So a build that
//! took the place of another one goes on, and what was saved since comes after it. Knows nothing of
//! how a patch is built, or what the program runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use soft_mock_abi::protocol::{Load, Loaded, Refused, Restore, ToProgram};

use crate::control::Connection;
use crate::os::process::Cancel;
use crate::patch::{Alone, Built};
use crate::program::plan::{KeptBody, KeptValues, PlannedFunction, Successor, Wanted};
use crate::session::engine::effect::Effect;
use crate::ui;

/// A patch that is being built.
pub(crate) struct Building {
    number: u64,
    pub(crate) program: PathBuf,
    pub(crate) wanted: Box<Wanted>,
    cancel: Cancel,
    pub(crate) since: Instant,
    /// It took the place of another one, for a newer save.
    is_second: bool,
    /// Nothing that it is made from becomes something else meanwhile, and nothing waits beside it:
    /// what takes a part of it back might have to wait with that.
    stands_alone: bool,
    /// Files were saved since it began.
    pub(crate) is_outdated: bool,
}

/// A patch that was sent and isn't answered by all processes yet.
struct Sent {
    patch: Patch,
    waiting: Vec<Connection>,
    /// The newest answers.
    loaded: Option<Loaded>,
    refused: Option<Refused>,
    /// The user knows that the program keeps it waiting.
    said_waiting: bool,
}

/// A patch that processes got.
pub(crate) struct Patch {
    pub(crate) program: PathBuf,
    pub(crate) wanted: Box<Wanted>,
    /// Functions that differ, but are called just once.
    pub(crate) once: Vec<PlannedFunction>,
    /// Statics that begin with another value now.
    pub(crate) preserved_statics: KeptValues,
    /// Variables in place of others that are gone.
    pub(crate) successors: Vec<Successor>,
    /// Functions of which closures may be alive, which keep the bodies that they were made with.
    pub(crate) kept_bodies: Vec<KeptBody>,
    /// The functions that were compiled alone.
    pub(crate) alone: Vec<Alone>,
    pub(crate) load: Load,
    /// The save.
    pub(crate) since: Instant,
    pub(crate) recipients: Vec<Connection>,
}

/// A patch that all processes have answered.
pub(crate) struct Finished {
    pub(crate) patch: Patch,
    /// What the last of them said; if one refused, its reason. None: all of them are gone.
    pub(crate) answer: Option<Result<Loaded, Refused>>,
}

/// The patches on their way.
#[derive(Default)]
pub(crate) struct Patches {
    building: Option<Building>,
    sent: BTreeMap<u64, Sent>,
    /// A change waits for the answers to the patch before.
    postponed: bool,
    /// What was being built was dropped for a newer save, and nothing was built to its end since.
    was_overtaken: bool,
    /// The last one was outdated and couldn't be had.
    was_in_vain: bool,
}

impl Patches {
    /// Whether a patch has to wait: what is on its way decides what of whole crates is loaded. It
    /// is to be looked at again when that has arrived.
    pub(crate) fn must_wait(&mut self, program: &Path, wanted: &Wanted) -> bool {
        let on_its_way = self.sent.values().any(|sent| sent.patch.program == program);
        let waits = on_its_way && !wanted.indirect.is_empty();
        self.postponed |= waits;
        waits
    }

    /// A patch is built from now on. What was being built is dropped.
    pub(crate) fn begin(
        &mut self,
        number: u64,
        program: PathBuf,
        wanted: Box<Wanted>,
        since: Instant,
    ) -> Cancel {
        self.drop_build();
        let cancel = Cancel::default();
        let stands_alone = self.sent.is_empty() && wanted.without.is_empty();
        self.building = Some(Building {
            number,
            program,
            wanted,
            cancel: cancel.clone(),
            since,
            is_second: self.was_overtaken,
            stands_alone,
            is_outdated: false,
        });
        cancel
    }

    /// Files were saved. `are_sources`: a build has their former texts, and doesn't read them.
    pub(crate) fn saved(&mut self, are_sources: bool) {
        if let Some(building) = &mut self.building {
            building.is_outdated = true;
            building.stands_alone &= are_sources;
        }
    }

    /// Whether what is being built is finished before what was saved since.
    pub(crate) fn goes_on(&self) -> bool {
        let building = self.building.as_ref();
        building.is_some_and(|it| it.is_outdated && it.is_second && it.stands_alone)
    }

    /// What is being built makes way for what was saved since. Whether there was one.
    pub(crate) fn overtake(&mut self) -> bool {
        let is_outdated = |building: &Building| building.is_outdated;
        self.was_overtaken |= self.building.as_ref().is_some_and(is_outdated);
        self.drop_build()
    }

    /// Nothing is to be built: who waited has an answer.
    pub(crate) fn nothing_waits(&mut self) {
        self.was_overtaken = false;
    }

    /// An outdated one couldn't be had: what was saved since may mend that. Whether it counts all
    /// the same, since it is the second in a row, and saves may never end.
    pub(crate) fn is_in_vain_again(&mut self) -> bool {
        self.was_in_vain = !self.was_in_vain;
        !self.was_in_vain
    }

    /// Whether there was one.
    pub(crate) fn drop_build(&mut self) -> bool {
        let building = self.building.take();
        if let Some(building) = &building {
            building.cancel.cancel();
        }
        building.is_some()
    }

    /// A program is gone for good.
    pub(crate) fn drop_build_of(&mut self, program: &Path) {
        let is_its = |building: &Building| building.program == program;
        if self.building.as_ref().is_some_and(is_its) {
            self.drop_build();
        }
    }

    /// A build has ended. None if it was dropped before.
    pub(crate) fn take_built(&mut self, number: u64) -> Option<Building> {
        let built = self.building.take_if(|it| it.number == number)?;
        self.was_overtaken = false;
        Some(built)
    }

    /// What is being built under this number, if that still is.
    pub(crate) fn built_by(&self, number: u64) -> Option<&Wanted> {
        let building = self.building.as_ref();
        let building = building.filter(|building| building.number == number)?;
        Some(&building.wanted)
    }

    /// Sends a patch to these processes; `calls`: they are to tell when it is first called.
    pub(crate) fn send(
        &mut self,
        building: Building,
        built: Built,
        restore: Vec<Restore>,
        recipients: Vec<Connection>,
        calls: bool,
    ) -> Vec<Effect> {
        self.was_in_vain = false;
        if recipients.is_empty() {
            return Vec::new(); // Nobody would ever answer.
        }
        self.postponed |= building.is_outdated;
        let load = Load {
            id: building.number,
            plugins: built.plugins,
            restore,
            calls: false,
        };
        // Who joins later gets the patch as what is there already.
        let first = Load {
            calls,
            ..load.clone()
        };
        let send = |conn: &Connection| Effect::Send(*conn, ToProgram::Load(first.clone()));
        let effects = recipients.iter().map(send).collect();
        let sent = Sent {
            waiting: recipients.clone(),
            loaded: None,
            refused: None,
            said_waiting: false,
            patch: Patch {
                program: building.program,
                wanted: building.wanted,
                once: built.once,
                preserved_statics: built.preserved_statics,
                successors: built.successors,
                kept_bodies: built.kept_bodies,
                alone: built.alone,
                since: building.since,
                recipients,
                load,
            },
        };
        self.sent.insert(building.number, sent);
        effects
    }

    /// A process has installed a patch, or refuses. Returns the patch if it was the last one that
    /// was waited for.
    pub(crate) fn answered(
        &mut self,
        conn: Connection,
        answer: Result<Loaded, Refused>,
    ) -> Option<Finished> {
        let id = answer.as_ref().map_or_else(|no| no.id, |yes| yes.id);
        let sent = self.sent.get_mut(&id)?;
        if sent.waiting.contains(&conn) {
            sent.waiting.retain(|other| *other != conn);
            match answer {
                Ok(loaded) => sent.loaded = Some(loaded),
                Err(refused) => sent.refused = Some(refused),
            }
        }
        self.take_finished().pop()
    }

    /// Whether a patch with this number waits for answers.
    pub(crate) fn is_on_its_way(&self, number: u64) -> bool {
        self.sent.contains_key(&number)
    }

    pub(crate) fn is_any_on_its_way(&self) -> bool {
        !self.sent.is_empty()
    }

    /// Whether a patch is being built, or on its way.
    pub(crate) fn are_any(&self) -> bool {
        self.building.is_some() || self.is_any_on_its_way()
    }

    /// Nobody waits for a process that is gone.
    pub(crate) fn left(&mut self, conn: Connection) -> Vec<Finished> {
        for sent in self.sent.values_mut() {
            sent.waiting.retain(|other| *other != conn);
        }
        self.take_finished()
    }

    fn take_finished(&mut self) -> Vec<Finished> {
        let sent = self.sent.iter();
        let done = sent.filter(|(_, sent)| sent.waiting.is_empty());
        let done: Vec<u64> = done.map(|(number, _)| *number).collect();
        let sent = done.iter().filter_map(|number| self.sent.remove(number));
        sent.map(|sent| Finished {
            patch: sent.patch,
            answer: match (sent.refused, sent.loaded) {
                (Some(refused), _) => Some(Err(refused)),
                (None, loaded) => loaded.map(Ok),
            },
        })
        .collect()
    }

    /// A program keeps a patch for its safe point. Said once.
    pub(crate) fn waits(&mut self, number: u64) -> Option<Effect> {
        let sent = self.sent.get_mut(&number)?;
        if std::mem::replace(&mut sent.said_waiting, true) {
            return None;
        }
        let units = sent.patch.wanted.plan.values();
        let functions = units.flat_map(|unit| unit.patch.iter().chain(&unit.restore));
        let names = functions.map(|function| function.name.clone()).collect();
        Some(Effect::Tell(ui::Event::WaitsForSafePoint(names)))
    }

    /// Whether something had to wait for a patch.
    pub(crate) fn take_postponed(&mut self) -> bool {
        std::mem::take(&mut self.postponed)
    }

    /// The programs are ended: nobody answers any more.
    pub(crate) fn restarted(&mut self) {
        self.drop_build();
        self.sent.clear();
        self.postponed = false;
        self.was_overtaken = false;
        self.was_in_vain = false;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::program::plan::{Edit, Rude};
    use crate::session::engine::parts::answers::{loaded, refused};

    fn wanted(indirect: usize) -> Box<Wanted> {
        let edit = Edit {
            file: "/a.rs".into(),
            line: 1,
            what: "value of const N changed".into(),
            now: Default::default(),
            preserved_static: None,
            is_of_code: true,
            may_alter_macros: false,
            may_concern_tests: false,
        };
        Box::new(Wanted {
            indirect: vec![edit; indirect],
            ..Wanted::default()
        })
    }

    fn built() -> Built {
        Built {
            plugins: vec!["/p.so".into()],
            plan: BTreeMap::new(),
            once: Vec::new(),
            preserved_statics: Default::default(),
            successors: Vec::new(),
            kept_bodies: Vec::new(),
            left: Vec::new(),
            alone: Vec::new(),
            whole_crate_plugins: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn sent(patches: &mut Patches, number: u64, to: &[Connection]) -> Vec<Effect> {
        patches.begin(number, "/a".into(), wanted(0), Instant::now());
        let building = patches.take_built(number).expect("it was not dropped");
        patches.send(building, built(), Vec::new(), to.to_vec(), false)
    }

    #[test]
    fn a_newer_save_takes_the_place_of_what_is_being_built() {
        let mut patches = Patches::default();
        let first = patches.begin(1, "/a".into(), wanted(0), Instant::now());
        let second = patches.begin(2, "/a".into(), wanted(0), Instant::now());
        assert!(first.is_cancelled() && !second.is_cancelled());
        assert!(patches.take_built(1).is_none(), "it came too late");
        assert!(patches.take_built(2).is_some());
        assert!(patches.take_built(2).is_none());
        let third = patches.begin(3, "/a".into(), wanted(0), Instant::now());
        patches.drop_build_of(Path::new("/b"));
        assert!(!third.is_cancelled());
        patches.drop_build_of(Path::new("/a"));
        assert!(third.is_cancelled());
    }

    #[test]
    fn what_took_the_place_of_another_one_is_finished() {
        let mut patches = Patches::default();
        let begin = |patches: &mut Patches, number| {
            patches.begin(number, "/a".into(), wanted(0), Instant::now());
        };
        // A save: whether what is being built goes on.
        let goes_on_after = |patches: &mut Patches, are_sources| {
            patches.saved(are_sources);
            patches.goes_on() || !patches.overtake()
        };
        begin(&mut patches, 1);
        assert!(!patches.goes_on(), "nothing was saved");
        assert!(!goes_on_after(&mut patches, true), "the first one");
        begin(&mut patches, 2);
        assert!(!patches.goes_on(), "it is the newest");
        assert!(goes_on_after(&mut patches, true) && goes_on_after(&mut patches, true));
        assert!(!goes_on_after(&mut patches, false), "it may read that file");
        begin(&mut patches, 3);
        assert!(goes_on_after(&mut patches, true));
        let building = patches.take_built(3).expect("it went on");
        let to = vec![Connection::numbered(1)];
        patches.send(building, built(), Vec::new(), to, false);
        assert!(patches.take_postponed(), "what was saved since comes then");
        let waits = Wanted {
            without: vec![Rude {
                file: "/a.rs".into(),
                line: 1,
                why: "it is refused".to_owned(),
            }],
            ..Wanted::default()
        };
        let mut beside = Patches::default();
        begin(&mut beside, 1);
        assert!(!goes_on_after(&mut beside, true), "the first one");
        beside.begin(2, "/a".into(), Box::new(waits), Instant::now());
        assert!(!goes_on_after(&mut beside, true), "something waits");
        begin(&mut patches, 4);
        assert!(!goes_on_after(&mut patches, true), "the first one again");
        begin(&mut patches, 5);
        assert!(!goes_on_after(&mut patches, true), "3 isn't there yet");
        assert!(!patches.is_in_vain_again() && patches.is_in_vain_again());
    }

    #[test]
    fn a_patch_is_active_when_all_processes_have_it() {
        let mut patches = Patches::default();
        let [one, two, other] = [1, 2, 3].map(Connection::numbered);
        assert_eq!(sent(&mut patches, 1, &[one, two]).len(), 2);
        assert!(patches.answered(one, loaded(1)).is_none());
        assert!(
            patches.answered(other, loaded(1)).is_none(),
            "it did not get it"
        );
        let finished = patches.answered(two, loaded(1)).expect("the last one");
        assert!(matches!(finished.answer, Some(Ok(_))));
        assert!(!patches.is_any_on_its_way());

        sent(&mut patches, 2, &[one, two]);
        patches.answered(one, refused(2));
        let finished = patches.answered(two, loaded(2)).expect("the last one");
        assert!(
            matches!(finished.answer, Some(Err(_))),
            "in all, or refused"
        );

        sent(&mut patches, 3, &[one]);
        let finished = patches.left(one);
        assert!(matches!(&finished[..], [finished] if finished.answer.is_none()));
        assert!(sent(&mut patches, 4, &[]).is_empty());
        assert!(!patches.is_any_on_its_way(), "nobody would answer it");
    }

    #[test]
    fn whole_crates_wait_for_what_is_on_its_way() {
        let mut patches = Patches::default();
        let one = Connection::numbered(1);
        sent(&mut patches, 1, &[one]);
        assert!(!patches.must_wait(Path::new("/a"), &wanted(0)), "a body");
        assert!(!patches.must_wait(Path::new("/b"), &wanted(1)));
        assert!(!patches.take_postponed());
        assert!(patches.must_wait(Path::new("/a"), &wanted(1)));
        assert!(patches.answered(one, loaded(1)).is_some());
        assert!(!patches.must_wait(Path::new("/a"), &wanted(1)));
        assert!(patches.take_postponed());
        assert!(!patches.take_postponed());
    }

    #[test]
    fn a_safe_point_is_waited_for_aloud_and_once() {
        let mut patches = Patches::default();
        sent(&mut patches, 1, &[Connection::numbered(1)]);
        assert!(patches.waits(1).is_some());
        assert!(patches.waits(1).is_none());
        assert!(patches.waits(2).is_none());
        patches.restarted();
        assert!(!patches.is_on_its_way(1));
    }
}
