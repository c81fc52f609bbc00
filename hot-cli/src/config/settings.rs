//! What a project says about itself to `hot`, in its manifests.
//!
//! ```toml
//! [package.metadata.hot]                  # or [workspace.metadata.hot], for all members
//! skip = ["my_crate::fast::*", "crate::tiny"]
//! include = ["serde_json"]
//! no-restart = true
//! ```
//!
//! Knows nothing of other places where something can be set.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::layers::{Layer, Layers, Source};
use super::manifest;

/// The patterns for functions that are to be left alone in a crate of the package in this folder.
pub(crate) fn read(crate_name: &str, package: &Path) -> Result<Vec<String>> {
    Ok(meant_for(crate_name, of_package(package)?.list("skip")))
}

/// What the project says that a folder belongs to.
pub(crate) fn of_project(folder: &Path) -> Result<Layers> {
    let mut packages = folder.ancestors();
    match packages.find(|folder| folder.join("Cargo.toml").is_file()) {
        Some(package) => of_package(package),
        None => Ok(Layers::default()),
    }
}

fn of_package(package: &Path) -> Result<Layers> {
    let own = package.join("Cargo.toml");
    let (mut packages, mut workspaces) = (Vec::new(), Vec::new());
    for file in files(package) {
        let tables = manifest::read(&file)?;
        // The root package of the workspace speaks for itself alone.
        if let Some(values) = tables.package.filter(|_| file == own) {
            let source = Source::Package(file.clone());
            packages.push(Layer { source, values });
        }
        if let Some(values) = tables.workspace {
            let source = Source::Workspace(file);
            workspaces.push(Layer { source, values });
        }
    }
    packages.append(&mut workspaces);
    Ok(Layers(packages))
}

/// The patterns as they are meant in a crate of this name.
pub(crate) fn meant_for(crate_name: &str, mut patterns: Vec<String>) -> Vec<String> {
    let own = format!("{crate_name}::");
    for pattern in &mut patterns {
        if let Some(rest) = pattern.strip_prefix("crate::") {
            *pattern = format!("{own}{rest}");
        }
    }
    patterns
}

/// The manifests that decide: the package's own, and that of its workspace.
pub(crate) fn files(package: &Path) -> Vec<PathBuf> {
    let own = package.join("Cargo.toml");
    let mut files: Vec<PathBuf> = own.is_file().then_some(own).into_iter().collect();
    let is_workspace = |manifest: &PathBuf| {
        std::fs::read_to_string(manifest).is_ok_and(|text| text.contains("[workspace"))
    };
    if !files.iter().any(is_workspace) {
        let above = package.ancestors().skip(1);
        files.extend(
            above
                .map(|folder| folder.join("Cargo.toml"))
                .find(is_workspace),
        );
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_package_and_workspace() {
        let folder = tempfile::tempdir().expect("a folder");
        let package = folder.path().join("app");
        std::fs::create_dir(&package).expect("a folder");
        let write = |path: &Path, text: &str| std::fs::write(path, text).expect("written");
        write(
            &folder.path().join("Cargo.toml"),
            "[package]\nname = \"root\"\nmetadata.hot.skip = [\"root::f\"]\n\
             [workspace]\nmembers = [\"app\"]\n[workspace.metadata.hot]\nskip = [\"*::tiny\"]\n\
             include = [\"itoa\"]\n",
        );
        let own = package.join("Cargo.toml");
        write(
            &own,
            "[package]\nname = \"app\"\n[package.metadata.hot]\nskip = [\"crate::fast::*\"]\n",
        );
        assert_eq!(
            read("app", &package).expect("read"),
            ["app::fast::*", "*::tiny"]
        );
        assert_eq!(
            files(&package),
            [own.clone(), folder.path().join("Cargo.toml")]
        );
        assert_eq!(
            read("root", folder.path()).expect("read"),
            ["root::f", "*::tiny"]
        );

        let found = of_project(&package.join("src")).expect("read");
        assert_eq!(found.list("include"), ["itoa"]);
    }
}
