//! Projects that depend on the runtime: where it is, and how it is compiled once for all of them.
//!
//! Knows nothing of what the projects are and of how they are run.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Once;

use crate::{compiled, folder};

/// How a project's own packages are compiled stays as it is; nobody debugs or edits their
/// dependencies, and what is tried of optimised programs is what is ours. Without optimisation,
/// dependencies are what they are in this workspace, and what was compiled for it is used again.
const SPARED: &str = r#"
[profile.dev.package."*"]
debug = false
incremental = false
[profile.release.package."*"]
opt-level = 0
[profile.release.package]
soft-mock = { opt-level = 1 }
soft-mock-runtime = { opt-level = 1 }
soft-mock-abi = { opt-level = 1 }
"#;

/// The target folder of all of these projects. It begins with what this workspace's own has of what
/// the runtime needs.
pub fn target() -> PathBuf {
    static BEGUN: Once = Once::new();
    let target = folder::kept().join("runtime");
    BEGUN.call_once(|| {
        // Of all examples, this one has the most of what the runtime may need.
        let needed = locked(&folder::workspace().join("examples/mockable"));
        let names = needed.into_iter().map(|(name, _)| name);
        let registered = names.filter(|name| name != "soft-mock").collect();
        let kept = folder::kept();
        let own = kept.with_file_name("debug");
        compiled::give(&registered, &own, &target.join("debug"));
    });
    target
}

/// Makes cargo compile the dependencies of all projects below a folder without debug information
/// and the like.
pub fn spare_dependencies(above: &Path) {
    let settings = above.join(".cargo");
    fs::create_dir_all(&settings).expect("a folder for settings");
    // Renamed, so that no cargo of another test reads a half.
    let mut file = tempfile::NamedTempFile::new_in(&settings).expect("a file for settings");
    file.write_all(SPARED.as_bytes())
        .and_then(|()| Ok(file.persist(settings.join("config.toml"))?))
        .expect("settings for cargo");
}

/// Lets the manifests of a copy find the runtime: they name it by a path that starts at the
/// original.
pub fn point_to(copy: &Path) {
    for entry in fs::read_dir(copy).expect("a folder of the project") {
        let path = entry.expect("an entry of a folder").path();
        if path.is_dir() {
            point_to(&path);
        } else if path.ends_with("Cargo.toml") {
            let text = fs::read_to_string(&path).expect("a manifest");
            let pointed = pointed(&text, &folder::workspace());
            if pointed != text {
                fs::write(&path, pointed).expect("a manifest");
            }
        }
    }
}

/// `"../../soft-mock` becomes `"/…/soft-mock`, wherever a string starts so.
fn pointed(manifest: &str, workspace: &Path) -> String {
    let mut parts = manifest.split("/soft-mock");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let start = text
            .strip_suffix("..")
            .map(|rest| rest.trim_end_matches("../"));
        if let Some(before) = start.filter(|before| before.ends_with('"')) {
            text = format!("{before}{}", workspace.display());
        }
        text.push_str("/soft-mock");
        text.push_str(part);
    }
    text
}

/// Names and versions of what a project has from a registry, and of the runtime. None if there is
/// no lock file.
fn locked(project: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(project.join("Cargo.lock")).unwrap_or_default();
    let lock: toml::Table = text.parse().expect("a lock file is TOML");
    let packages = lock.get("package").and_then(toml::Value::as_array);
    let from_a_registry = |package: &&toml::Value| package.get("source").is_some();
    let text = |package: &toml::Value, key: &str| package[key].as_str().map(str::to_owned);
    let packages = packages.into_iter().flatten();
    packages
        .filter(|package| from_a_registry(package) || package["name"].as_str() == Some("soft-mock"))
        .map(|package| (text(package, "name"), text(package, "version")))
        .map(|(name, version)| (name.expect("a name"), version.expect("a version")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_of_the_runtime_become_absolute_and_nothing_else_does() {
        let manifest = "a = { path = \"../../soft-mock\" }\n\
            b = { path = \"../../../soft-mock/abi\", features = [] }\n\
            c = { path = \"/x/soft-mock\" }\n[package.metadata.soft-mock]\n";
        let expected = "a = { path = \"/w/soft-mock\" }\n\
            b = { path = \"/w/soft-mock/abi\", features = [] }\n\
            c = { path = \"/x/soft-mock\" }\n[package.metadata.soft-mock]\n";
        assert_eq!(pointed(manifest, Path::new("/w")), expected);
    }

    /// Else they are compiled once for each version.
    #[test]
    fn what_the_runtime_needs_has_one_version_in_all_projects() {
        let model = locked(&folder::workspace().join("examples/mocking"));
        let mut projects = 0;
        for folder in ["examples", "tests/fixtures"].map(|name| folder::workspace().join(name)) {
            let entries = fs::read_dir(folder).expect("a folder of projects");
            let paths = entries.map(|entry| entry.expect("an entry").path());
            for project in paths.flat_map(|path| [path.join("app"), path]) {
                let packages = locked(&project);
                if !packages.iter().any(|(name, _)| name == "soft-mock") {
                    continue;
                }
                projects += 1;
                for (name, version) in packages {
                    let mut same = model.iter().filter(|(other, _)| *other == name).peekable();
                    let known = same.peek().is_none() || same.any(|(_, is)| *is == version);
                    assert!(known, "{}: {name} {version}", project.display());
                }
            }
        }
        assert!(projects > 10, "{projects} projects");
    }
}
