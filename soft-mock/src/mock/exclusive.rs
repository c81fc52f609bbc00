//! Who may mock: any number of tests for themselves, or one test for the whole process.
//!
//! A mock of the whole process waits until no other test holds a mock, and then other tests wait
//! before they make one. Tests that make no mocks aren't kept from running: they would see it.

use std::collections::HashMap;

use parking_lot::{Condvar, Mutex};

/// The scope of mocks that every thread sees.
pub(crate) const EVERYWHERE: u64 = u64::MAX;

#[derive(Default)]
struct State {
    /// How many mocks each scope holds.
    holders: Option<HashMap<u64, usize>>,
    /// Who has mocks of the whole process, and how many.
    owner: Option<(u64, usize)>,
    /// Scopes that hold mocks and wait to become the owner.
    waiting: usize,
}

static STATE: Mutex<State> = Mutex::new(State {
    holders: None,
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
    pub(super) fn own(scope: u64) -> Result<Self, ()> {
        let mut state = STATE.lock();
        while state.owner.is_some_and(|(owner, _)| owner != scope) {
            CHANGED.wait(&mut state);
        }
        state.add(scope);
        Ok(Self {
            scope,
            exclusive: false,
        })
    }

    /// For a mock of the whole process. Waits until no other test has any; an error if two tests
    /// that have some wait for each other.
    pub(super) fn exclusive(scope: u64) -> Result<Self, ()> {
        let mut state = STATE.lock();
        let holds = state.holders().contains_key(&scope);
        if holds && state.waiting > 0 {
            return Err(());
        }
        state.waiting += usize::from(holds);
        while !state.is_free_for(scope) {
            CHANGED.wait(&mut state);
        }
        state.waiting -= usize::from(holds);
        state.add(scope);
        let before = state.owner.map_or(0, |(_, count)| count);
        state.owner = Some((scope, before + 1));
        Ok(Self {
            scope,
            exclusive: true,
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut state = STATE.lock();
        state.remove(self.scope);
        if let (true, Some((owner, count))) = (self.exclusive, state.owner) {
            state.owner = (count > 1).then_some((owner, count - 1));
        }
        drop(state);
        CHANGED.notify_all();
    }
}

impl State {
    fn holders(&mut self) -> &mut HashMap<u64, usize> {
        self.holders.get_or_insert_with(HashMap::new)
    }

    fn is_free_for(&mut self, scope: u64) -> bool {
        let owned = self.owner.is_some_and(|(owner, _)| owner != scope);
        !owned && self.holders().keys().all(|holder| *holder == scope)
    }

    fn add(&mut self, scope: u64) {
        *self.holders().entry(scope).or_default() += 1;
    }

    fn remove(&mut self, scope: u64) {
        let holders = self.holders();
        if let Some(count) = holders.get_mut(&scope) {
            *count -= 1;
            if *count == 0 {
                holders.remove(&scope);
            }
        }
    }
}
