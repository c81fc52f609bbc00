//! Whether what lives in a program has the form that new code takes it to have.
//!
//! Remembers what was read of baselines and of objects that didn't change. Knows nothing of how
//! code is compared.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};
use soft_mock_compiled::debug_info::{self, Functions, Library, Reader};
use soft_mock_compiled::objects::{self, Object};
use soft_mock_compiled::world::Piece;

use super::units::Built;
use super::{refused, Code, Request, WholeCrateError};
use crate::program::whole_crate_plugin::WholeCratePlugin;

/// What is known of the programs of this process, by the names of their crates.
pub(super) struct Layouts {
    programs: BTreeMap<BTreeSet<String>, Known>,
}

struct Known {
    reader: Reader,
    baselines: BTreeMap<PathBuf, (Version, Library)>,
}

/// Stands for the content of a file.
pub(super) type Version = (SystemTime, u64);

impl Layouts {
    pub(super) const fn new() -> Self {
        Self {
            programs: BTreeMap::new(),
        }
    }

    /// Reads baselines ahead.
    pub(super) fn prepare(
        &mut self,
        request: &Request<'_>,
        baselines: &[(usize, PathBuf)],
    ) -> Result<()> {
        let known = self.of(request);
        for (_, path) in baselines {
            if known.baseline(path)?.is_none() {
                let bytes = std::fs::read(path)
                    .with_context(|| format!("can't read {}", path.display()))?;
                let mut read = Vec::new();
                objects::read(&bytes, &mut read)?;
                known.read_baseline(path, &read)?;
            }
        }
        Ok(())
    }

    /// Refuses if something that may be alive has another form now. Returns what was read.
    pub(super) fn check(
        &mut self,
        request: &Request<'_>,
        built: &Built,
        [old, new]: [&Code<'_>; 2],
    ) -> Result<Lives<'_>, WholeCrateError> {
        let known = self.of(request);
        let mut before: Vec<Library> = Vec::new();
        let mut now: Vec<Library> = Vec::new();
        for ((unit, baseline), (_, library)) in built.old.iter().zip(&built.new) {
            let then = match known.baseline(baseline)? {
                Some(known) => known,
                None => known.read_baseline(baseline, old.objects(*unit))?,
            };
            now.push(match library == baseline {
                true => then.clone(),
                false => {
                    let like = (&then, old.objects(*unit));
                    known.reader.read_like(new.objects(*unit), like)?
                }
            });
            before.push(then);
        }
        let brought = request.earlier.iter().flat_map(|plugin| &plugin.layouts);
        let all: Vec<&Library> = before.iter().chain(brought).collect();
        let differences = known.reader.compare(&all, &now.iter().collect::<Vec<_>>());
        match differences.first() {
            None => Ok(Lives {
                reader: &known.reader,
                vtables: [(&before, old), (&now, new)].map(|(read, code)| {
                    let described = debug_info::vtables(read);
                    code.world.with_supertraits(described)
                }),
                read: [before, now],
                functions: OnceCell::new(),
            }),
            Some(first) => Err(refused(format!(
                "what is alive has another form: {}",
                first.what
            ))),
        }
    }

    fn of(&mut self, request: &Request<'_>) -> &mut Known {
        let crates = request.units.iter().map(|unit| &unit.unit.crate_name);
        let crates: BTreeSet<String> = crates.cloned().collect();
        let own = crates.iter().cloned().collect();
        self.programs.entry(crates).or_insert_with(|| Known {
            reader: Reader::new(own),
            baselines: BTreeMap::new(),
        })
    }
}

/// What two compilations say of what lives: as the program was built, and as it is now.
pub(super) struct Lives<'a> {
    reader: &'a Reader,
    read: [Vec<Library>; 2],
    vtables: [HashSet<Piece>; 2],
    functions: OnceCell<Functions<'a>>,
}

impl Lives<'_> {
    /// The new one.
    pub(super) fn now(&self) -> &[Library] {
        &self.read[1]
    }

    /// The variables of the last compilation from which something was patched: the path and type of
    /// each.
    pub(super) fn variables_before<'a>(
        &'a self,
        earlier: &'a [WholeCratePlugin],
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let last = earlier.last().map(|plugin| plugin.layouts.as_slice());
        self.reader.variables(last.unwrap_or(&self.read[0]))
    }

    /// The types of the variables in closures of one of the compilations, by their paths.
    pub(super) fn types_in_closures(&self, side: usize) -> HashMap<String, String> {
        self.reader.types_in_closures(&self.read[side])
    }

    /// The same of all variables, by their symbols.
    pub(super) fn types(&self, side: usize) -> HashMap<String, String> {
        self.reader.types(&self.read[side])
    }

    /// Whether a piece of one of the compilations is a vtable.
    pub(super) fn is_vtable(&self, side: usize, piece: Piece) -> bool {
        self.vtables[side].contains(&piece)
    }

    /// The line of a function in the new one, if it takes, returns and holds the same in both.
    pub(super) fn line_of_same(&self, path: &str) -> Option<u32> {
        self.functions().line_of_same(path)
    }

    /// Whether a function takes the same in both, and returns a boxed future.
    pub(super) fn returns_boxed_future(&self, path: &str) -> bool {
        let functions = self.functions();
        functions.line_of_same(path).is_some() && functions.returns_boxed_future(path)
    }

    fn functions(&self) -> &Functions<'_> {
        self.functions.get_or_init(|| {
            let [then, now] = &self.read;
            self.reader.functions(then, now)
        })
    }
}

impl Known {
    fn baseline(&self, path: &Path) -> Result<Option<Library>> {
        let known = self.baselines.get(path);
        let version = version(path)?;
        let known = known.filter(|(then, _)| *then == version);
        Ok(known.map(|(_, library)| library.clone()))
    }

    fn read_baseline(&mut self, path: &Path, objects: &[Object<'_>]) -> Result<Library> {
        let library = self.reader.read(objects)?;
        self.baselines
            .insert(path.to_owned(), (version(path)?, library.clone()));
        Ok(library)
    }
}

pub(super) fn version(path: &Path) -> Result<Version> {
    let examined = std::fs::metadata(path).and_then(|file| Ok((file.modified()?, file.len())));
    examined.with_context(|| format!("can't examine {}", path.display()))
}
