//! The plugin's package and its neighbours in the workspace, as cargo describes them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::error::BuildError;

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
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Member {
    pub(crate) name: String,
    manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    targets: Vec<Target>,
    #[serde(default)]
    metadata: serde_json::Value,
}

/// A dependency, as a package declares it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Option<String>,
    pub(crate) path: Option<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
struct Target {
    kind: Vec<String>,
    src_path: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Member>,
}

impl Package {
    /// Asks cargo about the package in `folder`.
    pub(crate) fn read(folder: &Path, cargo_flags: &[OsString]) -> Result<Self, BuildError> {
        let folder = folder.canonicalize().map_err(BuildError::io(folder))?;
        let manifest = folder.join("Cargo.toml");
        let mut command = Command::new(cargo());
        command
            .args([
                "metadata",
                "--no-deps",
                "--format-version",
                "1",
                "--manifest-path",
            ])
            .arg(&manifest);
        // Those of the user's flags that also decide what cargo may ask the network and write.
        command.args(cargo_flags.iter().filter(|flag| {
            ["--offline", "--locked", "--frozen"]
                .map(OsString::from)
                .contains(flag)
        }));
        let output = command.output().map_err(BuildError::NoCargo)?;
        if !output.status.success() {
            return Err(BuildError::Cargo {
                command: format!("{command:?}"),
                status: output.status,
                output: format!(":\n{}", String::from_utf8_lossy(&output.stderr).trim_end()),
            });
        }
        let metadata: Metadata = serde_json::from_slice(&output.stdout)
            .map_err(|error| BuildError::Answer(error.to_string()))?;
        let own = metadata
            .packages
            .iter()
            .find(|member| member.manifest_path == manifest);
        let own = own.ok_or_else(|| BuildError::NoPackage(folder.clone()))?;
        let root = own
            .library()
            .ok_or_else(|| BuildError::NoLibrary(folder.clone()))?
            .to_owned();
        Ok(Self {
            name: own.name.clone(),
            manifest,
            root,
            workspace: metadata.packages,
            folder,
        })
    }
}

impl Member {
    /// The folder of the package.
    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(Path::new(""))
    }

    /// The root file of its library.
    pub(crate) fn library(&self) -> Option<&Path> {
        let is_library = |target: &&Target| {
            target.kind.iter().any(|kind| {
                matches!(
                    kind.as_str(),
                    "lib" | "rlib" | "dylib" | "cdylib" | "staticlib"
                )
            })
        };
        self.targets
            .iter()
            .find(is_library)
            .map(|target| target.src_path.as_path())
    }

    /// A value of `[package.metadata.soft-mock]`.
    pub(crate) fn setting(&self, key: &str) -> &serde_json::Value {
        &self.metadata["soft-mock"][key]
    }

    /// The packages in folders that it needs to run.
    pub(crate) fn neighbours(&self) -> impl Iterator<Item = &Path> {
        self.dependencies
            .iter()
            .filter(|dependency| dependency.kind.as_deref() != Some("dev"))
            .filter_map(|dependency| dependency.path.as_deref())
    }
}

/// The cargo to use: the one that called us, or the one in the path.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO")
        .filter(|cargo| !cargo.is_empty())
        .unwrap_or_else(|| "cargo".into())
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
    let Some(first) = pattern.chars().next() else {
        return name.is_empty();
    };
    let rest = &pattern[first.len_utf8()..];
    match first {
        '*' => name
            .char_indices()
            .map(|(at, _)| at)
            .chain([name.len()])
            .any(|at| is_like(&name[at..], rest)),
        _ => name.chars().next().is_some_and(|letter| {
            (first == '?' || first == letter) && is_like(&name[letter.len_utf8()..], rest)
        }),
    }
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
