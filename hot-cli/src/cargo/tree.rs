//! `cargo tree`: the packages that a command would build, with the features that each would have.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::os::process::{Process, ProcessError};

/// Whose features count when a package is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Those that the package itself asks for, and what it needs.
    Package,
    /// Those that any member of the workspace asks for, as `cargo build --workspace` has it.
    Workspace,
}

impl Scope {
    /// What makes cargo do so, for one package. This is not stable yet; `RUSTC_BOOTSTRAP` would
    /// make compiler and build scripts unstable too.
    pub(crate) fn flags(self) -> &'static [&'static str] {
        match self {
            Scope::Package => &[],
            Scope::Workspace => &[
                "-Zfeature-unification",
                "--config",
                "resolver.feature-unification=\"workspace\"",
            ],
        }
    }

    /// The environment that the flags need.
    pub(crate) fn environment(self) -> Option<(&'static str, &'static str)> {
        let variable = "__CARGO_TEST_CHANNEL_OVERRIDE_DO_NOT_USE_THIS";
        (self == Scope::Workspace).then_some((variable, "nightly"))
    }
}

/// What a package needs to be built for this system.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    nodes: BTreeMap<Node, BTreeSet<Node>>,
    root: Option<Node>,
}

/// A package with its features: `syn v3.0.9`, `derive,full`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Node {
    pub(crate) package: String,
    pub(crate) features: String,
}

impl Node {
    /// The package's name alone.
    pub(crate) fn name(&self) -> &str {
        self.package.split(' ').next().unwrap_or_default()
    }

    /// Whether it is in a folder of the user's, rather than from a registry.
    pub(crate) fn is_local(&self) -> bool {
        self.package.contains(" (/")
    }
}

impl Tree {
    /// Asks cargo. The options are those that decide on features and versions.
    pub(crate) fn of(
        cargo: &OsStr,
        manifest: &Path,
        scope: Scope,
        options: &[OsString],
    ) -> Result<Self, ProcessError> {
        let answer = Process::new(cargo)
            .args(["tree", "--edges", "normal,build", "--prefix", "depth"])
            .args(["--format", "|{p}|{f}", "--manifest-path"])
            .arg(manifest)
            .args(scope.flags())
            .args(options)
            .envs(scope.environment())
            .stdout()?;
        Ok(Self::parse(&answer))
    }

    /// Lines such as `3|serde v1.0.229|derive,std (*)`. A package that was shown before is not
    /// shown with what it needs again.
    fn parse(text: &str) -> Self {
        let mut tree = Self::default();
        let mut above: Vec<Node> = Vec::new();
        for line in text.lines() {
            let mut parts = line.splitn(3, '|');
            let (Some(depth), Some(package), Some(features)) =
                (parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            let Ok(depth) = depth.parse() else { continue };
            let features = features.strip_suffix("(*)").unwrap_or(features).trim();
            let node = Node {
                package: package.to_owned(),
                features: features.to_owned(),
            };
            above.truncate(depth);
            if let Some(parent) = above.last() {
                let needs = tree.nodes.entry(parent.clone()).or_default();
                needs.insert(node.clone());
            }
            tree.nodes.entry(node.clone()).or_default();
            tree.root.get_or_insert_with(|| node.clone());
            above.push(node);
        }
        tree
    }

    /// What the package itself names as its dependencies.
    pub(crate) fn direct(&self) -> impl Iterator<Item = &Node> {
        let root = self.root.as_ref().and_then(|root| self.nodes.get(root));
        root.into_iter().flatten()
    }

    /// All packages, with their features, but the one that was asked for.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &Node> {
        self.nodes
            .keys()
            .filter(|node| Some(*node) != self.root.as_ref())
    }

    /// The packages for which this holds, and all that they need.
    pub(crate) fn below(&self, is_root: impl Fn(&Node) -> bool) -> BTreeSet<&Node> {
        let mut found: BTreeSet<&Node> = BTreeSet::new();
        let mut next: Vec<&Node> = self.packages().filter(|node| is_root(node)).collect();
        while let Some(node) = next.pop() {
            if found.insert(node) {
                next.extend(self.nodes.get(node).into_iter().flatten());
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_once_counts_everywhere() {
        let tree = Tree::parse(
            "0|app v0.1.0 (/w/app)|\n1|derive v1.0.0 (proc-macro)|default\n2|syn v3.0.9|full,parsing\n\
             3|ident v1.0.0|\n[build-dependencies]\n1|macros v2.0.0 (proc-macro)|\n2|syn v3.0.9|full,parsing (*)\n",
        );
        let names = |nodes: BTreeSet<&Node>| -> Vec<String> {
            nodes.iter().map(|node| node.name().to_owned()).collect()
        };
        let below = tree.below(|node| node.name() == "macros");
        assert_eq!(names(below), ["ident", "macros", "syn"]);
        assert_eq!(names(tree.direct().collect()), ["derive", "macros"]);
        let syn = tree.packages().find(|node| node.name() == "syn");
        let syn = syn.expect("there is one");
        assert_eq!(
            (&*syn.package, &*syn.features),
            ("syn v3.0.9", "full,parsing")
        );
        assert!(tree.packages().all(|node| node.name() != "app"));
    }
}
