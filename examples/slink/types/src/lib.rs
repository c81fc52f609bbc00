//! What the plugins share.

soft_mock::plugin::shared!();

/// What can be done with a number.
pub trait Sum: Send + Sync {
    /// Adds both.
    fn sum(&self, one: i64, other: i64) -> i64;
}
