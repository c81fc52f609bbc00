//! Looks for something again and again, until it is there or nobody wants to know it any more.
//!
//! Knows nothing of what is looked for.

use std::sync::mpsc::Sender;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// It is looked as long as this lives.
pub(crate) struct Search {
    _wanted: Arc<()>,
}

impl Search {
    /// What is found is told once. `pause`: how long it is waited in between, when it was looked
    /// for so long.
    pub(crate) fn begin<T, E: From<T> + Send + 'static>(
        name: &str,
        pause: fn(Duration) -> Duration,
        find: impl Fn() -> Option<T> + Send + 'static,
        events: Sender<E>,
    ) -> Self {
        let wanted = Arc::new(());
        let still = Arc::downgrade(&wanted);
        let look = move || {
            let begun = Instant::now();
            while still.strong_count() > 0 {
                if let Some(found) = find() {
                    // The session may have ended meanwhile.
                    let _ = events.send(found.into());
                    return;
                }
                thread::sleep(pause(begun.elapsed()));
            }
        };
        // Without a thread nobody is told, and nothing else goes wrong.
        let _ = thread::Builder::new().name(name.to_owned()).spawn(look);
        Self { _wanted: wanted }
    }
}
