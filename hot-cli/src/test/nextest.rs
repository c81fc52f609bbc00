//! A profile of nextest's, where a project has some: how often a test that failed is run again,
//! when one is slow and when it is killed, how many run at once.
//!
//! ```text
//! [profile.default]
//! retries = 2                                               { backoff = "fixed", count = 2, delay = "1s" }
//! slow-timeout = "30s"                                      { period = "30s", terminate-after = 4 }
//! test-threads = 4                                          "num-cpus"; -1: one fewer than processors
//! ```
//!
//! Whatever else a profile says is nextest's own: overrides and delays are told as not taken.

use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{bail, Context, Result};
use serde::Deserialize;
use toml::Table;

/// Where nextest looks, below the workspace's root.
const FILE: &str = ".config/nextest.toml";

/// What of a profile counts here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Profile {
    /// How often a test that failed is run again.
    pub(super) retries: usize,
    /// When a test is called slow.
    pub(super) slow: Option<Duration>,
    /// When it is killed.
    pub(super) timeout: Option<Duration>,
    /// How many run at once.
    pub(super) threads: Option<usize>,
    /// It says more, of which nothing is taken.
    pub(super) has_more: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Written {
    retries: Option<Retries>,
    slow_timeout: Option<SlowTimeout>,
    test_threads: Option<Threads>,
    overrides: Option<toml::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Retries {
    Count(usize),
    Policy { count: usize, delay: Option<String> },
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum SlowTimeout {
    Period(String),
    #[serde(rename_all = "kebab-case")]
    Policy {
        period: String,
        terminate_after: Option<u32>,
    },
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Threads {
    Count(i64),
    Named(String),
}

impl Profile {
    /// The profile of this name in the workspace of a folder. None: nextest isn't set up there.
    pub(super) fn find(folder: &Path, name: Option<&str>) -> Result<Option<Self>> {
        let mut files = folder.ancestors().map(|folder| folder.join(FILE));
        match (files.find(|path| path.is_file()), name) {
            (Some(path), _) => {
                let failed = || format!("can't read {}", path.display());
                let text = std::fs::read_to_string(&path).with_context(failed)?;
                let profile = Self::parse(&text, name.unwrap_or("default"));
                profile
                    .map(Some)
                    .with_context(|| path.display().to_string())
            }
            (None, Some(name)) => bail!("there is no {FILE} with a profile `{name}`"),
            (None, None) => Ok(None),
        }
    }

    fn parse(text: &str, name: &str) -> Result<Self> {
        let file: Table = text.parse()?;
        let profiles = file.get("profile").and_then(toml::Value::as_table);
        let written = |name: &str| -> Result<Option<Written>> {
            let profile = profiles.and_then(|profiles| profiles.get(name));
            let read = profile.map(|profile| profile.clone().try_into());
            read.transpose()
                .with_context(|| format!("[profile.{name}]"))
        };
        let own = match written(name)? {
            Some(own) => own,
            None if name == "default" => Written::default(),
            None => bail!("there is no [profile.{name}]"),
        };
        // Others have of that what they don't say.
        let default = written("default")?.unwrap_or_default();
        let retries = own.retries.or(default.retries);
        let slow = own.slow_timeout.or(default.slow_timeout);
        let mut profile = Self {
            has_more: own.overrides.is_some() || default.overrides.is_some(),
            ..Self::default()
        };
        match retries {
            Some(Retries::Count(count)) => profile.retries = count,
            Some(Retries::Policy { count, delay }) => {
                profile.retries = count;
                profile.has_more |= delay.is_some();
            }
            None => {}
        }
        match slow {
            Some(SlowTimeout::Period(period)) => profile.slow = Some(duration(&period)?),
            Some(SlowTimeout::Policy {
                period,
                terminate_after,
            }) => {
                let period = duration(&period)?;
                profile.slow = Some(period);
                profile.timeout = terminate_after.map(|times| period * times.max(1));
            }
            None => {}
        }
        profile.threads = match own.test_threads.or(default.test_threads) {
            Some(threads) => Some(threads.count()?),
            None => None,
        };
        Ok(profile)
    }
}

impl Threads {
    fn count(&self) -> Result<usize> {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Ok(match self {
            Self::Count(0) => bail!("test-threads can't be 0"),
            Self::Count(count) => match usize::try_from(*count) {
                Ok(count) => count,
                Err(_) => processors
                    .saturating_sub(count.unsigned_abs() as usize)
                    .max(1),
            },
            Self::Named(name) if name == "num-cpus" => processors,
            Self::Named(name) => bail!("test-threads: `{name}` is neither a number nor `num-cpus`"),
        })
    }
}

fn duration(text: &str) -> Result<Duration> {
    humantime::parse_duration(text).with_context(|| format!("`{text}` is no time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_of_a_profile_is_read() {
        let text = "[profile.default]\nretries = 1\nslow-timeout = \"30s\"\ntest-threads = 3\nfail-fast = false\n\
            [profile.ci]\nretries = { backoff = \"fixed\", count = 4, delay = \"1s\" }\n\
            slow-timeout = { period = \"1m\", terminate-after = 2 }\n";
        let own = Profile::parse(text, "default").expect("a profile");
        let expected = Profile {
            retries: 1,
            slow: Some(Duration::from_secs(30)),
            threads: Some(3),
            ..Profile::default()
        };
        assert_eq!(own, expected);
        let ci = Profile::parse(text, "ci").expect("a profile");
        let expected = Profile {
            retries: 4,
            slow: Some(Duration::from_secs(60)),
            timeout: Some(Duration::from_secs(120)),
            threads: Some(3),
            has_more: true,
        };
        assert_eq!(ci, expected);
        assert!(Profile::parse(text, "other").is_err());
        assert!(Profile::parse("[profile.default]\nretries = \"no\"\n", "default").is_err());
        assert_eq!(
            Profile::parse("", "default").expect("none"),
            Profile::default()
        );
    }
}
