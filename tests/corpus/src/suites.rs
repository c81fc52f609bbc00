//! The test suites of published crates, plain and under `hot cargo test`, compared test by test.

mod crates;
mod results;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use soft_mock_rewriter::instrument::{rewrite, Options};
use soft_mock_rewriter::syntax::{CrateTree, Edition};
use soft_mock_tests::{environment, hot};

use crate::package::{in_project, Published};
use crate::records::Records;
pub(crate) use crates::chosen;
pub(crate) use results::Results;

/// What became of one crate.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    name: String,
    version: String,
    /// Tests that were run plain, by how they ended.
    passed: usize,
    failed: usize,
    ignored: usize,
    /// Tests that ended in another way under `hot`, or are missing there, or only there.
    differences: Vec<String>,
    /// Why there is nothing to compare.
    problem: Option<String>,
    /// Functions of the library's own code, and those that got a site.
    functions: usize,
    sites: usize,
    /// Compiling the crate and its tests; the dependencies were there.
    plain_build: Duration,
    hot_build: Duration,
    /// All test executables together, in bytes.
    plain_size: u64,
    hot_size: u64,
}

/// Runs the crates of these names, or all; those with a result are passed over unless they are
/// named.
pub(crate) fn run(names: &[String]) -> Result<bool> {
    let records = Records::new("suites");
    let known: Vec<Record> = records.read()?;
    for package in chosen(names)? {
        let done = known.iter().any(|record| record.name == package.name);
        if done && names.is_empty() {
            continue;
        }
        let record = compare(&package)?;
        eprintln!(
            "{} {}: {} passed, {} failed, {} ignored; differences: {:?} {:?}",
            record.name,
            record.version,
            record.passed,
            record.failed,
            record.ignored,
            record.differences,
            record.problem
        );
        records.add(&record)?;
    }
    print_table()?;
    Ok(newest()?.iter().all(|record| record.differences.is_empty()))
}

fn compare(package: &Published) -> Result<Record> {
    let folder = package.copy("suites")?;
    let mut record = Record {
        name: package.name.to_owned(),
        version: package.version.to_owned(),
        passed: 0,
        failed: 0,
        ignored: 0,
        differences: Vec::new(),
        problem: None,
        functions: 0,
        sites: 0,
        plain_build: Duration::ZERO,
        hot_build: Duration::ZERO,
        plain_size: 0,
        hot_size: 0,
    };
    (record.functions, record.sites) = share(&folder)?;
    // The dependencies first: they are the same for both.
    if let Err(error) = build(&folder, false) {
        record.problem = Some(first_error(&format!("{error:#}")));
        return Ok(record);
    }
    touch(&folder)?;
    (record.plain_build, record.plain_size) = build(&folder, false)?;
    let plain = results(&folder, false)?;
    (record.passed, record.failed, record.ignored) = plain.counts();
    match build(&folder, true) {
        Ok((time, size)) => (record.hot_build, record.hot_size) = (time, size),
        Err(error) => {
            record.differences = vec![format!(
                "it isn't built: {}",
                first_error(&format!("{error:#}"))
            )];
            return Ok(record);
        }
    }
    record.differences = plain.differences(&results(&folder, true)?);
    if !record.differences.is_empty() {
        // A test that isn't the same twice when it runs plain says nothing about `hot`.
        let again = plain.differences(&results(&folder, false)?);
        let unsteady = |line: &String| {
            again
                .iter()
                .any(|other| results::test_of(other) == results::test_of(line))
        };
        record.differences.retain(|line| !unsteady(line));
    }
    Ok(record)
}

/// `cargo test` in the project, plain or under `hot`.
fn test(folder: &Path, under_hot: bool, arguments: &[&str]) -> Command {
    let mut command = match under_hot {
        true => environment::command(hot::binary()),
        false => environment::command("cargo"),
    };
    if under_hot {
        command.arg("cargo");
    }
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    let has_library = folder.join("src/lib.rs").is_file() || manifest.contains("\n[lib]\n");
    command
        .args(["test", "--bins", "--tests"])
        .args(has_library.then_some("--lib"))
        .args(arguments)
        .env("CARGO_INCREMENTAL", "0")
        // Some suites look at their own backtraces.
        .env_remove("RUST_BACKTRACE");
    in_project(command, folder)
}

