//! An order in which mocks are to be called, of one function or of several.

use std::fmt;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::record::Record;

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
    steps: Arc<Mutex<Vec<Weak<Record>>>>,
}

impl Sequence {
    /// One without mocks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn add(&self, record: &Arc<Record>) {
        self.steps.lock().push(Arc::downgrade(record));
    }

    /// Why a mock of the order can't be called now.
    pub(super) fn hindrance(&self, of: &Record) -> Option<String> {
        let steps: Vec<_> = self.steps.lock().iter().filter_map(Weak::upgrade).collect();
        let at = steps.iter().position(|step| std::ptr::eq(&**step, of))?;
        let (before, after) = steps.split_at(at);
        if let Some(due) = before.iter().find(|step| !step.has_enough()) {
            return Some(format!("due:  {}", due.describe()));
        }
        let later = after[1..].iter().find(|step| step.calls() > 0)?;
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
