//! What the closure of a mock can hold although it is called from any thread: values that aren't
//! `Send`, values that change, arguments that are kept. Nothing here knows of mocks.

use std::cell::{RefCell, RefMut};
use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::thread::{self, ThreadId};

use parking_lot::{Mutex, ReentrantMutex, ReentrantMutexGuard};

/// A value that is used on the thread that made this alone, whatever it is: a mock that holds it is
/// for calls on the test's own thread.
///
/// ```
/// use std::{cell::Cell, rc::Rc};
/// let calls = Rc::new(Cell::new(0));
/// let inside = soft_mock::OnThread::new(calls.clone());
/// // mock!(shop::rate, move |_| { inside.get().set(inside.get().get() + 1); 0.5 })
/// # inside.get().set(1);
/// assert_eq!(calls.get(), 1);
/// ```
pub struct OnThread<T> {
    value: ManuallyDrop<T>,
    thread: ThreadId,
}

// SAFETY: `get` and `drop` touch the value on the thread alone that made it; no two threads of a
// process have one id.
unsafe impl<T> Send for OnThread<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for OnThread<T> {}

impl<T> OnThread<T> {
    /// For this thread.
    pub fn new(value: T) -> Self {
        Self {
            value: ManuallyDrop::new(value),
            thread: thread::current().id(),
        }
    }

    /// The value.
    ///
    /// # Panics
    /// On another thread than the one that made this.
    #[track_caller]
    pub fn get(&self) -> &T {
        assert!(
            thread::current().id() == self.thread,
            "what a mock holds is the test's thread's own, and another thread called it"
        );
        &self.value
    }
}

impl<T> Drop for OnThread<T> {
    fn drop(&mut self) {
        // On another thread it is left as it is, for ever.
        if thread::current().id() == self.thread {
            // SAFETY: once, and nobody has a reference to it.
            unsafe { ManuallyDrop::drop(&mut self.value) };
        }
    }
}

impl<T> fmt::Debug for OnThread<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnThread").finish_non_exhaustive()
    }
}

/// Arguments that a mock keeps for the test. A clone keeps them in the same place.
///
/// ```
/// let seen = soft_mock::Seen::new();
/// let keep = seen.clone();
/// // mock!(shop::rate, move |sku| { keep.push(sku.to_owned()); 0.5 })
/// # keep.push("hat".to_owned());
/// assert_eq!(seen.list(), ["hat"]);
/// ```
#[derive(Debug)]
pub struct Seen<T>(Arc<Mutex<Vec<T>>>);

impl<T> Seen<T> {
    /// Without any.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// One more.
    pub fn push(&self, value: T) {
        self.0.lock().push(value);
    }

    /// All until now.
    pub fn list(&self) -> Vec<T>
    where
        T: Clone,
    {
        self.0.lock().clone()
    }

    /// All until now, which aren't kept any longer.
    pub fn take(&self) -> Vec<T> {
        std::mem::take(&mut self.0.lock())
    }
}

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for Seen<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// A closure that changes what it holds: called by one thread at a time.
pub struct Turns<F>(ReentrantMutex<RefCell<F>>);

impl<F> Turns<F> {
    /// Of this closure.
    pub fn new(closure: F) -> Self {
        Self(ReentrantMutex::new(RefCell::new(closure)))
    }

    /// Waits for its turn.
    pub fn wait(&self) -> ReentrantMutexGuard<'_, RefCell<F>> {
        self.0.lock()
    }

    /// The closure.
    ///
    /// # Panics
    /// If this very thread is calling it.
    pub fn closure<'t>(turn: &'t ReentrantMutexGuard<'_, RefCell<F>>) -> RefMut<'t, F> {
        match turn.try_borrow_mut() {
            Ok(closure) => closure,
            Err(_) => panic!("a `mut` mock was called by what it calls itself"),
        }
    }
}

impl<F> fmt::Debug for Turns<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turns").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_thread_neither_uses_nor_drops_it() {
        struct Dropped(std::rc::Rc<()>);
        let counted = std::rc::Rc::new(());
        let held = OnThread::new(Dropped(counted.clone()));
        assert_eq!(std::rc::Rc::strong_count(&held.get().0), 2);
        let used = thread::spawn(move || {
            let used = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let _ = held.get();
            }));
            used.is_ok()
        });
        assert!(!used.join().expect("a thread"));
        assert_eq!(std::rc::Rc::strong_count(&counted), 2);
        drop(OnThread::new(counted.clone()));
        assert_eq!(std::rc::Rc::strong_count(&counted), 2);
    }
}
