//! The variables that a crate was compiled with against those that cargo would set now: the
//! compiler notes which ones the code names, but not which ones macros look up.
//!
//! A crate that has sites can be compiled anew for a patch, with the variables as they are now.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::compare::{without_hashes, Pair, OUT_DIR};
use crate::rustc::dep_info;
use crate::rustc::unit::UnitKind;

/// Those that are others now. None: it isn't set any more.
pub(super) type Variables = BTreeMap<String, Option<String>>;

/// How the variables begin that say what stands in a manifest.
const OF_PACKAGE: &str = "CARGO_PKG_";

/// One that differs.
struct Changed {
    name: String,
    now: Option<String>,
    /// Who was compiled with it.
    who: String,
}

impl Changed {
    /// What a manifest calls it.
    fn word(&self) -> String {
        let name = self.name.strip_prefix(OF_PACKAGE).unwrap_or(&self.name);
        name.to_lowercase()
    }

    fn now(&self) -> &str {
        self.now.as_deref().unwrap_or_default()
    }
}

/// A word for the first that differs, what is told of all, and all.
pub(super) type Changes = (String, String, Variables);

/// Those that differ. `Err`: why the crate can't be compiled with them for a patch: a word for it,
/// and what it is.
pub(super) fn changes(pair: &Pair<'_>) -> Result<Option<Changes>, (String, String)> {
    let Some(all) = all(pair) else {
        let name = &pair.unit.crate_name;
        let why = format!("what crate `{name}` was compiled with isn't known");
        return Err((String::new(), why));
    };
    let is_ours =
        pair.unit.unmodified.is_none() && matches!(pair.unit.kind, UnitKind::Lib | UnitKind::Bin);
    let here = pair.target.folder().to_string_lossy().into_owned();
    // What lies in a folder for this question alone isn't what cargo would set.
    let in_the_way = all
        .iter()
        .find(|changed| !is_ours || changed.now().contains(&here));
    if let Some(found) = in_the_way {
        let (who, now) = (&found.who, found.now());
        return Err((found.word(), format!("{who}, and it is `{now}` now")));
    }
    let Some(first) = all.first() else {
        return Ok(None);
    };
    let told = all
        .iter()
        .map(|one| format!("{} is `{}`", one.name, one.now()));
    let told = format!("{} now", told.collect::<Vec<_>>().join(", "));
    let word = first.word();
    let variables = all.into_iter().map(|one| (one.name, one.now));
    Ok(Some((word, told, variables.collect())))
}

/// All that the crate was compiled with and that differ. None: it isn't known.
fn all(pair: &Pair<'_>) -> Option<Vec<Changed>> {
    let unit = pair.unit;
    let args = unit.rustc_args();
    let Some((folder, stem)) = args.out_dir().zip(args.stem()) else {
        return Some(Vec::new());
    };
    let folder = unit.cwd.join(folder);
    let named = dep_info::variables(&folder.join(format!("{stem}.d"))).ok()?;
    let sides = [&unit.env, &pair.call.variables];
    let keys = sides.into_iter().flat_map(BTreeMap::keys);
    let of_package = keys.filter(|name| name.starts_with(OF_PACKAGE)).cloned();
    let mut names: BTreeSet<String> = named.iter().cloned().chain(of_package).collect();
    names.remove(OUT_DIR); // Its files are compared.
    let changed = names.into_iter().filter_map(|name| {
        let [old, new] = sides.map(|all| all.get(&name).map(|value| pair.placed(value)));
        if old == new {
            return None;
        }
        let crate_name = &unit.crate_name;
        let who = match named.contains(&name) {
            true => format!("crate `{crate_name}` is compiled with {name}"),
            false => format!(
                "crate `{crate_name}` may have been compiled with {name} by `{}`",
                macros_that_read(&name, &folder)?
            ),
        };
        let now = pair.call.variables.get(&name).cloned();
        Some(Changed { name, now, who })
    });
    Some(changed.collect())
}

/// A crate of macros in this folder that knows the name of a variable.
fn macros_that_read(name: &str, folder: &Path) -> Option<String> {
    let entries = std::fs::read_dir(folder).ok()?;
    let files = entries.flatten().map(|entry| entry.path());
    let mut libraries = files.filter(|file| file.extension().is_some_and(|end| end == "so"));
    let found = libraries.find(|file| {
        let bytes = std::fs::read(file).unwrap_or_default();
        memchr::memmem::find(&bytes, name.as_bytes()).is_some()
    })?;
    let stem = found.file_stem()?.to_string_lossy().into_owned();
    Some(without_hashes(stem.strip_prefix("lib").unwrap_or(&stem)))
}
