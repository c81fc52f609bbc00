//! What a project says about itself to `hot`, in its manifests.
//!
//! ```toml
//! [package.metadata.hot]                  # or [workspace.metadata.hot], for all members
//! skip = ["my_crate::fast::*", "crate::tiny"]
//! include = ["serde_json"]
//! ```

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
struct Manifest {
    package: Option<Section>,
    workspace: Option<Section>,
}

#[derive(Debug, Default, Deserialize)]
struct Section {
    metadata: Option<Metadata>,
}

#[derive(Debug, Default, Deserialize)]
struct Metadata {
    hot: Option<Config>,
}

/// What stands in one manifest, or in those of a package and its workspace.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Patterns for functions that are to be left alone.
    #[serde(default)]
    pub(crate) skip: Vec<String>,
    /// Crates outside of the workspace that are to be rewritten.
    #[serde(default)]
    pub(crate) include: Vec<String>,
}

/// The patterns for functions that are to be left alone in a crate of the package in this folder.
pub(crate) fn read(crate_name: &str, package: &Path) -> Result<Vec<String>> {
    Ok(meant_for(crate_name, of_package(package)?.skip))
}

/// What the project says that a folder belongs to.
pub(crate) fn of_project(folder: &Path) -> Result<Config> {
    let mut packages = folder.ancestors();
    match packages.find(|folder| folder.join("Cargo.toml").is_file()) {
        Some(package) => of_package(package),
        None => Ok(Config::default()),
    }
}

fn of_package(package: &Path) -> Result<Config> {
    let mut all = Config::default();
    for file in files(package) {
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let config = parse(&text).with_context(|| file.display().to_string())?;
        all.skip.extend(config.skip);
        all.include.extend(config.include);
    }
    Ok(all)
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

fn parse(text: &str) -> Result<Config> {
    let mut all = Config::default();
    // Without the word there is nothing to read: most manifests are left alone.
    if !text.contains("hot") {
        return Ok(all);
    }
    let manifest: Manifest = toml::from_str(text).map_err(|error| {
        anyhow::anyhow!("the metadata for hot isn't understood: {}", error.message())
    })?;
    let sections = [manifest.workspace, manifest.package].into_iter().flatten();
    for config in sections.filter_map(|section| section.metadata?.hot) {
        all.skip.extend(config.skip);
        all.include.extend(config.include);
    }
    Ok(all)
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
            "[workspace]\nmembers = [\"app\"]\n[workspace.metadata.hot]\nskip = [\"*::tiny\"]\n\
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

        let found = of_project(&package.join("src")).expect("read");
        assert_eq!(found.include, ["itoa"]);

        for wrong in ["skip = 1", "skipp = []"] {
            write(
                &own,
                &format!("[package]\nname = \"app\"\n[package.metadata.hot]\n{wrong}\n"),
            );
            let error = format!("{:#}", read("app", &package).expect_err("refused"));
            assert!(
                error.contains("app/Cargo.toml: the metadata for hot isn't understood"),
                "{error}"
            );
        }
    }
}
