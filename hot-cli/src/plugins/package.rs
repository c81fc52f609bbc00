//! The plugin's package and its neighbours in the workspace, as cargo describes them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cargo_metadata::{Dependency, DependencyKind, Target, TargetKind};
use wildmatch::WildMatch;

use super::error::BuildError;
use crate::cargo::metadata::Query;

/// The plugin's package.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest: PathBuf,
    pub(crate) folder: PathBuf,
    /// The root file of its library.
    pub(crate) root: PathBuf,
    /// All packages of the workspace, itself among them.
    pub(crate) workspace: Vec<Member>,
}

/// A package of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct Member(cargo_metadata::Package);

impl Package {
    /// Asks cargo about the package in `folder`; `versions` are the flags that say what it may ask
    /// the network and write.
    pub(crate) fn read(folder: &Path, versions: &[OsString]) -> Result<Self, BuildError> {
        let folder = folder.canonicalize().map_err(BuildError::io(folder))?;
        let manifest = folder.join("Cargo.toml");
        let query = Query {
            options: versions.iter().map(OsString::as_os_str).collect(),
            ..Query::workspace(Some(&manifest))
        };
        let workspace: Vec<Member> = query.ask()?.packages.into_iter().map(Member).collect();
        let own = workspace
            .iter()
            .find(|member| member.0.manifest_path == *manifest);
        let own = own.ok_or_else(|| BuildError::NoPackage(folder.clone()))?;
        let root = own
            .library()
            .ok_or_else(|| BuildError::NoLibrary(folder.clone()))?
            .to_owned();
        Ok(Self {
            name: own.name().to_owned(),
            manifest,
            root,
            workspace,
            folder,
        })
    }
}

impl Member {
    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    /// The folder of the package.
    pub(crate) fn folder(&self) -> &Path {
        let folder = self.0.manifest_path.parent();
        folder.map_or(Path::new(""), |folder| folder.as_std_path())
    }

    /// Its `Cargo.toml`.
    pub(crate) fn manifest(&self) -> &Path {
        self.0.manifest_path.as_std_path()
    }

    /// Whether it has a program.
    pub(crate) fn has_program(&self) -> bool {
        let mut targets = self.0.targets.iter();
        targets.any(|target| target.is_bin())
    }

    /// The root file of its library.
    pub(crate) fn library(&self) -> Option<&Path> {
        use TargetKind::{CDyLib, DyLib, Lib, RLib, StaticLib};
        let is_library = |target: &&Target| {
            let mut kinds = target.kind.iter();
            kinds.any(|kind| matches!(kind, Lib | RLib | DyLib | CDyLib | StaticLib))
        };
        let library = self.0.targets.iter().find(is_library)?;
        Some(library.src_path.as_std_path())
    }

    /// A value of `[package.metadata.soft-mock]`.
    pub(crate) fn setting(&self, key: &str) -> &serde_json::Value {
        &self.0.metadata["soft-mock"][key]
    }

    /// What it declares as its dependencies.
    pub(crate) fn dependencies(&self) -> &[Dependency] {
        &self.0.dependencies
    }

    /// The packages in folders that it needs to be built.
    pub(crate) fn neighbours(&self) -> impl Iterator<Item = &Path> {
        self.paths(|kind| kind != DependencyKind::Development)
    }

    /// The packages in folders that become part of whatever it does. Nothing of what a macro or a
    /// build script needs does.
    pub(crate) fn linked(&self) -> impl Iterator<Item = &Path> {
        let is_part = self.library().is_some() || self.has_program();
        self.paths(move |kind| is_part && kind == DependencyKind::Normal)
    }

    fn paths(&self, wanted: impl Fn(DependencyKind) -> bool) -> impl Iterator<Item = &Path> {
        let needed = self.0.dependencies.iter();
        needed
            .filter(move |dependency| wanted(dependency.kind))
            .filter_map(|dependency| Some(dependency.path.as_ref()?.as_std_path()))
    }
}

/// The plugin folders that are meant by `folder`.
pub(crate) fn folders(
    folder: &Path,
    include: &[String],
    exclude: &[String],
) -> Result<Vec<PathBuf>, BuildError> {
    if folder.join("Cargo.toml").is_file() {
        return Ok(vec![folder.to_owned()]);
    }
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|_| BuildError::NoPackage(folder.to_owned()))? {
        let path = entry.map_err(BuildError::io(folder))?.path();
        if path.join("Cargo.toml").is_file() {
            folders.push(path);
        }
    }
    if folders.is_empty() {
        return Err(BuildError::NoPackage(folder.to_owned()));
    }
    folders.sort();
    let name = |path: &PathBuf| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    folders.retain(|path| {
        let matches = |pattern: &String| is_like(&name(path), pattern);
        (include.is_empty() || include.iter().any(matches)) && !exclude.iter().any(matches)
    });
    match folders.is_empty() {
        true => Err(BuildError::NothingIncluded(folder.to_owned())),
        false => Ok(folders),
    }
}

/// Whether a name is like a pattern in which `*` stands for any letters and `?` for one.
fn is_like(name: &str, pattern: &str) -> bool {
    WildMatch::new(pattern).matches(name)
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn patterns() {
        for (name, pattern) in [
            ("alpha", "alpha"),
            ("alpha", "a*a"),
            ("alpha", "*"),
            ("ä", "?"),
            ("", "*"),
        ] {
            assert!(is_like(name, pattern), "{name} {pattern}");
        }
        for (name, pattern) in [
            ("alpha", "alph"),
            ("alpha", "b*"),
            ("alpha", "????"),
            ("a", ""),
        ] {
            assert!(!is_like(name, pattern), "{name} {pattern}");
        }
    }
}
