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

mod archive;
mod brought;
mod compile;
mod kept;
mod last;
mod late;
mod layouts;
mod names;
mod outcome;
mod plugin;
mod reasons;
mod successors;
mod units;
mod wanted;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::Context;

use crate::os::process::{Cancel, Cancelled};
use crate::patch::left::HeldClosures;
use crate::program::plan::{KeptValues, SiteKey, Successor};
use crate::program::whole_crate_plugin::{Replaced, WholeCratePlugin};
use crate::rustc::beside::Beside;
use crate::rustc::unit::Unit;
use layouts::Layouts;
use soft_mock_compiled::compare::{self, Edits, Left, Side};
use soft_mock_compiled::library::DynamicSymbols;
use soft_mock_compiled::objects::{self, Object};
use soft_mock_compiled::select::ProgramSymbols;
use soft_mock_compiled::sites;
use soft_mock_compiled::world::{Kept, World};
use units::{Built, Units};

pub(crate) use archive::run as keep_objects;
pub(super) use reasons::Why;
pub(super) use wanted::{build as build_wanted, own_library};
pub(crate) use wanted::{compile_ahead, prepare as prepare_program};

/// Reads a source file.
pub(crate) type Read<'a> = dyn Fn(&Path) -> std::io::Result<String> + 'a;

/// One unit of the program.
#[derive(Clone, Copy)]
pub(crate) struct UnitSources<'a> {
    pub(crate) unit: &'a Unit,
    /// The unit's folder.
    pub(crate) folder: &'a Path,
    /// As it was compiled into the program.
    pub(crate) compiled: State<'a>,
    /// As it is now. None: nothing of the unit was edited.
    pub(crate) edited: Option<State<'a>>,
}

/// A unit's crate in one state.
#[derive(Clone, Copy)]
pub(crate) struct State<'a> {
    /// Reads a source file.
    pub(crate) read: &'a Read<'a>,
    pub(crate) beside: &'a Beside,
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
    /// Of that, what is its units'.
    pub(crate) exported: &'a ProgramSymbols,
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
    /// Functions that plugins have brought and that are in effect, each with its signature.
    pub(crate) brought: &'a BTreeMap<SiteKey, String>,
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
    pub(crate) preserved_statics: KeptValues,
    /// Variables in place of others that are gone, as far as that is news.
    pub(crate) successors: Vec<Successor>,
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

/// What is compiled is compared by one at a time: whoever has what is known of layouts.
static LAYOUTS: Mutex<Layouts> = Mutex::new(Layouts::new());

/// Compiles what patches are compared with, as far as it is not there: the first patch need not
/// wait for it. Returns the functions whose closures and async blocks may outlive their calls.
pub(crate) fn prepare(request: &Request<'_>) -> Result<BTreeSet<String>, WholeCrateError> {
    let mut layouts = LAYOUTS.lock().unwrap_or_else(PoisonError::into_inner);
    let baselines = Units::new(request)?.baselines(|_| true)?;
    layouts.prepare(request, &baselines)?;
    names::prepare(request);
    let bytes = read(&baselines)?;
    let code = Code::parse(None, &bytes)?;
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
    let (same, [old, new]) = built.same();
    let kept = kept::libraries(&same)?;
    let same = kept.as_deref().map(|kept| (kept, same.as_slice()));
    let (old, new) = (read(&old)?, read(&new)?);
    let (old, new) = std::thread::scope(|scope| {
        let old = scope.spawn(|| Code::parse(same, &old));
        let new = Code::parse(same, &new);
        let old = old.join().unwrap_or_else(|panic| resume_unwind(panic));
        (old, new)
    });
    let (old, new) = (old?, new?);
    // What is read of layouts is told by the positions of objects.
    debug_assert!([&old, &new].iter().all(|code| code.has_order(&built.order)));
    let parsed = started.elapsed();
    let identifiers = identifiers(&built);
    let lives = layouts.check(request, &built, [&old, &new])?;
    let checked = started.elapsed() - parsed;
    let mut patch = outcome::extract(request, &built, [&old, &new], &identifiers, &lives)?;
    patch.notes.push(format!(
        "compiled in {compiled:?}, compared and linked in {:?}, of that read in {:?} and layouts in {checked:?}",
        started.elapsed() - compiled,
        parsed - compiled
    ));
    Ok(patch)
}

/// The names of the program's crates.
fn crates(request: &Request<'_>) -> HashSet<String> {
    let units = request.units.iter();
    units.map(|unit| unit.unit.crate_name.clone()).collect()
}

/// A library, with the position of its unit.
type Library = (usize, PathBuf);

/// The bytes of libraries.
fn read(libraries: &[Library]) -> anyhow::Result<Vec<(usize, Vec<u8>)>> {
    let read = |(unit, path): &Library| {
        let bytes =
            std::fs::read(path).with_context(|| format!("can't read {}", path.display()))?;
        Ok((*unit, bytes))
    };
    libraries.iter().map(read).collect()
}

/// All identifiers in the sources of what was compiled.
fn identifiers(built: &Built) -> HashSet<String> {
    let compiled = built.compiled.values();
    let identifiers = compiled.flat_map(|compiled| compiled.names.as_written());
    identifiers.cloned().collect()
}

/// The code of all units.
struct Code<'d> {
    world: World<'d>,
    /// The unit of each object.
    units: Vec<usize>,
}

impl<'d> Code<'d> {
    /// `same`: what stands for units that are the same in both compilations.
    fn parse(
        same: Option<(&'d Kept, &[Library])>,
        libraries: &'d [(usize, Vec<u8>)],
    ) -> anyhow::Result<Self> {
        let mut objects = Vec::new();
        let mut units = Vec::new();
        if let Some((kept, same)) = same {
            let counts = kept.counts().iter().zip(same);
            units.extend(counts.flat_map(|(count, (unit, _))| std::iter::repeat_n(*unit, *count)));
        }
        let shared = units.len();
        for (unit, bytes) in libraries {
            objects::read(bytes, &mut objects)?;
            units.resize(shared + objects.len(), *unit);
        }
        let world = match same {
            Some((kept, _)) => World::beside(kept.shared(), objects),
            None => World::new(objects),
        };
        Ok(Self { world, units })
    }

    /// Whether the objects of units come in this order.
    fn has_order(&self, units: &[usize]) -> bool {
        let mut found = self.units.clone();
        found.dedup();
        units.iter().filter(|unit| found.contains(unit)).eq(&found)
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
        self.world.objects.together(start..start + count)
    }
}

#[cfg(test)]
mod tests;
