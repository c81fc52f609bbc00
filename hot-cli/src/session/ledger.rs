//! The session's own history: its patches, what they changed, and the sources that they came from.
//!
//! Pure data; knows nothing of processes. Begins anew when the program is restarted, since then
//! nothing of it runs any more.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use soft_mock_abi::report::Installed;

use crate::protocol::{FileDiff, PastPatch};

/// A file as it was before a patch and as it was compiled into it.
#[derive(Debug, Clone)]
pub(crate) struct Texts {
    pub(crate) before: Arc<str>,
    pub(crate) after: Arc<str>,
}

/// A patch that was installed.
#[derive(Debug)]
pub(crate) struct Record {
    /// The program's folder, and its crate's name.
    pub(crate) program: PathBuf,
    pub(crate) crate_name: String,
    pub(crate) functions: Vec<Installed>,
    pub(crate) bytes: u64,
    pub(crate) files: BTreeMap<PathBuf, Texts>,
}

#[derive(Debug)]
struct Line {
    number: u64,
    at: SystemTime,
    record: Record,
    undone: Vec<u64>,
    undone_by: Option<u64>,
    /// The library that it changed is gone.
    gone: bool,
}

/// All patches since the program was started, rollbacks among them.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    lines: Vec<Line>,
}

impl Ledger {
    /// A patch is active.
    pub(crate) fn record_patch(&mut self, record: Record) {
        self.add(record, Vec::new());
    }

    /// These patches of one program were taken back.
    pub(crate) fn record_rollback(&mut self, record: Record, undone: Vec<u64>) {
        let number = self.next();
        for line in &mut self.lines {
            if undone.contains(&line.number) {
                line.undone_by = Some(number);
            }
        }
        self.add(record, undone);
    }

    fn add(&mut self, record: Record, undone: Vec<u64>) {
        self.lines.push(Line {
            number: self.next(),
            at: SystemTime::now(),
            record,
            undone,
            undone_by: None,
            gone: false,
        });
    }

    fn next(&self) -> u64 {
        self.lines.last().map_or(1, |line| line.number + 1)
    }

    /// Forgets everything: another run of the program begins.
    pub(crate) fn clear(&mut self) {
        self.lines.clear();
    }

    /// These programs are left: a plugin's library goes when another takes its place.
    pub(crate) fn keep(&mut self, is_there: impl Fn(&Path) -> bool) {
        for line in &mut self.lines {
            line.gone |= !is_there(&line.record.program);
        }
    }

    fn in_effect(&self) -> impl DoubleEndedIterator<Item = &Line> {
        let lines = self.lines.iter();
        lines.filter(|line| line.undone.is_empty() && line.undone_by.is_none() && !line.gone)
    }

    /// The newest patches that nobody took back, the newest first, by program; none if there aren't
    /// so many.
    pub(crate) fn newest(&self, count: usize) -> Result<BTreeMap<PathBuf, Vec<u64>>, String> {
        let there = self.in_effect().count();
        if count == 0 {
            return Err("nothing to take back: 0 patches were asked for".to_owned());
        }
        if there < count {
            let of = match there {
                0 => return Err("no patch is in effect".to_owned()),
                1 => "only 1 patch is in effect".to_owned(),
                many => format!("only {many} patches are in effect"),
            };
            return Err(format!("{count} can't be taken back: {of}"));
        }
        let mut newest: BTreeMap<PathBuf, Vec<u64>> = BTreeMap::new();
        for line in self.in_effect().rev().take(count) {
            let program = newest.entry(line.record.program.clone()).or_default();
            program.push(line.number);
        }
        Ok(newest)
    }

    /// The files that these patches were made from.
    pub(crate) fn files(&self, patches: &[u64]) -> Vec<PathBuf> {
        let lines = self.lines.iter();
        let mut files: Vec<PathBuf> = lines
            .filter(|line| patches.contains(&line.number))
            .flat_map(|line| line.record.files.keys().cloned())
            .collect();
        files.sort();
        files.dedup();
        files
    }

    /// The name of the crate of a program that was patched.
    pub(crate) fn crate_name(&self, program: &Path) -> String {
        let mut lines = self.lines.iter();
        let found = lines.find(|line| line.record.program == program);
        found.map_or_else(String::new, |line| line.record.crate_name.clone())
    }

