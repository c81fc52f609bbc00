//! The second way to a patch: the crates that changed once more, and of them what differs in the
//! code.
//!
//! ```text
//! sources as they were ─► prepared (soft_mock_rewriter::whole_crate::prepare) ─► rustc ─► objects ─┐
//! sources as they are  ─► prepared ─► rustc, incremental ─► objects ────────────────┤
//!      functions whose code differs, or that of something without a site that they use ◄─┘
//!           ─► their code and what it needs, all else bound to the program ─► plugins
//! ```
//!
//! For everything that a micro-crate can't express: generic functions, constants, macros, defaults
//! of traits, new items, private names that can't be widened. Slower, since rustc reads whole
//! crates. The comparison is with the program as it was built, whatever was patched since.
//!
//! Knows nothing of sessions, and reads no meaning out of sources. That no type, vtable or static
//! that is alive has another layout is read in the debug information of both compilations.

mod compile;
mod late;
mod layouts;
mod names;
mod plugin;
mod units;
mod wanted;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::Context;

use crate::os::process::{Cancel, Cancelled};
use crate::patch::left::HeldClosures;
use crate::program::plan::SiteKey;
use crate::program::whole_crate_plugin::{Replaced, WholeCratePlugin};
use crate::rustc::unit::Unit;
use layouts::{Layouts, Lives};
use names::Names;
use soft_mock_compiled::compare::{self, Difference, Edits, LateFacts, Left, Premises, Side};
use soft_mock_compiled::counterparts::{self, Variable};
use soft_mock_compiled::library::DynamicSymbols;
use soft_mock_compiled::objects::{self, Object};
use soft_mock_compiled::select::ProgramSymbols;
use soft_mock_compiled::sites::{self, CompiledSite};
use soft_mock_compiled::symbols::without_marks;
use soft_mock_compiled::world::World;
use units::{Built, Units};

pub(crate) use wanted::prepare as prepare_program;
pub(super) use wanted::{build as build_wanted, own_library, Why};

/// Reads a source file.
pub(crate) type Read<'a> = dyn Fn(&Path) -> std::io::Result<String> + 'a;

/// One unit of the program.
#[derive(Clone, Copy)]
pub(crate) struct UnitSources<'a> {
    pub(crate) unit: &'a Unit,
    /// The unit's folder.
    pub(crate) folder: &'a Path,
    /// Reads a source file as it was compiled into the program.
    pub(crate) compiled: &'a Read<'a>,
    /// Reads a source file as it is now. None: nothing of the unit was edited.
    pub(crate) edited: Option<&'a Read<'a>>,
}

/// A patch to build.
pub(crate) struct Request<'a> {
    /// All units of the program.
    pub(crate) units: &'a [UnitSources<'a>],
    /// The compiler's own binary.
    pub(crate) rustc: &'a Path,
    /// The linker of the toolchain, if there is one.
    pub(crate) linker: Option<&'a Path>,
    /// What the program exports.
    pub(crate) program: &'a DynamicSymbols,
    /// The library itself, where it isn't the program.
    pub(crate) library: Option<&'a Path>,
    /// Folders with the libraries that the program was built from.
    pub(crate) libraries: &'a [PathBuf],
    /// What is loaded of earlier patches that were built here, oldest first.
    pub(crate) earlier: &'a [WholeCratePlugin],
    /// What earlier patches have left in the program, each with what was edited since.
    pub(crate) left: &'a [(&'a Left, Edits)],
    /// What was edited since the program was built. A stored closure keeps the body that it was
    /// made with; where something else changed that it uses, that is refused.
    pub(crate) edits: &'a Edits,
    /// Functions in which nothing was edited but the insides of closures and async blocks. None:
    /// macros may make others now, also in functions that weren't edited.
    pub(crate) only_closures: Option<&'a HashSet<String>>,
    /// A private folder for the plugins.
    pub(crate) output: &'a Path,
    /// Another one for each patch of the session.
    pub(crate) number: u64,
    pub(crate) cancel: &'a Cancel,
}

