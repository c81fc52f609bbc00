//! What is queued: the name of what handles it, and its data.

use serde::{Deserialize, Serialize};
use soft_mock::plugin::LiveData;

soft_mock::plugin::shared!();

/// A queued job. It can be written to a file and read back, by whatever version.
#[derive(Debug, Serialize, Deserialize)]
pub struct Queued {
    /// The live function or the live type that handles it.
    pub handler: String,
    /// What the one who queued it knew.
    pub data: LiveData,
}

/// The type of live functions that handle jobs.
pub type Handler = fn(&LiveData) -> Result<String, String>;

/// What live types that handle jobs are.
pub trait Task: Send {
    /// Handles one job.
    fn handle(&mut self, data: &LiveData) -> Result<String, String>;
}
