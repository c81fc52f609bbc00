//! `hot build` and `hot watch-plugins`: files of managed plugins, made with the user's own cargo.
//!
//! ```text
//! plugin folder → package (cargo metadata) → rules (who depends on whom) → cargo rustc → <out>/<plugin>.so
//!                                                      └ --static-linking → a crate that links the plugins
//! ```
//!
//! The plugin is compiled in the user's workspace and target folder, with the units that the host
//! is built of: that is what makes shared types the same types. Knows nothing of how plugins are
//! loaded.

mod cargo;
mod commit;
mod erased;
mod error;
mod features;
mod install;
mod options;
mod package;
pub(crate) mod record;
mod rules;
mod static_linking;
mod watch;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::exit;
use error::BuildError;
use package::Package;

pub(crate) use options::{BuildOptions, SealArgs, WatchOptions};

/// `hot build …`
pub(crate) fn build(options: &BuildOptions) -> ExitCode {
    match build_all(options) {
        Ok(made) => {
            for file in made {
                println!("{}", file.display());
            }
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

/// `hot watch-plugins …`
pub(crate) fn watch(options: &WatchOptions) -> ExitCode {
    match watch::run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

/// `hot seal FILE…`, for libraries that weren't made by `hot build` itself.
pub(crate) fn seal(args: &SealArgs) -> ExitCode {
    for file in &args.files {
        if let Err(error) = soft_mock_abi::checksum::append(file).map_err(BuildError::io(file)) {
            return failed(&error);
        }
    }
    ExitCode::SUCCESS
}

fn failed(error: &BuildError) -> ExitCode {
    eprintln!("hot: {error}");
    ExitCode::from(exit::FAILED)
}

/// Builds the plugins of the folder; returns what was made.
fn build_all(options: &BuildOptions) -> Result<Vec<PathBuf>, BuildError> {
    let folders = package::folders(&options.plugin_dir, &options.include, &options.exclude)?;
    let mut told = BTreeSet::new();
    folders
        .iter()
        .map(|folder| build_one(folder, options, &mut told))
        .collect()
}

/// Builds one plugin. Of what there is to say, nothing is said that was told before.
fn build_one(
    folder: &Path,
    options: &BuildOptions,
    told: &mut BTreeSet<String>,
) -> Result<PathBuf, BuildError> {
    let package = Package::read(folder, &options.versions())?;
    rules::check(&package)?;
    if options.static_linking {
        return static_linking::generate(&package, options);
    }
    let choice = features::choose(&package, options)?;
    if let Some(note) = choice.note.filter(|note| told.insert(note.clone())) {
        eprintln!("hot: {note}");
    }
    let call = cargo::Call::new(&package, options, choice.scope)?;
    if !options.cargo_build {
        return call.write_down(&package, &options.out_dir);
    }
    let library = call.run(options)?;
    if options.patchable {
        record::write(&library, &package, options)?;
    }
    install::install(&library, &package, &options.out_dir)
}
