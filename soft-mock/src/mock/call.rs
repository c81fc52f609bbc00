//! How a mock's closure reaches the code that runs it.
//!
//! A prologue passes code on, nothing else, and calls it at once with the function's arguments. So
//! the closure travels on the calling thread: `enter` leaves the node it chose, and the first thing
//! that the code does is to take it, see [`Call::take`]. Between the two lie only moves of
//! arguments: no other code of this thread, but for a signal handler, which leaves and takes its
//! own in between and so finds and leaves the pile as it was.

use std::any::{type_name, Any, TypeId};
use std::cell::Cell;
use std::fmt;
use std::ptr::NonNull;
use std::sync::atomic::{compiler_fence, Ordering};
use std::sync::Arc;

use soft_mock_abi::site::Site;

use super::node::Node;
use super::original::Inside;
use super::record::Record;

/// What goes with a mock when it is freed.
pub(crate) struct Contents {
    closure: Arc<dyn Any + Send + Sync>,
    /// The closure's type: to ask the closure itself for it takes a call.
    ty: TypeId,
    record: Arc<Record>,
    /// Of a function of std, its sites: within the closure it is std's own.
    passed_by: Option<Arc<[&'static Site]>>,
}

impl Contents {
    pub(crate) fn new(closure: Arc<dyn Any + Send + Sync>, record: Arc<Record>) -> Self {
        let ty = (*closure).type_id();
        Self {
            closure,
            ty,
            record,
            passed_by: None,
        }
    }

    /// The same, of a function of std.
    pub(crate) fn passing_by(mut self, sites: Option<Arc<[&'static Site]>>) -> Self {
        self.passed_by = sites;
        self
    }

    pub(super) fn record(&self) -> &Record {
        &self.record
    }
}

/// A call that was begun, and what it has to be ended with. One word, since every call of a mock
/// leaves it and takes it again: the address of the node, and in its lowest bit whether the mock's
/// owner calls.
pub(crate) struct Begun {
    node: NonNull<Node<Contents>>,
}

impl Begun {
    /// # Safety
    /// A call of the node was begun, by this thread as the owner or else not as that, and nobody
    /// else ends it.
    #[inline]
    pub(crate) unsafe fn new(node: &'static Node<Contents>, own: bool) -> Self {
        const { assert!(align_of::<Node<Contents>>() > 1) };
        let node = NonNull::from(node);
        Self {
            node: node.map_addr(|address| address | usize::from(own)),
        }
    }

    #[inline]
    pub(crate) fn node(&self) -> &'static Node<Contents> {
        let address = self.node.as_ptr().map_addr(|address| address & !1);
        // SAFETY: without the bit, which `new` found free, it is the reference that `new` was
        // given.
        unsafe { &*address }
    }

    /// By the mock's owner.
    #[inline]
    fn is_own(&self) -> bool {
        self.node.addr().get() & 1 == 1
    }
}

/// How many signal handlers may interrupt one another just there.
const DEPTH: usize = 16;

struct Pile {
    height: Cell<usize>,
    calls: [Cell<Option<Begun>>; DEPTH],
}

thread_local! {
    /// It needs no destructor, so mocks work in destructors of other thread-locals too.
    static PILE: Pile = const {
        Pile {
            height: Cell::new(0),
            calls: [const { Cell::new(None) }; DEPTH],
        }
    };
}

/// Leaves a call that was begun for the code that runs next on this thread.
#[inline]
pub(crate) fn leave(call: Begun) {
    PILE.with(|pile| {
        let height = pile.height.get();
        let Some(place) = pile.calls.get(height) else {
            // Whatever returned from here, the wrong function would run.
            std::process::abort();
        };
        // The place is taken before it is used: a signal handler then uses the next one.
        pile.height.set(height + 1);
        compiler_fence(Ordering::SeqCst);
        place.set(Some(call));
    });
}

/// A call of a mock, as the code that `mock!` writes sees it. Keeps the closure alive.
pub struct Call {
    /// Ends before the call does.
    inside: Option<Inside>,
    begun: Begun,
    /// Those of its node, which stay until the call is ended.
    contents: NonNull<Contents>,
    /// Somebody wants to know of it: it isn't counted yet.
    recorded: bool,
}

impl Call {
    /// Takes the call that this thread was about to make.
    #[must_use]
    #[inline]
    pub fn take() -> Self {
        let begun = PILE.with(|pile| {
            let height = pile.height.get().checked_sub(1)?;
            let begun = pile.calls.get(height)?.take();
            compiler_fence(Ordering::SeqCst);
            pile.height.set(height);
            begun
        });
        let Some(begun) = begun else {
            panic!("the code of a mock was called without the function that it stands for");
        };
        // SAFETY: it stands for a call in progress, which only the new value ends.
        let contents = NonNull::from(unsafe { begun.node().contents() });
        // SAFETY: as above.
        let record = unsafe { &contents.as_ref().record };
        let recorded = record.is_wanted();
        if !recorded {
            record.count(begun.is_own());
        }
        // SAFETY: as above; the sites stay as long as the contents. A call ends in the frame that
        // took it, after all that it has called.
        let inside = unsafe {
            let sites = contents.as_ref().passed_by.as_ref();
            sites.map(|sites| Inside::enter(sites))
        };
        Self {
            inside,
            begun,
            contents,
            recorded,
        }
    }

    #[inline]
    fn contents(&self) -> &Contents {
        // SAFETY: the call is in progress until `self` is dropped.
        unsafe { self.contents.as_ref() }
    }

    /// Whether somebody wants to know of the call: then it is counted when it is admitted.
    #[inline]
    pub fn is_recorded(&self) -> bool {
        self.recorded
    }

    pub(super) fn record(&self) -> &Record {
        &self.contents().record
    }

    pub(super) fn is_own(&self) -> bool {
        self.begun.is_own()
    }

    pub(super) fn rank(&self) -> u64 {
        self.begun.node().rank()
    }

    /// The closure.
    #[inline]
    pub fn closure<F: 'static>(&self) -> &F {
        let Contents { closure, ty, .. } = self.contents();
        assert!(
            *ty == TypeId::of::<F>(),
            "the mock's closure is not a {}",
            type_name::<F>()
        );
        // SAFETY: it is of this type, and `self` keeps it.
        unsafe { &*Arc::as_ptr(closure).cast::<F>() }
    }
}

impl Drop for Call {
    #[inline]
    fn drop(&mut self) {
        self.inside = None;
        let node = self.begun.node();
        match self.begun.is_own() {
            // SAFETY: as `Begun::new` was promised; this value doesn't leave its thread, and was
            // the only one.
            true => unsafe { node.end_own() },
            // SAFETY: as above.
            false => unsafe { node.end() },
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}
