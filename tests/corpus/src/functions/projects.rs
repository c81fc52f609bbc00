//! The projects whose functions are edited, and how each is kept running.

use std::fs;
use std::path::PathBuf;

use anyhow::{bail, Result};

use crate::package::Published;

/// A project and how it is started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Project {
    pub(crate) package: Published,
    /// Cargo's arguments.
    pub(crate) run: &'static [&'static str],
    /// It is a library: a program that only waits is put beside it.
    library: bool,
}

const fn program(
    name: &'static str,
    version: &'static str,
    run: &'static [&'static str],
) -> Project {
    Project {
        package: Published { name, version },
        run,
        library: false,
    }
}

const fn library(
    name: &'static str,
    version: &'static str,
    run: &'static [&'static str],
) -> Project {
    Project {
        package: Published { name, version },
        run,
        library: true,
    }
}

/// What all programs below have in common: they wait as long as nobody reads from or writes to them.
const WAITING: &str = "fn main() { let _ = std::io::stdin().lines().count(); }\n";

const PROJECTS: &[Project] = &[
    program(
        "mini-redis",
        "0.4.1",
        &["run", "--bin", "mini-redis-server", "--", "--port", "0"],
    ),
    // Nobody reads what it prints, so it waits when the pipe is full.
    program("fd-find", "10.5.0", &["run", "--", ".", "/"]),
    program("ripgrep", "14.1.1", &["run", "--", "pattern", "-"]),
    library("regex-automata", "0.4.18", &["run", "--bin", "waiting"]),
    library("h2", "0.4.20", &["run", "--bin", "waiting"]),
    library("clap_builder", "4.6.7", &["run", "--bin", "waiting"]),
    library(
        "hyper",
        "1.12.0",
        &["run", "--bin", "waiting", "--features", "full"],
    ),
    library("axum", "0.8.9", &["run", "--bin", "waiting"]),
    // Small enough for every change.
    library("semver", "1.0.28", &["run", "--bin", "waiting"]),
    library("serde_json", "1.0.154", &["run", "--bin", "waiting"]),
    library("bytes", "1.12.1", &["run", "--bin", "waiting"]),
    library("http", "1.5.0", &["run", "--bin", "waiting"]),
    library("indexmap", "2.14.2", &["run", "--bin", "waiting"]),
    library("regex-syntax", "0.8.11", &["run", "--bin", "waiting"]),
    library("url", "2.5.8", &["run", "--bin", "waiting"]),
    library(
        "tokio-util",
        "0.7.20",
        &["run", "--bin", "waiting", "--features", "full"],
    ),
];

/// The projects of these names; all if there are none.
pub(crate) fn chosen(names: &[String]) -> Result<Vec<Project>> {
    let known = |name: &String| PROJECTS.iter().any(|project| project.package.name == name);
    if let Some(name) = names.iter().find(|name| !known(name)) {
        let all: Vec<&str> = PROJECTS
            .iter()
            .map(|project| project.package.name)
            .collect();
        bail!("no project `{name}`; there are {}", all.join(", "));
    }
    let is_wanted = |project: &&Project| {
        names.is_empty() || names.iter().any(|name| name == project.package.name)
    };
    Ok(PROJECTS.iter().filter(is_wanted).copied().collect())
}

impl Project {
    /// A fresh copy, ready to be run.
    pub(crate) fn prepare(&self) -> Result<PathBuf> {
        let folder = self.package.copy("functions")?;
        if self.library {
            let crate_name = self.package.name.replace('-', "_");
            let text = format!("use {crate_name} as _;\n{WAITING}");
            fs::write(folder.join("src/waiting.rs"), text)?;
            let manifest = folder.join("Cargo.toml");
            let bin = "\n[[bin]]\nname = \"waiting\"\npath = \"src/waiting.rs\"\n";
            let text = without_tests(&fs::read_to_string(&manifest)?) + bin;
            fs::write(&manifest, text)?;
            // It is that of the tests' dependencies as well.
            match fs::remove_file(folder.join("Cargo.lock")) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error.into())
                }
                _ => {}
            }
        }
        Ok(folder)
    }
}

/// A manifest without what only tests, examples and benchmarks need.
fn without_tests(manifest: &str) -> String {
    let mut keep = true;
    let mut text = String::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            let dropped = ["[dev-dependencies", "[[test]]", "[[bench]]", "[[example]]"];
            keep = !dropped.iter().any(|section| line.starts_with(section))
                && !line.contains("dev-dependencies");
        }
        if keep {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}
