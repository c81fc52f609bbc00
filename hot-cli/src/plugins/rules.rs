//! Who may depend on whom: host and plugins know a crate of shared types, not each other.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_metadata::DependencyKind;
use syn::{File, Item};

use super::erased;
use super::error::BuildError;
use super::package::{Member, Package};

/// Crates whose values must not be shared by value between host and plugin, since each has its own
/// copy of the statics or thread-locals that they rely on.
const PER_IMAGE: [(&str, &str); 8] = [
    (
        "parking_lot",
        "its locks wait in a table that each of them has for itself, so a waiter is not woken",
    ),
    (
        "parking_lot_core",
        "it keeps waiters in a table that each of them has for itself",
    ),
    (
        "arc-swap",
        "a reader on one side is not seen by a writer on the other",
    ),
    (
        "crossbeam-epoch",
        "an epoch on one side is not seen on the other",
    ),
    (
        "crossbeam",
        "parts of it rely on epochs, which are not seen on the other side",
    ),
    ("thread_local", "both number threads for themselves"),
    (
        "tokio",
        "its runtime is found through a thread-local that each of them has for itself",
    ),
    (
        "async-std",
        "its runtime is a static that each of them has for itself",
    ),
];

/// Checks the plugin's place in its workspace.
pub(crate) fn check(package: &Package) -> Result<(), BuildError> {
    if !parse(&package.root)?.is_none_or(|file| declares_plugin(&file)) {
        return Err(BuildError::NoPlugin {
            name: package.name.clone(),
            root: package.root.clone(),
        });
    }
    let Some(own) = package
        .workspace
        .iter()
        .find(|member| member.folder() == package.folder)
    else {
        return Ok(());
    };
    for member in &package.workspace {
        if !is_static_crate(member) && member.neighbours().any(|path| path == package.folder) {
            return Err(depends(member, own));
        }
    }
    for neighbour in own.neighbours().filter_map(|path| member_in(package, path)) {
        if declares(neighbour, declares_plugin)? {
            return Err(depends(own, neighbour));
        }
    }
    check_shared(package, own)
}

fn depends(dependent: &Member, plugin: &Member) -> BuildError {
    BuildError::DependsOnPlugin {
        dependent: dependent.name().to_owned(),
        plugin: plugin.name().to_owned(),
    }
}

/// The packages of the workspace that can load plugins: programs that use `soft-mock`, by
/// themselves or through others.
pub(crate) fn hosts(package: &Package) -> Result<Vec<&Member>, BuildError> {
    let uses = |member: &Member| {
        let mut dependencies = member.dependencies().iter();
        dependencies.any(|dependency| dependency.name == "soft-mock")
    };
    let mut hosts = Vec::new();
    for member in package
        .workspace
        .iter()
        .filter(|member| member.has_program())
    {
        let mut reached = reach(package, member, |member| member.linked().collect()).into_iter();
        let loads =
            uses(member) || reached.any(|folder| member_in(package, &folder).is_some_and(uses));
        if loads && !declares(member, declares_plugin)? {
            hosts.push(member);
        }
    }
    Ok(hosts)
}

/// Whether the package is the one that links plugins statically.
fn is_static_crate(member: &Member) -> bool {
    member.setting("static") == true
}

/// What the plugin shares with others must record its fingerprint, and be fit for sharing.
fn check_shared(package: &Package, own: &Member) -> Result<(), BuildError> {
    let linked = |member: &Member| reach(package, member, |member| member.linked().collect());
    let theirs = linked(own);
    // A macro gives no types to those that use it.
    for krate in package
        .workspace
        .iter()
        .filter(|member| theirs.contains(member.folder()) && member.library().is_some())
    {
        let other = package.workspace.iter().find(|member| {
            let is_own_side = member.folder() == package.folder || theirs.contains(member.folder());
            !is_own_side && linked(member).contains(krate.folder())
        });
        let Some(other) = other else { continue };
        if !declares(krate, declares_shared)? {
            return Err(BuildError::NotShared {
                krate: krate.name().to_owned(),
                plugin: own.name().to_owned(),
                other: other.name().to_owned(),
                root: krate.library().map(Path::to_owned).unwrap_or_default(),
            });
        }
        check_fit(krate, own)?;
    }
    Ok(())
}

/// What a crate must not rely on or hand over, if its types cross.
fn check_fit(krate: &Member, own: &Member) -> Result<(), BuildError> {
    let allowed = krate.setting("allow").as_array();
    let is_allowed =
        |name: &str| allowed.is_some_and(|names| names.iter().any(|known| known == name));
    for dependency in krate
        .dependencies()
        .iter()
        .filter(|dependency| dependency.kind == DependencyKind::Normal)
    {
        let bad = PER_IMAGE
            .iter()
            .find(|(name, _)| *name == dependency.name && !is_allowed(name));
        if let Some((name, why)) = bad {
            return Err(BuildError::PerImage {
                krate: krate.name().to_owned(),
                plugin: own.name().to_owned(),
                dependency: (*name).to_owned(),
                why,
            });
        }
    }
    let found = krate.library().map(|root| erased::find(root, &is_allowed));
    match found.transpose()?.flatten() {
        Some(erased::Found { file, line, what }) => Err(BuildError::Erased {
            krate: krate.name().to_owned(),
            plugin: own.name().to_owned(),
            file,
            line,
            what,
        }),
        None => Ok(()),
    }
}

/// The folders of all workspace packages that `member` needs, when each needs `neighbours`.
fn reach<'a>(
    package: &'a Package,
    member: &'a Member,
    neighbours: fn(&'a Member) -> Vec<&'a Path>,
) -> BTreeSet<PathBuf> {
    let mut reached = BTreeSet::new();
    let mut next = neighbours(member);
    while let Some(path) = next.pop() {
        if let (true, Some(member)) = (reached.insert(path.to_owned()), member_in(package, path)) {
            next.extend(neighbours(member));
        }
    }
    reached
}

/// The folders of the workspace packages that the plugin is built from, besides its own.
pub(crate) fn shared_folders(package: &Package) -> Vec<PathBuf> {
    let own = member_in(package, &package.folder);
    let reached = own.map(|own| reach(package, own, |member| member.neighbours().collect()));
    let reached = reached.unwrap_or_default();
    reached
        .into_iter()
        .filter(|folder| member_in(package, folder).is_some())
        .collect()
}

fn member_in<'a>(package: &'a Package, folder: &Path) -> Option<&'a Member> {
    package
        .workspace
        .iter()
        .find(|member| member.folder() == folder)
}

fn declares(member: &Member, what: fn(&File) -> bool) -> Result<bool, BuildError> {
    match member.library() {
        Some(root) => Ok(parse(root)?.is_some_and(|file| what(&file))),
        None => Ok(false),
    }
}

/// The file, if it parses: otherwise the compiler will say more about it.
fn parse(root: &Path) -> Result<Option<File>, BuildError> {
    let text = std::fs::read_to_string(root).map_err(BuildError::io(root))?;
    Ok(syn::parse_file(&text).ok())
}

fn declares_plugin(file: &File) -> bool {
    file.items.iter().any(|item| {
        let Item::Impl(block) = item else {
            return false;
        };
        block
            .attrs
            .iter()
            .any(|attribute| is_named(attribute.path(), "plugin"))
    })
}

fn declares_shared(file: &File) -> bool {
    file.items
        .iter()
        .any(|item| matches!(item, Item::Macro(call) if is_named(&call.mac.path, "shared")))
}

fn is_named(path: &syn::Path, name: &str) -> bool {
    path.segments
        .last()
        .is_some_and(|segment| segment.ident == name)
}
