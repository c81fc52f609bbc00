//! The first build under `hot` beside plain `cargo build`, and the size of what comes out.
//!
//! The least of several rounds: other work on the machine only ever adds.
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
    all: Vec<Duration>,
    members: Vec<Duration>,
}

/// Builds every subject both ways and prints a table.
pub(crate) fn run(hot: &Path, scratch: &Path, rounds: usize) -> Result<()> {
    println!("\n### First build, debug profile (least of {rounds})\n");
    println!("| program | cargo | hot | ratio | members only: cargo | hot | ratio | file size | hot | ratio | aim ≤ 1.3 × |");
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
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
        row(&subject, &plain, &under_hot)?;
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

fn row(subject: &Subject, plain: &Way, hot: &Way) -> Result<()> {
    let sizes = [plain.size(subject)?, hot.size(subject)?];
    let mebibytes = |size: u64| format!("{:.1} MiB", size as f64 / f64::from(1 << 20));
    let members = ratio(least(&hot.members), least(&plain.members));
    println!(
        "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
        subject.name,
        time(least(&plain.all)),
        time(least(&hot.all)),
        times(ratio(least(&hot.all), least(&plain.all))),
        time(least(&plain.members)),
        time(least(&hot.members)),
        times(members),
        mebibytes(sizes[0]),
        mebibytes(sizes[1]),
        times(Some(sizes[1] as f64 / sizes[0] as f64)),
        verdict(ratio(least(&hot.all), least(&plain.all)), 1.3),
    );
    Ok(())
}

impl Way {
    fn measure(&mut self, subject: &Subject) -> Result<()> {
        remove(&self.target)?;
        let all = self.build(subject)?;
        self.all.push(all);
        let mut clean = cargo();
        clean.args(["clean", "--quiet", "-p", subject.package]);
        self.finish(clean, subject)?;
        remove(&self.target.join("debug/hot"))?;
        let members = self.build(subject)?;
        self.members.push(members);
        Ok(())
    }

    fn build(&self, subject: &Subject) -> Result<Duration> {
        let mut command = match &self.hot {
            Some(hot) => {
                let mut command = scrubbed(hot);
                command.arg("cargo");
                command
            }
            None => cargo(),
        };
        command.args(["build", "--bin", subject.program]);
        let start = Instant::now();
        let said = self.finish(command, subject)?;
        let elapsed = start.elapsed();
        if !said.contains(&format!("Compiling {}", subject.package)) {
            bail!("cargo did not build {}: {said}", subject.package);
        }
        if let Some(line) = said.lines().find(|line| line.contains("built unmodified")) {
            bail!("{line}");
        }
        Ok(elapsed)
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
