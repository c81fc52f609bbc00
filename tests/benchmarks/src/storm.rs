//! Many patches in one process that is busy with four threads: is every answer right, how long do
//! requests take meanwhile, and how much memory does a patch take?
//!
//! The compiler works beside the program while a patch is made, on the same processors; so the
//! times of requests are also taken while plain cargo compiles the same edits beside the same
//! program, without a pause. What a request needs of a processor is told apart from what it waits
//! for one.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};

use crate::project::{cargo, scrubbed, storm, Project};
use crate::running::Running;

const START: Duration = Duration::from_secs(300);
const ONE_EDIT: Duration = Duration::from_secs(60);
/// So long the program is watched in peace, and beside cargo.
const WATCHED: Duration = Duration::from_secs(20);

/// What the program says once a second.
#[derive(Debug, Clone, Copy)]
struct Window {
    requests: u64,
    p50: u64,
    p999: u64,
    slowest: u64,
    wrong: u64,
    memory: u64,
    /// The processor time of a request alone: without waiting for a processor, a lock or the disk.
    working_p999: u64,
    working_slowest: u64,
    /// How often threads waited for something, and how often another process took their processor.
    waited: u64,
    interrupted: u64,
}

impl Window {
    fn read(line: &str) -> Option<Self> {
        let mut numbers = line.strip_prefix("window ")?.split(' ').map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Self {
            requests: next()?,
            p50: next()?,
            p999: next()?,
            slowest: next()?,
            wrong: next()?,
            memory: next()?,
            working_p999: next()?,
            working_slowest: next()?,
            waited: next()?,
            interrupted: next()?,
        })
    }
}

/// Runs the program, patches it `patches` times, and prints what it says.
pub(crate) fn run(hot: &Path, scratch: &Path, patches: usize) -> Result<()> {
    let project = storm(scratch)?;
    let beside = project.copy_to(&scratch.join("storm-beside"))?;
    let mut command = scrubbed(hot);
    command
        .args(["cargo", "run", "--quiet", "--release"])
        .current_dir(&project.folder);
    let running = Running::start(command, &scratch.join("storm.log"))?;
    running.wait(START, Window::read)?;
    // The twin is made now; that is not what is measured.
    std::thread::sleep(Duration::from_secs(5));
    let peace = watch(&running, WATCHED, || {
        std::thread::sleep(WATCHED);
        Ok(())
    })?;
    let mut value = 5_000_000;
    let compiled = watch(&running, WATCHED, || {
        value += 1_000;
        build(&beside, value)
    })?;
    let before = *compiled.last().context("the program says nothing")?;
    let start = Instant::now();
    let patched = patch(&running, &project, patches)?;
    let elapsed = start.elapsed();
    let after = *patched.last().context("the program says nothing")?;
    println!("\n### {patches} patches in a program that is busy with four threads\n");
    println!("| | requests/s | p50 | p99.9 | slowest | processor time alone: p99.9 | slowest | interrupted, a second | waits, a second |");
    println!("|---|---|---|---|---|---|---|---|---|");
    print("in peace", &peace);
    print("cargo compiles beside it", &compiled);
    print("while it is patched", &patched);
    let grown = after.memory.saturating_sub(before.memory) as f64 / patches.max(1) as f64;
    println!("\n- wrong answers: {}", after.wrong);
    println!("- memory per patch: {grown:.1} KiB resident (aim: at most 64)");
    println!(
        "- {:.1} patches a second",
        patches as f64 / elapsed.as_secs_f64()
    );
    match after.wrong {
        0 => Ok(()),
        wrong => bail!("{wrong} wrong answers"),
    }
}

/// The windows of some time, in which `work` is done again and again, without a pause.
fn watch(
    running: &Running,
    time: Duration,
    mut work: impl FnMut() -> Result<()>,
) -> Result<Vec<Window>> {
    let start = Instant::now();
    // What was said before is of another time.
    running.drain();
    while start.elapsed() < time {
        work()?;
    }
    Ok(running.so_far(Window::read))
}

fn build(project: &Project, value: u64) -> Result<()> {
    project.save(value)?;
    let status = cargo()
        .args(["build", "--quiet", "--release"])
        .current_dir(&project.folder)
        .stdout(Stdio::null())
        .status()
        .context("can't start cargo")?;
    match status.success() {
        true => Ok(()),
        false => bail!("the project doesn't compile"),
    }
}

fn patch(running: &Running, project: &Project, patches: usize) -> Result<Vec<Window>> {
    let (mut windows, mut process) = (Vec::new(), None);
    running.drain();
    for value in (1..=patches as u64).map(|patch| 1_000_000 + patch * 1_000) {
        project.save(value)?;
        let pid = running.wait(ONE_EDIT, |line| {
            windows.extend(Window::read(line));
            let mut words = line.strip_prefix("version ")?.split(' ');
            let version: u64 = words.next()?.parse().ok()?;
            (version == value).then(|| words.next().map(str::to_owned))
        })?;
        if process.get_or_insert_with(|| pid.clone()) != &pid {
            bail!("the program was restarted:\n{}", running.errors());
        }
    }
    // One more, with all patches in.
    windows.push(running.wait(ONE_EDIT, Window::read)?);
    Ok(windows)
}

fn print(name: &str, windows: &[Window]) {
    let median = |value: &dyn Fn(&Window) -> u64| {
        let mut values: Vec<u64> = windows.iter().map(value).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied().unwrap_or(0)
    };
    let most = |value: fn(&Window) -> u64| windows.iter().map(value).max().unwrap_or(0);
    println!(
        "| {name} | {} | {:.1} µs | {:.1} µs | {:.1} ms | {:.1} µs | {:.1} ms | {} | {} |",
        median(&|window| window.requests),
        median(&|window| window.p50) as f64 / 1e3,
        median(&|window| window.p999) as f64 / 1e3,
        most(|window| window.slowest) as f64 / 1e6,
        median(&|window| window.working_p999) as f64 / 1e3,
        most(|window| window.working_slowest) as f64 / 1e6,
        median(&|window| window.interrupted),
        median(&|window| window.waited),
    );
}
