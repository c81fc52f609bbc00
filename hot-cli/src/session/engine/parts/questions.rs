//! What other terminals want to know and only the programs can say.
//!
//! Knows nothing of what an answer means.

use std::collections::HashMap;
use std::sync::mpsc::Sender;

use soft_mock_abi::report::Status;

use super::asked::Asked;
use crate::control::Connection;
use crate::protocol::Reply;
use crate::session::engine::effect::Effect;

/// The questions that aren't answered by all processes yet.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    open: Vec<Question>,
}

#[derive(Debug)]
struct Question {
    /// The number of the request.
    request: u64,
    terminal: Sender<Reply>,
    asked: Asked,
}

/// What the processes said, and who wants to know it.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) terminal: Sender<Reply>,
    pub(crate) told: HashMap<Connection, Status>,
}

impl Questions {
    /// Asks these processes. With none, that is the answer.
    pub(crate) fn ask(
        &mut self,
        request: u64,
        id: u64,
        terminal: Sender<Reply>,
        processes: Vec<Connection>,
    ) -> (Vec<Effect>, Vec<Answered>) {
        let (asked, effects) = Asked::of(id, processes);
        self.open.push(Question {
            request,
            terminal,
            asked,
        });
        (effects, self.take(|question| question.asked.is_over()))
    }

    /// A process has answered.
    pub(crate) fn answered(&mut self, conn: Connection, id: u64, status: &Status) -> Vec<Answered> {
        for question in &mut self.open {
            question.asked.answered(conn, id, status);
        }
        self.take(|question| question.asked.is_over())
    }

    /// Nobody waits for a process that is gone.
    pub(crate) fn left(&mut self, conn: Connection) -> Vec<Answered> {
        for question in &mut self.open {
            question.asked.left(conn);
        }
        self.take(|question| question.asked.is_over())
    }

    /// A terminal wants what is known by now.
    pub(crate) fn expired(&mut self, request: u64) -> Vec<Answered> {
        self.take(|question| question.request == request)
    }

    fn take(&mut self, is_done: impl Fn(&Question) -> bool) -> Vec<Answered> {
        let (done, open) = std::mem::take(&mut self.open)
            .into_iter()
            .partition(is_done);
        self.open = open;
        let done: Vec<Question> = done;
        done.into_iter()
            .map(|question| Answered {
                terminal: question.terminal,
                told: question.asked.told,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn status() -> Status {
        Status {
            sites: 1,
            not_called: Vec::new(),
            patched: 0,
            patches: 0,
            in_effect: 0,
            waiting: 0,
            bytes: 0,
        }
    }

    #[test]
    fn an_answer_is_complete_or_what_is_known_in_time() {
        let (terminal, _replies) = channel();
        let mut questions = Questions::default();
        let [one, two] = [1, 2].map(Connection::numbered);
        let (_, answered) = questions.ask(1, 10, terminal.clone(), Vec::new());
        assert_eq!(answered.len(), 1, "nobody is there");

        let (asked, answered) = questions.ask(2, 11, terminal.clone(), vec![one, two]);
        assert_eq!((asked.len(), answered.len()), (2, 0));
        assert!(questions.answered(one, 11, &status()).is_empty());
        let answered = questions.left(two);
        assert_eq!(answered.len(), 1);
        assert!(answered[0].told.contains_key(&one));

        questions.ask(3, 12, terminal, vec![one, two]);
        questions.answered(two, 12, &status());
        let answered = questions.expired(3);
        assert_eq!((answered.len(), answered[0].told.len()), (1, 1));
        assert!(
            questions.answered(one, 12, &status()).is_empty(),
            "too late"
        );
    }
}
