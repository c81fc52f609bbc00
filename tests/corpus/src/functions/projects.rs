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
    /// It is a library: this program is put beside it.
    host: Option<&'static str>,
}

const fn program(
    name: &'static str,
    version: &'static str,
    run: &'static [&'static str],
) -> Project {
    Project {
        package: Published { name, version },
        run,
        host: None,
    }
}

const fn library(
    name: &'static str,
    version: &'static str,
    run: &'static [&'static str],
    host: &'static str,
) -> Project {
    Project {
        host: Some(host),
        ..program(name, version, run)
    }
}

// What all programs below have in common: they wait as long as nobody reads from or writes to them.

/// A host that calls nothing.
const WAITING: &str = "fn main() { let _ = std::io::stdin().lines().count(); }\n";

const BIN: &[&str] = &["run", "--bin", "waiting"];
const FULL: &[&str] = &["run", "--bin", "waiting", "--features", "full"];

const PROJECTS: &[Project] = &[
    program(
        "mini-redis",
        "0.4.1",
        &["run", "--bin", "mini-redis-server", "--", "--port", "0"],
    ),
    // Nobody reads what it prints, so it waits when the pipe is full.
    program("fd-find", "10.5.0", &["run", "--", ".", "/"]),
    program("ripgrep", "14.1.1", &["run", "--", "pattern", "-"]),
    library("regex-automata", "0.4.18", BIN, WAITING),
    library("h2", "0.4.20", BIN, WAITING),
    library("clap_builder", "4.6.7", BIN, WAITING),
    library("hyper", "1.12.0", FULL, WAITING),
    library("axum", "0.8.9", BIN, include_str!("../../hosts/axum.rs")),
    // Small enough for every change.
    library("semver", "1.0.28", BIN, WAITING),
    library(
        "serde_json",
        "1.0.154",
        BIN,
        include_str!("../../hosts/serde_json.rs"),
    ),
    library("bytes", "1.12.1", BIN, WAITING),
    library("http", "1.5.0", BIN, WAITING),
    library(
        "indexmap",
        "2.14.2",
        BIN,
        include_str!("../../hosts/indexmap.rs"),
    ),
    library("regex-syntax", "0.8.11", BIN, WAITING),
    library("url", "2.5.8", BIN, WAITING),
    library("tokio-util", "0.7.20", FULL, WAITING),
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
        if let Some(host) = self.host {
            let crate_name = self.package.name.replace('-', "_");
            let text = format!("{host}\nuse {crate_name} as _;\n");
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
