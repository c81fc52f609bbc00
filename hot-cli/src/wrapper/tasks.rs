//! Crates that run what tests make (tokio, rayon-core, async-task), compiled for tests: each task
//! carries the scope of its test. Nothing else of them is rewritten, and there is no record.
//!
//! A version of such a crate that has another form is compiled as it is, and the user is told.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{anyhow, bail, Context, Result};
use soft_mock_rewriter::instrument::{CrateIdentity, Executor};

use super::cargo_call::{self, CargoCall, Notices};
use super::diagnostics;
use super::included_list::Included;
use super::mirror::Mirror;
use crate::os::files::below;
use crate::rustc::args::RustcArgs;
use crate::rustc::dep_info;
use crate::rustc::recipe::{Call, Places};
use crate::rustc::toolchain;
use crate::rustc::unit::Unit;

/// Runs the call for a crate that is on the list for its tasks alone.
pub(super) fn run(call: &CargoCall, args: &RustcArgs, package: &Included) -> ExitCode {
    match rewritten(call, args, package) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            warn(&package.name, &package.version, &error);
            cargo_call::exit_code(call.command().args(&args.all).status())
        }
    }
}

fn warn(name: &str, version: &str, error: &anyhow::Error) {
    eprintln!(
        "hot: mocks aren't seen by tasks that run in `{name}` {version}: {error:#}; \
         hand them the test with `soft_mock::scope()`"
    );
}

fn rewritten(call: &CargoCall, args: &RustcArgs, package: &Included) -> Result<()> {
    let (executor, out_dir, stem) = (
        executor(&package.name).context("its tasks aren't known")?,
        args.out_dir().context("cargo named no output folder")?,
        args.stem().context("cargo named no crate")?,
    );
    let (out_dir, cwd) = (std::path::absolute(out_dir)?, std::env::current_dir()?);
    let root = cwd.join(args.input().context("no root file")?);
    let inner = root.strip_prefix(&package.folder);
    let inner = inner.context("its root file lies elsewhere")?;
    let identity = identity(call, args, package)?;
    let read = |path: &str| std::fs::read_to_string(package.folder.join(path));
    let changed = executor.carry(
        &inner.to_string_lossy(),
        args.edition(),
        Some(&identity),
        &read,
    );
    let files = changed.map_err(|why| anyhow!(why))?.into_iter();
    let files: Vec<(PathBuf, String)> = files
        .map(|(path, text)| (package.folder.join(path), text))
        .collect();
    let shadow = Unit::folder(&out_dir, &stem).join("shadow");
    let texts = files.iter();
    let texts = texts.map(|(path, text)| (&**path, text.as_bytes()));
    Mirror::new(&shadow, &package.folder).write(&texts.collect::<Vec<_>>())?;
    compile(call, args, &below(&shadow, &root), &shadow)?;
    let dep_info = out_dir.join(format!("{stem}.d"));
    dep_info::fix(&dep_info, &dep_info, &shadow).map(drop)
}

/// The known executor that a package is.
fn executor(package: &str) -> Option<&'static Executor> {
    Executor::known().find(|known| known.package == package)
}

fn identity(call: &CargoCall, args: &RustcArgs, package: &Included) -> Result<CrateIdentity> {
    let rustc = toolchain::version(&call.rustc)?;
    let mut hasher = DefaultHasher::new();
    (&package.name, package.cache_key, &args.all, &rustc).hash(&mut hasher);
    Ok(CrateIdentity {
        unit: hasher.finish(),
        name: args
            .value("--crate-name")
            .unwrap_or(&package.name)
            .to_owned(),
        rustc,
        hot: false,
    })
}

/// What rustc says goes to cargo if it takes the sources, and else is the reason.
fn compile(call: &CargoCall, args: &RustcArgs, root: &Path, shadow: &Path) -> Result<()> {
    let cwd = std::env::current_dir()?;
    let args = Call::Tasks.args(
        args,
        &Places {
            root: &root.to_string_lossy(),
            shadow: Some((shadow, &cwd)),
            ..Places::default()
        },
    );
    let (status, lines) = call.run(&args, Vec::new(), Notices::ToCargo)?;
    if status.success() {
        for line in lines {
            writeln!(std::io::stderr(), "{line}")?;
        }
        return Ok(());
    }
    let why = diagnostics::first_error(&lines);
    bail!("it does not compile so: {}", why.unwrap_or_default())
}

/// The same for a crate that is rewritten as a whole: changes and adds to its rewritten files.
pub(super) fn carry(unit: &Unit, files: &mut Vec<(PathBuf, String)>) {
    let variable = |name: &str| unit.env.get(name).map(String::as_str);
    let name = variable("CARGO_PKG_NAME").unwrap_or_default();
    let Some(executor) = executor(name).filter(|_| unit.mocks) else {
        return;
    };
    let folder = PathBuf::from(variable("CARGO_MANIFEST_DIR").unwrap_or_default());
    let known = |path: &str| {
        let path = folder.join(path);
        let known = files.iter().find(|(known, _)| *known == path);
        known.map_or_else(
            || std::fs::read_to_string(&path),
            |(_, text)| Ok(text.clone()),
        )
    };
    let edition = unit.rustc_args().edition();
    match executor.carry("", edition, None, &known) {
        Ok(changed) => {
            for (path, text) in changed {
                let path = folder.join(path);
                files.retain(|(known, _)| *known != path);
                files.push((path, text));
            }
        }
        Err(why) => warn(
            name,
            variable("CARGO_PKG_VERSION").unwrap_or_default(),
            &anyhow!(why),
        ),
    }
}
