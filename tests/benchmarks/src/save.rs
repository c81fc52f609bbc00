//! From the moment a file is saved to the first return of the new code, beside `cargo build` after
//! the same edit.
//!
//! The program calls the function every 200 µs and prints the time (CLOCK_MONOTONIC) at which it
//! returned another value. The clock starts before the file is written. Edits and builds take
//! turns, so that whatever else the machine does falls on both.

use std::path::Path;
use std::time::Duration;

use anyhow::{bail, Context, Result};
use rustix::time::{clock_gettime, ClockId};

use crate::floor;
use crate::project::{self, build, cargo, large, scrubbed, tiny, Project};
use crate::running::Running;
use crate::stats::{median, percentile, ratio, time, times, verdict};

pub(crate) const FIRST_BUILD: Duration = Duration::from_secs(600);
pub(crate) const ONE_EDIT: Duration = Duration::from_secs(300);
/// Between two edits: nobody saves faster.
pub(crate) const PAUSE: Duration = Duration::from_millis(300);

/// What was measured on one program.
struct Figures {
    name: &'static str,
    /// The edit right after the program's start.
    first: Duration,
    edits: Vec<Duration>,
    builds: Vec<Duration>,
    /// What `hot` says of the same edits.
    claimed: Vec<Duration>,
}

/// Measures both programs and prints a table.
pub(crate) fn run(hot: &Path, scratch: &Path, edits: usize) -> Result<()> {
    let tiny = measure(hot, scratch, &tiny(scratch)?, edits)?;
    let floor = floor::measure(scratch, edits)?;
    let large = measure(hot, scratch, &large(scratch)?, edits)?;
    println!("\n### Save → first return of the new code ({edits} edits each)\n");
    println!("| program | p50 | p95 | slowest | first edit | `hot` says (p50) | `cargo build` p50 | hot / build |");
    println!("|---|---|---|---|---|---|---|---|");
    for figures in [&tiny, &large] {
        figures.print();
    }
    match peer(scratch, edits) {
        Ok((name, edits)) => print_beside(name, &edits),
        Err(error) => eprintln!("hot-lib-reloader isn't measured: {error:#}"),
    }
    print_beside("rustc and linker, for an empty library", &floor);
    aims(&tiny, &large);
    let above = ratio(median(&tiny.edits), median(&floor));
    println!(
        "- tiny ≤ 2 × an empty library: {} ({})",
        verdict(above, 2.0),
        times(above)
    );
    Ok(())
}

/// A row of what only times stand for.
fn print_beside(name: &str, measured: &[Duration]) {
    println!(
        "| {name} | {} | {} | {} | – | – | – | – |",
        time(median(measured)),
        time(percentile(measured, 0.95)),
        time(percentile(measured, 1.0)),
    );
}

impl Figures {
    fn print(&self) {
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            self.name,
            time(median(&self.edits)),
            time(percentile(&self.edits, 0.95)),
            time(percentile(&self.edits, 1.0)),
            time(Some(self.first)),
            time(median(&self.claimed)),
            time(median(&self.builds)),
            times(ratio(median(&self.edits), median(&self.builds))),
        );
    }
}

fn aims(tiny: &Figures, large: &Figures) {
    let milliseconds =
        |figures: &Figures| median(&figures.edits).map(|p50| p50.as_secs_f64() * 1e3);
    let by_build = |figures: &Figures| ratio(median(&figures.edits), median(&figures.builds));
    let growth = ratio(median(&large.edits), median(&tiny.edits));
    println!();
    println!(
        "- p50 ≤ 100 ms: tiny {}, large {}",
        verdict(milliseconds(tiny), 100.0),
        verdict(milliseconds(large), 100.0)
    );
    println!(
        "- large ≤ 1.3 × tiny: {} ({})",
        verdict(growth, 1.3),
        times(growth)
    );
    println!(
        "- tiny ≤ 0.5 × `cargo build`: {} ({})",
        verdict(by_build(tiny), 0.5),
        times(by_build(tiny))
    );
    println!(
        "- large ≤ 0.15 × `cargo build`: {} ({})",
        verdict(by_build(large), 0.15),
        times(by_build(large))
    );
}

