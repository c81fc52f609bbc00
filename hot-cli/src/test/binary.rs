//! A test binary: which tests it has, what it was built from.
//!
//! Knows nothing of what became of its tests.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{bail, Context, Result};
use serde::{Deserialize, Serialize};

use super::edited::Recorded;
use super::harness_args::{self, Ignored};
use super::launch::Launch;
use super::process::{Patience, Run};
use super::reach::{Recorder, Sites};
use super::template::Template;
use super::verdict::Ended;
use crate::cargo::artifacts::Executable;
use crate::os::files::{content_hash, Stamp};
use crate::os::process::Cancel;
use crate::program::units_of;
use crate::rustc::dep_info;
use crate::rustc::unit::{Unit, UnitKind};
use crate::ui::shown;
use crate::wrapper::mocking::is_soft_mock;

/// A test binary as it is on disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Binary {
    pub(super) launch: Launch,
    /// `unittests src/lib.rs`
    pub(super) title: String,
    /// The crate, in front of the names of its tests.
    pub(super) crate_name: String,
    /// Of its file, and of the programs that it may run.
    content: u64,
    programs: u64,
    /// Its tests test from outside, and there are programs that they may run.
    pub(super) may_run_programs: bool,
    /// Its tests are run by libtest. Otherwise the whole of it is one.
    has_harness: bool,
    /// The files that it was built from.
    #[serde(skip)]
    pub(super) inputs: BTreeSet<PathBuf>,
    /// The units that it was built from, its own first.
    #[serde(skip)]
    pub(super) units: Vec<Recorded>,
}

/// The last argument of a template.
const STANDS_FOR_A_NAME: &str = "::";

/// What files held when they were last read, as long as they are the same.
#[derive(Debug, Default)]
pub(super) struct Contents(BTreeMap<PathBuf, (Stamp, u64)>);

impl Contents {
    fn of(&mut self, path: &Path) -> u64 {
        let now = Stamp::of(path);
        match (now, self.0.get(path)) {
            (Some(now), Some((then, hash))) if now == *then => return *hash,
            _ => {}
        }
        let hash = content_hash(path);
        if let Some(now) = now {
            self.0.insert(path.to_owned(), (now, hash));
        }
        hash
    }
}

/// What a binary says of itself.
#[derive(Debug)]
pub(super) struct Listed {
    /// The tests that the user asks for.
    pub(super) tests: Vec<Named>,
    /// None: it can't be told which functions are entered.
    pub(super) sites: Option<Arc<Sites>>,
}

/// A test that is to be run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Named {
    /// None: the whole binary is the test.
    pub(super) name: Option<String>,
    /// It is not run.
    pub(super) ignored: bool,
}

impl Binary {
    pub(super) fn of(
        launch: Launch,
        made: &Executable,
        programs: &[PathBuf],
        contents: &mut Contents,
    ) -> Result<Self> {
        let mut hasher = DefaultHasher::new();
        if made.is_outside {
            let programs = programs.iter().map(|program| contents.of(program));
            programs.for_each(|content| content.hash(&mut hasher));
        }
        let Built {
            crate_name,
            has_harness,
            inputs,
            units,
        } = Built::read(&made.path)?;
        let root = shown(&made.root);
        Ok(Self {
            launch,
            title: match made.is_outside {
                true => root,
                false => format!("unittests {root}"),
            },
            crate_name,
            content: contents.of(&made.path),
            programs: hasher.finish(),
            may_run_programs: made.is_outside && !programs.is_empty(),
            has_harness,
            inputs,
            units,
        })
    }

    /// One of an earlier run, with what is recorded of how it was built.
    pub(super) fn with_units(self) -> Result<Self> {
        let built = Built::read(&self.launch.executable)?;
        Ok(Self {
            inputs: built.inputs,
            units: built.units,
            ..self
        })
    }

