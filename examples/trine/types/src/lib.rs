//! What the three share.

soft_mock::plugin::shared!();

/// One step of the walk.
pub trait Step: Send + Sync {
    /// Adds oneself, and goes on to what one imports.
    fn walk(&self, way: &mut Vec<String>);
}
