//! The units of a program in the order in which they use each other, and which of them are
//! compiled.
//!
//! Those that were edited, and those that use them: they may hold instances of generic functions,
//! inlined bodies and constants of what was edited. All others stay as they were.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::compile::{Compiled, Crate, InPlaceOf};
use super::{refused, Library, Request, WholeCrateError};
use crate::program::whole_crate_plugin::Replaced;
use crate::rustc::unit::UnitKind;
use soft_mock_compiled::sites::CompiledSite;

/// The units of a request.
pub(super) struct Units<'a> {
    request: &'a Request<'a>,
    /// Positions, each after those that it uses.
    order: Vec<usize>,
    /// Which units each uses, directly or not.
    uses: BTreeMap<usize, BTreeSet<usize>>,
}

/// What was compiled.
pub(super) struct Built {
    /// All units with sites, each after those that it uses, and those that stay as they were first.
    pub(super) order: Vec<usize>,
    /// In the same order, libraries of all units as they were, and as they are now.
    pub(super) old: Vec<Library>,
    pub(super) new: Vec<Library>,
    pub(super) compiled: BTreeMap<usize, Arc<Compiled>>,
}

impl<'a> Units<'a> {
    /// The units of a request whose edits may reach any of them.
    pub(super) fn new(request: &'a Request<'a>) -> Result<Self, WholeCrateError> {
        let units = Self::of(request);
        units.check_unmodified()?;
        Ok(units)
    }

    pub(super) fn of(request: &'a Request<'a>) -> Self {
        let stems: BTreeMap<String, usize> = request
            .units
            .iter()
            .enumerate()
            .filter_map(|(position, unit)| Some((unit.unit.rustc_args().stem()?, position)))
            .collect();
        let mut direct: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for (position, unit) in request.units.iter().enumerate() {
            let args = unit.unit.rustc_args();
            let used = args.externs().filter_map(|(_, path)| {
                let stem = path.file_stem()?.to_str()?.strip_prefix("lib")?;
                stems.get(stem).copied()
            });
            direct.insert(position, used.filter(|used| *used != position).collect());
        }
        let mut units = Self {
            request,
            order: Vec::new(),
            uses: BTreeMap::new(),
        };
        for position in 0..request.units.len() {
            units.visit(position, &direct);
        }
        units
    }

    fn visit(&mut self, position: usize, direct: &BTreeMap<usize, BTreeSet<usize>>) {
        if self.uses.contains_key(&position) {
            return;
        }
        // Crates don't use each other in circles; were it so, this ends it.
        self.uses.insert(position, BTreeSet::new());
        let mut all = BTreeSet::new();
        for used in direct.get(&position).into_iter().flatten() {
            self.visit(*used, direct);
            all.insert(*used);
            all.extend(self.uses.get(used).into_iter().flatten());
        }
        self.uses.insert(position, all);
        self.order.push(position);
    }

    /// Whether a unit has sites: the others are as foreign as a crate from a registry.
    fn is_ours(&self, position: usize) -> bool {
        let unit = self.request.units[position].unit;
        unit.unmodified.is_none() && unit.kind != UnitKind::Macro
    }

    fn is_edited(&self, position: usize) -> bool {
        let uses = self.uses.get(&position).into_iter().flatten();
        let mut all = uses.copied().chain([position]);
        all.any(|position| self.request.units[position].edited.is_some())
    }

    fn check_unmodified(&self) -> Result<(), WholeCrateError> {
        let foreign = |position: &usize| !self.is_ours(*position) && self.is_edited(*position);
        match (0..self.request.units.len()).find(foreign) {
            None => Ok(()),
            Some(position) => Err(refused(format!(
                "crate `{}` holds code of what was edited, and was built without sites",
                self.request.units[position].unit.crate_name
            ))),
        }
    }