/// The same edits with hot-lib-reloader. Its library is built as soon as the file is saved, as if
/// whatever watches the file for it took no time; its own wait for the end of a build is the
/// shortest that it recommends.
fn peer(scratch: &Path, edits: usize) -> Result<(&'static str, Vec<Duration>)> {
    let project = project::peer(scratch)?;
    build(&project.folder, &[]).context("the first build")?;
    let mut command = cargo();
    command
        .args(["run", "--quiet"])
        .current_dir(&project.folder);
    let running = Running::start(command, &scratch.join("peer.log"))?;
    let pid = running.wait(FIRST_BUILD, |line| Some(Seen::read(line)?.pid))?;
    let library = || build(&project.folder, &["--package", "peer_lib"]).map(drop);
    let values = (3_000_000..).take(edits);
    let times = values.map(|value| {
        std::thread::sleep(PAUSE);
        edit(&running, &project, value, pid, library)
    });
    Ok((project.name, times.collect::<Result<_>>()?))
}

fn measure(hot: &Path, scratch: &Path, project: &Project, edits: usize) -> Result<Figures> {
    let name = project.name;
    let plain = project.copy_to(&scratch.join(format!("{name}-plain")))?;
    build(&plain.folder, &[]).with_context(|| format!("the first build of {name}"))?;
    let mut command = scrubbed(hot);
    command
        .args(["cargo", "run", "--quiet"])
        .current_dir(&project.folder);
    let running = Running::start(command, &scratch.join(format!("{name}.log")))?;
    let pid = running.wait(FIRST_BUILD, |line| Some(Seen::read(line)?.pid))?;
    let mut figures = Figures {
        name,
        first: edit(&running, project, 2_000_000, pid, || Ok(()))?,
        edits: Vec::new(),
        builds: Vec::new(),
        claimed: Vec::new(),
    };
    for value in (3_000_000..).take(edits) {
        std::thread::sleep(PAUSE);
        let taken = edit(&running, project, value, pid, || Ok(()))?;
        figures.edits.push(taken);
        std::thread::sleep(PAUSE);
        plain.save(value)?;
        figures.builds.push(build(&plain.folder, &[])?);
        eprintln!("{name}: {}", time(figures.edits.last().copied()));
    }
    figures.claimed = running.errors().lines().filter_map(claim).skip(1).collect();
    Ok(figures)
}

/// Saves one edit, does what then has to be done, and waits until the program returns its value.
pub(crate) fn edit(
    running: &Running,
    project: &Project,
    value: u64,
    pid: u32,
    saved: impl Fn() -> Result<()>,
) -> Result<Duration> {
    let before = clock_gettime(ClockId::Monotonic);
    project.save(value)?;
    saved()?;
    let seen = running.wait(ONE_EDIT, |line| {
        Seen::read(line).filter(|seen| seen.value == value)
    })?;
    if seen.pid != pid {
        bail!(
            "the program was restarted; what was said:\n{}",
            running.errors()
        );
    }
    let before = Duration::new(
        u64::try_from(before.tv_sec)?,
        u32::try_from(before.tv_nsec)?,
    );
    seen.at
        .checked_sub(before)
        .context("the new value came before the edit")
}

/// A line of the program: the value, when it was first returned, the process.
pub(crate) struct Seen {
    value: u64,
    at: Duration,
    pub(crate) pid: u32,
}

impl Seen {
    pub(crate) fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        Some(Self {
            value: words.next()?.parse().ok()?,
            at: Duration::from_nanos(words.next()?.parse().ok()?),
            pid: words.next()?.parse().ok()?,
        })
    }
}

/// The time in a line `… patched 1 function in 93 ms: …`.
fn claim(line: &str) -> Option<Duration> {
    let (_, rest) = line.split_once("patched ")?;
    let (_, rest) = rest.split_once(" in ")?;
    let (number, _) = rest.split_once(" ms")?;
    number.parse().ok().map(Duration::from_millis)
}
