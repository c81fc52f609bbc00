//! What no patch by a compiler can fall below: rustc and its linker make a library of nothing.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{bail, Result};

/// How long it takes to make an empty library, so many times.
pub(crate) fn measure(scratch: &Path, times: usize) -> Result<Vec<Duration>> {
    let source = scratch.join("empty.rs");
    std::fs::write(&source, "")?;
    let make = |_| {
        let start = Instant::now();
        let status = Command::new("rustc")
            .args(["--crate-type", "cdylib", "--edition", "2021", "-o"])
            .args([&scratch.join("libempty.so"), &source])
            .status()?;
        match status.success() {
            true => Ok(start.elapsed()),
            false => bail!("rustc can't make an empty library"),
        }
    };
    (0..times).map(make).collect()
}
