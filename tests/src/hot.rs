//! The `hot` that is tested: the one that `HOT_BIN` names, else this workspace's own.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::{environment, folder};

/// The path of `hot`. The first call builds it, with the features that the whole workspace selects:
/// what `cargo test --workspace` has compiled is used again.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match env::var_os("HOT_BIN") {
        Some(path) => PathBuf::from(path)
            .canonicalize()
            .expect("HOT_BIN names a file"),
        None => build(),
    })
}

fn build() -> PathBuf {
    let output = cargo()
        .args([
            "build",
            "--workspace",
            "--bin",
            "hot",
            "--bin",
            "cargo-hot",
            "--message-format=json-render-diagnostics",
        ])
        .output()
        .expect("cargo can be started");
    let messages = String::from_utf8_lossy(&output.stdout);
    let diagnostics = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "hot can't be built:\n{diagnostics}"
    );
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "hot")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .unwrap_or_else(|| panic!("cargo named no executable `hot`:\n{messages}"))
}

/// Cargo in the workspace, in the target folder that the tests themselves were built in.
fn cargo() -> Command {
    let mut command = environment::command("cargo");
    command.current_dir(folder::workspace());
    // As the outer cargo has compiled it, or all of it is compiled once more.
    if let Some(incremental) = env::var_os("CARGO_INCREMENTAL") {
        command.env("CARGO_INCREMENTAL", incremental);
    }
    if let Some(target) = folder::kept().parent() {
        command.env("CARGO_TARGET_DIR", target);
    }
    command
}
