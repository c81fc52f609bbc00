//! What a patch comes to: two compilations are compared, and what differs becomes plugins.
//!
//! Knows nothing of how units are compiled, nor how a plugin is written.

use std::collections::{BTreeSet, HashMap, HashSet};

use anyhow::Context;

use super::layouts::Lives;
use super::names::Names;
use super::plugin::Plugins;
use super::units::Built;
use super::{
    brought, crates, late, refused, successors, Code, LeftByPlugin, Request, WholeCrateError,
    WholeCratePatch,
};
use crate::program::plan::SiteKey;
use crate::rustc::unit::UnitKind;
use soft_mock_compiled::compare::{self, Difference, Edits, LateFacts, Premises, Side};
use soft_mock_compiled::counterparts::{self, Counterpart, Variable};
use soft_mock_compiled::select::ProgramSymbols;
use soft_mock_compiled::sites::{self, CompiledSite};
use soft_mock_compiled::symbols::without_marks;

/// Compares two compilations, and builds the plugins of what differs.
pub(super) fn extract<'d>(
    request: &Request<'_>,
    built: &Built,
    [old, new]: [&Code<'d>; 2],
    identifiers: &HashSet<String>,
    lives: &Lives<'_>,
) -> Result<WholeCratePatch, WholeCrateError> {
    let crates = crates(request);
    let program = request.exported;
    let now = sites::sites(&new.world, &|object| {
        built.compiled.contains_key(&new.units[object])
    });
    let then = sites::sites(&old.world, &|_| true);
    let all = sites::sites(&new.world, &|_| true);
    let bound = bound_sites(program, &then, &all, lives);
    let [built_names, names] = [None, Some(built)].map(|built| Names::new(request, built));
    let (variables, mut counterparts) = variables(request, [old, new], lives);
    let types = [0, 1].map(|side| lives.types(side));
    let moved = successors::moved(request, [old, new], &types, identifiers);
    counterparts.extend(counterparts::as_counterparts(&moved));
    let left = request.left.iter();
    let left = left.flat_map(|(left, _)| left.of_the_program());
    let facts = LateFacts {
        is_vtable: [&|piece| lives.is_vtable(0, piece), &|piece| {
            lives.is_vtable(1, piece)
        }],
        is_same_function: &|path| lives.line_of_same(path).is_some(),
        exported: &|path| late::exported(request, program, path),
        only_closures: request.only_closures,
        left: &left.map(str::to_owned).collect(),
    };
    let is_optimised = |unit: usize| request.units[unit].unit.rustc_args().is_optimised();
    let (old_side, new_side) = (Side::new(&old.world), Side::new(&new.world));
    let brought = brought::of(request, (new, &new_side), &now, &then);
    let premises = Premises {
        counterparts: &counterparts,
        bound: &bound,
        brought: &brought,
        identifiers,
        names: &|name| names.may_have(name),
        declares: &|name| names.has_type(name),
        crates: &crates,
        then: &then,
        now: &all,
        edits: request.edits,
        optimised: &|object| is_optimised(new.units[object]),
        shares_code: (0..request.units.len()).any(is_optimised),
        is_harness: request
            .units
            .iter()
            .any(|unit| unit.unit.kind == UnitKind::Test),
        late: late::can_be_given(request).then_some(&facts),
    };
    let mut difference = compare::compare(&old_side, &new_side, &premises).map_err(|why| {
        let differs =
            |path: &str| !new.world.pieces(path).is_empty() && !new_side.is_same(&old_side, path);
        refused(sites::unusable_result(&then, &now, &differs).unwrap_or_default() + &why)
    })?;
    // What makes a variable's first value is part of it.
    let kept = &mut difference.keep_bodies;
    kept.retain(|(function, _)| !successors::is_of_one(&moved, function));
    for (left, since) in request.left {
        left.check((&old_side, &new_side), &premises, since, &difference)
            .map_err(refused)?;
    }
    let mut patch = without_plugins(&difference, built, old, &then);
    let original = bound_sites(program, &then, &then, lives);
    let undone = Premises {
        bound: &original,
        brought: &HashMap::new(),
        now: &then,
        names: &|name| built_names.may_have(name),
        declares: &|name| built_names.has_type(name),
        ..premises
    };
    let all_undone = Edits {
        undone: true,
        ..request.edits.clone()
    };
    let plugins = Plugins {
        variables: &variables,
        request,
        built,
        code: new,
        old: &old_side,
        new: &new_side,
        program,
        premises: &premises,
        types: &types,
        moved: &moved,
        lives,
        then: &then,
        difference: &difference,
    };
    let undone = (&undone, &all_undone);
    build_plugins(&plugins, (&now, &all), undone, &mut patch)?;
    let known = (&moved, &types, identifiers);
    patch.successors = successors::successors(request, &new.world, lives, known, &patch.plugins);
    Ok(patch)
}

