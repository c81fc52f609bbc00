//! Whether functions that a micro-crate replaced mean what they mean in their crate: compiled in
//! the background, when the patch is installed already.
//!
//! Names in a micro-crate are resolved by rules that were written for the usual; the crate itself
//! is compiled by rustc. What a function refers to is compared in what both became. Knows nothing
//! of sessions, nor of when it is time for it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use soft_mock_compiled::meaning::{Difference, Function, Meaning, Own};
use soft_mock_rewriter::instrument::{Output, PrologueCheck};

use super::micro_crate::MicroCrate;
use super::user_errors;
use super::whole_crate::{self, WholeCrateError};
use crate::os::process::{Cancel, Cancelled};
use crate::program::plan::{PlannedFunction, SiteKey, Wanted};
use crate::program::{LoadedUnit, Program};
use crate::rustc::run::first_error;
use crate::wrapper::shadow;

/// Functions of one crate that run as a micro-crate compiled them.
#[derive(Debug, Clone)]
pub(crate) struct Alone {
    /// The position of the crate's unit.
    pub(super) unit: usize,
    pub(super) source: MicroCrate,
    /// By their positions in the micro-crate.
    pub(super) functions: BTreeMap<usize, PlannedFunction>,
}

impl Alone {
    #[cfg(test)]
    pub(crate) fn of(function: PlannedFunction) -> Self {
        Self {
            unit: 0,
            source: MicroCrate {
                place: PathBuf::new(),
                root: PathBuf::new(),
                number: 0,
                is_final: false,
            },
            functions: BTreeMap::from([(0, function)]),
        }
    }

    /// Leaves out functions that run something else by now. False if none is left.
    pub(crate) fn keep(&mut self, runs: impl Fn(&SiteKey, &PlannedFunction) -> bool) -> bool {
        let unit = self.unit;
        self.functions
            .retain(|_, function| runs(&(unit, function.name.clone()), function));
        !self.functions.is_empty()
    }
}

/// A comparison to be made.
pub(crate) struct Comparison {
    pub(crate) number: u64,
    pub(crate) program: Arc<Program>,
    /// What the files say.
    pub(crate) wanted: Box<Wanted>,
    pub(crate) alone: Vec<Alone>,
    pub(crate) cancel: Cancel,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    /// Functions that mean something else.
    pub(crate) others: Vec<(SiteKey, PlannedFunction, Other)>,
    /// What was compared, and what can't be.
    pub(crate) notes: Vec<String>,
}

/// In what a micro-crate's function isn't that of its crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Other {
    Refers(Difference),
    /// Its crate doesn't compile with it.
    IsNoRust,
}

/// Compares. None: a save came in between.
pub(crate) fn compare(comparison: &Comparison) -> Result<Option<Compared>> {
    let mut compared = Compared::default();
    let mut units: BTreeMap<usize, Vec<&Alone>> = BTreeMap::new();
    for alone in &comparison.alone {
        units.entry(alone.unit).or_default().push(alone);
    }
    for (unit, alone) in units {
        let loaded = &comparison.program.units[unit];
        let unit = UnitComparison {
            comparison,
            loaded,
            position: unit,
        };
        match unit.compare(&alone, &mut compared) {
            Err(error) if error.is::<Cancelled>() => return Ok(None),
            done => done.with_context(|| format!("`{}`", loaded.unit.crate_name))?,
        }
    }
    Ok(Some(compared))
}

/// The part that concerns one crate.
struct UnitComparison<'a> {
    comparison: &'a Comparison,
    loaded: &'a LoadedUnit,
    position: usize,
}

