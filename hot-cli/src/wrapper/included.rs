//! `hot` as the rustc wrapper of all crates: those that are included are rewritten, as workspace
//! members are.
//!
//! A crate that isn't included is compiled as it is. If it uses one that is, that is recorded: code
//! of the included one is part of it, and can't be made new in it.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use super::cargo_call::{self, CargoCall};
use super::compile::{self, Compilation};
use super::included_list::{Included, List};
use super::{kind, readable, tasks, unfit, NAME};
use crate::exit;
use crate::rustc::args::RustcArgs;
use crate::rustc::unit::Unit;

/// Runs one rustc call of cargo as the wrapper `own`.
pub(crate) fn run(own: &Path, arguments: Vec<OsString>) -> ExitCode {
    let list = match List::read(own) {
        Ok(list) => list,
        Err(error) => {
            eprintln!("hot: {error:#}");
            return ExitCode::from(exit::USAGE);
        }
    };
    let Some((compiler, rest)) = arguments.split_first() else {
        eprintln!("hot: the wrapper was called without a compiler");
        return ExitCode::from(exit::USAGE);
    };
    let is_member = Path::new(compiler).file_name() == Some(NAME.as_ref());
    let args = readable(rest).filter(|_| !is_member);
    let Some(args) = args else {
        return replace(list.chained, arguments);
    };
    let cache_key = list
        .crates
        .iter()
        .find(|included| args.codegen("codegen-units") == Some(&included.cache_key.to_string()));
    let included = cache_key.filter(|included| is_compiled_for(included));
    let args = match cache_key {
        Some(_) => args.without(&[], &["codegen-units"]),
        None => args,
    };
    let call = CargoCall {
        rustc: PathBuf::from(compiler),
        chained: list.chained.clone(),
        arguments: args.all.iter().map(OsString::from).collect(),
    };
    match (kind(&args), included) {
        (Some(_), Some(included)) if included.tasks_only => {
            checked(tasks::run(&call, &args, included), included)
        }
        (Some(kind), Some(included)) => {
            let code = match unfit::of(kind, &args) {
                Some(reason) => compile::unmodified(&call, &args, kind, reason),
                None => Compilation::new(call, args, kind)
                    .included(&list, included)
                    .run(),
            };
            checked(code, included)
        }
        (Some(kind), None) if uses_sites(&args) => {
            Compilation::new(call, args, kind).not_included()
        }
        _ => replace(
            list.chained,
            [compiler.clone()]
                .into_iter()
                .chain(call.arguments)
                .collect(),
        ),
    }
}

/// Whether cargo compiles a crate of the package.
fn is_compiled_for(included: &Included) -> bool {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .is_some_and(|folder| Path::new(&folder) == included.folder)
}

/// Whether a crate uses one of which there is a record, directly or not: of a user there is one,
/// too.
fn uses_sites(args: &RustcArgs) -> bool {
    let here = std::env::current_dir().unwrap_or_default();
    let mut libraries = args.externs();
    libraries.any(|(_, library)| Unit::of_library(&here.join(library)).is_some())
}

/// Cargo would take what was compiled for what the cache key says, for ever.
fn checked(code: ExitCode, included: &Included) -> ExitCode {
    match included.check_sources() {
        Ok(()) => code,
        Err(error) => {
            eprintln!("hot: {error:#}");
            ExitCode::from(exit::NOT_COMPILED)
        }
    }
}

/// Becomes the compiler.
fn replace(chained: Option<PathBuf>, arguments: Vec<OsString>) -> ExitCode {
    let mut words = chained
        .map(PathBuf::into_os_string)
        .into_iter()
        .chain(arguments);
    let mut command = Command::new(words.next().unwrap_or_default());
    let error = command.args(words).exec();
    cargo_call::exit_code(Err(error))
}
