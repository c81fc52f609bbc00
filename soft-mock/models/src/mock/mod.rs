//! As in `soft_mock::mock`: the same source, with loom's atomics.

use std::sync::Arc;

mod sync {
    pub(crate) use loom::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};
}
#[path = "../../../src/mock/node.rs"]
mod node;

/// A mock whose contents say when they are freed.
pub struct Node(node::Node<Contents>);

/// Freed once, and never while it is read.
#[derive(Clone)]
pub struct Contents(pub Arc<Life>);

/// What a life of a node went through.
#[derive(Default)]
pub struct Life {
    /// Written when the contents are freed: loom complains of a read at the same time.
    pub freed: loom::cell::UnsafeCell<bool>,
}

// SAFETY: loom's cell checks what it is used for; that is the test.
unsafe impl Send for Life {}
// SAFETY: as above.
unsafe impl Sync for Life {}

impl Drop for Contents {
    fn drop(&mut self) {
        self.0.freed.with_mut(|freed| {
            // SAFETY: loom checks that nobody else is here.
            let freed = unsafe { &mut *freed };
            assert!(!*freed, "freed twice");
            *freed = true;
        });
    }
}

impl Node {
    /// A free one.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self(node::Node::new())
    }

    /// As `add` does it.
    pub fn publish(self: &Arc<Self>, number: u64, owner: usize, life: &Arc<Life>) -> Option<Guard> {
        let contents = Box::new(Contents(life.clone()));
        let life = node::Life {
            number,
            scope: 1,
            owner,
            code: std::ptr::null_mut(),
        };
        match self.0.publish(&life, contents) {
            Ok(()) => Some(Guard(self.clone())),
            Err(back) => {
                std::mem::forget(back);
                None
            }
        }
    }

    /// As a call does it; whether it reached the mock.
    pub fn call(&self, number: u64) -> bool {
        if !self.0.begin(number) {
            return false;
        }
        // SAFETY: begun above, and ended once.
        unsafe {
            self.read();
            self.0.end();
        }
        true
    }

    /// As a call of the owner does it; `inside` happens during the call.
    pub fn own_call(&self, owner: usize, inside: impl FnOnce()) -> bool {
        // SAFETY: just seen live; whether that and the number suffice is what is tried.
        if self.0.look().is_none() || !unsafe { self.0.begin_own(owner) } {
            return false;
        }
        inside();
        // SAFETY: begun above, and ended once.
        unsafe {
            self.read();
            self.0.end_own();
        }
        true
    }

    /// # Safety
    /// Between the beginning and the end of a call.
    unsafe fn read(&self) {
        // SAFETY: the caller's promise.
        let contents = unsafe { self.0.contents() };
        contents.0.freed.with(|freed| {
            // SAFETY: loom checks that nobody writes.
            assert!(!unsafe { *freed }, "called after it was freed");
        });
    }

    /// As a reset by another thread does it.
    pub fn retire(&self) -> bool {
        self.0.retire()
    }
}

/// What the owner of a mock holds.
#[must_use]
pub struct Guard(Arc<Node>);

impl Guard {
    /// As the guard is dropped; whether the mock was there still.
    pub fn give_up(self) -> bool {
        let node = &self.0 .0;
        let retired = node.retire();
        // SAFETY: retired, now or before, and each guard is given up once.
        unsafe { node.give_up() };
        retired
    }
}
