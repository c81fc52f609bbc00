//! Which functions make closures and async blocks that may live on when they have returned: their
//! address is in a vtable, a static, or a pointer that code hands on.
//!
//! Looks at one compilation only. Knows nothing of edits.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::held::holder;
use super::paths::function_of;
use super::side::Side;
use crate::sites::{attached, CompiledSite};
use crate::symbols::is_of;

/// The names of the functions. `sites`: those of the compilation, by the paths of their code.
pub fn kept_closures(
    side: &Side<'_, '_>,
    crates: &HashSet<String>,
    sites: &HashMap<String, CompiledSite>,
) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (path, _) in side.world.paths() {
        if !is_of(path, crates) {
            continue;
        }
        let makers: Vec<&str> = makers(path, sites).collect();
        if makers.iter().all(|maker| found.contains(*maker)) {
            continue;
        }
        let pieces = side.code(path).into_iter();
        let is_held = pieces.clone().any(|piece| {
            let mut users = side.users(piece).iter();
            users.any(|(user, relocation)| {
                holder(side, (path, Some(piece)), (*user, relocation)).is_some()
            })
        });
        if is_held {
            found.extend(makers.into_iter().map(str::to_owned));
        }
    }
    found
}

/// The functions of whose closures and async blocks a path is made. The future of an async function
/// is a call in progress.
fn makers<'a>(
    path: &'a str,
    sites: &'a HashMap<String, CompiledSite>,
) -> impl Iterator<Item = &'a str> {
    let mut rest = path;
    std::iter::from_fn(move || {
        let function = function_of(rest)?;
        let end = function.as_ptr().addr() - rest.as_ptr().addr() + function.len();
        let of_it = &rest[end..];
        rest = &rest[end + "::{closure#".len()..];
        Some((function, of_it))
    })
    .filter_map(move |(function, of_it)| {
        let function = attached(function);
        let own = format!("{function}::{{closure#0}}");
        let site = sites.get(&function).or_else(|| sites.get(&own))?;
        let inside = of_it.strip_prefix("::{closure#0}").unwrap_or("");
        (!site.is_async || inside.starts_with("::{closure#")).then_some(&*site.name)
    })
}
