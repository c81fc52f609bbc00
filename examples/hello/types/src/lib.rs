//! What host and plugin share.

use serde::{Deserialize, Serialize};

soft_mock::plugin::shared!();

/// The heart that beats in the host.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Beat {
    /// How many there were.
    pub count: u64,
}