/// What a patch comes to.
#[derive(Debug, Default)]
pub(crate) struct WholeCratePatch {
    /// To be loaded in this order, as one.
    pub(crate) plugins: Vec<WholeCratePlugin>,
    /// Functions that differ, but are called just once: the program's main.
    pub(crate) once: Vec<Replaced>,
    /// Statics that begin with another value now: the running ones keep theirs.
    pub(crate) preserved_statics: Vec<String>,
    /// Functions of the program as it was built of which closures may be alive, and keep the
    /// bodies that they were made with: the numbers of those.
    pub(crate) keep_bodies: BTreeMap<SiteKey, BTreeSet<usize>>,
    /// The same of functions without a site.
    pub(crate) keep_other_bodies: Vec<String>,
    /// What each of the plugins leaves in the program.
    pub(crate) left: Vec<LeftByPlugin>,
    /// The names of what isn't as it was when the program was built.
    pub(crate) stale: BTreeSet<String>,
    /// For each unit that was compiled, the files that macros include, with hashes of what they
    /// held.
    pub(crate) included: BTreeMap<usize, BTreeMap<PathBuf, u64>>,
    /// What took how long.
    pub(crate) notes: Vec<String>,
}

/// What a plugin leaves in the program.
#[derive(Debug)]
pub(crate) struct LeftByPlugin {
    /// The position of its unit.
    pub(crate) position: usize,
    pub(crate) left: Left,
    /// Why the program would not be the original one if all plugins were undone.
    pub(crate) no_way_back: Option<String>,
    pub(crate) closures_of: HeldClosures,
}

/// Why there is no plugin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WholeCrateError {
    /// A crate does not compile: the user's error.
    #[error("{stderr}")]
    Compile { stderr: String },
    /// It compiles, but the program can't become it safely.
    #[error("{reason}")]
    Refused { reason: String },
    /// A newer change made the result useless.
    #[error("{Cancelled}")]
    Cancelled,
    /// Something broke that should not.
    #[error("{0:#}")]
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for WholeCrateError {
    fn from(error: anyhow::Error) -> Self {
        match error.is::<Cancelled>() {
            true => Self::Cancelled,
            false => Self::Failed(error),
        }
    }
}

fn refused(reason: impl Into<String>) -> WholeCrateError {
    WholeCrateError::Refused {
        reason: reason.into(),
    }
}

/// Units are compiled in folders of their own, by one at a time: whoever has what is known of their
/// layouts.
static LAYOUTS: Mutex<Layouts> = Mutex::new(Layouts::new());

/// Compiles what patches are compared with, as far as it is not there: the first patch need not
/// wait for it. Returns the functions whose closures and async blocks may outlive their calls.
pub(crate) fn prepare(request: &Request<'_>) -> Result<BTreeSet<String>, WholeCrateError> {
    let mut layouts = LAYOUTS.lock().unwrap_or_else(PoisonError::into_inner);
    let baselines = Units::new(request)?.baselines(|_| true)?;
    layouts.prepare(request, &baselines)?;
    let bytes = read(&baselines)?;
    let code = Code::parse(&bytes)?;
    let sites = sites::sites(&code.world, &|_| true);
    let side = Side::new(&code.world);
    Ok(compare::kept_closures(&side, &crates(request), &sites))
}

/// Compiles one unit as it is now, by itself and without optimisation.
fn compile_own(request: &Request<'_>, position: usize) -> Result<Vec<u8>, WholeCrateError> {
    let _layouts = LAYOUTS.lock().unwrap_or_else(PoisonError::into_inner);
    if request.cancel.is_cancelled() {
        return Err(WholeCrateError::Cancelled);
    }
    let path = Units::of(request).own(position)?;
    let bytes = std::fs::read(&path).with_context(|| format!("can't read {}", path.display()))?;
    Ok(bytes)
}