    /// Whether it is the same, runs the same programs, and is started in the same way.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.is_same_file(other) && self.programs == other.programs
    }

    /// The same, but for the programs.
    pub(super) fn is_same_file(&self, other: &Self) -> bool {
        self.content == other.content && self.launch == other.launch
    }

    /// What it says of itself. None: it was cancelled.
    pub(super) fn listed(
        &self,
        recorder: &Recorder,
        timeout: Duration,
        cancel: &Cancel,
    ) -> Result<Option<Listed>> {
        if !self.has_harness {
            return Ok(Some(Listed {
                tests: vec![Named {
                    name: None,
                    ignored: false,
                }],
                sites: None,
            }));
        }
        let args = &self.launch.args;
        let told = recorder.sites(&self.launch);
        let variables = told.iter().flat_map(|told| told.variables.clone());
        let variables: Vec<_> = variables.collect();
        let Some(ignored) = self.list(true, &variables, timeout, cancel)? else {
            return Ok(None);
        };
        let sites = told.and_then(|told| told.sites(&self.units));
        let names = match Ignored::of(args) {
            Ignored::Only => ignored.clone(),
            Ignored::Included | Ignored::Skipped => match self.list(false, &[], timeout, cancel)? {
                Some(all) => all,
                None => return Ok(None),
            },
        };
        let skipped = match Ignored::of(args) {
            Ignored::Skipped => ignored.into_iter().collect(),
            Ignored::Included | Ignored::Only => BTreeSet::new(),
        };
        let tests = names.into_iter().map(|name| Named {
            ignored: skipped.contains(&name),
            name: Some(name),
        });
        Ok(Some(Listed {
            tests: tests.collect(),
            sites: sites.map(Arc::new),
        }))
    }

    /// Whether it makes mocks: those and what tells who enters a function need the same place in
    /// it.
    pub(super) fn makes_mocks(&self) -> bool {
        let mut units = self.units.iter();
        units.any(|(_, unit)| {
            let args = unit.rustc_args();
            let mut externs = args.externs();
            externs.any(|(_, library)| is_soft_mock(library))
        })
    }

    /// The words with which one of its tests runs.
    pub(super) fn args(&self, test: &Named) -> Vec<OsString> {
        match &test.name {
            Some(name) => harness_args::only(&self.launch.args, name),
            None => self.launch.args.clone(),
        }
    }

    /// The binary, started as a template of its tests. None: it can't be one.
    pub(super) fn template(&self, recorder: &Recorder) -> Result<Option<Template>> {
        let args = harness_args::only(&self.launch.args, STANDS_FOR_A_NAME);
        let Some(variables) = recorder.template(&self.launch) else {
            return Ok(None);
        };
        let folder = recorder.folder();
        Template::start(&self.launch, &args, &variables, folder).map(Some)
    }

    fn list(
        &self,
        ignored: bool,
        variables: &[(OsString, OsString)],
        timeout: Duration,
        cancel: &Cancel,
    ) -> Result<Option<Vec<String>>> {
        let args = harness_args::list(&self.launch.args, ignored);
        let run = Run {
            launch: &self.launch,
            args: &args,
            variables,
            patience: Patience {
                timeout,
                slow: (timeout, &|| {}),
            },
        };
        let Some(ended) = run.to_end(cancel)? else {
            return Ok(None);
        };
        if !ended
            .status
            .is_ok_and(|status: ExitStatus| status.success())
        {
            bail!(
                "{} doesn't list its tests:\n{}",
                self.launch.executable.display(),
                ended.output()
            );
        }
        Ok(Some(listed(&ended)))
    }
}

/// The names in a list of tests. Benchmarks are run once, as tests.
fn listed(ended: &Ended) -> Vec<String> {
    let lines = ended.stdout.lines();
    let names = lines.filter_map(|line| {
        let test = line.strip_suffix(": test");
        test.or_else(|| line.strip_suffix(": benchmark"))
    });
    names.map(str::to_owned).collect()
}

/// How a binary was built.
struct Built {
    crate_name: String,
    has_harness: bool,
    inputs: BTreeSet<PathBuf>,
    units: Vec<Recorded>,
}

impl Built {
    fn read(executable: &Path) -> Result<Self> {
        let folder = executable.parent().unwrap_or(executable);
        let stem = executable.file_name().unwrap_or_default().to_string_lossy();
        let record = Unit::folder(folder, &stem);
        if !record.is_dir() {
            return Self::without_record(executable, &stem);
        }
        let units = units_of(&record)?;
        let (_, own) = units.first().context("it has no unit")?;
        let files = units
            .iter()
            .flat_map(|(_, unit)| unit.sources.iter().chain(unit.inputs.keys()));
        Ok(Self {
            crate_name: own.crate_name.clone(),
            has_harness: own.kind == UnitKind::Test,
            inputs: files.cloned().collect(),
            units,
        })
    }

    /// Cargo compiles a test without libtest's harness in a way that the wrapper leaves alone.
    fn without_record(executable: &Path, stem: &str) -> Result<Self> {
        let name = stem.rsplit_once('-').map_or(stem, |(name, _)| name);
        let read = dep_info::read(&executable.with_file_name(format!("{stem}.d")))?;
        Ok(Self {
            crate_name: name.to_owned(),
            has_harness: false,
            inputs: read.into_iter().filter(|path| path.is_absolute()).collect(),
            units: Vec::new(),
        })
    }
}

#[cfg(test)]
impl Binary {
    /// One that there is no file of.
    pub(super) fn for_tests(launch: Launch, crate_name: &str, inputs: BTreeSet<PathBuf>) -> Self {
        Self {
            launch,
            title: format!("tests/{crate_name}.rs"),
            crate_name: crate_name.to_owned(),
            content: 0,
            programs: 0,
            may_run_programs: false,
            has_harness: true,
            inputs,
            units: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn a_list_has_tests_and_benchmarks() {
        let ended = Ended {
            status: Ok(ExitStatus::from_raw(0)),
            stdout: "a::one: test\nb: benchmark\nsomething else\nit: works: test\n".to_owned(),
            stderr: String::new(),
        };
        assert_eq!(listed(&ended), ["a::one", "b", "it: works"]);
    }
}
