//! What runs at the moment, as far as pages are concerned: the state of the program, by a number,
//! and where its server listens.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::{News, Untouched};
use crate::os;

/// How often the system is asked whether the server listens.
const PAUSE: Duration = Duration::from_millis(50);

/// How long a question waits: browsers give up after some minutes.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is known, for all connections.
pub(super) struct State {
    /// Another session's states are others.
    session: String,
    changes: watch::Receiver<u64>,
    server: watch::Receiver<Option<u16>>,
    tell: Box<dyn Fn(News) + Send + Sync>,
    /// What was told of pages: once is enough.
    told: Mutex<HashSet<Untouched>>,
}

impl State {
    pub(super) fn new(
        changes: watch::Receiver<u64>,
        server: watch::Receiver<Option<u16>>,
        tell: Box<dyn Fn(News) + Send + Sync>,
    ) -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            session: format!("{:x}", since.as_micros()),
            changes,
            server,
            tell,
            told: Mutex::default(),
        }
    }

    /// The state of the program.
    pub(super) fn now(&self) -> String {
        format!("{}.{}", self.session, *self.changes.borrow())
    }

    /// The port at which its server listens, as soon as that is known.
    pub(super) fn server(&self) -> Option<u16> {
        *self.server.borrow()
    }

    /// The state, as soon as it is another one than this and the server listens; the same if that
    /// takes long.
    pub(super) async fn next(&self, known: &str) -> String {
        let mut changes = self.changes.clone();
        let next = async {
            while self.now() == known {
                if changes.changed().await.is_err() {
                    break; // The session ends.
                }
            }
            self.listens().await;
        };
        match timeout(PATIENCE, next).await {
            Ok(()) => self.now(),
            Err(_) => known.to_owned(),
        }
    }

    async fn listens(&self) {
        while !self.server().is_some_and(os::is_listened_at) {
            sleep(PAUSE).await;
        }
    }

    pub(super) fn tell(&self, news: News) {
        (self.tell)(news);
    }

    /// A page was passed on as it is.
    pub(super) fn untouched(&self, page: &str, why: Untouched) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(why) {
            self.tell(News::Untouched {
                page: page.to_owned(),
                why,
            });
        }
    }
}
