//! From a save to the results of the tests that reach it, under `hot test` and under `cargo test`,
//! on a published crate with its own tests. Between two edits, both have time to get ready.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{bail, Result};

use crate::project::{copy, published, scrubbed, timed, write};
use crate::running::Running;
use crate::save::{FIRST_BUILD, PAUSE};
use crate::stats::{median, percentile, ratio, time, times, verdict};

/// The crate, the file that is edited, and the line of a body that gets another one before it.
const PACKAGE: (&str, &str) = ("globset", "0.4.22");
const FILE: &str = "src/pathutil.rs";
const LINE: &str = "    if path.is_empty() {\n";

/// Until what edits are compiled against is there.
const WHILE: Duration = Duration::from_secs(20);

/// Longer than any answer.
const ANSWER: Duration = Duration::from_secs(300);

/// Measures and prints a table.
pub(crate) fn run(hot: &Path, scratch: &Path, edits: usize) -> Result<()> {
    let (name, version) = PACKAGE;
    let sources = published(scratch, name, version)?;
    let folder = |purpose: &str| -> Result<_> {
        let folder = scratch.join(format!("tested-{purpose}"));
        copy(&sources, &folder)?;
        let manifest = folder.join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest)?;
        write(&manifest, &(text + "\n[workspace]\n"))?;
        Ok(folder)
    };
    let (own, plain) = (folder("hot")?, folder("plain")?);
    let mut command = scrubbed("sh");
    command
        .args(["-c", "exec \"$0\" test --no-keys --lib 2>&1"])
        .arg(hot)
        .current_dir(&own);
    let running = Running::start(command, &scratch.join("tested.log"))?;
    running.wait(FIRST_BUILD, |line| {
        line.contains("waiting for saves").then_some(())
    })?;
    tests(&plain)?;
    std::thread::sleep(WHILE);
    let text = std::fs::read_to_string(own.join(FILE))?;
    let (mut patched, mut built) = (Vec::new(), Vec::new());
    for value in 0..edits {
        let body = format!("    let _measured = {value};\n{LINE}");
        let text = text.replacen(LINE, &body, 1);
        std::thread::sleep(PAUSE);
        running.drain();
        let saved = Instant::now();
        write(&own.join(FILE), &text)?;
        let line = running.wait(ANSWER, summary)?;
        patched.push(saved.elapsed());
        if !line.contains(" passed") || line.contains("FAILED") {
            bail!("the tests of {name} {version} don't pass: {line}");
        }
        write(&plain.join(FILE), &text)?;
        built.push(tests(&plain)?);
        eprintln!(
            "{line}; {} {}",
            time(patched.last().copied()),
            time(built.last().copied())
        );
    }
    let share = ratio(median(&patched), median(&built));
    println!("\n### An edit of a body → results of the tests that reach it ({edits} edits)\n");
    println!("| crate | hot p50 | slowest | `cargo test --lib` p50 | ratio | aim ≤ 0.2 × |");
    println!("|---|---|---|---|---|---|");
    println!(
        "| {name} {version} | {} | {} | {} | {} | {} |",
        time(median(&patched)),
        time(percentile(&patched, 1.0)),
        time(median(&built)),
        times(share),
        verdict(share, 0.2)
    );
    Ok(())
}

/// The line that says how tests have ended.
fn summary(line: &str) -> Option<String> {
    let is_it = line.starts_with("hot: ") && line.contains(" reach it: ");
    is_it.then(|| line.to_owned())
}

/// How long cargo takes to build and run all tests: the tests themselves are a small part of it.
fn tests(folder: &Path) -> Result<Duration> {
    timed("test", folder, &["--lib"])
}
