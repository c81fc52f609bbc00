//! What a load or reload did.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What became of one plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Loaded, or loaded again.
    Ok,
    /// Its file is the same, and so is all that it imports: carried over as it is.
    Unchanged,
    /// It doesn't want to be reloaded: the first version stays.
    NotReloadable,
    /// Its file is gone, and so is it.
    Removed,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Outcome::Ok => "ok",
            Outcome::Unchanged => "unchanged",
            Outcome::NotReloadable => "not reloadable",
            Outcome::Removed => "removed",
        })
    }
}

/// What a load or reload did; its Display has one line for each plugin, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReloadReport {
    /// Each plugin's outcome, and the time that its own loading and hooks took.
    pub plugins: BTreeMap<String, (Outcome, Duration)>,
    /// The time that all took.
    pub elapsed: Duration,
}

impl ReloadReport {
    /// The outcome of one plugin.
    pub fn outcome(&self, plugin: &str) -> Option<Outcome> {
        self.plugins.get(plugin).map(|(outcome, _)| *outcome)
    }
}

impl fmt::Display for ReloadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.plugins.keys().map(String::len).max().unwrap_or(0);
        for (name, (outcome, elapsed)) in &self.plugins {
            writeln!(
                f,
                "{name:width$}  {outcome:14}  {:>7.1} ms",
                elapsed.as_secs_f64() * 1e3
            )?;
        }
        write!(
            f,
            "{} plugins in {:.1} ms",
            self.plugins.len(),
            self.elapsed.as_secs_f64() * 1e3
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_is_sorted_by_name() {
        let time = Duration::from_micros(1500);
        let report = ReloadReport {
            plugins: [("b", Outcome::Unchanged), ("alpha", Outcome::Ok)]
                .map(|(name, outcome)| (name.to_owned(), (outcome, time)))
                .into(),
            elapsed: time * 2,
        };
        let expected = "alpha  ok                  1.5 ms\nb      unchanged           1.5 ms\n2 plugins in 3.0 ms";
        assert_eq!(report.to_string(), expected);
    }
}
