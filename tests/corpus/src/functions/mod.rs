//! Edits the body of one function after another in a program that runs under `hot`, and looks into the
//! program's memory for the new code.
//!
//! What counts as *seen*: the edit puts a number into the body that is nowhere else. When `hot` says that it
//! has patched, the memory of the process is read from outside: the function's site must lead, by the rules by
//! which a call decides, to code in a library that holds this number in its machine code. So the next call
//! runs the new body; whether the program ever calls the function doesn't matter.

mod mark;
mod memory;
mod projects;
mod session;
mod table;

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::records::Records;
use mark::Body;
use projects::Project;
use session::Session;

pub(crate) use table::print as print_table;

/// Sessions are started anew after so many edits, so that a long run doesn't measure a program full of patches.
const EDITS_OF_A_SESSION: usize = 400;

/// What became of an edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// Patched at its own site, and the new code is there.
    Seen,
    /// Patched in the functions that use it, and the new code is there.
    SeenInCallers,
    /// `hot` says that it can't be patched, and why.
    Rude(String),
    /// `hot` says that it is patched, and it is not so.
    Unseen(String),
    /// The edited crate doesn't compile: the mark doesn't fit there, which says nothing about `hot`.
    NoEdit(String),
    /// `hot` says nothing: the function isn't compiled in this configuration.
    Silent,
    /// The program or `hot` ended.
    Crashed(String),
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    project: String,
    function: String,
    outcome: Outcome,
    /// The whole crate was compiled for it.
    #[serde(default)]
    whole: bool,
    /// From the save to `hot`'s answer.
    milliseconds: u64,
}

/// Runs the projects of these names, or all.
pub(crate) fn run(names: &[String], sample: usize) -> Result<bool> {
    for project in projects::chosen(names)? {
        run_project(&project, sample).with_context(|| project.package.name.to_owned())?;
    }
    print_table()?;
    table::is_good()
}

fn run_project(project: &Project, sample: usize) -> Result<()> {
    let name = project.package.name;
    let folder = project.prepare()?;
    let records = Records::new("functions");
    let known: Vec<Record> = records.read()?;
    let known: HashSet<&str> = known
        .iter()
        .filter(|record| record.project == name)
        .map(|record| record.function.as_str())
        .collect();
    let mut session = Session::start(project, &folder)?;
    let mut bodies = mark::bodies(&folder, &session.compiled_files()?)?;
    fastrand::Rng::with_seed(1).shuffle(&mut bodies);
    if sample > 0 {
        bodies.truncate(sample);
    }
    bodies.retain(|body| !known.contains(body.name().as_str()));
    eprintln!("{name}: {} functions to edit", bodies.len());
    for (count, body) in bodies.iter().enumerate() {
        if count > 0 && count % EDITS_OF_A_SESSION == 0 {
            session = Session::start(project, &folder)?;
        }
        let record = edit(name, body, &folder, &mut session)?;
        eprintln!("{name} {}: {:?}", record.function, record.outcome);
        records.add(&record)?;
        if matches!(record.outcome, Outcome::Crashed(_)) {
            session = Session::start(project, &folder)?;
        }
    }
    Ok(())
}

fn edit(project: &str, body: &Body, folder: &Path, session: &mut Session) -> Result<Record> {
    let path = folder.join(&body.file);
    let original = fs::read_to_string(&path)?;
    let number = fastrand::u64(1 << 60..);
    let before = std::time::Instant::now();
    fs::write(&path, body.marked(&original, number))?;
    let outcome = session.outcome(body, number);
    let elapsed = before.elapsed();
    fs::write(&path, original)?;
    let outcome = match session.settle(&outcome) {
        Some(why) => Outcome::Unseen(why),
        None => outcome,
    };
    Ok(Record {
        project: project.to_owned(),
        function: body.name(),
        outcome,
        whole: session.compiled_whole(),
        milliseconds: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
    })
}
