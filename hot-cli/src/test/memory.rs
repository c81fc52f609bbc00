//! What is known of the last run, kept on disk, so that another one runs only what changed since.
//!
//! ```text
//! the end of a run ─► passed, and what it entered is known      ─► written
//! the next one     ─► cargo builds ─► who enters what differs, or isn't among them, is due
//! ```
//!
//! What isn't known for sure isn't written. All of it is forgotten where the arguments or `hot` are
//! others, or a file that tests may read is; of a binary, where how it is started is another way,
//! or somebody else has built it since. Knows nothing of how tests are built and run.

use std::collections::hash_map::DefaultHasher;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::args::Wanted;
use super::binary::{Binary, Named};
use super::data::Data;
use super::places::{is_manifest, Places};
use super::reach::{Reach, SiteName, Sites};
use super::suite::{Suite, Test, Tests};
use super::verdict::Verdict;
use crate::os::files::replace_with_mode;
use crate::os::own_build;

/// Variables that say nothing about a project, and are others in each shell.
const OF_SHELLS: [&str; 3] = ["_", "OLDPWD", "SHLVL"];

/// Keeps it.
pub(super) struct Memory {
    path: PathBuf,
    places: Places,
    /// What files were before all tests ran that are known to have passed.
    data: Data,
    /// What they were when that was written which is remembered, until it is compared.
    then: Option<Data>,
}

/// The form on disk.
#[derive(Serialize, Deserialize)]
struct Written {
    hot: u64,
    data: Data,
    binaries: Vec<WrittenBinary>,
}

#[derive(Serialize, Deserialize)]
struct WrittenBinary {
    binary: Binary,
    /// What it is started with: in JSON, names have to be Unicode.
    env: Vec<(OsString, OsString)>,
    /// The builds of its units.
    units: Vec<(PathBuf, u64)>,
    sites: Vec<Option<SiteName>>,
    tests: Vec<WrittenTest>,
}

#[derive(Serialize, Deserialize)]
struct WrittenTest {
    named: Named,
    /// What it entered, if it is known to pass.
    passed: Option<Vec<u8>>,
    took: Duration,
}

impl Memory {
    /// Opens what there is for these arguments, and reads what is known of their tests. Nothing, if
    /// it is to be forgotten.
    pub(super) fn open(wanted: &Wanted, places: Places) -> Result<(Self, Suite)> {
        let mut hasher = DefaultHasher::new();
        let folder = std::env::current_dir()?;
        (&wanted.toolchain, &wanted.cargo, &wanted.harness, folder).hash(&mut hasher);
        let name = format!("{:016x}.json", hasher.finish());
        let path = places.target.join(".hot/tests").join(name);
        let known = (!wanted.forget).then(|| read(&path)).flatten();
        let (suite, then) = known.unzip();
        let memory = Self {
            // Where nothing is known all tests run first, and it is looked at then.
            data: then
                .as_ref()
                .map_or_else(Data::default, |_| Data::of(&places)),
            path,
            places,
            then,
        };
        Ok((memory, suite.unwrap_or_default()))
    }

    /// Whether anything is remembered.
    pub(super) fn has_some(&self) -> bool {
        self.then.is_some()
    }

    /// All tests are about to run: what files are counts from now on.
    pub(super) fn all_run(&mut self) {
        self.data = Data::of(&self.places);
        self.then = None;
    }

    /// A file that tests may read, and that is another one than in what is remembered. Once;
    /// `inputs` are what binaries are built from.
    pub(super) fn other_data(&mut self, inputs: &BTreeSet<PathBuf>) -> Option<PathBuf> {
        let then = self.then.take()?;
        let counts = |path: &Path| is_manifest(path) || !inputs.contains(path);
        let other = then.other(&self.data, counts);
        other.map(Path::to_owned)
    }

    /// Writes down which tests are known to pass. `differ`: the functions of a binary that do
    /// something else than was built.
    pub(super) fn write<'a>(
        &self,
        suite: &'a Suite,
        differ: impl Fn(&'a Tests) -> BTreeSet<SiteName>,
    ) -> Result<()> {
        let binaries = suite.binaries.iter();
        let written = Written {
            hot: own_build()?.1,
            data: self.data.clone(),
            binaries: binaries
                .filter_map(|tests| written(tests, &differ(tests)))
                .collect(),
        };
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("can't create {}", folder.display()))?;
        }
        // The environment of a binary may hold secrets.
        replace_with_mode(&self.path, &serde_json::to_vec(&written)?, 0o600)
    }
}

fn written(tests: &Tests, differ: &BTreeSet<SiteName>) -> Option<WrittenBinary> {
    let units = tests.binary.units.iter();
    let known = tests.tests.iter().map(|test| {
        let passed = !test.due && test.verdict == Some(Verdict::Passed);
        let reach = test
            .reach
            .as_ref()
            .filter(|reach| passed && !reach.has(differ));
        WrittenTest {
            named: test.named.clone(),
            passed: reach.map(|reach| reach.bits().to_vec()),
            took: test.took,
        }
    });
    Some(WrittenBinary {
        units: units
            .map(|(folder, unit)| (folder.clone(), unit.id))
            .collect(),
        sites: tests.sites.as_ref()?.names().to_vec(),
        tests: known.collect(),
        env: tests.binary.launch.env.clone().into_iter().collect(),
        binary: tests.binary.clone(),
    })
}

fn read(path: &Path) -> Option<(Suite, Data)> {
    let written: Written = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    if written.hot != own_build().ok()?.1 {
        return None;
    }
    let binaries = written.binaries.into_iter().filter_map(remembered);
    let suite = Suite {
        binaries: binaries.collect(),
        filter: None,
    };
    Some((suite, written.data))
}

/// A binary as it was. None: what it was compared with is gone.
fn remembered(written: WrittenBinary) -> Option<Tests> {
    let mut binary = written.binary.with_units().ok()?;
    let units = binary.units.iter().map(|(folder, unit)| (folder, unit.id));
    if !units.eq(written.units.iter().map(|(folder, id)| (folder, *id))) {
        return None;
    }
    binary.launch.env = written.env.into_iter().collect();
    for name in OF_SHELLS {
        match std::env::var_os(name) {
            Some(value) => binary.launch.env.insert(name.into(), value),
            None => binary.launch.env.remove(OsStr::new(name)),
        };
    }
    let sites = Arc::new(Sites::of(written.sites));
    let tests = written.tests.into_iter().map(|test| {
        let reach = test.passed.and_then(|bits| Reach::of(bits, &sites));
        Test {
            due: reach.is_none() && !test.named.ignored,
            named: test.named,
            last: false,
            verdict: reach.is_some().then_some(Verdict::Passed),
            reach: reach.map(Arc::new),
            took: test.took,
        }
    });
    Some(Tests {
        tests: tests.collect(),
        sites: Some(sites),
        binary,
        template: Arc::default(),
    })
}
