//! What is being asked about edited manifests, and what the user knows of them.
//!
//! Knows nothing of who answers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::os::process::Cancel;

/// Files, with hashes of what they hold.
type Files = BTreeMap<PathBuf, u64>;

/// What is asked now, and what was told last.
#[derive(Default)]
pub(crate) struct DryBuilds {
    running: Option<DryBuild>,
    told: Files,
}

/// One question.
pub(crate) struct DryBuild {
    number: u64,
    pub(crate) program: PathBuf,
    files: Files,
    cancel: Cancel,
    /// The time of the save that it answers.
    pub(crate) since: Instant,
}

impl DryBuilds {
    /// A question is to be asked. None: it is being asked already.
    pub(crate) fn begin(
        &mut self,
        number: u64,
        program: &Path,
        files: &Files,
        since: Instant,
    ) -> Option<Cancel> {
        let same = |running: &DryBuild| running.program == program && running.files == *files;
        if self.running.as_ref().is_some_and(same) {
            return None;
        }
        self.stop();
        let cancel = Cancel::default();
        self.running = Some(DryBuild {
            number,
            program: program.to_owned(),
            files: files.clone(),
            cancel: cancel.clone(),
            since,
        });
        Some(cancel)
    }

    /// Nobody wants to know any more.
    pub(crate) fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.cancel.cancel();
        }
    }

    /// It was answered. None: nobody wants to know any more.
    pub(crate) fn end(&mut self, number: u64) -> Option<DryBuild> {
        self.running.take_if(|running| running.number == number)
    }

    /// Whether the user is to be told that these mean nothing: once for all programs.
    pub(crate) fn is_news(&mut self, files: &Files) -> bool {
        std::mem::replace(&mut self.told, files.clone()) != *files
    }

    /// They mean something: that they don't any more will be news.
    pub(crate) fn mean_something(&mut self) {
        self.told.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_asked_once_and_another_one_takes_its_place() {
        let mut asked = DryBuilds::default();
        let files = |hash| Files::from([(PathBuf::from("Cargo.toml"), hash)]);
        let begin = |asked: &mut DryBuilds, number, hash| {
            asked.begin(number, Path::new("a"), &files(hash), Instant::now())
        };
        let first = begin(&mut asked, 1, 7).expect("new");
        assert!(begin(&mut asked, 2, 7).is_none() && !first.is_cancelled());
        let second = begin(&mut asked, 3, 8).expect("saved again");
        assert!(first.is_cancelled() && !second.is_cancelled());
        assert!(asked.end(1).is_none() && asked.end(3).is_some());
        assert!(begin(&mut asked, 4, 8).is_some(), "it was answered");
        asked.stop();
        assert!(asked.end(4).is_none());
        assert!(asked.is_news(&files(7)) && !asked.is_news(&files(7)));
        asked.mean_something();
        assert!(asked.is_news(&files(7)));
    }
}
