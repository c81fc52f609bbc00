//! Mutations of functions under `hot test`: after each, the tests that fail must be those that a
//! whole `cargo test` of the same files reports.
//!
//! ```text
//! all green ─► one mutation is saved ─► hot test runs what reaches it     which fail?
//!     ▲                              └► cargo test --no-fail-fast         the same ones?
//!     └──── taken back ◄─────────────────────┘
//! ```

mod live;
mod places;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};
use clap::Args;
use serde::{Deserialize, Serialize};
use soft_mock_tests::dice::seeded;
use soft_mock_tests::environment;

use crate::package::{copied, in_project};
use crate::records::Records;
use crate::suites::{chosen, Results};
use live::{Answer, Live};
use places::Mutation;

/// What came of a mutation.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    name: String,
    version: String,
    mutation: String,
    /// The last line of `hot test`.
    said: String,
    /// The tests that failed. None: the plain run did not come to its end.
    plain: Option<BTreeSet<String>>,
    hot: BTreeSet<String>,
    plain_took: Duration,
    hot_took: Duration,
}

impl Record {
    /// A run that crashed or hung may fail in any test, as long as it does.
    fn is_equal(&self) -> bool {
        match &self.plain {
            Some(plain) => *plain == self.hot,
            None => !self.hot.is_empty(),
        }
    }
}

/// What is mutated.
#[derive(Args)]
pub(crate) struct Options {
    /// The crates, all of them without names.
    crates: Vec<String>,
    /// A project of one's own in place of them, a workspace too. It is copied.
    #[arg(long, conflicts_with = "crates")]
    folder: Option<PathBuf>,
    /// How many mutations of each crate, chosen by chance: those that compile.
    #[arg(long, default_value_t = 20)]
    count: usize,
    /// Another choice for another number.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// In tests as well.
    #[arg(long)]
    tests: bool,
}

/// A copy of a project that may be edited.
struct Project {
    name: String,
    version: String,
    folder: PathBuf,
}

/// Makes the mutations.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let records = Records::new("mutations");
    let mut all_equal = true;
    for project in projects(options)? {
        let project = project?;
        let made = mutate(&project, options, &records)?;
        all_equal &= made.iter().all(Record::is_equal);
        print(&project, &made);
    }
    Ok(all_equal)
}

/// Each is copied when it is its turn.
fn projects(options: &Options) -> Result<Box<dyn Iterator<Item = Result<Project>>>> {
    const PURPOSE: &str = "mutations";
    if let Some(folder) = &options.folder {
        let (name, folder) = copied(folder, PURPOSE)?;
        let version = String::new();
        return Ok(Box::new(std::iter::once(Ok(Project {
            name,
            version,
            folder,
        }))));
    }
    let packages = chosen(&options.crates)?.into_iter();
    Ok(Box::new(packages.map(|package| {
        Ok(Project {
            name: package.name.to_owned(),
            version: package.version.to_owned(),
            folder: package.copy(PURPOSE)?,
        })
    })))
}

fn mutate(project: &Project, options: &Options, records: &Records) -> Result<Vec<Record>> {
    let (folder, count) = (&project.folder, options.count);
    let (_, before) = plain(folder)?;
    if before.as_ref().is_none_or(|failing| !failing.is_empty()) {
        bail!("{}: its own tests fail: {before:?}", project.name);
    }
    let mut mutations = places::all(folder, options.tests)?;
    seeded(options.seed).shuffle(&mut mutations);
    let mut live = Live::start(folder)?;
    let mut made = Vec::new();
    for mutation in mutations {
        if made.len() == count {
            break;
        }
        let Some(record) = one(project, &mutation, &mut live)? else {
            continue;
        };
        eprintln!(
            "{} {}: {}",
            if record.is_equal() {
                "equal"
            } else {
                "DIFFERENT"
            },
            record.mutation,
            record.said
        );
        records.add(&record)?;
        made.push(record);
    }
    Ok(made)
}

/// None: it doesn't compile.
fn one(project: &Project, mutation: &Mutation, live: &mut Live) -> Result<Option<Record>> {
    let folder = &project.folder;
    let path = folder.join(&mutation.file);
    let original = fs::read_to_string(&path)?;
    let began = Instant::now();
    fs::write(&path, mutation.apply(&original))?;
    let answer = live.answer()?;
    let hot_took = began.elapsed();
    let record = match answer {
        Answer::NotBuilt => None,
        Answer::Ran { said, failing } => {
            let (plain_took, plain) = plain(folder)?;
            Some(Record {
                name: project.name.clone(),
                version: project.version.clone(),
                mutation: mutation.to_string(),
                said,
                plain,
                hot: failing,
                plain_took,
                hot_took,
            })
        }
    };
    fs::write(&path, &original)?;
    match live.answer()? {
        Answer::Ran { said, .. } if said.contains("still failing") || said.contains("FAILED") => {
            bail!("{mutation}: tests fail after it was taken back: {said}")
        }
        Answer::Ran { .. } => Ok(record),
        Answer::NotBuilt => bail!("{mutation}: it doesn't build after it was taken back"),
    }
}

/// How long a whole run took, and which tests failed in it. None: it did not come to its end.
fn plain(folder: &Path) -> Result<(Duration, Option<BTreeSet<String>>)> {
    let mut command = in_project(environment::command("sh"), folder);
    // One stream for both: the names of the executables are on the other one than the tests'.
    command.args([
        "-c",
        "exec timeout --kill-after=5 300 cargo test --tests --no-fail-fast 2>&1",
    ]);
    let began = Instant::now();
    let output = command.output().context("can't start cargo")?;
    let said = String::from_utf8_lossy(&output.stdout);
    const OVER: i32 = 124;
    let crashed = said.contains("(signal: ") || said.contains("could not compile");
    let whole = output.status.code().is_some_and(|code| code != OVER) && !crashed;
    let failed = Results::read(&said).failed();
    Ok((began.elapsed(), whole.then_some(failed)))
}

fn print(project: &Project, made: &[Record]) {
    let equal = made.iter().filter(|record| record.is_equal()).count();
    let red = made.iter().filter(|record| !record.hot.is_empty()).count();
    let middle = |took: &dyn Fn(&Record) -> Duration| {
        let mut all: Vec<Duration> = made.iter().map(took).collect();
        all.sort();
        all.get(all.len() / 2).copied().unwrap_or_default()
    };
    println!(
        "| {} {} | {} | {red} | {} | {:.1?} | {:.1?} |",
        project.name,
        project.version,
        made.len(),
        made.len() - equal,
        middle(&|record| record.hot_took),
        middle(&|record| record.plain_took),
    );
}
