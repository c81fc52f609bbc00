//! Limits how many tests build and run projects at the same time.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

static RUNNING: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
}

/// The right to use the machine. A thread that has a turn gets more at once, so it can't wait for
/// itself.
#[derive(Debug)]
pub struct Turn {
    stays_on_its_thread: PhantomData<*const ()>,
}

impl Turn {
    /// Waits until fewer tests are at work than twice the number of processors: half of its time a
    /// test waits for what it has started.
    pub fn wait() -> Self {
        if HELD.get() == 0 {
            let processors = std::thread::available_parallelism().map_or(1, usize::from);
            let limit = 2 * processors;
            let mut running = running();
            while *running >= limit {
                running = ENDED.wait(running).unwrap_or_else(PoisonError::into_inner);
            }
            *running += 1;
        }
        HELD.set(HELD.get() + 1);
        Self {
            stays_on_its_thread: PhantomData,
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        HELD.set(HELD.get() - 1);
        if HELD.get() == 0 {
            *running() -= 1;
            ENDED.notify_one();
        }
    }
}

fn running() -> MutexGuard<'static, usize> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}
