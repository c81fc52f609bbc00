//! The features of what host and plugin share.
//!
//! Cargo compiles a crate with all the features that the packages of one command want of it, and
//! tells its variants apart by the features of everything that it is made with, macros included. A
//! host and a plugin that are built by two commands can so come to have two variants of what they
//! share, and two of every type in it. Where that would be so, the plugin is built with the
//! features of the whole workspace, as `cargo build --workspace` does.
//!
//! Knows nothing of what is compiled in the end: that is compared once more when a host loads it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use super::error::BuildError;
use super::options::BuildOptions;
use super::package::{Member, Package};
use super::rules;
use crate::cargo::program;
use crate::cargo::tree::{Node, Scope, Tree};

/// How many packages are named where there are more.
const SHOWN: usize = 5;

/// How a plugin is built, and what its user has to know of that.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) scope: Scope,
    pub(super) note: Option<String>,
}

impl Choice {
    fn of(scope: Scope, note: Option<String>) -> Self {
        Self { scope, note }
    }
}

/// Compares the plugin with the hosts in its workspace.
pub(super) fn choose(package: &Package, options: &BuildOptions) -> Result<Choice, BuildError> {
    if options.workspace {
        return Ok(Choice::of(Scope::Workspace, None));
    }
    let hosts = rules::hosts(package)?;
    let (own, versions) = (options.features(), options.versions());
    let plugin = |scope| tree(&package.manifest, scope, &own);
    let host = |host: &Member, scope| tree(host.manifest(), scope, &versions);
    let mut different = Vec::new();
    if !hosts.is_empty() {
        let plugin = plugin(Scope::Package)?;
        for member in hosts {
            let host = host(member, Scope::Package)?;
            let difference = Difference::of(package, &plugin, member, &host);
            different.extend(difference.map(|difference| (difference, host)));
        }
    }
    let Some((first, alone)) = different.into_iter().next() else {
        return Ok(Choice::of(Scope::Package, None));
    };
    // A cargo that doesn't know of such features fails.
    let (Ok(plugin), Ok(whole)) = (plugin(Scope::Workspace), host(first.host, Scope::Workspace))
    else {
        return Ok(Choice::of(Scope::Package, Some(first.refused())));
    };
    if let Some(left) = Difference::of(package, &plugin, first.host, &whole) {
        return Ok(Choice::of(Scope::Package, Some(left.refused())));
    }
    // The host may have those features also when it is built by itself.
    let fits = Difference::of(package, &plugin, first.host, &alone).is_none();
    Ok(match (fits, options.patchable) {
        (true, _) => Choice::of(Scope::Workspace, None),
        (false, false) => Choice::of(Scope::Workspace, Some(first.joined())),
        // The host is that of `hot cargo run`, which is built by itself.
        (false, true) => Choice::of(Scope::Package, Some(first.refused())),
    })
}

fn tree(manifest: &Path, scope: Scope, options: &[OsString]) -> Result<Tree, BuildError> {
    Ok(Tree::of(&program(), manifest, scope, options)?)
}

/// What differs in what a plugin and a host share.
struct Difference<'a> {
    plugin: &'a str,
    host: &'a Member,
    /// By package: the features that only the plugin wants, and those that only the host wants.
    packages: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)>,
    /// The dependencies that the one has and the other not, and that bring such features.
    of_plugin: Vec<String>,
    of_host: Vec<String>,
}

