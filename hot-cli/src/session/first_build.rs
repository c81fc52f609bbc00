//! Looks why the first build of a session compiles what it compiles, while it does.
//!
//! Knows nothing of what is said about it. Cargo tells nobody why it builds, and the wrapper that
//! it calls writes a line into the session's folder: that is looked for.

use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::time::Duration;

use super::search::Search;
use crate::wrapper::builds::{causes, forget, Cause};

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(100);

pub(crate) fn watch<E: From<Cause> + Send + 'static>(
    session: PathBuf,
    events: Sender<E>,
) -> Search {
    // What a session before this one was told.
    forget(&session);
    let find = move || causes(&session).first().copied();
    Search::begin("hot-first-build", |_| LOOK, find, events)
}
