//! Functions that plugins have brought, in code of whole crates: each gets its new code by the site
//! that the program has for it.
//!
//! ```text
//! whoever leads to it, in any plugin ─► its site ─► the code of the last patch
//! ```
//!
//! Their bodies were moved (see `soft_mock_rewriter::whole_crate`), so who calls one asks a site of
//! the plugin's own, which shares the hook of the program's. Knows nothing of how the
//! comparison uses that.

use std::collections::{BTreeMap, HashMap, HashSet};

use soft_mock_abi::late::sharing;
use soft_mock_abi::symbol::{CHECK, TYPE_ID};
use soft_mock_compiled::compare::Side;
use soft_mock_compiled::sites::CompiledSite;
use soft_mock_compiled::world::Piece;
use soft_mock_rewriter::analysis::is_skipped;
use soft_mock_rewriter::patch_source::may_have_site;
use soft_mock_rewriter::syntax::Edition;

use super::{Code, Request};
use crate::patch::build::Job;
use crate::program::plan::{SiteKey, UnitPlan};
use crate::rustc::unit::UnitKind;

/// Those that are in effect, and those that get a site with this patch, with their signatures.
pub(super) fn wanted(job: &Job) -> BTreeMap<SiteKey, String> {
    let active = job.wanted.active.iter();
    let mut all: BTreeMap<SiteKey, String> = active
        .filter_map(|(site, function)| Some((site.clone(), function.brought.clone()?)))
        .collect();
    let mut units = job.program.units.iter();
    // Each test begins anew, in a process that leads to nothing of a plugin.
    if units.any(|loaded| loaded.unit.kind == UnitKind::Test) {
        return all;
    }
    for (position, unit) in &job.wanted.plan {
        for (name, signature) in added(job, *position, unit) {
            all.entry((*position, name)).or_insert(signature);
        }
    }
    all
}

/// Those that aren't async.
pub(super) fn of_calls(brought: &BTreeMap<SiteKey, String>) -> BTreeMap<SiteKey, String> {
    let all = brought.iter();
    let all = all.filter(|(_, signature)| !signature.starts_with("async "));
    all.map(|(site, signature)| (site.clone(), signature.clone()))
        .collect()
}

/// Functions that a crate wasn't built with, and that can have a site: nothing leads to one of the
/// same name, and nothing is declared in its body, which is compiled elsewhere then.
fn added<'a>(
    job: &'a Job,
    position: usize,
    plan: &'a UnitPlan,
) -> impl Iterator<Item = (String, String)> + 'a {
    let loaded = &job.program.units[position];
    let unit = &loaded.unit;
    let built = loaded.files.values().flat_map(|file| &file.functions);
    let built: HashSet<String> = built
        .map(|function| function.site_name(&unit.crate_name))
        .collect();
    let files = loaded.files.iter().map(|(path, built)| {
        let now = plan.files.get(path).map(|file| &*file.items);
        now.unwrap_or(built)
    });
    let new = plan.files.iter();
    let new = new.filter(|(path, _)| !loaded.files.contains_key(*path));
    let files = files.chain(new.map(|(_, file)| &*file.items));
    let borrowing: HashSet<String> = files
        .flat_map(|file| file.borrowing.iter().cloned())
        .collect();
    let is_old = unit.rustc_args().edition() == Edition::E2015;
    let changed = plan.files.values().filter(move |_| !is_old);
    let functions = changed.flat_map(|file| file.items.functions.iter().map(move |f| (file, f)));
    functions.filter_map(move |(file, function)| {
        let name = function.site_name(&unit.crate_name);
        let mut left = job.wanted.left.iter();
        let may = !built.contains(&name)
            && !is_skipped(&unit.skip, &name)
            && function.local_items.items.is_empty()
            && !left.any(|left| left.left.leads_to(&function.name))
            && may_have_site((&file.items, &file.text), function, &borrowing, &|_| false);
        may.then(|| (name, function.signature.clone()))
    })
}

/// Those of the new code, by the paths that hold their prologues. `now`: the sites of what was
/// compiled; `then`: those of the program.
pub(super) fn of(
    request: &Request<'_>,
    (new, side): (&Code<'_>, &Side<'_, '_>),
    now: &HashMap<String, CompiledSite>,
    then: &HashMap<String, CompiledSite>,
) -> HashMap<String, CompiledSite> {
    let code = |path: &str| -> Vec<Piece> {
        let pieces = new.world.pieces(path).iter().copied();
        pieces.filter(|piece| new.world.is_code(*piece)).collect()
    };
    let is_it = |(owner, site): &(&String, &CompiledSite)| {
        let own = new.world.pieces(&site.path).first();
        let Some(unit) = own.map(|piece| new.units[piece.0]) else {
            return false;
        };
        let is_here = |piece: &Piece| new.units[piece.0] == unit;
        // Another crate's plugin would need a site of its own.
        let stays = |path: &str| {
            let all = code(path);
            let mut users = all.iter().flat_map(|piece| side.used_by(*piece));
            !all.is_empty() && all.iter().all(is_here) && users.all(|user| is_here(&user))
        };
        let function = owner
            .strip_suffix("::{closure#0}")
            .filter(|_| site.is_async);
        let key = (unit, site.name.clone());
        request.brought.get(&key) == Some(&site.signature)
            && !then.contains_key(*owner)
            && stays(owner)
            && function.is_none_or(stays)
            && stays(site.detached())
            && site.of_type().iter().all(|path| !code(path).is_empty())
    };
    let found = now.iter().filter(is_it);
    found
        .map(|(owner, site)| (owner.clone(), site.clone()))
        .collect()
}

/// What a manifest says of one at this position beside its code: the symbols of what compares its
/// type, of what says it, and of the site that its callers ask.
pub(super) fn symbols(position: usize) -> [String; 3] {
    [
        format!("{CHECK}{position}"),
        format!("{TYPE_ID}{position}"),
        sharing(position),
    ]
}

/// The functions that are exported for that, by their paths. `sites`: those that a plugin replaces,
/// in their order.
pub(super) fn exported(
    sites: &[&CompiledSite],
    brought: &HashMap<String, CompiledSite>,
) -> BTreeMap<String, String> {
    let all = positions(sites, brought).flat_map(|position| {
        let [check, says, _] = symbols(position);
        sites[position].of_type().into_iter().zip([check, says])
    });
    all.collect()
}

/// Which of those that a plugin replaces they are.
pub(super) fn positions<'a>(
    sites: &'a [&CompiledSite],
    brought: &'a HashMap<String, CompiledSite>,
) -> impl Iterator<Item = usize> + 'a {
    let all = sites.iter().enumerate();
    all.filter(|(_, site)| brought.contains_key(site.owner()))
        .map(|(position, _)| position)
}
