//! What `hot doctor` and `hot expand` are asked for.

use std::path::PathBuf;

use clap::Args;

/// How many functions of a project can be patched, for the rest why not, and what needs a restart
/// all the same; nothing is run
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

/// Shows a source file as `hot` gives it to the compiler
#[derive(Debug, Args)]
pub(crate) struct ExpandArgs {
    /// The file
    pub(crate) path: PathBuf,
    /// Byte for byte, with all that is added; not formatted
    #[arg(long)]
    pub(crate) raw: bool,
}
