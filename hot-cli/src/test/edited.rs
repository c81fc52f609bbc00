//! Which functions differ between two builds of a binary, if nothing else does.
//!
//! ```text
//! before cargo builds:   what was compiled  ──compared with──  what the files say     only bodies? which?
//! after it has built:    is it that which was compiled now, and is everything else the same?
//! ```
//!
//! Only what is certain is an answer: whoever gets none has to take the whole binary for another
//! one. Knows nothing of tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Result;
use soft_mock_rewriter::analysis::{Declaration, DeclaredFunction, ItemKind};
use soft_mock_rewriter::diff::may_be_test;
use soft_mock_rewriter::syntax::Fingerprint;

use super::reach::SiteName;
use crate::os::files::{below, content_hash};
use crate::program::plan::{Change, PlannedFunction, UnitPlan, Wanted};
use crate::program::state::ProgramState;
use crate::program::Program;
use crate::rustc::recipe::environment;
use crate::rustc::unit::Unit;

/// A unit: its folder, and its record.
pub(super) type Recorded = (PathBuf, Unit);

/// Functions, and what stands for their bodies and for what these use that is new.
pub(super) type Bodies = BTreeMap<SiteName, Fingerprint>;

/// What was edited since units were compiled, by their folders. Those without an edit aren't in it.
#[derive(Debug, Default)]
pub(super) struct Edits(BTreeMap<PathBuf, Edit>);

/// The edit of a unit.
#[derive(Debug)]
struct Edit {
    /// The build that it is an edit of.
    id: u64,
    /// A hash of each file as it was compared.
    files: BTreeMap<PathBuf, u64>,
    /// The functions whose bodies differ. None: something else does.
    bodies: Option<BTreeSet<SiteName>>,
}

impl Edits {
    /// Compares the files of these units with what was compiled. Before the next build: it replaces
    /// the records.
    pub(super) fn of<'a>(units: impl Iterator<Item = &'a Recorded>) -> Self {
        // Most are those of several binaries.
        let units: BTreeMap<&PathBuf, &Unit> = units.map(|(folder, unit)| (folder, unit)).collect();
        let edits = units
            .into_iter()
            .filter_map(|(folder, unit)| Some((folder.clone(), Edit::of(folder, unit)?)));
        Self(edits.collect())
    }

    /// The functions that differ between two builds. None: something else does, or may.
    pub(super) fn between(&self, old: &[Recorded], new: &[Recorded]) -> Option<BTreeSet<SiteName>> {
        let same_units = old.len() == new.len()
            && old
                .iter()
                .all(|(folder, _)| new.iter().any(|(other, _)| other == folder));
        if !same_units {
            return None;
        }
        let mut bodies = BTreeSet::new();
        let mut is_other = false;
        for (folder, now) in new {
            let (_, before) = old.iter().find(|(other, _)| other == folder)?;
            if !is_same_but_for_sources(before, now) {
                return None;
            }
            if before.id == now.id {
                continue;
            }
            is_other = true;
            let edit = self.0.get(folder).filter(|edit| edit.id == before.id)?;
            if !edit.was_compiled(folder, now) {
                return None;
            }
            bodies.extend(edit.bodies.iter().flatten().cloned());
            edit.bodies.as_ref()?;
        }
        // Otherwise it isn't the units that make it another binary.
        is_other.then_some(bodies)
    }
}

impl Edit {
    /// None: nothing was edited.
    fn of(folder: &Path, unit: &Unit) -> Option<Self> {
        let files = hashed(unit);
        let edited = differing(folder, &files);
        if edited.is_empty() {
            return None;
        }
        let edited: Vec<PathBuf> = edited.into_keys().collect();
        Some(Self {
            id: unit.id,
            bodies: own_bodies(folder, unit, &edited).ok().flatten(),
            files,
        })
    }

    /// Whether the unit was compiled from the files as they were compared.
    fn was_compiled(&self, folder: &Path, now: &Unit) -> bool {
        let copies = folder.join("sources");
        now.sources.len() == self.files.len()
            && now.sources.iter().all(|path| {
                let hash = content_hash(&below(&copies, path));
                self.files.get(path) == Some(&hash)
            })
    }
}

/// The sources of a unit that differ from what was compiled, with hashes of what they hold.
pub(super) fn edited(folder: &Path, unit: &Unit) -> BTreeMap<PathBuf, u64> {
    differing(folder, &hashed(unit))
}

fn hashed(unit: &Unit) -> BTreeMap<PathBuf, u64> {
    let hashed = |path: &PathBuf| (path.clone(), content_hash(path));
    unit.sources.iter().map(hashed).collect()
}

