//! From a save to the first return of the new code where the edit reaches others: a constant that
//! the measured function uses. Whole crates are compiled for it.
//!
//! The first edit comes when the program has run for a while: what edits are compared with is
//! compiled in the background until then.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::project::{large, scrubbed, tiny, Project};
use crate::running::Running;
use crate::save::{edit, Seen, FIRST_BUILD, PAUSE};
use crate::stats::{median, percentile, time};

/// Before the first edit.
const WHILE: Duration = Duration::from_secs(45);

/// Measures both programs and prints a table.
pub(crate) fn run(hot: &Path, scratch: &Path, edits: usize) -> Result<()> {
    println!("\n### An edit of a constant → first return of the new code ({edits} edits each)\n");
    println!("| program | first edit | p50 of the others | slowest |");
    println!("|---|---|---|---|");
    for project in [tiny(scratch)?.spreading(), large(scratch)?.spreading()] {
        measure(hot, scratch, &project, edits)?;
    }
    Ok(())
}

fn measure(hot: &Path, scratch: &Path, project: &Project, edits: usize) -> Result<()> {
    project.save(1_000_000)?;
    let mut command = scrubbed(hot);
    command
        .args(["cargo", "run", "--quiet"])
        .current_dir(&project.folder);
    let log = scratch.join(format!("{}-spread.log", project.name));
    let running = Running::start(command, &log)?;
    let pid = running.wait(FIRST_BUILD, |line| Some(Seen::read(line)?.pid))?;
    std::thread::sleep(WHILE);
    let first = edit(&running, project, 2_000_000, pid, || Ok(()))?;
    let mut others = Vec::new();
    for value in (3_000_000..).take(edits) {
        std::thread::sleep(PAUSE);
        others.push(edit(&running, project, value, pid, || Ok(()))?);
        eprintln!("{}: {}", project.name, time(others.last().copied()));
    }
    println!(
        "| {} | {} | {} | {} |",
        project.name,
        time(Some(first)),
        time(median(&others)),
        time(percentile(&others, 1.0))
    );
    Ok(())
}