/// The variables in closures of the new code, and which of the program's each of them is.
fn variables(
    request: &Request<'_>,
    [old, new]: [&Code<'_>; 2],
    lives: &Lives<'_>,
) -> (Vec<Variable>, HashMap<String, Counterpart>) {
    let [were, are] = [(old, 0), (new, 1)].map(|(side, at)| {
        let types = lives.types_in_closures(at);
        counterparts::variables(&side.world, &|path| types.get(path).cloned())
    });
    let brought: Vec<Variable> = (request.earlier.iter())
        .flat_map(|plugin| plugin.variables.iter().cloned())
        .collect();
    let by_order = |scope: &str| request.edits.keep_order(scope);
    let counterparts = counterparts::counterparts(were, are.clone(), &brought, &by_order);
    (are, counterparts)
}

/// Builds the plugins, and finds out what each would leave behind. `now`: the sites of what was
/// compiled, and of all units; `undone`: what is known and edited where all is undone.
fn build_plugins(
    plugins: &Plugins<'_, '_, '_>,
    (now, all): (
        &HashMap<String, CompiledSite>,
        &HashMap<String, CompiledSite>,
    ),
    (undone, all_undone): (&Premises<'_>, &Edits),
    patch: &mut WholeCratePatch,
) -> Result<(), WholeCrateError> {
    let built = plugins.built;
    let replaced = plugins.difference.replaced.iter();
    let replaced = replaced.chain(plugins.premises.brought.keys()).collect();
    for (position, sites) in by_unit(built, plugins.code, &replaced, now)? {
        let (once, sites): (Vec<&CompiledSite>, Vec<&CompiledSite>) =
            sites.into_iter().partition(|site| site.is_main);
        let once = once.iter().map(|site| built.replaced(position, site));
        patch.once.extend(once);
        let earlier = [plugins.request.earlier, &patch.plugins].concat();
        if let Some((plugin, left, keep)) = plugins.build(position, &sites, &earlier)? {
            patch.plugins.push(plugin);
            patch.preserved_statics.extend(keep);
            let as_built = (plugins.old, plugins.old);
            let no_way_back = left.check(as_built, undone, all_undone, &Difference::default());
            let held = all
                .values()
                .map(|site| (site.name.clone(), left.closures_of(site.owner())));
            patch.left.push(LeftByPlugin {
                position,
                no_way_back: no_way_back.err(),
                closures_of: held.collect(),
                left,
            });
        }
    }
    Ok(())
}

/// What a patch comes to, but for its plugins.
fn without_plugins(
    difference: &Difference,
    built: &Built,
    old: &Code<'_>,
    then: &HashMap<String, CompiledSite>,
) -> WholeCratePatch {
    let mut patch = WholeCratePatch {
        stale: difference
            .stale
            .iter()
            .map(|path| without_marks(path))
            .collect(),
        preserved_statics: difference.preserved_statics.clone(),
        included: built
            .compiled
            .iter()
            .map(|(position, compiled)| (*position, compiled.included.clone()))
            .collect(),
        ..WholeCratePatch::default()
    };
    for (function, number) in &difference.keep_bodies {
        match site_key(old, then, function) {
            Some(key) => {
                let numbers = patch.keep_bodies.entry(key).or_default();
                numbers.insert(*number);
            }
            None => patch.keep_other_bodies.push(without_marks(function)),
        }
    }
    patch
}

/// A function of the program by the path of its code.
fn site_key(
    old: &Code<'_>,
    then: &HashMap<String, CompiledSite>,
    function: &str,
) -> Option<SiteKey> {
    let own = format!("{function}::{{closure#0}}");
    let site = then.get(function).or_else(|| then.get(&own))?;
    let (object, _) = old.world.pieces(&site.path).first()?;
    Some((old.units[*object], site.name.clone()))
}

/// The sites of the program that can be used for functions as they are now, by the paths of their
/// code, and of the code that returns a boxed future in which such a site stands.
fn bound_sites(
    program: &ProgramSymbols,
    then: &HashMap<String, CompiledSite>,
    now: &HashMap<String, CompiledSite>,
    lives: &Lives<'_>,
) -> HashMap<String, CompiledSite> {
    let usable = now.iter().filter(|(owner, site)| {
        let same = then.get(*owner).is_some_and(|then| then.has_type_of(site));
        same && site.is_function() && program.symbol(&site.path).is_some()
    });
    let usable = usable.flat_map(|(owner, site)| {
        let returning = site
            .returning()
            .filter(|path| program.function(path).is_some() && lives.returns_boxed_future(path));
        let paths = returning.into_iter().chain([owner.as_str()]);
        paths.map(|path| (path.to_owned(), site.clone()))
    });
    usable.collect()
}

/// The functions to replace of each unit, in the order of the units.
fn by_unit<'a>(
    built: &Built,
    new: &Code<'_>,
    replaced: &BTreeSet<&String>,
    sites: &'a HashMap<String, CompiledSite>,
) -> Result<Vec<(usize, Vec<&'a CompiledSite>)>, WholeCrateError> {
    let mut found: Vec<(usize, Vec<&CompiledSite>)> =
        built.order.iter().map(|unit| (*unit, Vec::new())).collect();
    for owner in replaced {
        let site = sites
            .get(*owner)
            .ok_or_else(|| refused(format!("`{owner}` differs, but its crate was not edited")))?;
        let unit = new
            .world
            .pieces(&site.path)
            .first()
            .map(|piece| new.units[piece.0]);
        let unit = unit.context("a site without a place")?;
        let attached = built.compiled.get(&unit).map(|compiled| &compiled.attached);
        let why = attached.and_then(|attached| attached.get(&site.name));
        if let Some(why) = why.filter(|_| !site.is_main) {
            return Err(refused(format!("{}: {why}", site.name)));
        }
        for (position, list) in &mut found {
            if *position == unit {
                list.push(site);
            }
        }
    }
    Ok(found)
}
