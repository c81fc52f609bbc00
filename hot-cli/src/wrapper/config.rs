//! What a project says about itself to `hot`, in its manifests.
//!
//! ```toml
//! [package.metadata.hot]                  # or [workspace.metadata.hot], for all members
//! skip = ["my_crate::fast::*", "crate::tiny"]
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

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    skip: Vec<String>,
}

/// The patterns for functions that are to be left alone in a crate of the package in this folder.
pub(crate) fn read(crate_name: &str, package: &Path) -> Result<Vec<String>> {
    let mut patterns = Vec::new();
    for file in files(package) {
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        patterns.extend(skips(&text).with_context(|| file.display().to_string())?);
    }
    let own = format!("{crate_name}::");
    for pattern in &mut patterns {
        if let Some(rest) = pattern.strip_prefix("crate::") {
            *pattern = format!("{own}{rest}");
        }
    }
    Ok(patterns)
}

fn skips(text: &str) -> Result<Vec<String>> {
    // Without the word there is nothing to read: most manifests are left alone.
    if !text.contains("hot") {
        return Ok(Vec::new());
    }
    let manifest: Manifest = toml::from_str(text).map_err(|error| {
        anyhow::anyhow!("the metadata for hot isn't understood: {}", error.message())
    })?;
    let sections = [manifest.workspace, manifest.package].into_iter().flatten();
    let configs = sections.filter_map(|section| section.metadata?.hot);
    Ok(configs.flat_map(|config| config.skip).collect())
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
            "[workspace]\nmembers = [\"app\"]\n[workspace.metadata.hot]\nskip = [\"*::tiny\"]\n",
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
