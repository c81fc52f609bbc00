//! Builds the agent, the C-ABI library that programs open, and hands it to `hot` to carry along.
//!
//! Cargo has no stable way to depend on another package's dynamic library, so this runs cargo once
//! more, in a target folder of its own below `OUT_DIR`.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    let manifest = PathBuf::from(env("CARGO_MANIFEST_DIR"));
    let workspace = manifest.join("..");
    let agent = workspace.join("soft-mock/agent/Cargo.toml");
    for watched in [
        "soft-mock/src",
        "soft-mock/Cargo.toml",
        "soft-mock/agent",
        "Cargo.lock",
    ] {
        println!(
            "cargo:rerun-if-changed={}",
            workspace.join(watched).display()
        );
    }
    let target = PathBuf::from(env("OUT_DIR")).join("agent");
    let mut command = Command::new(env("CARGO"));
    command
        .args(["build", "--release", "--quiet", "--manifest-path"])
        .arg(&agent)
        .arg("--target-dir")
        .arg(&target);
    // What cargo, clippy or a coverage tool set for this build is not meant for that one.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let ours = ["CARGO_HOME", "CARGO_NET_OFFLINE"].contains(&name.as_str());
        if !ours && (name.starts_with("CARGO") || name.starts_with("RUSTC") || name == "RUSTFLAGS")
        {
            command.env_remove(name);
        }
    }
    let status = command.status();
    match status {
        Ok(status) if status.success() => {}
        other => panic!("the agent could not be built ({other:?}): {command:?}"),
    }
    let library = target.join("release/libsoft_mock_agent.so");
    println!("cargo:rustc-env=SOFT_MOCK_AGENT={}", library.display());
}

fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
}
