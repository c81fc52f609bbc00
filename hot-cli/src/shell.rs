//! What shells and `man` are told of `hot`'s commands: completions and manual pages, made from the
//! tree of commands.
//!
//! Knows nothing of which commands there are.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Command};
use clap_complete::Shell;

/// A script by which a shell completes hot's commands and options
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// For which shell
    shell: Shell,
}

/// Writes manual pages, one for hot and one for each of its commands
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The folder for them, which is made; `man` looks into share/man/man1
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(crate) fn completions(args: &CompletionsArgs, mut hot: Command) -> Result<String> {
    let mut script = Vec::new();
    let name = hot.get_name().to_owned();
    clap_complete::generate(args.shell, &mut hot, name, &mut script);
    String::from_utf8(script).context("the script isn't text")
}

/// The paths of the pages.
pub(crate) fn man(args: &ManArgs, hot: Command) -> Result<String> {
    let folder = &args.folder;
    let write = || {
        fs::create_dir_all(folder)?;
        clap_mangen::generate_to(hot, folder)
    };
    write().with_context(|| format!("can't write manual pages into {}", folder.display()))?;
    Ok(format!("{}\n", folder.join("hot.1").display()))
}
