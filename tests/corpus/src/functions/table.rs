//! The table of all edits so far.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{Outcome, Record};
use crate::records::Records;

#[derive(Default)]
struct Row {
    seen: usize,
    in_callers: usize,
    whole: usize,
    rude: usize,
    unseen: usize,
    crashed: usize,
    not_compiled: usize,
    no_edit: usize,
    times: Vec<u64>,
}

impl Row {
    fn add(&mut self, record: &Record) {
        let count = match record.outcome {
            Outcome::Seen => &mut self.seen,
            Outcome::SeenInCallers => &mut self.in_callers,
            Outcome::Rude(_) => &mut self.rude,
            Outcome::Unseen(_) => &mut self.unseen,
            Outcome::NoEdit(_) => &mut self.no_edit,
            Outcome::Silent => &mut self.not_compiled,
            Outcome::Crashed(_) => &mut self.crashed,
        };
        *count += 1;
        if matches!(record.outcome, Outcome::Seen | Outcome::SeenInCallers) {
            self.times.push(record.milliseconds);
            self.whole += usize::from(record.whole);
        }
    }

    /// Functions that are part of the program and whose edit is one.
    fn all(&self) -> usize {
        self.seen + self.in_callers + self.rude + self.unseen + self.crashed
    }

    fn percentile(&self, part: f64) -> String {
        let mut times = self.times.clone();
        times.sort_unstable();
        let last = times.len().saturating_sub(1);
        let at = (last as f64 * part).round() as usize;
        times
            .get(at)
            .map_or("–".to_owned(), |time| format!("{time} ms"))
    }
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
    println!("| project | edited | patched and seen | of these in callers | with the whole crate | rude | share patched | reported, not seen | crashed | not compiled | p50 | p95 |");
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    for (project, row) in &rows {
        let patched = row.seen + row.in_callers;
        println!(
            "| {project} | {} | {patched} | {} | {} | {} | {:.0} % | {} | {} | {} | {} | {} |",
            row.all(),
            row.in_callers,
            row.whole,
            row.rude,
            100.0 * patched as f64 / row.all().max(1) as f64,
            row.unseen,
            row.crashed,
            row.not_compiled + row.no_edit,
            row.percentile(0.5),
            row.percentile(0.95),
        );
    }
    let mut reasons: Vec<(String, usize)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    println!("\n| why it can't be patched | functions |\n|---|---|");
    for (why, count) in reasons.iter().take(20) {
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
