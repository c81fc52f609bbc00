//! What mocks return and demand, one call after the other: results, arguments, order.
//!
//! Plain values that a closure captures; nothing here knows of mocks.

use std::fmt::{Debug, Display};
use std::sync::Arc;

use parking_lot::Mutex;
use predicates_core::Predicate;

/// Results for one call after the other: a mock that returns 1, then 2.
///
/// ```
/// let rolls = soft_mock::returns([1, 2]);
/// // mock!(dice::roll, move || -> u32 { rolls.next() })
/// assert_eq!((rolls.next(), rolls.next()), (1, 2));
/// ```
pub fn returns<T>(results: impl IntoIterator<Item = T>) -> Returns<T> {
    let results: Vec<T> = results.into_iter().collect();
    Returns {
        given: results.len(),
        rest: Arc::new(Mutex::new(results.into_iter())),
    }
}

/// Results that are taken one by one; see [`returns`]. A clone takes from the same ones.
#[derive(Debug)]
pub struct Returns<T> {
    given: usize,
    rest: Arc<Mutex<std::vec::IntoIter<T>>>,
}

impl<T> Clone for Returns<T> {
    fn clone(&self) -> Self {
        Self {
            given: self.given,
            rest: self.rest.clone(),
        }
    }
}

impl<T> Returns<T> {
    /// The next result.
    ///
    /// # Panics
    /// If all were taken.
    #[allow(clippy::should_implement_trait)] // It panics where an iterator ends.
    #[track_caller]
    pub fn next(&self) -> T {
        let next = self.rest.lock().next();
        match next {
            Some(result) => result,
            None => panic!(
                "the mock was called more than {} time(s), which is how many results it was given",
                self.given
            ),
        }
    }

    /// How many are left.
    pub fn left(&self) -> usize {
        self.rest.lock().len()
    }
}

/// Demands that an argument fits a predicate of the crate `predicates`, or any other that
/// implements its trait.
///
/// ```
/// // mock!(mail::send, |to: &str| { check(&predicates::str::ends_with("@example.org"), to) })
/// # use predicates::prelude::*;
/// soft_mock::check(&predicate::str::starts_with("a"), "abc");
/// ```
///
/// # Panics
/// If it doesn't, with what was expected and what came.
#[track_caller]
pub fn check<T: Debug + ?Sized>(predicate: &(impl Predicate<T> + Display), argument: &T) {
    if !predicate.eval(argument) {
        panic!("a mock was called with another argument\n  expected: {predicate}\n    actual: {argument:?}");
    }
}

/// An order in which several mocks are to be called.
///
/// ```
/// let order = soft_mock::steps(["open", "write", "close"]);
/// order.reached("open"); // in the mock of `open`
/// order.reached("write");
/// order.reached("close");
/// order.finish();
/// ```
pub fn steps(names: impl IntoIterator<Item = &'static str>) -> Steps {
    Steps {
        names: names.into_iter().collect(),
        reached: Arc::default(),
    }
}

/// Steps that are to be reached in an order; see [`steps`]. A clone is about the same ones.
#[derive(Debug, Clone)]
pub struct Steps {
    names: Arc<[&'static str]>,
    reached: Arc<Mutex<Vec<&'static str>>>,
}

impl Steps {
    /// The next step.
    ///
    /// # Panics
    /// If another one is due.
    #[track_caller]
    pub fn reached(&self, name: &'static str) {
        let mut reached = self.reached.lock();
        reached.push(name);
        let due = self.names.get(reached.len() - 1).copied();
        if due != Some(name) {
            let text = self.text(&reached);
            drop(reached);
            panic!("mocks were called in another order{text}");
        }
    }

    /// Demands that all were reached.
    ///
    /// # Panics
    /// If some weren't.
    #[track_caller]
    pub fn finish(&self) {
        let reached = self.reached.lock();
        if reached.as_slice() != &*self.names {
            let text = self.text(&reached);
            drop(reached);
            panic!("not all mocks were called{text}");
        }
    }

    fn text(&self, reached: &[&str]) -> String {
        format!(
            "\n  expected: {}\n    actual: {}",
            self.names.join(", "),
            reached.join(", ")
        )
    }
}
