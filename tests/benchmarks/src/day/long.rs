//! A long day: edits of all kinds in one session, again and again. Whether the last patches are as
//! fast as the first, and what each leaves in memory, of the program and of `hot`.
//!
//! The server is asked after each edit that can be seen from outside.

use std::path::Path;
use std::time::Duration;

use anyhow::{bail, Context, Result};

use super::kinds::{Texts, KINDS};
use super::server::memory;
use super::{project, save, start, PAUSE};
use crate::stats::{median, ratio, time, times, verdict};

/// What the last may take of the first, and leave in the program, in KiB.
const AIMS: (f64, u64) = (1.2, 64);
/// The number in the first edit.
const FIRST: usize = 10;

/// Makes so many edits, and prints the times of the first and the last of each kind.
pub(crate) fn run(hot: &Path, scratch: &Path, count: usize) -> Result<()> {
    let folder = project(scratch, "long")?;
    let (session, server) = start(hot, scratch, &folder)?;
    let processes = [server.process(&folder)?, session.id()];
    let mut texts = Texts::new(&folder);
    let mut taken = vec![Vec::new(); KINDS.len()];
    // The first of each kind prepares something that stays.
    let mut before = None;
    for number in 0..count {
        let (at, number) = (number % KINDS.len(), number + FIRST);
        if number == FIRST + KINDS.len() {
            before = Some(used(processes)?);
        }
        let kind = &KINDS[at];
        std::thread::sleep(PAUSE);
        let (time, outcome) = save(&session, || texts.write(kind, number)).context(kind.what)?;
        if !["patched", "restored"].contains(&&*outcome) {
            bail!(
                "edit {}, {}: {outcome}\n{}",
                number - FIRST,
                kind.what,
                session.errors()
            );
        }
        if let Some((asked, answer)) = texts.seen(kind, number) {
            let checked = server.check(kind.what, asked, &answer);
            checked.with_context(|| session.errors())?;
        }
        taken[at].push(time);
    }
    let before = before.context("too few edits: not every kind was there twice")?;
    print(&taken);
    let later = (count - KINDS.len()) as u64;
    let [of_program, of_hot] = used(processes)?.map(|used| used as f64);
    let each = |now: f64, then: u64| (now - then as f64) / later.max(1) as f64;
    let of_program = each(of_program, before[0]);
    println!(
        "\n- memory of the program: {of_program:.0} KiB a patch (aim ≤ {} KiB: {})",
        AIMS.1,
        verdict(Some(of_program), AIMS.1 as f64)
    );
    println!(
        "- memory of `hot`: {:.0} KiB a patch",
        each(of_hot, before[1])
    );
    Ok(())
}

fn used(processes: [u32; 2]) -> Result<[u64; 2]> {
    Ok([memory(processes[0])?, memory(processes[1])?])
}

/// For each kind, the first and the last: the middle of a quarter of them.
fn print(taken: &[Vec<Duration>]) {
    let all: usize = taken.iter().map(Vec::len).sum();
    println!("\n### {all} edits of all kinds in one session: mini-redis 0.4.1\n");
    println!("| edit | first | last | ratio |");
    println!("|---|---|---|---|");
    let mut ratios = Vec::new();
    for (kind, taken) in KINDS.iter().zip(taken) {
        // Not the first of all: it prepares what the others find.
        let taken = &taken[1..];
        let some = (taken.len() / 4).max(1).min(taken.len());
        let first = median(&taken[..some]);
        let last = median(&taken[taken.len() - some..]);
        println!(
            "| {} | {} | {} | {} |",
            kind.what,
            time(first),
            time(last),
            times(ratio(last, first))
        );
        ratios.extend(ratio(last, first));
    }
    ratios.sort_by(f64::total_cmp);
    let middle = ratios.get(ratios.len() / 2).copied();
    println!(
        "\n- the last against the first ≤ {:.1} ×: {} (median {}, worst {})",
        AIMS.0,
        verdict(middle, AIMS.0),
        times(middle),
        times(ratios.last().copied())
    );
}
