//! The crates of a project: what cargo would compile, and how each would be rewritten.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, Package, Target, TargetKind};
use soft_mock_rewriter::instrument::{rewrite, CrateIdentity, Options, Rewritten};
use soft_mock_rewriter::syntax::{CrateTree, Edition};

use crate::cargo::configuration;
use crate::cargo::metadata::Query;
use crate::config::settings;
use crate::include::dependencies;
use crate::wrapper::unfit;

/// One crate of a project.
#[derive(Debug)]
pub(super) struct Crate {
    pub(super) name: String,
    /// `lib`, `bin`, …
    pub(super) kind: String,
    pub(super) root: PathBuf,
    package: PathBuf,
    edition: Edition,
    pub(super) main: bool,
    /// Why none of it can be patched, where that is so.
    pub(super) unfit: Option<&'static str>,
    /// Of a dependency: the patterns of the names of functions that the project wants left alone.
    skip: Option<Vec<String>>,
}

/// A crate's sources, as they are and rewritten.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) tree: CrateTree,
    pub(super) rewritten: Rewritten,
}

/// The members of the project: libraries, programs and, if they are wanted, examples. Also
/// dependencies, by name.
pub(super) fn of_project(
    manifest: Option<&Path>,
    examples: bool,
    include: &[String],
) -> Result<Vec<Crate>> {
    let query = Query {
        dependencies: !include.is_empty(),
        ..Query::workspace(manifest)
    };
    let metadata = query.ask().context("cargo can't read the project")?;
    let is_static = configuration::links_statically(manifest);
    let mut crates: Vec<Crate> = members(&metadata)
        .flat_map(|package| {
            let targets = package.targets.iter();
            targets.filter_map(move |target| Crate::of(package, target, examples))
        })
        .collect();
    let names: Vec<&str> = include.iter().map(String::as_str).collect();
    let skip = settings::of_project(metadata.workspace_root.as_std_path())?.list("skip");
    for package in dependencies(&metadata, &names)? {
        let mut targets = package.targets.iter();
        let library = targets.find_map(|target| Crate::of(package, target, false));
        crates.extend(library.map(|library| Crate {
            skip: Some(settings::meant_for(&library.name, skip.clone())),
            ..library
        }));
    }
    if is_static {
        for krate in &mut crates {
            krate.unfit.get_or_insert(unfit::STATIC);
        }
    }
    crates.sort_by(|a, b| (&a.name, &a.kind).cmp(&(&b.name, &b.kind)));
    Ok(crates)
}

fn members(metadata: &Metadata) -> impl Iterator<Item = &Package> {
    let own = |package: &&Package| metadata.workspace_members.contains(&package.id);
    metadata.packages.iter().filter(own)
}

impl Crate {
    fn of(package: &Package, target: &Target, examples: bool) -> Option<Self> {
        let kind = target.kind.iter().find_map(|kind| match kind {
            _ if target.kind.contains(&TargetKind::DyLib) => Some("dylib"),
            TargetKind::Lib | TargetKind::RLib => Some("lib"),
            TargetKind::Bin => Some("bin"),
            TargetKind::ProcMacro => Some("proc-macro"),
            TargetKind::Example if examples => Some("example"),
            _ => None,
        })?;
        let manifest = package.manifest_path.as_std_path();
        Some(Self {
            name: target.name.replace('-', "_"),
            kind: kind.to_owned(),
            root: target.src_path.clone().into_std_path_buf(),
            package: manifest.parent().unwrap_or(manifest).to_owned(),
            edition: Edition::parse(target.edition.as_str()),
            main: matches!(kind, "bin" | "example"),
            unfit: match kind {
                "proc-macro" => Some(unfit::MACRO),
                "dylib" => Some(unfit::DYLIB),
                _ => None,
            },
            skip: None,
        })
    }

    /// Reads and rewrites it.
    pub(super) fn read(&self) -> Result<Sources> {
        let tree = CrateTree::load(&self.root, &mut |path| std::fs::read_to_string(path))
            .with_context(|| format!("can't read {}", self.root.display()))?;
        let options = Options {
            edition: self.edition,
            facts: CrateIdentity {
                name: self.name.clone(),
                hot: self.main,
                ..CrateIdentity::default()
            },
            main: self.main,
            skip: match &self.skip {
                Some(skip) => skip.clone(),
                None => settings::read(&self.name, &self.package)?,
            },
            ..Options::default()
        };
        let rewritten = rewrite(&tree, &options);
        Ok(Sources { tree, rewritten })
    }
}
