//! The first build under `hot` beside plain `cargo build`, and the size of what comes out.
//!
//! The least of several rounds, since other work on the machine only ever adds; the ratio is that
//! of processor time, which other work changes least.
//!
//! Once with all dependencies from an empty target folder, once the members of the workspace alone.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};

use crate::project::{cargo, copy, large, published, scrubbed};
use crate::stats::{least, ratio, time, times, verdict};

/// A project to build, and its package and program.
struct Subject {
    name: &'static str,
    folder: PathBuf,
    package: &'static str,
    program: &'static str,
}

/// One way of building.
struct Way {
    hot: Option<PathBuf>,
    target: PathBuf,
    all: Vec<Cost>,
    members: Vec<Cost>,
}

/// What a build took.
#[derive(Clone, Copy)]
struct Cost {
    /// On the clock.
    wall: Duration,
    /// Of all processors together.
    processor: Duration,
}

/// Builds every subject both ways and prints a table.
pub(crate) fn run(hot: &Path, scratch: &Path, rounds: usize) -> Result<()> {
    println!("\n### First build, debug profile (least of {rounds})\n");
    println!("| program | built | cargo | hot | ratio | cargo, CPU | hot, CPU | ratio | aim ≤ 1.3 × CPU |");
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut sizes = Vec::new();
    for subject in subjects(scratch)? {
        let way = |name: &str, hot: Option<&Path>| Way {
            hot: hot.map(Path::to_owned),
            target: scratch.join(format!("target-{}-{name}", subject.name)),
            all: Vec::new(),
            members: Vec::new(),
        };
        let mut plain = way("plain", None);
        let mut under_hot = way("hot", Some(hot));
        for _ in 0..rounds {
            plain.measure(&subject)?;
            under_hot.measure(&subject)?;
        }
        row(subject.name, "everything", &plain.all, &under_hot.all);
        row(
            subject.name,
            "its own crates",
            &plain.members,
            &under_hot.members,
        );
        sizes.push((
            subject.name,
            plain.size(&subject)?,
            under_hot.size(&subject)?,
        ));
    }
    println!("\n### Size of the executable, debug profile\n");
    println!("| program | cargo | hot | ratio |");
    println!("|---|---|---|---|");
    for (name, plain, hot) in sizes {
        let mebibytes = |size: u64| format!("{:.1} MiB", size as f64 / f64::from(1 << 20));
        let ratio = times(Some(hot as f64 / plain as f64));
        println!(
            "| {name} | {} | {} | {ratio} |",
            mebibytes(plain),
            mebibytes(hot)
        );
    }
    Ok(())
}

fn subjects(scratch: &Path) -> Result<Vec<Subject>> {
    let counter = scratch.join("counter-server");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/counter-server");
    copy(Path::new(example), &counter)?;
    let redis = scratch.join("mini-redis");
    copy(&published(scratch, "mini-redis", "0.4.1")?, &redis)?;
    Ok(vec![
        Subject {
            name: "counter-server",
            folder: counter,
            package: "counter-server",
            program: "counter-server",
        },
        Subject {
            name: "mini-redis",
            folder: redis,
            package: "mini-redis",
            program: "mini-redis-server",
        },
        Subject {
            name: "large",
            folder: large(scratch)?.folder,
            package: "regex-automata",
            program: "large",
        },
    ])
}

fn row(name: &str, built: &str, plain: &[Cost], hot: &[Cost]) {
    let least_of = |costs: &[Cost], part: fn(&Cost) -> Duration| {
        least(&costs.iter().map(part).collect::<Vec<_>>())
    };
    let wall = [plain, hot].map(|costs| least_of(costs, |cost| cost.wall));
    let processor = [plain, hot].map(|costs| least_of(costs, |cost| cost.processor));
    let by_processor = ratio(processor[1], processor[0]);
    println!(
        "| {name} | {built} | {} | {} | {} | {} | {} | {} | {} |",
        time(wall[0]),
        time(wall[1]),
        times(ratio(wall[1], wall[0])),
        time(processor[0]),
        time(processor[1]),
        times(by_processor),
        verdict(by_processor, 1.3),
    );
}

/// The processor time of all children that have ended, and of theirs.
fn children() -> Result<Duration> {
    let text = std::fs::read_to_string("/proc/self/stat").context("can't read /proc/self/stat")?;
    // The name, which may hold anything, ends with the last parenthesis; `cutime` and `cstime` are
    // the fields 16 and 17 of the line, in hundredths of a second.
    let fields: Vec<&str> = text
        .rsplit_once(')')
        .map_or("", |(_, rest)| rest)
        .split_whitespace()
        .collect();
    let ticks = |index: usize| {
        fields
            .get(index)
            .and_then(|field| field.parse::<u64>().ok())
    };
    let total = ticks(13).zip(ticks(14)).map(|(user, system)| user + system);
    Ok(Duration::from_millis(
        10 * total.context("/proc/self/stat has no times")?,
    ))
}

impl Way {
    fn measure(&mut self, subject: &Subject) -> Result<()> {
        remove(&self.target)?;
        let all = self.build(subject)?;
        self.all.push(all);
        let mut clean = cargo();
        clean.args(["clean", "--quiet", "-p", subject.package]);
        self.finish(clean, subject)?;
        remove(&self.target.join("debug/.hot"))?;
        let members = self.build(subject)?;
        self.members.push(members);
        Ok(())
    }

    fn build(&self, subject: &Subject) -> Result<Cost> {
        let mut command = match &self.hot {
            Some(hot) => {
                let mut command = scrubbed(hot);
                command.arg("cargo");
                command
            }
            None => cargo(),
        };
        command.args(["build", "--bin", subject.program]);
        let (start, before) = (Instant::now(), children()?);
        let said = self.finish(command, subject)?;
        let cost = Cost {
            wall: start.elapsed(),
            processor: children()?.saturating_sub(before),
        };
        if !said.contains(&format!("Compiling {}", subject.package)) {
            bail!("cargo did not build {}: {said}", subject.package);
        }
        if let Some(line) = said.lines().find(|line| line.contains("built unmodified")) {
            bail!("{line}");
        }
        Ok(cost)
    }

    fn finish(&self, mut command: Command, subject: &Subject) -> Result<String> {
        let output = command
            .current_dir(&subject.folder)
            .env("CARGO_TARGET_DIR", &self.target)
            .output()
            .with_context(|| format!("can't start {:?}", command.get_program()))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() {
            bail!("{command:?} failed: {said}");
        }
        Ok(said)
    }

    fn size(&self, subject: &Subject) -> Result<u64> {
        let program = self.target.join("debug").join(subject.program);
        let meta = program
            .metadata()
            .with_context(|| format!("there is no {}", program.display()))?;
        Ok(meta.len())
    }
}

fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("can't remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}
