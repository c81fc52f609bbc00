//! Looks why the first build of a session compiles what it compiles, while it does.
//!
//! Knows nothing of what is said about it. Cargo tells nobody why it builds, and the wrapper that
//! it calls writes a line into the session's folder: that is looked for until it is there, or until
//! nobody wants to know it any more.

use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use crate::wrapper::builds::{causes, forget, Cause};

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(100);

/// It is looked as long as this lives.
pub(crate) struct FirstBuild {
    _wanted: Arc<()>,
}

impl FirstBuild {
    pub(crate) fn watch<E: From<Cause> + Send + 'static>(
        session: PathBuf,
        events: Sender<E>,
    ) -> Self {
        // What a session before this one was told.
        forget(&session);
        let wanted = Arc::new(());
        let still = Arc::downgrade(&wanted);
        // Without a thread nobody is told, and nothing else goes wrong.
        let _ = thread::Builder::new()
            .name("hot-first-build".into())
            .spawn(move || look(&session, &still, &events));
        Self { _wanted: wanted }
    }
}

fn look<E: From<Cause>>(session: &Path, wanted: &Weak<()>, events: &Sender<E>) {
    while wanted.strong_count() > 0 {
        if let Some(first) = causes(session).first() {
            // The session may have ended meanwhile.
            let _ = events.send((*first).into());
            return;
        }
        thread::sleep(LOOK);
    }
}
