//! The table of all edits so far.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{Outcome, Record, Way};
use crate::records::Records;

#[derive(Default)]
struct Row {
    small: usize,
    whole: usize,
    in_callers: usize,
    rude: usize,
    unused: usize,
    unused_code: usize,
    unseen: usize,
    crashed: usize,
    not_compiled: usize,
    times: Vec<u64>,
    spread_times: Vec<u64>,
}

impl Row {
    fn add(&mut self, record: &Record) {
        let count = match (&record.outcome, record.way) {
            (Outcome::Seen, Way::Small) => &mut self.small,
            (Outcome::Seen, _) => &mut self.whole,
            (Outcome::SeenInCallers, _) => &mut self.in_callers,
            (Outcome::Unused, _) => &mut self.unused,
            (Outcome::UnusedCode(_), _) => &mut self.unused_code,
            (Outcome::Rude(_), _) => &mut self.rude,
            (Outcome::Unseen(_), _) => &mut self.unseen,
            (Outcome::NoEdit(_) | Outcome::Silent, _) => &mut self.not_compiled,
            (Outcome::Crashed(_), _) => &mut self.crashed,
        };
        *count += 1;
        if record.together > 1 {
            return;
        }
        match (&record.outcome, record.way) {
            (Outcome::Seen, Way::Small) => self.times.push(record.milliseconds),
            (Outcome::Seen | Outcome::SeenInCallers, _) => {
                self.spread_times.push(record.milliseconds);
            }
            _ => {}
        }
    }

    fn patched(&self) -> usize {
        self.small + self.whole + self.in_callers
    }

    /// Functions whose code is part of the program and whose edit is one.
    fn all(&self) -> usize {
        self.patched() + self.rude + self.unseen + self.crashed
    }
}

fn median(times: &[u64]) -> String {
    let mut times = times.to_vec();
    times.sort_unstable();
    times
        .get(times.len() / 2)
        .map_or("–".to_owned(), |time| format!("{time} ms"))
}

/// Each edit's newest result.
fn records() -> Result<Vec<Record>> {
    let mut newest = BTreeMap::new();
    for record in Records::new("functions").read::<Record>()? {
        newest.insert((record.project.clone(), record.function.clone()), record);
    }
    Ok(newest.into_values().collect())
}

/// Nothing was reported that isn't so, and nothing broke.
pub(crate) fn is_good() -> Result<bool> {
    let bad = |record: &Record| matches!(record.outcome, Outcome::Unseen(_) | Outcome::Crashed(_));
    Ok(!records()?.iter().any(bad))
}

/// Prints the table and what stands in the way most often.
pub(crate) fn print() -> Result<()> {
    let (mut rows, mut reasons) = (
        BTreeMap::<String, Row>::new(),
        BTreeMap::<String, usize>::new(),
    );
    for record in records()? {
        rows.entry(record.project.clone()).or_default().add(&record);
        match &record.outcome {
            Outcome::Rude(why) => *reasons.entry(kind_of(why)).or_default() += 1,
            Outcome::Unseen(why) | Outcome::Crashed(why) => {
                eprintln!("{} {}: {why}", record.project, record.function);
            }
            _ => {}
        }
    }
    println!("| project | functions with code | patched and seen | of these with the whole crate | by way of callers | rude | share patched | not used | not used, code is there | reported, not seen | crashed | not compiled | p50 | p50 with whole crates |");
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for (project, row) in &rows {
        println!(
            "| {project} | {} | {} | {} | {} | {} | {:.1} % | {} | {} | {} | {} | {} | {} | {} |",
            row.all(),
            row.patched(),
            row.whole,
            row.in_callers,
            row.rude,
            100.0 * row.patched() as f64 / row.all().max(1) as f64,
            row.unused,
            row.unused_code,
            row.unseen,
            row.crashed,
            row.not_compiled,
            median(&row.times),
            median(&row.spread_times),
        );
    }
    let mut reasons: Vec<(String, usize)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    println!("\n| why it can't be patched | functions |\n|---|---|");
    for (why, count) in reasons.iter().take(30) {
        println!("| {why} | {count} |");
    }
    Ok(())
}

/// A reason without the names in it.
fn kind_of(why: &str) -> String {
    let why = why.rsplit_once(" changed: ").map_or(why, |(_, why)| why);
    let mut text = String::new();
    for (index, part) in why.split('`').enumerate() {
        text.push_str(if index % 2 == 1 { "`…`" } else { part });
    }
    text
}
