//! Notices that cargo waits for a lock which another process holds, and for how long.
//!
//! Cargo says so itself, unless it was told to be quiet or nobody shows what it says; the kernel
//! knows it in any case. Knows nothing of what is built, or what is said about it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crate::os::{descends_from, lock_waits, name, LockWait};

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(100);

/// Waiting that is over before a person would wonder isn't told.
const PATIENCE: Duration = Duration::from_secs(1);

/// Cargo waits: for a lock of this process, if that is known.
pub(crate) struct CargoWaits(pub(crate) Option<String>);

/// It is looked as long as this lives.
pub(crate) struct LockWaits {
    /// In milliseconds.
    waited: Arc<AtomicU64>,
}

impl LockWaits {
    /// Looks at what this process has started. It is told once.
    pub(crate) fn watch<E: From<CargoWaits> + Send + 'static>(events: Sender<E>) -> Self {
        let waited = Arc::new(AtomicU64::new(0));
        let wanted = Arc::downgrade(&waited);
        // Without a thread nobody is told, and nothing else goes wrong.
        let _ = thread::Builder::new()
            .name("hot-lock-waits".into())
            .spawn(move || look(&wanted, &events));
        Self { waited }
    }

    /// How long it has waited so far.
    pub(crate) fn waited(&self) -> Duration {
        Duration::from_millis(self.waited.load(Ordering::Relaxed))
    }
}

fn look<E: From<CargoWaits>>(wanted: &Weak<AtomicU64>, events: &Sender<E>) {
    let own = std::process::id();
    let is_ours =
        |wait: &LockWait| name(wait.waiting) == "cargo" && descends_from(wait.waiting, own);
    let mut told = false;
    let mut last = Instant::now();
    loop {
        thread::sleep(LOOK);
        let wait = lock_waits().into_iter().find(is_ours);
        let Some(waited) = wanted.upgrade() else {
            return;
        };
        let passed = std::mem::replace(&mut last, Instant::now()).elapsed();
        let Some(wait) = wait else {
            continue;
        };
        let passed = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        let all = waited.fetch_add(passed, Ordering::Relaxed) + passed;
        if !told && Duration::from_millis(all) >= PATIENCE {
            told = true;
            let holder = wait.holder.map(|pid| format!("{} (pid {pid})", name(pid)));
            // The session may have ended meanwhile.
            let _ = events.send(CargoWaits(holder).into());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::sync::mpsc::channel;

    use rustix::fs::{flock, FlockOperation};

    use super::*;

    #[test]
    fn a_cargo_of_ours_that_waits_is_told_once_with_who_holds_the_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let file = std::fs::File::create(&path).expect("a file");
        flock(&file, FlockOperation::LockExclusive).expect("the lock");
        // A process is called by the name that it was started with.
        let cargo = folder.path().join("cargo");
        std::os::unix::fs::symlink("/usr/bin/flock", &cargo).expect("a link");
        let (events, told) = channel::<CargoWaits>();
        let waits = LockWaits::watch(events);
        let mut waiting = Command::new(cargo)
            .arg(&path)
            .arg("true")
            .spawn()
            .expect("flock of util-linux");
        let CargoWaits(holder) = told
            .recv_timeout(Duration::from_secs(30))
            .expect("it is told");
        let own = format!("(pid {})", std::process::id());
        assert!(holder.is_some_and(|holder| holder.ends_with(&own)));
        flock(&file, FlockOperation::Unlock).expect("given back");
        assert!(waiting.wait().expect("it ends").success());
        assert!(waits.waited() >= PATIENCE);
        drop(waits);
        assert!(told.recv().is_err(), "once, and nobody looks any more");
    }
}
