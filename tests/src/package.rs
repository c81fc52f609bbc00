//! Published packages, as cargo fetches them from the registry.

use std::path::PathBuf;

use serde_json::Value;

use crate::{environment, folder};

/// The folder with the unmodified sources of a package. The fixture is a package that depends on it, with a lock file
/// that holds the versions of the package's own, so that nothing is fetched which the package itself won't use.
pub fn sources(fixture: &str, name: &str) -> PathBuf {
    let output = environment::command("cargo")
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(folder::fixture(fixture))
        .output()
        .expect("cargo can be started");
    let diagnostics = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{name} can't be fetched:\n{diagnostics}"
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    let package = packages
        .iter()
        .find(|package| package["name"] == name)
        .expect("the package");
    let manifest = package["manifest_path"]
        .as_str()
        .expect("the path of its manifest");
    PathBuf::from(manifest)
        .parent()
        .expect("a manifest is in a folder")
        .to_owned()
}