/// Those of these files that differ from what was compiled.
fn differing(folder: &Path, files: &BTreeMap<PathBuf, u64>) -> BTreeMap<PathBuf, u64> {
    let copies = folder.join("sources");
    let differs = |(path, hash): &(&PathBuf, &u64)| content_hash(&below(&copies, path)) != **hash;
    let differing = files.iter().filter(differs);
    differing
        .map(|(path, hash)| (path.clone(), *hash))
        .collect()
}

/// The functions of a unit whose bodies were edited, if nothing else was.
fn own_bodies(
    folder: &Path,
    unit: &Unit,
    edited: &[PathBuf],
) -> Result<Option<BTreeSet<SiteName>>> {
    // No code is looked at, so whatever was linked of it doesn't matter.
    let program = Program::recorded(folder, PathBuf::new())?;
    if program
        .units
        .first()
        .is_none_or(|own| own.unit.id != unit.id)
    {
        return Ok(None); // It was built again meanwhile.
    }
    let mut state = ProgramState::new(program);
    state.record(edited);
    Ok(match state.change() {
        Change::Nothing => Some(BTreeSet::new()),
        // Another unit's: it has an edit of its own, this one is compared with both.
        Change::Patch(wanted) => bodies(&state, &wanted)
            .map(|bodies| bodies.into_keys().collect::<BTreeSet<SiteName>>())
            .filter(|bodies| bodies.iter().all(|(unit, _)| unit == folder)),
        Change::Syntax(_) | Change::Unknown | Change::Rude { .. } => None,
    })
}

/// The functions that get other bodies, and which. What is new beside them, and that nothing else
/// knows of, comes with them. None: something else is wanted.
pub(super) fn bodies(state: &ProgramState, wanted: &Wanted) -> Option<Bodies> {
    let reaches_others = !wanted.indirect.is_empty() || wanted.whole_crate;
    if reaches_others || may_concern_tests(wanted) {
        return None;
    }
    let mut found = Bodies::new();
    for (&position, plan) in &wanted.plan {
        for function in &plan.patch {
            let new = plan.files.get(&function.file)?.items.functions.iter();
            let krate = &state.program.units[position].unit.crate_name;
            let mut new = new.filter(|new| is_it(new, krate, function));
            let old = state.program.function(&(position, function.name.clone()))?;
            if !declares_the_same(old, new.next()?) {
                return None;
            }
            let folder = state.program.units[position].folder.clone();
            let content = Fingerprint::joined([function.body, function.uses]);
            found.insert((folder, function.name.clone()), content);
        }
    }
    // What is new and used by none of them would be compiled by nobody.
    let is_alone = found.is_empty() && !wanted.additions.is_empty();
    (!is_alone).then_some(found)
}

/// Whether an edit beside bodies may add, remove or alter a test: the harness has to know.
pub(super) fn may_concern_tests(wanted: &Wanted) -> bool {
    let mut indirect = wanted.indirect.iter();
    let is_beside = !wanted.without.is_empty();
    is_beside
        || indirect.any(|edit| edit.may_concern_tests)
        || wanted.plan.values().any(may_add_tests)
}

/// Whether something is new that may be a test, or become one by a macro.
fn may_add_tests(plan: &UnitPlan) -> bool {
    let mut additions = plan.additions.iter();
    additions.any(|addition| {
        let items = plan.files.get(&addition.file).map(|file| &file.items);
        items.is_none_or(|items| match addition.declaration {
            Declaration::Function(place) => items.functions.get(place).is_none_or(may_be_test),
            Declaration::Item(place) => {
                let item = items.items.get(place);
                item.is_none_or(|item| item.kind == ItemKind::MacroCall)
            }
            Declaration::Impl(_) | Declaration::Import { .. } => false,
        })
    })
}

fn is_it(new: &DeclaredFunction, krate: &str, function: &PlannedFunction) -> bool {
    new.site_name(krate) == function.name && new.line == function.line
}

/// What a body declares may concern others: an impl, a static that is collected somewhere.
fn declares_the_same(old: &DeclaredFunction, new: &DeclaredFunction) -> bool {
    let (old, new) = (&old.local_items, &new.local_items);
    old.fingerprint == new.fingerprint
        && old.context == new.context
        && old.functions == new.functions
}

fn is_same_but_for_sources(old: &Unit, new: &Unit) -> bool {
    let same_environment = environment(old).eq(environment(new));
    let built = |unit: &Unit| {
        (
            unit.kind,
            unit.crate_name.clone(),
            unit.version.clone(),
            unit.args.clone(),
            unit.cwd.clone(),
            unit.root.clone(),
            unit.mocks,
            unit.unmodified.clone(),
        )
    };
    let rewritten = |unit: &Unit| {
        (
            unit.untyped.clone(),
            unit.without.clone(),
            unit.skip.clone(),
            unit.inlined.clone(),
        )
    };
    same_environment
        && built(old) == built(new)
        && rewritten(old) == rewritten(new)
        && old.inputs == new.inputs
        && old.sources == new.sources
}
