//! A day at a server: edits of all kinds, one after the other in one session, each beside `cargo
//! build` of the same edit on a copy.
//!
//! The clock runs from before the file is written to the moment at which `hot` has said what became
//! of the edit. Where the edit can be seen from outside, the server is asked afterwards, and has to
//! answer as the new code does: else the run fails.

mod edits;
mod kinds;
mod long;
mod server;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};

use crate::project::{build, scrubbed, unpack};
use crate::running::Running;
use crate::save::{FIRST_BUILD, ONE_EDIT};
use crate::stats::{ratio, time, times, verdict};
use edits::{Edit, Kind, EDITS};
use server::Server;

/// What of the package runs.
const PROGRAM: [&str; 2] = ["--bin", "mini-redis-server"];

/// Between two edits: nobody saves faster.
const PAUSE: Duration = Duration::from_secs(1);
/// Before the first edit: what runs in the background after a start has ended.
const WHILE: Duration = Duration::from_secs(45);

/// What became of an edit.
struct Row {
    kind: Kind,
    hot: Duration,
    build: Duration,
    outcome: String,
}

pub(crate) use long::run as run_long;

/// Measures the day, and prints it.
pub(crate) fn run(hot: &Path, scratch: &Path) -> Result<()> {
    let folder = project(scratch, "day")?;
    let plain = project(scratch, "day-plain")?;
    build(&plain, &PROGRAM).context("the first build")?;
    let (session, server) = start(hot, scratch, &folder)?;

    println!("\n### A day: mini-redis 0.4.1, one session\n");
    println!("| edit | kind | hot | `cargo build` | ratio | |");
    println!("|---|---|---|---|---|---|");
    let mut rows = Vec::new();
    for edit in &EDITS {
        let row = measure(edit, &session, [&folder, &plain])?;
        println!(
            "| {} | {} | {} | {} | {} | {} |",
            edit.what,
            row.kind.name(),
            time(Some(row.hot)),
            time(Some(row.build)),
            times(ratio(Some(row.hot), Some(row.build))),
            row.outcome
        );
        if let Some((asked, expected)) = edit.seen {
            let checked = server.check(edit.what, asked, expected);
            checked.with_context(|| session.errors())?;
        }
        rows.push(row);
    }
    summary(&rows);
    Ok(())
}

/// Starts the server of the package in `folder`, and waits until nothing is done in the background
/// any more.
fn start(hot: &Path, scratch: &Path, folder: &Path) -> Result<(Running, Server)> {
    let port = server::free_port()?;
    let mut command = scrubbed(hot);
    command
        .args(["--message-format", "json", "cargo", "run", "--quiet"])
        .args(PROGRAM)
        .args(["--", "--port", &port])
        .current_dir(folder);
    let session = Running::start(command, &scratch.join("day.log"))?;
    let server = Server::wait(&port, FIRST_BUILD).with_context(|| session.errors())?;
    std::thread::sleep(WHILE);
    Ok((session, server))
}

/// Saves an edit in both projects, and takes the times.
fn measure(edit: &Edit, session: &Running, [folder, plain]: [&Path; 2]) -> Result<Row> {
    std::thread::sleep(PAUSE);
    let (hot, outcome) = save(session, || edit.apply(folder)).context(edit.what)?;
    edit.apply(plain)?;
    let build = build(plain, &PROGRAM).context(edit.what)?;
    Ok(Row {
        kind: edit.kind,
        hot,
        build,
        outcome,
    })
}

/// Saves an edit, and waits until `hot` has said what became of it.
fn save(session: &Running, write: impl FnOnce() -> Result<()>) -> Result<(Duration, String)> {
    let before = session.errors().len();
    let start = Instant::now();
    write()?;
    loop {
        let said = session.errors();
        let whole = said.rfind('\n').map_or(0, |end| end + 1);
        let new = said.get(before..whole.max(before)).unwrap_or_default();
        if let Some(outcome) = new.lines().find_map(outcome) {
            return Ok((start.elapsed(), outcome));
        }
        if start.elapsed() > ONE_EDIT {
            bail!("no answer; what was said:\n{new}");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What ends the answer to a save.
fn outcome(line: &str) -> Option<String> {
    let event: serde_json::Value = serde_json::from_str(line).ok()?;
    let reason = event["reason"].as_str()?.strip_prefix("hot-")?;
    let text = || {
        let text = event["text"].as_str().unwrap_or_default();
        text.lines().next().unwrap_or_default().to_owned()
    };
    match reason {
        "patched" | "restored" => Some(reason.to_owned()),
        // Another line follows when the program runs.
        "refused" if event["then"] != "runs-on" => None,
        "refused" | "not-compiled" | "nothing-differs" | "restarted" | "started-again"
        | "build-failed" | "error" => Some(format!("{reason}: {}", text())),
        _ => None,
    }
}

/// For each kind of edit, the middle and the worst against `cargo build`.
fn summary(rows: &[Row]) {
    println!();
    for kind in Kind::ALL {
        let of_kind = rows.iter().filter(|row| row.kind == kind);
        let mut ratios: Vec<f64> = of_kind
            .filter_map(|row| ratio(Some(row.hot), Some(row.build)))
            .collect();
        ratios.sort_by(f64::total_cmp);
        let worst = ratios.last().copied();
        let middle = ratios.get(ratios.len() / 2).copied();
        println!(
            "- {} ≤ {:.2} × `cargo build`: {} (median {}, worst {})",
            kind.name(),
            kind.aim(),
            verdict(worst, kind.aim()),
            times(middle),
            times(worst)
        );
    }
    let live = rows.iter().filter(|row| row.outcome == "patched");
    println!("- patched live: {} of {}", live.count(), rows.len());
}

/// A copy of the server's package.
fn project(scratch: &Path, name: &str) -> Result<PathBuf> {
    let folder = scratch.join(name);
    unpack(scratch, ("mini-redis", "0.4.1"), &folder, "\n[workspace]\n")?;
    Ok(folder)
}