/// Builds the tests; says how long it took and how large they are.
fn build(folder: &Path, under_hot: bool) -> Result<(Duration, u64)> {
    let start = Instant::now();
    let output = test(
        folder,
        under_hot,
        &["--no-run", "--message-format=json-render-diagnostics"],
    )
    .output()
    .context("can't start the build")?;
    let elapsed = start.elapsed();
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let executables = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from));
    let sizes = executables.map(|path| Ok(fs::metadata(path)?.len()));
    Ok((elapsed, sizes.sum::<Result<u64>>()?))
}

fn results(folder: &Path, under_hot: bool) -> Result<Results> {
    // One stream for both, since the names of the executables are on the other one than the tests'.
    let command = test(folder, under_hot, &["--no-fail-fast"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$@\" 2>&1", "sh"]);
    shell.arg(command.get_program()).args(command.get_args());
    shell.env_clear();
    for (key, value) in command.get_envs() {
        if let Some(value) = value {
            shell.env(key, value);
        }
    }
    let output = in_project(shell, folder)
        .output()
        .context("can't run the tests")?;
    Ok(Results::read(&String::from_utf8_lossy(&output.stdout)))
}

/// Makes cargo compile the package again, and nothing else.
fn touch(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            touch(&path)?;
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            fs::write(&path, fs::read(&path)?)?;
        }
    }
    Ok(())
}

/// The functions of the library (or program) of a package, and how many of them get a site.
fn share(folder: &Path) -> Result<(usize, usize)> {
    let roots = ["src/lib.rs", "lib.rs", "src/main.rs", "crates/core/main.rs"]
        .map(|root| folder.join(root));
    let Some(root) = roots.iter().find(|root| root.is_file()) else {
        return Ok((0, 0));
    };
    let mut read = |path: &Path| fs::read_to_string(path);
    let tree = CrateTree::load(root, &mut read)?;
    let options = Options {
        edition: Edition::E2021,
        ..Options::default()
    };
    let functions = rewrite(&tree, &options).functions;
    let own: Vec<_> = functions
        .iter()
        .filter(|function| !matches!(&function.kind, Err(why) if why.to_string().contains("test")))
        .collect();
    let sites = own.iter().filter(|function| function.kind.is_ok()).count();
    Ok((own.len(), sites))
}

fn first_error(text: &str) -> String {
    let found = text.lines().find(|line| line.starts_with("error"));
    found.or(text.lines().next()).unwrap_or_default().to_owned()
}

fn newest() -> Result<Vec<Record>> {
    let mut newest = std::collections::BTreeMap::new();
    for record in Records::new("suites").read::<Record>()? {
        newest.insert(record.name.clone(), record);
    }
    Ok(newest.into_values().collect())
}

/// Prints what is known of all crates.
pub(crate) fn print_table() -> Result<()> {
    let records = newest()?;
    println!("| crate | tests that pass / fail / are ignored | differences | functions with a site | build, hot / plain | size, hot / plain |");
    println!("|---|---|---|---|---|---|");
    for record in &records {
        let ratio = |new: f64, old: f64| match old > 0.0 && new > 0.0 {
            true => format!("{:.2}", new / old),
            false => "–".to_owned(),
        };
        let result = match &record.problem {
            Some(problem) => format!("not comparable: {problem}"),
            None => record.differences.len().to_string(),
        };
        println!(
            "| {} {} | {} / {} / {} | {result} | {} of {} | {} | {} |",
            record.name,
            record.version,
            record.passed,
            record.failed,
            record.ignored,
            record.sites,
            record.functions,
            ratio(
                record.hot_build.as_secs_f64(),
                record.plain_build.as_secs_f64()
            ),
            ratio(record.hot_size as f64, record.plain_size as f64),
        );
        for difference in &record.differences {
            eprintln!("{}: {difference}", record.name);
        }
    }
    let tests: usize = records
        .iter()
        .map(|record| record.passed + record.failed)
        .sum();
    println!("\n{} crates, {tests} tests.", records.len());
    Ok(())
}
