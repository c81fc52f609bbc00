//! Results on disk: one JSON object a line, added as soon as it is known. Knows nothing of what
//! they mean.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde::Serialize;
use soft_mock_tests::folder;

/// Where this program keeps projects and results.
pub(crate) fn home() -> PathBuf {
    folder::kept().join("corpus")
}

/// The results of one name.
pub(crate) struct Records {
    path: PathBuf,
}

impl Records {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            path: home().join(format!("{name}.jsonl")),
        }
    }

    pub(crate) fn add(&self, record: &impl Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        fs::create_dir_all(home())?;
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path);
        file.and_then(|mut file| file.write_all(&line))
            .with_context(|| format!("can't write {}", self.path.display()))
    }

    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<Vec<T>> {
        let text = match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            text => text?,
        };
        // The last line may be half of one, of a run that was killed.
        Ok(text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect())
    }
}
