//! How a mock's closure reaches the code that runs it.
//!
//! A prologue passes code on, nothing else, and calls it at once with the function's arguments. So
//! the closure travels on the calling thread: `enter` leaves the node it chose, and the first thing
//! that the code does is to take it, see [`Call::take`]. Between the two lie only moves of arguments:
//! no other code of this thread, but for a signal handler, which leaves and takes its own in between
//! and so finds and leaves the pile as it was.

use std::any::{type_name, Any};
use std::cell::Cell;
use std::fmt;
use std::ptr;
use std::sync::atomic::{compiler_fence, Ordering};
use std::sync::Arc;

use super::node::Node;
use super::record::Record;

/// What goes with a mock when it is freed.
pub(crate) struct Contents {
    pub(crate) closure: Arc<dyn Any + Send + Sync>,
    pub(crate) record: Arc<Record>,
}

/// How many signal handlers may interrupt one another just there.
const DEPTH: usize = 16;

struct Pile {
    height: Cell<usize>,
    nodes: [Cell<*const Node<Contents>>; DEPTH],
}

thread_local! {
    /// It needs no destructor, so mocks work in destructors of other thread-locals too.
    static PILE: Pile = const {
        Pile {
            height: Cell::new(0),
            nodes: [const { Cell::new(ptr::null()) }; DEPTH],
        }
    };
}

/// Leaves a node, of which a call was begun, for the code that runs next on this thread.
pub(crate) fn leave(node: &'static Node<Contents>) {
    PILE.with(|pile| {
        let height = pile.height.get();
        let Some(place) = pile.nodes.get(height) else {
            // Whatever returned from here, the wrong function would run.
            std::process::abort();
        };
        // The place is taken before it is used: a signal handler then uses the next one.
        pile.height.set(height + 1);
        compiler_fence(Ordering::SeqCst);
        place.set(node);
    });
}

/// A call of a mock, as the code that `mock!` writes sees it. Keeps the closure alive.
pub struct Call {
    node: &'static Node<Contents>,
}

impl Call {
    /// Takes the call that this thread was about to make.
    #[must_use]
    #[inline]
    pub fn take() -> Self {
        let node = PILE.with(|pile| {
            let height = pile.height.get().checked_sub(1)?;
            let node = pile.nodes.get(height)?.get();
            compiler_fence(Ordering::SeqCst);
            pile.height.set(height);
            // SAFETY: only nodes that live for ever are left, and this one was: the height counted it.
            unsafe { node.as_ref() }
        });
        let Some(node) = node else {
            panic!("the code of a mock was called without the function that it stands for");
        };
        let call = Self { node };
        call.contents().record.count();
        call
    }

    fn contents(&self) -> &Contents {
        // SAFETY: `leave` was given a node with a call in progress, and `self` ends it.
        unsafe { self.node.contents() }
    }

    /// Whether somebody wants to know the arguments.
    #[inline]
    pub fn is_recorded(&self) -> bool {
        self.contents().record.is_wanted()
    }

    /// Notes the arguments.
    #[cold]
    pub fn note(&self, arguments: &[String]) {
        self.contents().record.note(arguments.join(", "));
    }

    /// The closure.
    #[inline]
    pub fn closure<F: 'static>(&self) -> &F {
        let closure = &*self.contents().closure;
        match closure.downcast_ref() {
            Some(closure) => closure,
            None => panic!("the mock's closure is not a {}", type_name::<F>()),
        }
    }
}

impl Drop for Call {
    #[inline]
    fn drop(&mut self) {
        self.node.end();
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}
