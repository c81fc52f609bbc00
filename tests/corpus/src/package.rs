//! Published packages, copied to where they may be edited, in a shape in which cargo takes them for
//! projects of their own.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{bail, Context, Result};
use soft_mock_tests::{environment, folder};

use crate::records::home;

/// A package of the registry, `name version`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Published {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
}

impl Published {
    /// A fresh copy of the package below the folder `purpose`.
    pub(crate) fn copy(&self, purpose: &str) -> Result<PathBuf> {
        let place = fresh_copy(&self.fetch()?, purpose, self.name.as_ref())?;
        let manifest = place.join("Cargo.toml");
        let text = fs::read_to_string(&manifest)?;
        if !text.contains("\n[workspace]") {
            // The folder lies within this workspace, of which the package must not become a member.
            fs::write(&manifest, text + "\n[workspace]\n")?;
        }
        Ok(place)
    }

    fn fetch(&self) -> Result<PathBuf> {
        let folder = home().join("fetch").join(self.name);
        fs::create_dir_all(folder.join("src"))?;
        let (name, version) = (self.name, self.version);
        let manifest = format!(
            "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n\
             [dependencies]\n{name} = \"={version}\"\n\n[workspace]\n"
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        fs::write(folder.join("src/lib.rs"), "")?;
        let output = cargo(&folder)
            .arg("fetch")
            .output()
            .context("can't start cargo")?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            bail!("{name} {version} can't be fetched: {why}");
        }
        sources(&format!("{name}-{version}"))
    }
}

/// The name of a project's folder, and a fresh copy of it below the folder `purpose`.
pub(crate) fn copied(project: &Path, purpose: &str) -> Result<(String, PathBuf)> {
    let name = project.file_name().context("the folder has no name")?;
    let place = fresh_copy(project, purpose, name)?;
    Ok((name.to_string_lossy().into_owned(), place))
}

fn fresh_copy(project: &Path, purpose: &str, name: &OsStr) -> Result<PathBuf> {
    let place = home().join(purpose).join(name);
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    folder::copy(project, &place);
    Ok(place)
}

/// Where cargo has put a package. Not asked of `cargo metadata`: that leaves out packages without a
/// library.
fn sources(package: &str) -> Result<PathBuf> {
    let home = match std::env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => PathBuf::from(std::env::var_os("HOME").context("there is no HOME")?).join(".cargo"),
    };
    // `toml-1.2.1+spec-1.1.0`: what stands behind a version's plus sign isn't asked for.
    let with_build = format!("{package}+");
    for registry in fs::read_dir(home.join("registry/src"))? {
        for entry in fs::read_dir(registry?.path())? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name == package || name.starts_with(&with_build) {
                return Ok(entry.path());
            }
        }
    }
    bail!("cargo has not unpacked {package}")
}

/// Cargo in a project.
pub(crate) fn cargo(project: &Path) -> Command {
    in_project(environment::command("cargo"), project)
}

/// The one target folder that all projects of a purpose share.
pub(crate) fn target(project: &Path) -> PathBuf {
    project.with_file_name("target")
}

/// Sets folder and target folder of a command.
pub(crate) fn in_project(mut command: Command, project: &Path) -> Command {
    command
        .current_dir(project)
        .env("PWD", project)
        .env("CARGO_TARGET_DIR", target(project))
        .stdin(Stdio::null());
    command
}