/// Builds the plugins of a patch.
pub(crate) fn build(request: &Request<'_>) -> Result<WholeCratePatch, WholeCrateError> {
    let mut layouts = LAYOUTS.lock().unwrap_or_else(PoisonError::into_inner);
    let started = Instant::now();
    let mut units = Units::new(request)?;
    let built = units.build()?;
    let compiled = started.elapsed();
    let (old, new) = (read(&built.old)?, read(&built.new)?);
    let (old, new) = (Code::parse(&old)?, Code::parse(&new)?);
    let parsed = started.elapsed();
    let identifiers = identifiers(&built);
    let lives = layouts.check(request, &built, [&old, &new])?;
    let checked = started.elapsed() - parsed;
    let mut patch = extract(request, &built, [&old, &new], &identifiers, &lives)?;
    patch.notes.push(format!(
        "compiled in {compiled:?}, compared and linked in {:?}, of that layouts in {checked:?}",
        started.elapsed() - compiled
    ));
    Ok(patch)
}

/// The names of the program's crates.
fn crates(request: &Request<'_>) -> HashSet<String> {
    let units = request.units.iter();
    units.map(|unit| unit.unit.crate_name.clone()).collect()
}

/// The bytes of libraries, each with its unit.
fn read(libraries: &[(usize, PathBuf)]) -> anyhow::Result<Vec<(usize, Vec<u8>)>> {
    let read = |(unit, path): &(usize, PathBuf)| {
        let bytes =
            std::fs::read(path).with_context(|| format!("can't read {}", path.display()))?;
        Ok((*unit, bytes))
    };
    libraries.iter().map(read).collect()
}

/// All identifiers in the sources of what was compiled.
fn identifiers(built: &Built) -> HashSet<String> {
    let compiled = built.compiled.values();
    let identifiers = compiled.flat_map(|compiled| &compiled.identifiers);
    identifiers.cloned().collect()
}

/// The code of all units.
struct Code<'d> {
    world: World<'d>,
    /// The unit of each object.
    units: Vec<usize>,
}

impl<'d> Code<'d> {
    fn parse(libraries: &'d [(usize, Vec<u8>)]) -> anyhow::Result<Self> {
        let mut objects = Vec::new();
        let mut units = Vec::new();
        for (unit, bytes) in libraries {
            objects::read(bytes, &mut objects)?;
            units.resize(objects.len(), *unit);
        }
        Ok(Self {
            world: World::new(objects),
            units,
        })
    }

    /// The objects of a unit, which stand together.
    fn objects(&self, unit: usize) -> &[Object<'d>] {
        let start = self
            .units
            .iter()
            .take_while(|other| **other != unit)
            .count();
        let own = self.units[start..].iter();
        let count = own.take_while(|other| **other == unit).count();
        &self.world.objects[start..start + count]
    }
}

