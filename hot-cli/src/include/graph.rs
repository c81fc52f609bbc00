//! Which packages of cargo's graph the names mean.

use std::path::PathBuf;

use anyhow::{bail, Context, Result};
use cargo_metadata::{Metadata, Package as Node, TargetKind};

use crate::cargo::command_line::CargoCommand;

/// The package that tests mock with.
const MOCKS: &str = "soft-mock";

/// How many names are proposed in place of one that isn't known.
const PROPOSED: usize = 3;

/// A package that is to be rewritten.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) folder: PathBuf,
    /// How cargo's profiles name it.
    pub(super) spec: String,
    /// It comes from a registry or from git: cargo takes its sources for unchangeable.
    pub(super) is_immutable: bool,
    /// It is there for its tasks alone.
    pub(super) tasks_only: bool,
}

/// Finds the packages, and those of `executors` that the project has if its tests can mock. Members
/// of the workspace are left out: they are rewritten anyway.
pub(super) fn find(
    command: &CargoCommand<'_>,
    wanted: &[&str],
    executors: &[&str],
) -> Result<Vec<Package>> {
    let metadata = command.metadata();
    let metadata = metadata.context("cargo can't tell which crates there are to include")?;
    select(&metadata, wanted, executors)
}

fn select(metadata: &Metadata, wanted: &[&str], executors: &[&str]) -> Result<Vec<Package>> {
    let nodes = dependencies(metadata, wanted)?;
    let named: Vec<_> = nodes.iter().map(|node| &node.id).collect();
    let mocks = metadata.packages.iter().any(|node| node.name == MOCKS);
    let more = metadata.packages.iter().filter(|node| {
        mocks
            && executors.iter().any(|name| node.name == *name)
            && !named.contains(&&node.id)
            && !metadata.workspace_members.contains(&node.id)
    });
    let tasks = more.map(|node| Package {
        tasks_only: true,
        ..package(metadata, node)
    });
    let packages = nodes.iter().map(|node| package(metadata, node));
    Ok(packages.chain(tasks).collect())
}

/// The packages of these names that are no members of the workspace. Fails for one that can't be
/// rewritten.
pub(crate) fn dependencies<'a>(metadata: &'a Metadata, wanted: &[&str]) -> Result<Vec<&'a Node>> {
    let mut found: Vec<&Node> = Vec::new();
    for name in wanted {
        for node in named(metadata, name)? {
            let known = found.iter().any(|known| known.id == node.id);
            if known || metadata.workspace_members.contains(&node.id) {
                continue;
            }
            check(node)?;
            found.push(node);
        }
    }
    Ok(found)
}

/// The packages that `wanted` means: a name, or `name@version`.
fn named<'a>(metadata: &'a Metadata, wanted: &str) -> Result<Vec<&'a Node>> {
    let (name, version) = match wanted.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (wanted, None),
    };
    let all = metadata.packages.iter();
    let nodes: Vec<&Node> = all.filter(|node| same(&node.name, name)).collect();
    if nodes.is_empty() {
        bail!("can't include `{wanted}`: {}", unknown(metadata, name));
    }
    let Some(version) = version else {
        return Ok(nodes);
    };
    let (fitting, others): (Vec<&Node>, Vec<&Node>) =
        nodes.into_iter().partition(|node| fits(version, node));
    if fitting.is_empty() {
        let versions = others
            .iter()
            .map(|node| format!("{} {}", node.name, node.version));
        let versions: Vec<String> = versions.collect();
        bail!(
            "can't include `{wanted}`: the project has {}",
            versions.join(" and ")
        );
    }
    Ok(fitting)
}

/// Cargo takes `-` and `_` for different in names of packages; nobody else does.
fn same(left: &str, right: &str) -> bool {
    left.replace('-', "_") == right.replace('-', "_")
}

/// `1`, `1.0` and `1.0.3` all mean 1.0.3.
fn fits(wanted: &str, node: &Node) -> bool {
    let version = node.version.to_string();
    version
        .strip_prefix(wanted)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '+']))
}

fn unknown(metadata: &Metadata, name: &str) -> String {
    if ["std", "core", "alloc"].contains(&name) {
        return "the standard library is compiled already; its functions can be mocked where they are called by path"
            .to_owned();
    }
    let names: Vec<&str> = metadata
        .packages
        .iter()
        .map(|node| node.name.as_str())
        .collect();
    let mut near = similar::get_close_matches(name, &names, PROPOSED, 0.6);
    near.dedup();
    let near: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
    match near.is_empty() {
        true => "no crate of the project's dependency graph has that name".to_owned(),
        false => format!(
            "no crate of the project's dependency graph has that name; near it: {}",
            near.join(", ")
        ),
    }
}