    /// Compiles the baselines of the units that `wanted` names, and of what they use.
    pub(super) fn baselines(
        &mut self,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<Vec<(usize, PathBuf)>, WholeCrateError> {
        let mut needed: BTreeSet<usize> = BTreeSet::new();
        for position in (0..self.request.units.len()).filter(|position| wanted(*position)) {
            needed.insert(position);
            needed.extend(self.uses.get(&position).into_iter().flatten());
        }
        let mut found: Vec<(usize, PathBuf)> = Vec::new();
        for &position in &self.order {
            if !self.is_ours(position) || !needed.contains(&position) {
                continue;
            }
            let unit = &self.request.units[position];
            let libraries = self.libraries(position, &found);
            let against = self.uses[&position]
                .iter()
                .map(|used| self.request.units[*used].unit.id)
                .collect();
            let library = Crate {
                unit: unit.unit,
                folder: unit.folder,
                state: unit.compiled,
                libraries: &libraries,
                brought: &BTreeSet::new(),
            }
            .baseline(self.request, against)?;
            found.push((position, library));
        }
        Ok(found)
    }

    /// The files that take the places of the libraries that a unit uses.
    fn libraries(&self, position: usize, made: &[(usize, PathBuf)]) -> InPlaceOf {
        let used = made
            .iter()
            .filter(|(used, _)| self.uses[&position].contains(used));
        used.filter_map(|(used, path)| {
            let stem = self.request.units[*used].unit.rustc_args().stem()?;
            Some((stem, path.clone()))
        })
        .collect()
    }

    /// Compiles one unit as it is now, against the others as they were.
    pub(super) fn own(&mut self, position: usize) -> Result<PathBuf, WholeCrateError> {
        let baselines = self.baselines(|wanted| wanted == position)?;
        let libraries = self.libraries(position, &baselines);
        let unit = &self.request.units[position];
        let compiled = Crate {
            unit: unit.unit,
            folder: unit.folder,
            state: unit.edited.unwrap_or(unit.compiled),
            libraries: &libraries,
            brought: &BTreeSet::new(),
        }
        .compile_to_compare(self.request)?;
        Ok(compiled)
    }

    /// Compiles what was edited, and what uses it.
    pub(super) fn build(&mut self) -> Result<Built, WholeCrateError> {
        let edited: BTreeSet<usize> = (0..self.request.units.len())
            .filter(|position| self.is_edited(*position))
            .collect();
        let mut old = self.baselines(|position| edited.contains(&position))?;
        // None of those that stay uses one that doesn't.
        old.sort_by_key(|(position, _)| edited.contains(position));
        let mut new: Vec<(usize, PathBuf)> = Vec::new();
        let mut compiled = BTreeMap::new();
        // What stands for each: where it wasn't edited, for its build.
        let mut made_from: BTreeMap<usize, u64> = BTreeMap::new();
        for (position, baseline) in &old {
            if !edited.contains(position) {
                new.push((*position, baseline.clone()));
                made_from.insert(*position, self.request.units[*position].unit.id);
                continue;
            }
            let unit = &self.request.units[*position];
            let libraries = self.libraries(*position, &new);
            let used = self.uses[position].iter();
            let against: Vec<u64> = used
                .filter_map(|used| made_from.get(used).copied())
                .collect();
            let brought = self.request.brought.iter();
            let brought = brought.filter(|((unit, _), _)| unit == position);
            let brought = brought.map(|((_, name), signature)| (name.clone(), signature.clone()));
            let (found, made) = Crate {
                unit: unit.unit,
                folder: unit.folder,
                state: unit.edited.unwrap_or(unit.compiled),
                libraries: &libraries,
                brought: &brought.collect(),
            }
            .compile_anew(self.request, &unit.folder.join("whole/new"), &against)?;
            made_from.insert(*position, made);
            new.push((*position, found.library.clone()));
            compiled.insert(*position, found);
        }
        Ok(Built {
            order: old.iter().map(|(position, _)| *position).collect(),
            old,
            new,
            compiled,
        })
    }
}

impl Built {
    /// The libraries that are the same in both compilations, and the others of each, which follow.
    pub(super) fn same(&self) -> (Vec<Library>, [Vec<Library>; 2]) {
        let pairs = self.old.iter().zip(&self.new);
        let (same, others): (Vec<_>, Vec<_>) = pairs.partition(|(old, new)| old == new);
        let same = same.into_iter().map(|(old, _)| old.clone()).collect();
        let (old, new) = others.into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
        (
            same,
            [old, new].map(|side| side.into_iter().cloned().collect()),
        )
    }

    /// A function as it is told.
    pub(super) fn replaced(&self, position: usize, site: &CompiledSite) -> Replaced {
        let line = site.line as usize;
        let functions = self
            .compiled
            .get(&position)
            .map(|compiled| &compiled.functions);
        let function = functions
            .into_iter()
            .flatten()
            .find(|function| function.name == site.name && function.line == line);
        Replaced {
            name: site.name.clone(),
            file: function.map_or_else(PathBuf::new, |function| function.path.clone()),
            line,
            content: None,
            brought: None,
        }
    }
}
