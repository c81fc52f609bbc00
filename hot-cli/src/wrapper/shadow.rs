//! From a recorded call to rewritten sources: used for the program and for its twin.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use soft_mock_rewriter::instrument::{rewrite, CrateIdentity, Options, Output, Rewritten};
use soft_mock_rewriter::syntax::CrateTree;

use super::asm_support;
use super::mirror::Mirror;
use super::tasks;
use crate::rustc::beside::DataFiles;
use crate::rustc::unit::{Unit, UnitKind};

/// Reads the crate of a unit with `read`.
pub(crate) fn tree(
    unit: &Unit,
    read: &dyn Fn(&Path) -> std::io::Result<String>,
) -> Result<CrateTree> {
    CrateTree::load_as(unit.compiled_as(), &unit.root, &mut |path| read(path))
        .with_context(|| format!("can't read {}", unit.root.display()))
}

/// How the crate of a unit is rewritten.
pub(crate) fn options(unit: &Unit, output: Output) -> Options {
    Options {
        output,
        edition: unit.rustc_args().edition(),
        facts: CrateIdentity {
            unit: unit.id,
            name: unit.crate_name.clone(),
            rustc: unit.version.clone(),
            hot: unit.kind == UnitKind::Bin,
        },
        main: unit.kind == UnitKind::Bin,
        mocks: unit.mocks,
        only_named: unit.only_named,
        check: asm_support::of(unit),
        untyped: unit.untyped.iter().cloned().collect(),
        without: unit.without.union(&unit.inlined).cloned().collect(),
        skip: unit.skip.clone(),
        uncarried: unit.uncarried.iter().cloned().collect(),
    }
}

/// Rewrites the crate into a shadow tree at `shadow`, with `data` in it.
pub(crate) fn write(
    unit: &Unit,
    (tree, data): (&CrateTree, &DataFiles),
    output: Output,
    shadow: &Path,
) -> Result<Rewritten> {
    let mut rewritten = rewrite(tree, &options(unit, output));
    if output == Output::Program {
        tasks::carry(unit, &mut rewritten.files);
    }
    let sources = rewritten.files.iter();
    let sources = sources.map(|(path, text)| (&**path, text.as_bytes()));
    let data = data.iter().map(|(path, bytes)| (&**path, &**bytes));
    let files: Vec<(&Path, &[u8])> = sources.chain(data).collect();
    Mirror::new(shadow, &linked_below(unit)).write(&files)?;
    Ok(rewritten)
}

/// The folder below which a source file may find others: the workspace, or what holds it and the
/// package.
fn linked_below(unit: &Unit) -> PathBuf {
    let package = unit.env.get("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let package = package.as_deref().unwrap_or(&unit.cwd);
    unit.cwd
        .ancestors()
        .find(|folder| package.starts_with(folder) && unit.root.starts_with(folder))
        .unwrap_or(package)
        .to_owned()
}
