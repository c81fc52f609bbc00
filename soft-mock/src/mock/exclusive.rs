//! Who may mock: any number of tests for themselves, or one test for the whole process.
//!
//! A mock of the whole process waits until no other test holds a mock, and then other tests wait
//! before they make one. Tests that make no mocks aren't kept from running: they would see it.
//!
//! A thread that works for a test without being told so counts as a test of its own. If its test
//! waits for it, both would wait for ever. That can't be seen, but it can be told from the time it
//! takes, soon for threads without a name: those of tests have one.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

/// The scope of mocks that every thread sees.
pub(crate) const EVERYWHERE: u64 = u64::MAX;

/// How long is waited for the same others, if threads without a name have a part in it.
const SOON: Duration = Duration::from_secs(5);
/// How long is waited for the same others.
const LATE: Duration = Duration::from_secs(300);

/// Why there is no right to a mock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Two tests that hold mocks wait for each other.
    Both,
    /// Nothing has changed for so long.
    Stuck(Duration),
}

/// What one scope holds.
#[derive(Clone, Copy)]
struct Holder {
    mocks: usize,
    /// The thread of its first mock has a name.
    named: bool,
}

#[derive(Default)]
struct State {
    /// The scopes that hold mocks.
    holders: Option<HashMap<u64, Holder>>,
    /// Counts whatever is given back.
    turns: u64,
    /// Who has mocks of the whole process, and how many.
    owner: Option<(u64, usize)>,
    /// Scopes that hold mocks and wait to become the owner.
    waiting: usize,
}

static STATE: Mutex<State> = Mutex::new(State {
    holders: None,
    turns: 0,
    owner: None,
    waiting: 0,
});
static CHANGED: Condvar = Condvar::new();

/// One mock's right to be there.
#[derive(Debug)]
pub(super) struct Share {
    scope: u64,
    exclusive: bool,
}

impl Share {
    /// For a mock of one test. Waits while another test has one of the whole process.
    pub(super) fn own(scope: u64) -> Result<Self, Refused> {
        let mut state = STATE.lock();
        state.wait(scope, |state| {
            state.owner.is_none_or(|(owner, _)| owner == scope)
        })?;
        state.add(scope);
        Ok(Self {
            scope,
            exclusive: false,
        })
    }

    /// For a mock of the whole process. Waits until no other test has any; an error if two tests
    /// that have some wait for each other.
    pub(super) fn exclusive(scope: u64) -> Result<Self, Refused> {
        let mut state = STATE.lock();
        let holds = state.holders().contains_key(&scope);
        if holds && state.waiting > 0 {
            return Err(Refused::Both);
        }
        state.waiting += usize::from(holds);
        let waited = state.wait(scope, |state| state.is_free_for(scope));
        state.waiting -= usize::from(holds);
        waited?;
        state.add(scope);
        let before = state.owner.map_or(0, |(_, count)| count);
        state.owner = Some((scope, before + 1));
        Ok(Self {
            scope,
            exclusive: true,
        })
    }
}

/// Whether a scope holds mocks.
pub(super) fn holds(scope: u64) -> bool {
    STATE.lock().holders().contains_key(&scope)
}

/// [`State`] while it is locked.
trait Wait {
    fn wait(&mut self, scope: u64, is_free: impl Fn(&mut State) -> bool) -> Result<(), Refused>;
}

impl Wait for MutexGuard<'_, State> {
    /// Waits until the way is free for `scope`, as long as others give something back now and then.
    fn wait(&mut self, scope: u64, is_free: impl Fn(&mut State) -> bool) -> Result<(), Refused> {
        let named = thread::current().name().is_some();
        let mut since = (self.turns, Instant::now());
        while !is_free(self) {
            if since.0 != self.turns {
                since = (self.turns, Instant::now());
            }
            let others = self.holders().iter().filter(|(other, _)| **other != scope);
            let all_named = others.fold(named, |named, (_, holder)| named && holder.named);
            let limit = if all_named { LATE } else { SOON };
            let left = limit.checked_sub(since.1.elapsed());
            let left = left.ok_or(Refused::Stuck(limit))?;
            CHANGED.wait_for(self, left);
        }
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut state = STATE.lock();
        state.remove(self.scope);
        state.turns += 1;
        if let (true, Some((owner, count))) = (self.exclusive, state.owner) {
            state.owner = (count > 1).then_some((owner, count - 1));
        }
        drop(state);
        CHANGED.notify_all();
    }
}

impl State {
    fn holders(&mut self) -> &mut HashMap<u64, Holder> {
        self.holders.get_or_insert_with(HashMap::new)
    }

    fn is_free_for(&mut self, scope: u64) -> bool {
        let owned = self.owner.is_some_and(|(owner, _)| owner != scope);
        !owned && self.holders().keys().all(|holder| *holder == scope)
    }

    fn add(&mut self, scope: u64) {
        let named = thread::current().name().is_some();
        let new = Holder { mocks: 0, named };
        self.holders().entry(scope).or_insert(new).mocks += 1;
    }

    fn remove(&mut self, scope: u64) {
        let holders = self.holders();
        if let Some(holder) = holders.get_mut(&scope) {
            holder.mocks -= 1;
            if holder.mocks == 0 {
                holders.remove(&scope);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A test's thread holds the process, and waits for a thread without a name that works for it.
    #[test]
    fn a_thread_of_the_same_test_does_not_wait_for_ever() {
        let held = Share::exclusive(1 << 40).expect("nobody else mocks");
        let start = Instant::now();
        let worker = thread::spawn(|| Share::own((1 << 40) + 1).err());
        assert_eq!(worker.join().expect("no panic"), Some(Refused::Stuck(SOON)));
        assert!(start.elapsed() < 2 * SOON);
        drop(held);
        assert!(Share::own((1 << 40) + 1).is_ok());
    }
}
