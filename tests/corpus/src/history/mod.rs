//! The commits of a real project, saved one after the other into a program that runs under `hot`:
//! whole, file by file, or hunk by hunk. Most states in between don't compile, and each has to be
//! recovered from.
//!
//! ```text
//! commits ─► steps ─► saved ─► what `hot` says of each
//!    └─► at the end of each commit: a fresh build answers a probe as the program that runs does
//! ```

mod commits;
mod fresh;
mod outcome;
mod session;
mod steps;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::records::Records;
use commits::{Commit, Repository};
use fresh::Fresh;
use outcome::Outcome;
use session::Session;
use steps::Step;

/// Saves a project's commits.
#[derive(Args)]
pub(crate) struct Options {
    /// The project's git folder.
    folder: PathBuf,
    /// What becomes a save of its own.
    #[arg(long, value_enum, default_value_t = By::Whole)]
    by: By,
    /// How many of the newest commits.
    #[arg(long, default_value_t = 20)]
    count: usize,
    /// The newest commit of them.
    #[arg(long, default_value = "HEAD")]
    to: String,
    /// The arguments of `cargo run`, in one text; `{port}` stands for a free port.
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    run: String,
    /// A command for a shell, whose output is what the program answers; `{port}` as above.
    #[arg(long)]
    probe: Option<String>,
    /// Where copies are put, outside of any other workspace (default: the folder for temporary
    /// files).
    #[arg(long)]
    place: Option<PathBuf>,
}

/// What becomes a save of its own.
#[derive(Clone, Copy, ValueEnum)]
enum By {
    Whole,
    File,
    Hunk,
}

/// What is written down of a save.
#[derive(Serialize)]
struct Record<'a> {
    commit: &'a str,
    step: &'a str,
    outcome: &'static str,
    said: &'a [String],
    ms: u128,
}

/// Says whether there was no fault.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let name = options.folder.canonicalize()?;
    let name = name
        .components()
        .rev()
        .map(|part| part.as_os_str().to_string_lossy());
    let name = name
        .into_iter()
        .find(|part| part != ".git" && part != "repo")
        .unwrap_or_default();
    let way = match options.by {
        By::Whole => "whole",
        By::File => "file",
        By::Hunk => "hunk",
    };
    let place = options.place.clone().unwrap_or_else(std::env::temp_dir);
    let place = place
        .join("soft-mock-history")
        .join(format!("{name}-{way}"));
    let repository = Repository::copy(&options.folder, &place.join("project"))?;
    let commits = repository.commits(&options.to, options.count)?;
    let first = commits.first().context("there are no commits")?;
    repository.check_out(&first.parent)?;
    let records = Records::new(&format!("history-{name}-{way}"));
    let mut replay = Replay {
        session: Session::start(repository.folder(), &place.join("target"), options)?,
        fresh: Fresh::new(&options.folder, &place, options)?,
        project: repository.folder().to_owned(),
        found: BTreeMap::new(),
        faults: Vec::new(),
        records,
    };
    for commit in &commits {
        replay.commit(&repository, commit, options.by)?;
    }
    replay.summary(commits.len());
    Ok(replay.faults.is_empty())
}

struct Replay {
    session: Session,
    fresh: Fresh,
    project: PathBuf,
    found: BTreeMap<Outcome, usize>,
    faults: Vec<String>,
    records: Records,
}

impl Replay {
    fn commit(&mut self, repository: &Repository, commit: &Commit, by: By) -> Result<()> {
        println!("{} {}", commit.short(), commit.subject);
        let files = repository.files(commit)?;
        let steps = match by {
            By::Whole => steps::whole(files),
            By::File => steps::by_file(files),
            By::Hunk => steps::by_hunk(files),
        };
        let mut last = Outcome::NothingToDo;
        for step in &steps {
            last = self.step(commit, step)?;
        }
        if !last.claims_to_be_there() {
            // Whether it should be is for a fresh build to say.
            if last == Outcome::NotCompiled && self.fresh.compiles(&commit.id)? {
                self.fault(commit, "the whole commit", "a fresh build compiles it");
            }
            return Ok(());
        }
        if let Some((running, fresh)) = self.fresh.differs(&commit.id, &self.session)? {
            let what = format!("the program answers {running:?}, a fresh build {fresh:?}");
            self.fault(commit, "the whole commit", &what);
        }
        Ok(())
    }

    fn step(&mut self, commit: &Commit, step: &Step) -> Result<Outcome> {
        let counts = step.counts(&self.project, &self.session.compiled_files()?);
        let begun = std::time::Instant::now();
        self.session.forget();
        step.save(&self.project)?;
        let answer = self.session.answer(counts)?;
        let ms = begun.elapsed().as_millis();
        println!(
            "  {:<14} {:>6} ms  {}",
            answer.outcome.name(),
            ms,
            step.name
        );
        for line in answer.reasons() {
            println!("      {line}");
        }
        self.records.add(&Record {
            commit: &commit.id,
            step: &step.name,
            outcome: answer.outcome.name(),
            said: &answer.said,
            ms,
        })?;
        *self.found.entry(answer.outcome).or_default() += 1;
        if let Some(what) = answer.outcome.fault() {
            self.fault(commit, &step.name, what);
        }
        if answer.outcome == Outcome::Ended {
            bail!("`hot` or the program ended: {}", answer.said.join("\n"));
        }
        Ok(answer.outcome)
    }

    fn fault(&mut self, commit: &Commit, step: &str, what: &str) {
        let line = format!("{} {step}: {what}", commit.short());
        println!("  FAULT {line}");
        self.faults.push(line);
    }

    fn summary(&self, commits: usize) {
        let all: usize = self.found.values().sum();
        println!("\n{commits} commits, {all} saves");
        for (outcome, count) in &self.found {
            println!("  {:<14} {count}", outcome.name());
        }
        let sum = |outcomes: &[Outcome]| -> usize {
            outcomes
                .iter()
                .filter_map(|outcome| self.found.get(outcome))
                .sum()
        };
        let (live, done) = (sum(&Outcome::LIVE), sum(&Outcome::TO_DO));
        if done > 0 {
            println!("  in effect without a restart, of those that compile and ask for something: {live} of {done}");
        }
        for fault in &self.faults {
            println!("  FAULT {fault}");
        }
    }
}

/// A command's words.
fn words(text: &str, port: u16) -> Vec<String> {
    let text = text.replace("{port}", &port.to_string());
    text.split_whitespace().map(str::to_owned).collect()
}

/// What a shell's command prints; none if it fails.
fn ask(probe: &str, port: u16, folder: &Path) -> Result<Option<String>> {
    let output = soft_mock_tests::environment::command("sh")
        .args(["-c", &probe.replace("{port}", &port.to_string())])
        .current_dir(folder)
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(output.status.success().then_some(text))
}
