//! Edits the body of one function after another in a program that runs under `hot`, and looks into
//! the program's memory for the new code.
//!
//! What counts as *seen*: the edit puts a number into the body that is nowhere else. When `hot`
//! says that it has patched, the memory of the process is read from outside: as many sites as `hot`
//! says, and those that it names, must lead, by the rules by which a call decides, to code in a
//! library, and every library to which one leads must hold this number in its machine code. So the
//! next call runs the new body, or code that was compiled with it where the function has no site of
//! its own; whether the program ever makes the call doesn't matter. When the edit is undone, no
//! site may lead elsewhere.
//!
//! When `hot` says that nothing that runs uses the function, the program's symbols are searched for
//! code of it.

mod groups;
mod mark;
mod meanings;
mod memory;
mod projects;
mod session;
mod symbols;
mod table;
mod words;

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::records::Records;
use groups::Run;
use mark::Body;
use projects::Project;
use session::Session;

pub(crate) use mark::is_test;
pub(crate) use meanings::{print as print_meanings, run as run_meanings};
pub(crate) use table::print as print_table;

/// What became of an edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// Patched at its own site, and the new code is there.
    Seen,
    /// Patched in the functions that use it, and the new code is there.
    SeenInCallers,
    /// `hot` says that nothing that runs uses it, and there is no code of it in the program.
    Unused,
    /// The same, and there is code that may be the function's: this. Then nothing leads there.
    UnusedCode(String),
    /// `hot` says that it can't be patched, and why.
    Rude(String),
    /// `hot` says that it is patched, and it is not so.
    Unseen(String),
    /// The edited crate doesn't compile: the mark doesn't fit there, which says nothing about
    /// `hot`.
    NoEdit(String),
    /// `hot` says nothing: the function isn't compiled in this configuration.
    Silent,
    /// The program or `hot` ended.
    Crashed(String),
}

/// What was compiled for an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    /// The function alone.
    Small,
    /// The whole crate, although just a body changed: the function alone would not do.
    Whole,
    /// The whole crate, since the function has no site.
    Spread,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    project: String,
    function: String,
    outcome: Outcome,
    way: Way,
    /// So many functions were edited in the same save.
    together: usize,
    /// From the save to `hot`'s answer.
    milliseconds: u64,
}

/// Runs the projects of these names, or all.
pub(crate) fn run(names: &[String], sample: usize, together: usize) -> Result<bool> {
    for project in projects::chosen(names)? {
        run_project(&project, sample, together).with_context(|| project.package.name.to_owned())?;
    }
    print_table()?;
    table::is_good()
}

/// Those of the project that were compiled, in an order of chance that is always the same one.
fn bodies(session: &Session, folder: &Path, sample: usize) -> Result<Vec<Body>> {
    let mut bodies = mark::bodies(folder, &session.compiled_files()?)?;
    fastrand::Rng::with_seed(1).shuffle(&mut bodies);
    if sample > 0 {
        bodies.truncate(sample);
    }
    Ok(bodies)
}

fn run_project(project: &Project, sample: usize, together: usize) -> Result<()> {
    let name = project.package.name;
    let folder = project.prepare()?;
    let records = Records::new("functions");
    let known: Vec<Record> = records.read()?;
    let known: HashSet<&str> = known
        .iter()
        .filter(|record| record.project == name)
        .map(|record| record.function.as_str())
        .collect();
    let session = Session::start(project, &folder)?;
    let mut bodies = bodies(&session, &folder, sample)?;
    bodies.retain(|body| !known.contains(body.name().as_str()));
    eprintln!("{name}: {} functions to edit", bodies.len());
    let mut run = Run {
        project,
        folder,
        records,
        session,
        saves: 0,
    };
    run.all(bodies, together.max(1))
}
