//! What `hot doctor` is asked for.

use std::path::PathBuf;

use clap::Args;

/// Which project is looked at, and how that is shown.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The project (default: that of this folder)
    #[arg(long, value_name = "PATH")]
    pub(crate) manifest_path: Option<PathBuf>,
    /// Its examples too
    #[arg(long)]
    pub(crate) examples: bool,
    /// As the release profile builds it: the optimiser inlines small functions
    #[arg(long, short)]
    pub(crate) release: bool,
    /// This dependency too; several times, or with commas
    #[arg(long, value_name = "CRATE", value_delimiter = ',')]
    pub(crate) include: Vec<String>,
    /// As JSON, with every function
    #[arg(long)]
    pub(crate) json: bool,
}