impl<'a> Difference<'a> {
    fn of(package: &'a Package, plugin: &Tree, host: &'a Member, of_host: &Tree) -> Option<Self> {
        let (ours, theirs) = (shared(plugin, of_host), shared(of_host, plugin));
        let mut packages = BTreeMap::new();
        for name in ours.keys().chain(theirs.keys()) {
            let (ours, theirs) = (ours.get(name), theirs.get(name));
            if ours != theirs {
                let (ours, theirs) = (words(ours), words(theirs));
                let only = |these: &BTreeSet<&str>, those: &BTreeSet<&str>| {
                    these
                        .difference(those)
                        .map(|word| (*word).to_owned())
                        .collect()
                };
                packages.insert(
                    (*name).to_owned(),
                    (only(&ours, &theirs), only(&theirs, &ours)),
                );
            }
        }
        let brings = |of: &Tree, other: &Tree| -> Vec<String> {
            let others: BTreeSet<&Node> = other.direct().collect();
            let own = of.direct().filter(|node| !others.contains(node));
            let differs = |node: &&Node| {
                let below = of.below(|root| root == *node);
                below
                    .iter()
                    .any(|node| packages.contains_key(&node.package))
            };
            own.filter(differs).map(dependency).collect()
        };
        let (of_plugin, of_host) = (brings(plugin, of_host), brings(of_host, plugin));
        (!packages.is_empty()).then(|| Self {
            plugin: &package.name,
            host,
            of_plugin,
            of_host,
            packages,
        })
    }

    /// The plugin is built with the features of the workspace, and the host has to be.
    fn joined(&self) -> String {
        format!(
            "{self}.\n     The plugin was built with the features of the whole workspace. Build the host with `cargo build --workspace` and start it from the target folder; or, to go on with `cargo run`, {}",
            self.advice()
        )
    }

    /// The host won't load the plugin.
    fn refused(&self) -> String {
        format!(
            "{self}.\n     The host would refuse the plugin: {}",
            self.advice()
        )
    }

    fn advice(&self) -> String {
        let (plugin, host) = (self.plugin, self.host.name());
        let mut lines = Vec::new();
        for (to, of) in [(host, &self.of_plugin), (plugin, &self.of_host)] {
            if !of.is_empty() {
                lines.push(format!("give `{to}` the dependency {}", of.join(" and ")));
            }
        }
        match lines.is_empty() {
            true => "build both with the same features".to_owned(),
            false => lines.join(", and "),
        }
    }
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (plugin, host) = (self.plugin, self.host.name());
        write!(
            f,
            "`{plugin}` and its host `{host}` share crates that are made with "
        )?;
        let wanted = |features: &BTreeSet<String>, by: &str| {
            let features: Vec<&str> = features.iter().map(String::as_str).collect();
            (!features.is_empty()).then(|| format!("`{}` for `{by}` alone", features.join(" ")))
        };
        for (index, (package, (ours, theirs))) in self.packages.iter().take(SHOWN).enumerate() {
            let parts = [wanted(ours, plugin), wanted(theirs, host)];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{package}")?;
            if !parts.is_empty() {
                write!(f, " ({})", parts.join(", "))?;
            }
        }
        match self.packages.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// The packages that this one shares with the other, and all that they are made with; with their
/// features.
fn shared<'t>(tree: &'t Tree, other: &Tree) -> BTreeMap<&'t str, BTreeSet<&'t str>> {
    let theirs: BTreeSet<&str> = other.packages().map(|node| &*node.package).collect();
    // Of other crates no type crosses, unless a shared one has it.
    let may_share = |node: &Node| node.is_local() || node.name() == "soft-mock";
    let below = tree.below(|node| may_share(node) && theirs.contains(&*node.package));
    let mut packages: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for node in below {
        packages
            .entry(&node.package)
            .or_default()
            .insert(&node.features);
    }
    packages
}

/// The features of a package, of which there can be several variants. None at all for one that
/// isn't there.
fn words<'t>(variants: Option<&BTreeSet<&'t str>>) -> BTreeSet<&'t str> {
    let variants = variants.into_iter().flatten();
    variants.flat_map(|features| features.split(',')).collect()
}

/// As it would be written down.
fn dependency(node: &Node) -> String {
    let features: Vec<String> = node
        .features
        .split(',')
        .map(|name| format!("{name:?}"))
        .collect();
    match node.features.is_empty() {
        true => format!("`{}`", node.package),
        false => format!(
            "`{}` with the features {}",
            node.package,
            features.join(", ")
        ),
    }
}
