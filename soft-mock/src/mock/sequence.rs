//! An order in which mocks are to be called, of one function or of several. Knows nothing of what
//! a mock is, but what `Step` says.

use std::fmt;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

/// A mock, as its order sees it.
pub(super) trait Step: Send + Sync {
    /// In one line.
    fn describe(&self) -> String;
    /// Whether it has had as many calls as it has to have.
    fn has_enough(&self) -> bool;
    /// Whether it was called.
    fn has_begun(&self) -> bool;
}

/// An order in which mocks are to be called: each of them as often as it demands, before the next.
///
/// ```text
/// let order = Sequence::new();
/// let _open = mock!(file::open, |_| 3).once().in_sequence(&order);
/// let _write = mock!(file::write, |_, _| ()).times(1..).in_sequence(&order);
/// ```
///
/// A call that comes too early or too late panics. A clone is about the same order.
#[derive(Clone, Default)]
pub struct Sequence {
    steps: Arc<Mutex<Vec<Weak<dyn Step>>>>,
}

impl Sequence {
    /// One without mocks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn add(&self, step: Weak<dyn Step>) {
        self.steps.lock().push(step);
    }

    /// Why a mock of the order can't be called now.
    pub(super) fn hindrance(&self, of: &dyn Step) -> Option<String> {
        let steps: Vec<_> = self.steps.lock().iter().filter_map(Weak::upgrade).collect();
        let at = steps
            .iter()
            .position(|step| std::ptr::addr_eq(&raw const **step, of))?;
        let (before, after) = steps.split_at(at);
        if let Some(due) = before.iter().find(|step| !step.has_enough()) {
            return Some(format!("due:  {}", due.describe()));
        }
        let later = after[1..].iter().find(|step| step.has_begun())?;
        Some(format!("late: {} came before", later.describe()))
    }
}

impl fmt::Debug for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<_> = self.steps.lock().iter().filter_map(Weak::upgrade).collect();
        let names = steps.iter().map(|step| step.describe());
        f.debug_list().entries(names).finish()
    }
}
