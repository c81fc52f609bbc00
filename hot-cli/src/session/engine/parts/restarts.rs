//! A restart of the programs: building again, handing over what is to be kept, and then the command
//! once more.
//!
//! ```text
//! begin ─► the project is built ─► hand_over ─► every process has answered, or 5 s have passed ─► due ─► restarted
//!               └ failed: the old code runs on
//! ```
//!
//! Knows nothing of how a project is built, or what is handed over.

use std::time::Duration;

use soft_mock_abi::protocol::{HandOver, HandedOver, ToProgram};

use super::saves::Trouble;
use crate::control::Connection;
use crate::session::engine::effect::Effect;
use crate::session::engine::Event;
use crate::ui;

/// How long the processes may take to save their states.
const HANDOVER_TIMEOUT: Duration = Duration::from_secs(5);

/// How far a restart is.
#[derive(Debug, Default)]
enum Stage {
    #[default]
    None,
    Building,
    HandingOver(Handing),
}

/// Processes save what they want to keep.
#[derive(Debug)]
struct Handing {
    id: u64,
    waiting: Vec<Connection>,
    kept_states: Vec<String>,
    kept_sockets: Vec<String>,
}

/// The restart that is under way, and the one before.
#[derive(Debug, Default)]
pub(crate) struct Restarts {
    stage: Stage,
    /// Why the programs were restarted last, as long as no file changed since.
    last_reason: Option<String>,
    /// The same, in full, whatever has changed since.
    why: Option<String>,
    /// A file was saved since the last build began.
    saved_since: bool,
    /// The run whose first program hasn't joined yet.
    expected: Option<u64>,
}

impl Restarts {
    /// Files were saved: another restart may change something.
    pub(crate) fn saved(&mut self) {
        self.last_reason = None;
        self.saved_since = true;
    }

    pub(crate) fn is_under_way(&self) -> bool {
        !matches!(self.stage, Stage::None)
    }

    /// Whether the programs were restarted for just this, and nothing was saved since.
    pub(crate) fn was_in_vain(&self, reason: &str) -> bool {
        self.last_reason.as_deref() == Some(reason)
    }

    /// The project is about to be built.
    pub(crate) fn begin(&mut self) {
        self.stage = Stage::Building;
        self.saved_since = false;
    }

    /// The programs run on. Whether a file was saved since that build began: then another may
    /// succeed.
    pub(crate) fn build_failed(&mut self) -> bool {
        self.stage = Stage::None;
        self.saved_since
    }

    /// Asks these processes for what they want to keep; `Event::RestartDue` follows.
    pub(crate) fn hand_over(&mut self, id: u64, processes: Vec<Connection>) -> Vec<Effect> {
        let ask = |conn: &Connection| Effect::Send(*conn, ToProgram::HandOver(HandOver { id }));
        let mut effects: Vec<Effect> = processes.iter().map(ask).collect();
        let time = match processes.is_empty() {
            true => Duration::ZERO,
            false => HANDOVER_TIMEOUT,
        };
        effects.push(Effect::Later(time, Event::RestartDue(id)));
        self.stage = Stage::HandingOver(Handing {
            id,
            waiting: processes,
            kept_states: Vec::new(),
            kept_sockets: Vec::new(),
        });
        effects
    }

    /// A process has saved what it wants to keep.
    pub(crate) fn handed_over(&mut self, conn: Connection, handed: HandedOver) -> Vec<Effect> {
        let warning = |problem| Effect::Tell(ui::Event::Warning(problem));
        let mut effects: Vec<Effect> = handed.problems.into_iter().map(warning).collect();
        if let Stage::HandingOver(handing) = &mut self.stage {
            if handing.id == handed.id {
                handing.kept_states.extend(handed.states);
                handing.kept_sockets.extend(handed.sockets);
            }
        }
        effects.extend(self.left(conn));
        effects
    }

    /// Nothing more is to be expected of a process.
    pub(crate) fn left(&mut self, conn: Connection) -> Vec<Effect> {
        let Stage::HandingOver(handing) = &mut self.stage else {
            return Vec::new();
        };
        let before = handing.waiting.len();
        handing.waiting.retain(|other| *other != conn);
        match handing.waiting.is_empty() && before > 0 {
            true => vec![Effect::Later(Duration::ZERO, Event::RestartDue(handing.id))],
            false => Vec::new(),
        }
    }

    /// Whether this is the restart that is waited for, and what is to be said of it. The programs
    /// are to be ended now.
    pub(crate) fn due(&mut self, id: u64) -> Option<Vec<Effect>> {
        let handing = match std::mem::take(&mut self.stage) {
            Stage::HandingOver(handing) if handing.id == id => handing,
            other => {
                self.stage = other;
                return None;
            }
        };
        let mut effects = Vec::new();
        if !handing.waiting.is_empty() {
            effects.push(Effect::Tell(ui::Event::HandoverTooSlow));
        }
        let kept = [handing.kept_states, handing.kept_sockets].concat();
        if !kept.is_empty() {
            effects.push(Effect::Tell(ui::Event::HandedOver(kept)));
        }
        Some(effects)
    }