    /// The text of a file that runs now, if a patch changed it.
    pub(crate) fn running_text(&self, program: &Path, path: &Path) -> Option<Arc<str>> {
        let newest = self
            .in_effect()
            .rev()
            .filter(|line| line.record.program == program)
            .find_map(|line| line.record.files.get(path));
        newest.map(|texts| Arc::clone(&texts.after))
    }

    /// What a patch changed, or what all of them together did.
    pub(crate) fn diff(&self, patch: Option<u64>) -> Result<Vec<FileDiff>, String> {
        let mut files: BTreeMap<&Path, FileDiff> = BTreeMap::new();
        let lines: Vec<&Line> = match patch {
            None => self.in_effect().collect(),
            Some(number) => {
                let mut lines = self.lines.iter();
                let line = lines.find(|line| line.number == number);
                vec![line.ok_or_else(|| format!("there is no patch {number}"))?]
            }
        };
        for (path, texts) in lines.iter().flat_map(|line| &line.record.files) {
            let file = files.entry(path).or_insert_with(|| FileDiff {
                path: path.clone(),
                before: texts.before.to_string(),
                after: String::new(),
            });
            file.after = texts.after.to_string();
        }
        Ok(files.into_values().collect())
    }

    /// All of it, for people.
    pub(crate) fn past(&self) -> Vec<PastPatch> {
        let past = |line: &Line| PastPatch {
            patch: line.number,
            at: line.at,
            program: line.record.crate_name.clone(),
            functions: line.record.functions.clone(),
            bytes: line.record.bytes,
            undone: line.undone.clone(),
            undone_by: line.undone_by,
        };
        self.lines.iter().map(past).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(program: &str, files: &[(&str, &str, &str)]) -> Record {
        let file = |(path, before, after): &(&str, &str, &str)| {
            let (before, after) = ((*before).into(), (*after).into());
            (PathBuf::from(path), Texts { before, after })
        };
        Record {
            program: program.into(),
            crate_name: program.trim_start_matches('/').into(),
            functions: vec![],
            bytes: 1,
            files: files.iter().map(file).collect(),
        }
    }

    #[test]
    fn what_runs_after_patches_and_rollbacks() {
        let mut ledger = Ledger::default();
        ledger.record_patch(record("/a", &[("/x", "0", "1")]));
        ledger.record_patch(record("/b", &[("/x", "0", "1")]));
        ledger.record_patch(record("/a", &[("/x", "1", "2"), ("/y", "0", "1")]));
        let newest = ledger.newest(2).expect("there are");
        assert_eq!(newest[Path::new("/a")], [3]);
        assert_eq!(newest[Path::new("/b")], [2]);
        let text = |ledger: &Ledger| ledger.running_text(Path::new("/a"), Path::new("/x"));
        assert_eq!(text(&ledger).as_deref(), Some("2"));
        assert_eq!(ledger.files(&[3]), [Path::new("/x"), Path::new("/y")]);

        ledger.keep(|program| program == Path::new("/a") || program == Path::new("/b"));
        ledger.record_rollback(record("/a", &[]), vec![3]);
        assert_eq!(text(&ledger).as_deref(), Some("1"));
        assert_eq!(
            ledger.newest(3).expect_err("not so many"),
            "3 can't be taken back: only 2 patches are in effect"
        );
        assert!(ledger.newest(0).is_err());
        assert_eq!(
            Ledger::default().newest(1).expect_err("there is none"),
            "no patch is in effect"
        );
        let past = ledger.past();
        assert_eq!((past[2].undone_by, &past[3].undone), (Some(4), &vec![3]));

        let whole = ledger.diff(None).expect("a diff");
        assert_eq!((whole.len(), whole[0].after.as_str()), (1, "1"));
        let third = ledger.diff(Some(3)).expect("a diff");
        assert_eq!((third.len(), third[0].before.as_str()), (2, "1"));
        assert!(ledger.diff(Some(9)).is_err());
        ledger.keep(|program| program == Path::new("/b"));
        assert_eq!(ledger.newest(1).expect("one")[Path::new("/b")], [2]);
        assert!(ledger.newest(2).is_err());
    }
}
