//! `cargo run --release -p soft-mock-benches --
//! save|spread|day|long|test|build|call|mock|storm|rewrite|whole|all`: figures for
//! `docs/benchmarks.md`.
//!
//! Everything is measured beside plain cargo, in one run, on throw-away copies of real projects, so
//! the ratios hold on a slow or busy machine too. Knows nothing of how `hot` works: it starts the
//! binary, saves files and looks at what the program prints.

mod build;
mod call;
mod day;
mod floor;
mod machine;
mod mock;
mod peer;
mod project;
mod rewrite;
mod running;
mod save;
mod spread;
mod stats;
mod storm;
mod tested;
mod whole;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{bail, Context, Result};

const USAGE: &str =
    "usage: soft-mock-benches save|spread|day|long|test|build|call|mock|storm|rewrite|whole|all [--edits N] [--rounds N] [--patches N]";

const WHAT: [&str; 12] = [
    "save", "spread", "day", "long", "test", "build", "call", "mock", "storm", "rewrite", "whole",
    "all",
];

/// What was asked for.
struct Options {
    what: String,
    /// Edits of each program in `save`, `spread` and `test`, and all of them in `long`.
    edits: usize,
    /// Repetitions in `build`, `call`, `rewrite` and `whole`.
    rounds: usize,
    /// Patches in `storm`.
    patches: usize,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let options = options(std::env::args().skip(1))?;
    let hot = hot()?;
    let scratch = tempfile::tempdir().context("can't create a folder for the projects")?;
    machine::print(&hot);
    let all = options.what == "all";
    if all || options.what == "save" {
        save::run(&hot, scratch.path(), options.edits)?;
    }
    if all || options.what == "spread" {
        spread::run(&hot, scratch.path(), options.edits)?;
    }
    if all || options.what == "day" {
        day::run(&hot, scratch.path())?;
    }
    if all || options.what == "long" {
        day::run_long(&hot, scratch.path(), options.edits)?;
    }
    if all || options.what == "test" {
        tested::run(&hot, scratch.path(), options.edits)?;
    }
    if all || options.what == "build" {
        build::run(&hot, scratch.path(), options.rounds)?;
    }
    if all || options.what == "call" {
        call::run(&hot, scratch.path(), options.rounds)?;
    }
    if all || options.what == "mock" {
        mock::run(&hot, scratch.path())?;
    }
    if all || options.what == "whole" {
        whole::run(&hot, scratch.path(), options.rounds)?;
    }
    if all || options.what == "storm" {
        storm::run(&hot, scratch.path(), options.patches)?;
    }
    if all || options.what == "rewrite" {
        rewrite::run(scratch.path(), options.rounds)?;
    }
    Ok(())
}

fn options(mut args: impl Iterator<Item = String>) -> Result<Options> {
    let what = args.next().context(USAGE)?;
    if !WHAT.contains(&what.as_str()) {
        bail!(USAGE);
    }
    let mut options = Options {
        what,
        edits: 30,
        rounds: 3,
        patches: 1_000,
    };
    while let Some(name) = args.next() {
        let value = args.next().context(USAGE)?;
        let number = value
            .parse()
            .with_context(|| format!("`{value}` is not a number\n{USAGE}"))?;
        match name.as_str() {
            "--edits" => options.edits = number,
            "--rounds" => options.rounds = number,
            "--patches" => options.patches = number,
            _ => bail!(USAGE),
        }
    }
    Ok(options)
}

/// The `hot` to measure: `$HOT`, or that of this workspace, built now.
fn hot() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("HOT") {
        return Ok(path.into());
    }
    let own = std::env::current_exe()?;
    let profile = own.parent().context("this program is in no folder")?;
    let target = profile
        .parent()
        .context("this program is in no target folder")?;
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../hot-cli/Cargo.toml");
    let status = project::cargo()
        .args([
            "build",
            "--release",
            "--quiet",
            "--manifest-path",
            manifest,
            "--target-dir",
        ])
        .arg(target)
        .status()
        .context("can't start cargo")?;
    if !status.success() {
        bail!("`hot` could not be built");
    }
    Ok(target.join("release/hot"))
}
