//! Whole programs, plain and rewritten: what all their checks cost together.
//!
//! Instructions are counted by valgrind where it is installed, since a busy machine doesn't change
//! them; times are taken in turns, and the least counts. Nothing is patched, and no session runs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{bail, Context, Result};

use crate::project::{cargo, scrubbed, unpack, write};
use crate::stats::{ratio, times, verdict};

/// Repetitions of the work in one process.
const REPEATED: &str = "20";

const CLOCK: &str = include_str!("../programs/whole/clock.rs");

/// A published package and the program that makes it work.
struct Subject {
    name: &'static str,
    package: &'static str,
    version: &'static str,
    /// Where the program belongs, and where what it shares with the others.
    main: &'static str,
    clock: &'static str,
    text: &'static str,
}

const SUBJECTS: [Subject; 3] = [
    Subject {
        name: "serde_json: parse, change, write",
        package: "serde_json",
        version: "1.0.154",
        main: "src/main.rs",
        clock: "src/clock.rs",
        text: include_str!("../programs/whole/json.rs"),
    },
    Subject {
        name: "regex-automata: search, compile",
        package: "regex-automata",
        version: "0.4.18",
        main: "src/main.rs",
        clock: "src/clock.rs",
        text: include_str!("../programs/whole/regex.rs"),
    },
    Subject {
        name: "mini-redis: server and 4 clients",
        package: "mini-redis",
        version: "0.4.1",
        main: "src/bin/whole.rs",
        clock: "src/clock.rs",
        text: include_str!("../programs/whole/redis.rs"),
    },
];

/// The two profiles, the options that choose them, and the aims.
const PROFILES: [(&str, &[&str], f64); 2] =
    [("release", &["--release"], 1.10), ("debug", &[], 1.15)];

/// Builds every program both ways in both profiles, and prints a table.
pub(crate) fn run(hot: &Path, scratch: &Path, rounds: usize) -> Result<()> {
    let counts = has_valgrind();
    println!("\n### Whole programs, plain and rewritten (least of {rounds} turns)\n");
    if !counts {
        println!("Without valgrind: instructions aren't counted.\n");
    }
    println!("| program | profile | instructions, plain | rewritten | ratio | aim | time, plain | rewritten | ratio |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for subject in &SUBJECTS {
        let folder = subject.project(scratch)?;
        for (profile, options, aim) in PROFILES {
            let plain = build(None, &folder, options, profile)?;
            let rewritten = build(Some(hot), &folder, options, profile)?;
            let instructions = match counts {
                true => Some((instructions(&plain)?, instructions(&rewritten)?)),
                false => None,
            };
            let times_taken = in_turns(&plain, &rewritten, rounds)?;
            row(subject.name, profile, instructions, aim, times_taken);
        }
    }
    Ok(())
}

fn row(
    name: &str,
    profile: &str,
    instructions: Option<(u64, u64)>,
    aim: f64,
    (plain, rewritten): (Duration, Duration),
) {
    let counted = instructions.map(|(plain, rewritten)| rewritten as f64 / plain as f64);
    let millions = |count: Option<u64>| {
        count.map_or("–".to_owned(), |count| {
            format!("{:.1} M", count as f64 / 1e6)
        })
    };
    let timed = ratio(Some(rewritten), Some(plain));
    println!(
        "| {name} | {profile} | {} | {} | {} | ≤ {aim:.2} ×: {} | {:.2} ms | {:.2} ms | {} |",
        millions(instructions.map(|both| both.0)),
        millions(instructions.map(|both| both.1)),
        times(counted),
        verdict(counted.or(timed), aim),
        plain.as_secs_f64() * 1e3,
        rewritten.as_secs_f64() * 1e3,
        times(timed),
    );
}

impl Subject {
    /// The package with the program in it.
    fn project(&self, scratch: &Path) -> Result<PathBuf> {
        let folder = scratch.join(format!("whole-{}", self.package));
        let program = format!(
            "\n[[bin]]\nname = \"whole\"\npath = \"{}\"\n\n[workspace]\n",
            self.main
        );
        unpack(scratch, (self.package, self.version), &folder, &program)?;
        write(&folder.join(self.clock), CLOCK)?;
        write(&folder.join(self.main), self.text)?;
        Ok(folder)
    }
}

fn has_valgrind() -> bool {
    let version = Command::new("valgrind").arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}

/// Builds the program, and returns where it is.
fn build(hot: Option<&Path>, folder: &Path, options: &[&str], profile: &str) -> Result<PathBuf> {
    let (mut command, target) = match hot {
        Some(hot) => (scrubbed(hot), folder.join("target/rewritten")),
        None => (cargo(), folder.join("target/plain")),
    };
    if hot.is_some() {
        command.arg("cargo");
    }
    let output = command
        .args(["build", "--bin", "whole"])
        .args(options)
        .env("CARGO_TARGET_DIR", &target)
        .current_dir(folder)
        .output()
        .context("can't start the build")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("{} can't be built: {said}", folder.display());
    }
    if let Some(line) = said.lines().find(|line| line.contains("built unmodified")) {
        bail!("{line}");
    }
    Ok(target.join(profile).join("whole"))
}

/// What a program says of its work.
#[derive(PartialEq, Eq)]
struct Said {
    least: Duration,
    answer: u64,
}

impl Said {
    fn read(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["least", least, "answer", answer] => Some(Self {
                least: Duration::from_nanos(least.parse().ok()?),
                answer: answer.parse().ok()?,
            }),
            _ => None,
        }
    }
}

/// The least time of each; the programs must come to the same result.
fn in_turns(plain: &Path, rewritten: &Path, rounds: usize) -> Result<(Duration, Duration)> {
    let mut least = [Duration::MAX; 2];
    for _ in 0..rounds.max(1) {
        let mut answers = [0; 2];
        for (position, program) in [plain, rewritten].into_iter().enumerate() {
            let output = scrubbed(program).arg(REPEATED).output()?;
            let text = String::from_utf8_lossy(&output.stdout);
            let said = Said::read(&text)
                .with_context(|| format!("{} says {text:?}", program.display()))?;
            least[position] = least[position].min(said.least);
            answers[position] = said.answer;
        }
        if answers[0] != answers[1] {
            bail!(
                "{} answers {}, {} answers {}",
                plain.display(),
                answers[0],
                rewritten.display(),
                answers[1]
            );
        }
    }
    Ok((least[0], least[1]))
}

/// The instructions of one run with the work done once.
fn instructions(program: &Path) -> Result<u64> {
    let output = scrubbed("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no"])
        .arg("--cachegrind-out-file=/dev/null")
        .arg(program)
        .arg("1")
        .output()
        .context("can't start valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said
        .lines()
        .find(|line| line.contains("I refs:") || line.contains("I   refs:"));
    let count = line.and_then(|line| line.rsplit(' ').next()?.replace(',', "").parse().ok());
    count.with_context(|| {
        format!(
            "valgrind counts no instructions of {}: {said}",
            program.display()
        )
    })
}