    /// The command was started again: its programs are expected.
    pub(crate) fn expect(&mut self, run: u64) -> u64 {
        self.expected = Some(run);
        run
    }

    /// A program has joined. Whether it is the first after a restart.
    pub(crate) fn joined(&mut self) -> bool {
        self.expected.take().is_some()
    }

    /// The programs of a run have had their time. Whether none has joined; one may yet.
    pub(crate) fn are_overdue(&self, run: u64) -> bool {
        self.expected == Some(run)
    }

    /// The programs were ended for this.
    pub(crate) fn restarted(&mut self, reason: Option<Trouble>) {
        self.why = reason.as_ref().map(|reason| reason.text.clone());
        let reason = reason.filter(|_| !self.saved_since);
        self.last_reason = reason.map(|reason| reason.key);
    }

    /// Why the programs were restarted last, in full.
    pub(crate) fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(key: &str) -> Option<Trouble> {
        Some(Trouble {
            key: key.to_owned(),
            text: format!("{key}, in full"),
        })
    }

    fn handed(id: u64, states: &[&str]) -> HandedOver {
        HandedOver {
            id,
            states: states.iter().map(|name| (*name).to_owned()).collect(),
            sockets: Vec::new(),
            problems: Vec::new(),
        }
    }

    fn is_due_at_once(effects: &[Effect], id: u64) -> bool {
        effects.iter().any(|effect| {
            matches!(effect, Effect::Later(Duration::ZERO, Event::RestartDue(due)) if *due == id)
        })
    }

    #[test]
    fn a_restart_waits_for_what_every_process_hands_over() {
        let mut restarts = Restarts::default();
        let [one, two] = [1, 2].map(Connection::numbered);
        restarts.begin();
        let effects = restarts.hand_over(7, vec![one, two]);
        assert!(!is_due_at_once(&effects, 7));
        assert_eq!(effects.len(), 3, "both are asked, and the time is limited");

        assert!(restarts.handed_over(one, handed(7, &["count"])).is_empty());
        assert!(restarts.handed_over(one, handed(7, &[])).is_empty(), "once");
        assert!(is_due_at_once(&restarts.left(two), 7), "it is gone");
        assert!(restarts.due(6).is_none(), "another one");
        let said = restarts.due(7).expect("due");
        assert!(
            matches!(&said[..], [Effect::Tell(ui::Event::HandedOver(kept))] if kept == &["count"])
        );
        assert!(restarts.due(7).is_none(), "the time runs out later");
        assert!(!restarts.is_under_way());
    }

    #[test]
    fn who_takes_too_long_starts_fresh() {
        let mut restarts = Restarts::default();
        restarts.begin();
        restarts.hand_over(1, vec![Connection::numbered(1)]);
        let said = restarts.due(1).expect("due");
        assert!(matches!(
            said[..],
            [Effect::Tell(ui::Event::HandoverTooSlow)]
        ));
        assert!(
            is_due_at_once(&restarts.hand_over(2, Vec::new()), 2),
            "nobody is waited for"
        );
    }

    #[test]
    fn a_restart_is_done_when_the_new_program_has_joined() {
        let mut restarts = Restarts::default();
        assert!(!restarts.joined(), "the first start is none");
        restarts.expect(2);
        assert!(!restarts.are_overdue(1));
        assert!(restarts.joined() && !restarts.joined());
        assert!(!restarts.are_overdue(2));
        restarts.expect(3);
        assert!(restarts.are_overdue(3));
        assert!(restarts.joined(), "late, and that is said too");
    }

    #[test]
    fn a_second_restart_for_the_same_is_in_vain() {
        let mut restarts = Restarts::default();
        restarts.begin();
        assert!(restarts.is_under_way());
        restarts.restarted(trouble("a"));
        assert!(restarts.was_in_vain("a") && !restarts.was_in_vain("b"));
        assert_eq!(restarts.why(), Some("a, in full"));
        restarts.saved();
        assert!(!restarts.was_in_vain("a"), "the files are others now");

        restarts.begin();
        restarts.saved();
        restarts.restarted(trouble("a"));
        assert!(
            !restarts.was_in_vain("a"),
            "it was saved after the build had begun"
        );
        restarts.begin();
        assert!(!restarts.build_failed() && !restarts.is_under_way());
        restarts.begin();
        restarts.saved();
        assert!(
            restarts.build_failed(),
            "what was saved meanwhile was not built"
        );
    }
}