fn extract<'d>(
    request: &Request<'_>,
    built: &Built,
    [old, new]: [&Code<'d>; 2],
    identifiers: &HashSet<String>,
    lives: &Lives<'_>,
) -> Result<WholeCratePatch, WholeCrateError> {
    let crates = crates(request);
    let program = ProgramSymbols::new(request.program, &crates);
    let now = sites::sites(&new.world, &|object| {
        built.compiled.contains_key(&new.units[object])
    });
    let then = sites::sites(&old.world, &|_| true);
    let all = sites::sites(&new.world, &|_| true);
    let bound = bound(&program, &then, &all);
    let [built_names, names] = [false, true].map(|now| Names::new(request, now));
    let [were, are] = [(old, 0), (new, 1)].map(|(side, at)| {
        let types = lives.types_in_closures(at);
        counterparts::variables(&side.world, &|path| types.get(path).cloned())
    });
    let brought: Vec<Variable> = (request.earlier.iter())
        .flat_map(|plugin| plugin.variables.iter().cloned())
        .collect();
    let counterparts = counterparts::counterparts(were, are.clone(), &brought);
    let left = request.left.iter();
    let left = left.flat_map(|(left, _)| left.of_the_program());
    let facts = LateFacts {
        is_vtable: [&|piece| lives.is_vtable(0, piece), &|piece| {
            lives.is_vtable(1, piece)
        }],
        is_same_function: &|path| lives.line_of_same(path).is_some(),
        exported: &|path| late::exported(request, &program, path),
        only_closures: request.only_closures,
        left: &left.map(str::to_owned).collect(),
    };
    let premises = Premises {
        counterparts: &counterparts,
        bound: &bound,
        identifiers,
        names: &|name| names.may_have(name),
        declares: &|name| names.has_type(name),
        crates: &crates,
        then: &then,
        now: &all,
        edits: request.edits,
        late: late::can_be_given(request).then_some(&facts),
    };
    let (old_side, new_side) = (Side::new(&old.world), Side::new(&new.world));
    let difference = compare::compare(&old_side, &new_side, &premises).map_err(|why| {
        let is_same = |path: &str| new_side.is_same(&old_side, path);
        refused(sites::unusable_result(&then, &now, &is_same).unwrap_or_default() + &why)
    })?;
    for (left, since) in request.left {
        left.check((&old_side, &new_side), &premises, since, &difference)
            .map_err(refused)?;
    }
    let mut patch = without_plugins(&difference, built, old, &then);
    let original = self::bound(&program, &then, &then);
    let undone = Premises {
        bound: &original,
        now: &then,
        names: &|name| built_names.may_have(name),
        declares: &|name| built_names.has_type(name),
        ..premises
    };
    let all_undone = Edits {
        undone: true,
        ..request.edits.clone()
    };
    let plugins = plugin::Plugins {
        variables: &are,
        request,
        built,
        code: new,
        old: &old_side,
        new: &new_side,
        program: &program,
        premises: &premises,
        types: &[0, 1].map(|side| lives.types(side)),
        lives,
        then: &then,
        difference: &difference,
    };
    for (position, sites) in by_unit(built, new, &difference, &now)? {
        let (once, sites): (Vec<&CompiledSite>, Vec<&CompiledSite>) =
            sites.into_iter().partition(|site| site.is_main);
        let once = once.iter().map(|site| built.replaced(position, site));
        patch.once.extend(once);
        let earlier = [request.earlier, &patch.plugins].concat();
        if let Some((plugin, left)) = plugins.build(position, &sites, &earlier)? {
            patch.plugins.push(plugin);
            let no_way_back = left.check(
                (&old_side, &old_side),
                &undone,
                &all_undone,
                &Difference::default(),
            );
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
    Ok(patch)
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
        preserved_statics: difference.preserved_statics.iter().cloned().collect(),
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
/// code.
fn bound(
    program: &ProgramSymbols<'_>,
    then: &HashMap<String, CompiledSite>,
    now: &HashMap<String, CompiledSite>,
) -> HashMap<String, CompiledSite> {
    let usable = now.iter().filter(|(owner, site)| {
        let same = then.get(*owner).is_some_and(|then| then.has_type_of(site));
        same && site.is_function() && program.symbol(&site.path).is_some()
    });
    usable
        .map(|(owner, site)| (owner.clone(), site.clone()))
        .collect()
}

/// The functions to replace of each unit, in the order of the units.
fn by_unit<'a>(
    built: &Built,
    new: &Code<'_>,
    difference: &Difference,
    sites: &'a HashMap<String, CompiledSite>,
) -> Result<Vec<(usize, Vec<&'a CompiledSite>)>, WholeCrateError> {
    let mut found: Vec<(usize, Vec<&CompiledSite>)> =
        built.order.iter().map(|unit| (*unit, Vec::new())).collect();
    for owner in &difference.replaced {
        let site = sites
            .get(owner)
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

#[cfg(test)]
mod tests;
