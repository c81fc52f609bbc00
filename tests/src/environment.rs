//! The environment that a test's processes see: the user's, without what the outer cargo and `hot`
//! put there.

use std::env;
use std::ffi::{OsStr, OsString};
use std::process::Command;

/// Settings of cargo that say where things come from, and so have to stay.
const KEPT: [&str; 6] = [
    "CARGO_HOME",
    "CARGO_HTTP_",
    "CARGO_NET_",
    "CARGO_REGISTRIES_",
    "CARGO_REGISTRY_",
    "CARGO_SOURCE_",
];

/// What would make a run under test depend on how the test was started.
const REMOVED: [&str; 6] = ["CARGO", "RUSTC", "RUSTDOC", "RUSTFLAGS", "RUST_", "HOT_"];

/// A command whose environment is clean, and whose signals are not ignored: the tests themselves
/// may run where they are, as a background job of a script.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("env");
    command
        .arg("--default-signal=INT,QUIT,HUP")
        .arg(program.as_ref())
        .env_clear()
        .envs(clean());
    command
}

/// The environment without the traces of the outer cargo.
pub fn clean() -> Vec<(OsString, OsString)> {
    env::vars_os().filter(|(key, _)| stays(key)).collect()
}

fn stays(key: &OsStr) -> bool {
    let key = key.to_string_lossy();
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| key.starts_with(prefix));
    let outer = ["LD_LIBRARY_PATH", "MAKEFLAGS", "MFLAGS", "NUM_JOBS"].contains(&key.as_ref());
    !outer && (starts(&KEPT) || !starts(&REMOVED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_packages_come_from_stays_and_the_rest_of_cargo_goes() {
        for key in [
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "PATH",
            "HOME",
            "RUSTUP_HOME",
        ] {
            assert!(stays(OsStr::new(key)), "{key}");
        }
        for key in [
            "CARGO",
            "CARGO_PKG_NAME",
            "CARGO_TARGET_DIR",
            "RUSTC_WRAPPER",
            "RUST_BACKTRACE",
            "HOT_SESSION",
        ] {
            assert!(!stays(OsStr::new(key)), "{key}");
        }
    }
}
