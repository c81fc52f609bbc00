//! Published packages, as cargo fetches them from the registry.

use std::path::PathBuf;

use serde_json::Value;

use crate::project::Project;
use crate::{environment, folder};

/// The folder with the unmodified sources of a package. The fixture is a package that depends on
/// it, with a lock file that holds the versions of the package's own, so that nothing is fetched
/// which the package itself won't use.
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

/// Gives a project a home of cargo's own, with the archives of the user's and a copy of their
/// index: its sources are unpacked there, and may be edited. What the project needs has to be
/// fetched.
pub fn own_cargo_home(project: &mut Project) {
    project.cargo(&["fetch", "--locked"]);
    let users = user_cargo_home();
    let own = project.scratch().join("cargo-home");
    std::fs::create_dir_all(own.join("registry")).expect("a folder");
    for shared in ["config.toml", "config", "registry/cache"] {
        let from = users.join(shared);
        if from.exists() {
            std::os::unix::fs::symlink(from, own.join(shared)).expect("a link");
        }
    }
    // Other calls of cargo write to the user's index under the lock of their home, which a cargo
    // with another home doesn't take: it would read files that are half written.
    let lock = std::fs::File::open(users.join(".package-cache")).expect("cargo's lock");
    lock.lock_shared().expect("a lock");
    folder::copy(&users.join("registry/index"), &own.join("registry/index"));
    drop(lock);
    project.env("CARGO_HOME", own);
    project.env("CARGO_NET_OFFLINE", "true");
}

fn user_cargo_home() -> PathBuf {
    let set = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let default = || PathBuf::from(std::env::var_os("HOME").expect("a home")).join(".cargo");
    set.unwrap_or_else(default)
}

/// The folder of a package in a project's own home of cargo's.
pub fn unpacked(project: &Project, package: &str) -> PathBuf {
    let sources = project.scratch().join("cargo-home/registry/src");
    let registries = std::fs::read_dir(&sources).expect("sources were unpacked");
    let mut packages = registries
        .flatten()
        .flat_map(|registry| std::fs::read_dir(registry.path()).into_iter().flatten())
        .flatten();
    let found = packages.find(|folder| {
        let name = folder.file_name();
        let name = name.to_string_lossy();
        name.rsplit_once('-')
            .is_some_and(|(name, _)| name == package)
    });
    found.expect("the package was unpacked").path()
}
