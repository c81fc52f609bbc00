//! Compiles the source of a micro-crate against the twin of its crate.
//!
//! Knows nothing of what stands in it.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::os::process::Cancel;
use crate::program::twin::Twin;
use crate::rustc::args::RustcArgs;
use crate::rustc::recipe::{Call, Places};
use crate::rustc::run;
use crate::rustc::unit::{Unit, UnitKind};

/// A micro-crate whose source is written.
#[derive(Debug, Clone)]
pub(super) struct MicroCrate {
    /// The folder of its source, and the root file below it.
    pub(super) place: PathBuf,
    pub(super) root: PathBuf,
    /// The patch that it was made for.
    pub(super) number: u64,
    /// What rustc refuses by itself it refuses here: nobody asks it about the user's own sources
    /// afterwards.
    pub(super) is_final: bool,
}

impl MicroCrate {
    /// The file in which rustc notes what it read for an object.
    pub(super) fn dep_info(object: &Path) -> PathBuf {
        object.with_extension("d")
    }

    /// Compiles it. Returns what rustc says if it refuses.
    pub(super) fn compile(
        &self,
        rustc: &Path,
        unit: &Unit,
        twin: &Twin,
        object: &Path,
        cancel: &Cancel,
    ) -> Result<Option<String>> {
        let mut args = Call::Patch.args(
            &unit.rustc_args(),
            &Places {
                root: &self.place.join(&self.root).to_string_lossy(),
                // What rustc needs for a moment goes there too.
                out_dir: &self.place.to_string_lossy(),
                emit: &format!(
                    "obj={},dep-info={}",
                    object.display(),
                    Self::dep_info(object).display()
                ),
                metadata: &format!("soft_mock_{}", self.number),
                shadow: Some((&self.place, &unit.cwd)),
                ..Places::default()
            },
        );
        if self.is_final {
            args = with_own_lints(args);
        }
        if unit.kind == UnitKind::Test {
            args = self_contained(args, &self.place);
        }
        args.push(&[
            "--extern",
            &format!("__hot_host={}", twin.metadata.display()),
        ]);
        let finished = run::run(rustc, unit, &args, cancel)?;
        Ok((!finished.success).then_some(finished.stderr))
    }
}

/// Has rustc make all generic code that is used anew. The twin of a harness is a library and has
/// some for others, the harness has none.
///
/// It does so where it optimises. So it is told to, but not with any pass of LLVM's, nor with its
/// own that puts one function into another, which it leaves out where it works incrementally.
fn self_contained(args: RustcArgs, place: &Path) -> RustcArgs {
    let settings = ["opt-level", "no-prepopulate-passes", "incremental"];
    // Without optimisation these are on unless somebody has said otherwise.
    let unsaid = ["debug-assertions", "overflow-checks"];
    let unsaid = unsaid.map(|name| {
        args.codegen(name)
            .is_none()
            .then(|| format!("-C{name}=yes"))
    });
    let mut args = args.without(&[], &settings);
    let incremental = format!("-Cincremental={}", place.join("incremental").display());
    args.push(&["-Copt-level=2", "-Cno-prepopulate-passes", &incremental]);
    args.all.extend(unsaid.into_iter().flatten());
    args
}

/// Has rustc refuse what it refuses in any crate, but nothing that somebody has asked for: the text
/// of a micro-crate isn't the user's alone.
fn with_own_lints(args: RustcArgs) -> RustcArgs {
    const LEVELS: [&str; 11] = [
        "--cap-lints",
        "-A",
        "--allow",
        "-W",
        "--warn",
        "-D",
        "--deny",
        "-F",
        "--forbid",
        "--force-warn",
        "--check-cfg",
    ];
    let mut args = args.without(&LEVELS, &[]);
    // That of tests is ours.
    args.push(&["-Awarnings", "-Aexplicit_builtin_cfgs_in_flags"]);
    args
}
