//! Before a restart: what the processes want to keep goes to the session, and from there to the next ones.

use std::thread;
use std::time::Duration;

use soft_mock::reloader::protocol::{HandOver, HandedOver, ToProgram};

use super::{Engine, Event};
use crate::control::Connection;

/// How long the processes may take to save their states.
const PATIENCE: Duration = Duration::from_secs(5);

/// A restart that waits for the processes.
pub(super) struct HandingOver {
    id: u64,
    waiting: Vec<Connection>,
    states: Vec<String>,
    sockets: Vec<String>,
}

impl Engine {
    /// Asks all processes; `Event::Restart` follows when they have answered, or took too long.
    pub(super) fn hand_over(&mut self) {
        self.handover.clear();
        self.last += 1;
        let id = self.last;
        let waiting: Vec<Connection> = self.instances.keys().copied().collect();
        for conn in &waiting {
            self.tell_program(*conn, &ToProgram::HandOver(HandOver { id }));
        }
        self.handing_over = Some(HandingOver {
            id,
            waiting,
            states: Vec::new(),
            sockets: Vec::new(),
        });
        self.restart_if_all_gave();
        let events = self.events.clone();
        thread::spawn(move || {
            thread::sleep(PATIENCE);
            // The session may have ended meanwhile.
            let _ = events.send(Event::Restart(id));
        });
    }

    pub(super) fn handed_over(&mut self, conn: Connection, handed: HandedOver) {
        for problem in &handed.problems {
            self.report.warning(problem);
        }
        if let Some(handing) = &mut self.handing_over {
            if handing.id == handed.id {
                handing.states.extend(handed.states);
                handing.sockets.extend(handed.sockets);
            }
        }
        self.has_nothing_to_give(conn);
    }

    /// A process answered, or is gone.
    pub(super) fn has_nothing_to_give(&mut self, conn: Connection) {
        let Some(handing) = &mut self.handing_over else {
            return;
        };
        let before = handing.waiting.len();
        handing.waiting.retain(|other| *other != conn);
        if handing.waiting.len() < before {
            self.restart_if_all_gave();
        }
    }

    fn restart_if_all_gave(&self) {
        if let Some(handing) = &self.handing_over {
            if handing.waiting.is_empty() {
                // The loop that reads it is ours.
                let _ = self.events.send(Event::Restart(handing.id));
            }
        }
    }

    /// Whether this is the restart that is waited for. Says what is handed over.
    pub(super) fn is_handed_over(&mut self, id: u64) -> bool {
        let Some(handing) = self.handing_over.take_if(|handing| handing.id == id) else {
            return false;
        };
        if !handing.waiting.is_empty() {
            let why = "a process took too long to hand over its state: it starts fresh";
            self.report.warning(why);
        }
        let kept: Vec<String> = handing.states.into_iter().chain(handing.sockets).collect();
        if !kept.is_empty() {
            self.report
                .note(&format!("handed over: {}", kept.join(", ")));
        }
        true
    }
}
