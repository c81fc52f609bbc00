//! How long tests may take, how often they are tried, and how many run at once.
//!
//! Knows nothing of how they are run.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::args::Wanted;
use super::nextest::Profile;

/// When a test is killed, and when it is called slow, as libtest does.
const TIMEOUT: Duration = Duration::from_secs(300);
const SLOW: Duration = Duration::from_secs(60);

/// What holds for each test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) timeout: Duration,
    pub(super) slow: Duration,
    /// How often one that failed is run again.
    pub(super) retries: usize,
    /// How many run at once, if the harness isn't told otherwise.
    pub(super) threads: Option<usize>,
}

impl Limits {
    /// What is asked for, and what nextest's profile says beside it. With what is said of that.
    pub(super) fn of(wanted: &Wanted, folder: &Path) -> Result<(Self, Option<String>)> {
        let name = wanted.nextest_profile.as_deref();
        let profile = Profile::find(folder, name)?;
        let found = profile.unwrap_or_default();
        let limits = Self {
            timeout: wanted.timeout.or(found.timeout).unwrap_or(TIMEOUT),
            slow: found.slow.unwrap_or(SLOW),
            retries: found.retries,
            threads: found.threads,
        };
        Ok((limits, profile.map(|profile| limits.told(profile))))
    }

    fn told(self, profile: Profile) -> String {
        let mut parts = vec![format!("retries {}", self.retries)];
        parts.extend(profile.slow.map(|slow| format!("slow after {slow:?}")));
        parts.push(format!("killed after {:?}", self.timeout));
        parts.extend(self.threads.map(|threads| format!("{threads} at once")));
        let more = match profile.has_more {
            true => "; overrides and delays aren't taken",
            false => "",
        };
        format!("nextest's profile: {}{more}", parts.join(", "))
    }
}
