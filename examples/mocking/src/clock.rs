//! The time of day.

use std::time::{Duration, SystemTime};

/// Whether it is time to open: from ten in the morning, in UTC.
pub fn is_open() -> bool {
    let now = SystemTime::now();
    let since = now.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs() / 3600 % 24) >= 10
}

/// Waits until it is time to look again.
pub fn wait() {
    std::thread::sleep(Duration::from_secs(3600));
}
