//! `hot` as the rustc wrapper of workspace members: rewrites the crate, compiles it, records the
//! unit.
//!
//! ```text
//! rustc call ─► read the crate ─► rewrite ─► shadow tree ─► rustc ─► fix dep-info, unhide symbols, columns, record
//!                                    ▲                        │ error in inserted text
//!                                    └── leave that function ◄┘ … else compile the original
//! ```
//!
//! Never breaks a build: whatever goes wrong here, the crate is compiled as it is, and the user is
//! told which crate and why. Knows nothing of sessions and running programs.

mod asm_support;
pub(crate) mod builds;
mod cargo_call;
pub(crate) mod columns;
mod compile;
mod diagnostics;
mod included;
pub(crate) mod included_list;
pub(crate) mod link;
pub(crate) mod linker;
mod mirror;
pub(crate) mod shadow;
mod std_calls;
mod stub;
mod tasks;
pub(crate) mod test_linker;
mod track_caller;
pub(crate) mod unfit;
mod unmodified;

pub(crate) use included::run as run_included;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use cargo_call::CargoCall;
use compile::Compilation;

use crate::config::env;
use crate::exit;
use crate::rustc::args::RustcArgs;
use crate::rustc::unit::UnitKind;

/// The name of the link that cargo calls for workspace members.
pub(crate) const NAME: &str = "hot-rustc";

/// Runs one rustc call of cargo: `arguments` are the compiler and its arguments.
pub(crate) fn run(arguments: Vec<OsString>) -> ExitCode {
    let chained = std::env::var_os(env::CHAINED_WRAPPER).map(PathBuf::from);
    let Some((rustc, rest)) = arguments.split_first() else {
        eprintln!("hot: the wrapper was called without a compiler");
        return ExitCode::from(exit::USAGE);
    };
    let call = CargoCall {
        rustc: PathBuf::from(rustc),
        chained,
        arguments: rest.to_vec(),
    };
    let Some(args) = readable(rest) else {
        return call.pass_through();
    };
    let Some(kind) = kind(&args) else {
        return call.pass_through();
    };
    match unfit::of(kind, &args) {
        Some(reason) => compile::unmodified(&call, &args, kind, reason),
        None => Compilation::new(call, args, kind).run(),
    }
}

/// The arguments of a compiler call, if they are text.
fn readable(arguments: &[OsString]) -> Option<RustcArgs> {
    let texts = arguments.iter().map(|arg| arg.to_str().map(str::to_owned));
    texts.collect::<Option<_>>().map(RustcArgs::new)
}

/// What the wrapper's folder ends with when cargo builds tests: another path, so another cache.
pub(crate) const FOR_TESTS: &str = "-tests";

/// Whether the command that cargo runs is one that runs tests.
pub(crate) fn for_tests() -> bool {
    let own = std::env::args_os().next().map(PathBuf::from);
    let folder = own
        .as_deref()
        .and_then(std::path::Path::parent)
        .and_then(std::path::Path::file_name);
    folder.is_some_and(|folder| folder.to_string_lossy().ends_with(FOR_TESTS))
}

/// What the call compiles, if it is something that gets sites.
fn kind(args: &RustcArgs) -> Option<UnitKind> {
    let name = args.value("--crate-name")?;
    let types = args.crate_types();
    let left_alone = name.starts_with("build_script_")
        || !args.emits("link")
        || args.value("--print").is_some()
        || args.input().is_none();
    if left_alone {
        return None;
    }
    if types.contains(&"proc-macro") {
        return Some(UnitKind::Macro);
    }
    if args.has("--test") {
        return Some(UnitKind::Test);
    }
    if types.contains(&"bin") {
        return Some(UnitKind::Bin);
    }
    if types.contains(&"cdylib")
        && args
            .values("--cfg")
            .any(|cfg| cfg == soft_mock_abi::build::MANAGED)
    {
        return Some(UnitKind::Plugin);
    }
    const LIBRARIES: [&str; 3] = ["lib", "rlib", "dylib"];
    let is_library = types.iter().any(|kind| LIBRARIES.contains(kind));
    is_library.then_some(UnitKind::Lib)
}