/// Crates that run inside of the compiler are no part of any program.
fn check(node: &Node) -> Result<()> {
    let has = |kind: &TargetKind| node.targets.iter().any(|target| target.kind.contains(kind));
    if has(&TargetKind::ProcMacro) {
        bail!(
            "can't include `{}`: it is a proc-macro crate, which runs inside of the compiler",
            node.name
        );
    }
    let libraries = [TargetKind::Lib, TargetKind::RLib];
    if !libraries.iter().any(has) {
        bail!("can't include `{}`: it has no Rust library", node.name);
    }
    Ok(())
}

fn package(metadata: &Metadata, node: &Node) -> Package {
    let name = node.name.to_string();
    let same_name = metadata
        .packages
        .iter()
        .filter(|other| other.name == node.name);
    let version = node.version.to_string();
    let manifest = node.manifest_path.as_std_path();
    Package {
        // A setting of the user's for the package mostly has the bare name; two names for one
        // package are an error.
        spec: match same_name.count() {
            1 => name.clone(),
            _ => format!("{name}@{version}"),
        },
        folder: manifest.parent().unwrap_or(manifest).to_owned(),
        is_immutable: node.source.is_some(),
        tasks_only: false,
        name,
        version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The graph of a workspace of one member, `app`.
    fn graph() -> Metadata {
        let package = |name: &str, version: &str, kind: &str, source: &str| {
            let source = match source {
                "" => "null".to_owned(),
                source => format!("{source:?}"),
            };
            format!(
                r#"{{"name":"{name}","version":"{version}","id":"{name} {version}","source":{source},
                "dependencies":[],"features":{{}},"manifest_path":"/r/{name}-{version}/Cargo.toml","targets":[{{"name":"{name}",
                "kind":["{kind}"],"crate_types":["lib"],"src_path":"/r/{name}-{version}/src/lib.rs"}}]}}"#
            )
        };
        let registry = "registry+https://example.org/index";
        let packages = [
            package("app", "0.1.0", "lib", ""),
            package("next-door", "0.1.0", "lib", ""),
            package("serde_json", "1.0.149", "lib", registry),
            package("serde_derive", "1.0.2", "proc-macro", registry),
            package("rand", "0.8.5", "lib", registry),
            package("rand", "0.9.1", "lib", registry),
            package("soft-mock", "0.1.0", "lib", registry),
        ];
        let text = format!(
            r#"{{"packages":[{}],"workspace_members":["app 0.1.0"],"workspace_default_members":[],
            "resolve":null,"workspace_root":"/w","target_directory":"/w/target","version":1,"metadata":null}}"#,
            packages.join(",")
        );
        serde_json::from_str(&text).expect("metadata")
    }

    fn specs(wanted: &[&str]) -> Result<Vec<String>, String> {
        let found = select(&graph(), wanted, &[]).map_err(|error| error.to_string())?;
        Ok(found.into_iter().map(|package| package.spec).collect())
    }

    #[test]
    fn names_and_versions_are_found() {
        assert_eq!(
            specs(&["serde-json", "serde_json"]),
            Ok(vec!["serde_json".to_owned()])
        );
        assert_eq!(specs(&["next_door@0.1"]), Ok(vec!["next-door".to_owned()]));
        assert_eq!(
            specs(&["rand"]),
            Ok(vec!["rand@0.8.5".to_owned(), "rand@0.9.1".to_owned()])
        );
        assert_eq!(specs(&["rand@0.9"]), Ok(vec!["rand@0.9.1".to_owned()]));
        assert_eq!(specs(&["app"]), Ok(Vec::new()));
        let kept: Vec<bool> = select(&graph(), &["next-door", "rand@0.8.5"], &[])
            .expect("found")
            .iter()
            .map(|package| package.is_immutable)
            .collect();
        assert_eq!(kept, [false, true]);
    }

    #[test]
    fn executors_are_there_for_their_tasks() {
        let find = |graph: &Metadata| -> Vec<(String, bool)> {
            let found = select(
                graph,
                &["serde_json"],
                &["serde_json", "rand", "app", "none"],
            );
            let found = found.expect("found").into_iter();
            found
                .map(|package| (package.spec, package.tasks_only))
                .collect()
        };
        let expected = [
            ("serde_json", false),
            ("rand@0.8.5", true),
            ("rand@0.9.1", true),
        ];
        assert_eq!(
            find(&graph()),
            expected.map(|(name, only)| (name.to_owned(), only))
        );
        let mut without = graph();
        without.packages.retain(|node| node.name != MOCKS);
        assert_eq!(find(&without), [("serde_json".to_owned(), false)]);
    }

    #[test]
    fn what_can_not_be_included_is_said() {
        let check = |wanted: &str, expected: &str| {
            let error = specs(&[wanted]).expect_err(wanted);
            assert!(error.contains(expected), "{error}");
        };
        check("serde_jsn", "near it: `serde_json`");
        check(
            "quite_another",
            "no crate of the project's dependency graph has that name",
        );
        check("std", "compiled already");
        check("serde_derive", "it is a proc-macro crate");
        check("rand@0.7", "the project has rand 0.8.5 and rand 0.9.1");
        check("rand@0.8.50", "the project has");
        check("rand@0.8.", "the project has");
    }
}
