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
mod every_command;
mod included;
pub(crate) mod included_list;
pub(crate) mod link;
pub(crate) mod linker;
mod mirror;
pub(crate) mod mocking;
mod refusals;
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
use std::path::{Path, PathBuf};
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
    let purpose = Purpose::of_this_process();
    if purpose == Purpose::EveryCommand && every_command::is_for_cargo(kind, &args) {
        return call.pass_through();
    }
    match every_command::outdated(purpose).or_else(|| unfit::of(kind, &args)) {
        Some(reason) => compile::unmodified(&call, &args, kind, reason),
        None => Compilation::new(call, args, kind).run(),
    }
}

/// The arguments of a compiler call, if they are text.
fn readable(arguments: &[OsString]) -> Option<RustcArgs> {
    let texts = arguments.iter().map(|arg| arg.to_str().map(str::to_owned));
    texts.collect::<Option<_>>().map(RustcArgs::new)
}

/// For what cargo calls this program. The wrapper's folder ends with it: another path, so another
/// cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Programs that can be patched.
    Programs,
    /// Tests that can be patched, in a project that mocks nothing: `hot test`.
    LivingTests,
    /// The same in one that may.
    LivingMocks,
    /// Tests that can mock.
    Tests,
    /// Tests that can mock, among all that cargo builds: `hot init`.
    EveryCommand,
}

impl Purpose {
    /// Of a command that runs tests, or another one.
    pub(crate) fn of_command(runs_tests: bool) -> Self {
        match runs_tests {
            true => Self::Tests,
            false => Self::Programs,
        }
    }

    fn of_this_process() -> Self {
        let own = std::env::args_os().next().map(PathBuf::from);
        let folder = own
            .as_deref()
            .and_then(Path::parent)
            .and_then(Path::file_name);
        let folder = folder.unwrap_or_default().to_string_lossy();
        let ends = |purpose: &Self| folder.ends_with(purpose.suffix());
        let purposes = [
            Self::EveryCommand,
            Self::Tests,
            Self::LivingTests,
            Self::LivingMocks,
        ];
        purposes.into_iter().find(ends).unwrap_or(Self::Programs)
    }

    /// What the name of the wrapper's folder ends with.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Programs => "",
            Self::LivingTests => "-for-living-tests",
            Self::LivingMocks => "-for-living-mocks",
            Self::Tests => "-for-tests",
            Self::EveryCommand => "-every-command",
        }
    }

    /// Whether it is about tests.
    pub(crate) fn is_tests(self) -> bool {
        self != Self::Programs
    }

    /// Whether a crate is rewritten for mocks as well. (In the tests of a script, tests alone are.)
    fn mocks(self, kind: UnitKind) -> bool {
        match self {
            Self::Programs => kind == UnitKind::Test,
            Self::LivingTests => false,
            Self::LivingMocks | Self::Tests | Self::EveryCommand => true,
        }
    }

    /// Whether harnesses are patched: what no patch needs is left out of the others.
    fn patches_harnesses(self) -> bool {
        matches!(self, Self::Programs | Self::LivingTests | Self::LivingMocks)
    }
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