impl UnitComparison<'_> {
    fn compare(&self, all: &[&Alone], compared: &mut Compared) -> Result<()> {
        let Comparison {
            program,
            wanted,
            cancel,
            ..
        } = self.comparison;
        let plain = self.loaded.unit.without_optimisation();
        if shadow::options(&plain, Output::Program).check != PrologueCheck::Assembly {
            // The check at the start of a function is code of the core library.
            let name = &plain.crate_name;
            let why = "the checks of its sites aren't assembly";
            let note = format!("functions of `{name}` can't be compared with their crate: {why}");
            compared.notes.push(note);
            return Ok(());
        }
        let started = Instant::now();
        let library = match whole_crate::own_library(program, wanted, self.position, cancel) {
            Ok(library) => library,
            Err(WholeCrateError::Cancelled) => return Err(Cancelled.into()),
            Err(WholeCrateError::Compile { stderr }) => {
                return self.does_not_compile(all, &stderr, compared)
            }
            Err(WholeCrateError::Refused { reason }) => anyhow::bail!(reason),
            Err(WholeCrateError::Failed(error)) => return Err(error),
        };
        let compiled = started.elapsed();
        let own = Own::read(&library)?;
        let (mut same, mut others, mut unknown) = (0, 0, 0);
        for alone in all {
            if cancel.is_cancelled() {
                return Err(Cancelled.into());
            }
            for (function, meaning) in self.meanings(alone, &own)? {
                match meaning {
                    Meaning::Same => same += 1,
                    Meaning::Other(difference) => {
                        others += 1;
                        let key = (self.position, function.name.clone());
                        let other = Other::Refers(difference);
                        compared.others.push((key, function, other));
                    }
                    Meaning::Unknown(why) => {
                        unknown += 1;
                        let place = function.place();
                        let note = format!("{place} can't be compared with its crate: {why}");
                        compared.notes.push(note);
                    }
                }
            }
        }
        compared.notes.push(format!(
            "`{}`: {same} functions mean what they mean in their crate, {others} something else, \
             {unknown} can't be compared (compiled in {compiled:?}, compared in {:?})",
            self.loaded.unit.crate_name,
            started.elapsed() - compiled
        ));
        Ok(())
    }

    fn meanings(&self, alone: &Alone, own: &Own<'_>) -> Result<Vec<(PlannedFunction, Meaning)>> {
        let wanted = &self.comparison.wanted.bodies;
        // Lines may have moved since.
        let now = alone.functions.iter().filter_map(|(position, function)| {
            let now = wanted.get(&(self.position, function.name.clone()))?;
            (now.body == function.body).then_some((*position, now))
        });
        let now: Vec<(usize, &PlannedFunction)> = now.collect();
        let functions: Vec<Function<'_>> = now
            .iter()
            .map(|(position, function)| Function {
                position: *position,
                name: &function.name,
                line: function.line,
            })
            .collect();
        let object = self.object(alone)?;
        let bytes =
            std::fs::read(&object).with_context(|| format!("can't read {}", object.display()))?;
        let meanings = own.compare(&bytes, &functions)?;
        let functions = now.into_iter().map(|(_, function)| function.clone());
        Ok(functions.zip(meanings).collect())
    }

    /// The object of a micro-crate, without optimisation.
    fn object(&self, alone: &Alone) -> Result<PathBuf> {
        let unit = self.loaded.unit.without_optimisation();
        let (rustc, cancel) = (&self.comparison.program.rustc, &self.comparison.cancel);
        let object = alone.source.place.with_file_name("plain.o");
        let twin = self.loaded.twin(rustc, cancel)?;
        match alone.source.compile(rustc, &unit, &twin, &object, cancel)? {
            None => Ok(object),
            Some(stderr) => anyhow::bail!("without optimisation it doesn't compile: {stderr}"),
        }
    }

    /// What compiles alone must compile in its crate.
    fn does_not_compile(
        &self,
        all: &[&Alone],
        stderr: &str,
        compared: &mut Compared,
    ) -> Result<()> {
        let Comparison {
            program,
            wanted,
            cancel,
            ..
        } = self.comparison;
        let edited = wanted.beyond_bodies();
        if user_errors::errors(program, self.position, &edited, false, cancel)?.is_none() {
            // What was prepared doesn't: that says nothing of the functions.
            let why = first_error(stderr);
            let name = &self.loaded.unit.crate_name;
            let note = format!("functions of `{name}` can't be compared with their crate: {why}");
            compared.notes.push(note);
            return Ok(());
        }
        let functions = all.iter().flat_map(|alone| alone.functions.values());
        compared.others.extend(functions.map(|function| {
            let key = (self.position, function.name.clone());
            (key, function.clone(), Other::IsNoRust)
        }));
        Ok(())
    }
}
