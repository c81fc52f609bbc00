//! Leaves the compiler's own version string to the macros: the compiler that builds them is the one
//! that builds the crates that use them.

use std::process::Command;

/// The first version, 1.x, with `label` operands in assembly.
const LABELS: u32 = 87;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc)
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .unwrap_or_default();
    println!("cargo:rustc-env=SOFT_MOCK_RUSTC={}", version.trim());
    if minor(&version).is_some_and(|minor| minor >= LABELS) {
        println!("cargo:rustc-env=SOFT_MOCK_LABELS=1");
    }
}

/// Of `rustc 1.95.0 (…)`: 95.
fn minor(version: &str) -> Option<u32> {
    let number = version.strip_prefix("rustc 1.")?;
    number.split('.').next()?.parse().ok()
}
