//! What a session is told of cargo's builds: that crates are compiled, and why those are that it
//! has no use for.
//!
//! A wrapper has no connection to the session that its cargo runs in: it leaves a line in a file of
//! that session's folder. Knows nothing of what a crate consists of.

use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::config::env;
use crate::os::own_build;
use crate::rustc::unit::Unit;
use crate::ui::Compiling;

/// The file in the session's folder.
const FILE: &str = "compiled";

/// Why a crate is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It was compiled before, by this `hot` and for the same: something was edited.
    Edited,
    /// It never was.
    New,
    /// Another build of `hot` has compiled it.
    OtherHot,
    /// It was compiled, with other features or another compiler.
    OtherOptions,
}

impl Cause {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Edited, "edited"),
        (Self::New, "new"),
        (Self::OtherHot, "other-hot"),
        (Self::OtherOptions, "other-options"),
    ];

    /// What is to be said of it: an edit explains itself.
    pub(crate) fn news(self) -> Option<Compiling> {
        match self {
            Self::Edited => None,
            Self::New => Some(Compiling::New),
            Self::OtherHot => Some(Compiling::OtherHot),
            Self::OtherOptions => Some(Compiling::OtherOptions),
        }
    }

    /// Of a crate whose records are to be in this folder.
    fn of(folder: &Path, crate_name: &str) -> Self {
        if Unit::read(folder).is_ok() {
            return Self::Edited;
        }
        let records = folder.parent().and_then(|all| std::fs::read_dir(all).ok());
        let records = records.into_iter().flatten().flatten();
        // They are named by their crates: those of others needn't be read.
        let may_be_it = records.filter(|entry| {
            let name = entry.file_name();
            name.as_bytes().starts_with(crate_name.as_bytes())
        });
        let others = may_be_it.filter_map(|entry| {
            let unit = Unit::read(&entry.path()).ok()?;
            (unit.crate_name == crate_name).then_some(unit.built_by)
        });
        let others: Vec<u64> = others.collect();
        match own_build() {
            _ if others.is_empty() => Self::New,
            Ok((_, own)) if others.contains(&own) => Self::OtherOptions,
            _ => Self::OtherHot,
        }
    }
}

/// Tells the session, if there is one, that a crate is about to be compiled.
pub(super) fn tell(folder: &Path, crate_name: &str) {
    let Some(session) = std::env::var_os(env::SESSION) else {
        return;
    };
    let cause = Cause::of(folder, crate_name);
    let word = Cause::ALL.iter().find(|(one, _)| *one == cause);
    let file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(Path::new(&session).join(FILE));
    // A session that has ended isn't interested.
    if let (Ok(mut file), Some((_, word))) = (file, word) {
        let _ = file.write_all(format!("{word}\n").as_bytes());
    }
}

/// Why crates were compiled since `forget`; none if none was.
pub(crate) fn causes(session: &Path) -> Vec<Cause> {
    let text = std::fs::read_to_string(session.join(FILE)).unwrap_or_default();
    let cause = |word: &str| Cause::ALL.iter().find(|(_, known)| *known == word);
    text.lines()
        .filter_map(cause)
        .map(|(cause, _)| *cause)
        .collect()
}

/// Another build begins.
pub(crate) fn forget(session: &Path) {
    let _ = std::fs::remove_file(session.join(FILE));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_compiled_again_for_a_cause() {
        let folder = tempfile::tempdir().expect("a folder");
        let name = Unit::empty().crate_name;
        let place = |which: &str| folder.path().join(format!("{name}-{which}"));
        let record = |which: &str, built_by: u64| {
            let place = place(which);
            std::fs::create_dir_all(&place).expect("a folder");
            let unit = Unit {
                built_by,
                ..Unit::empty()
            };
            unit.write(&place).expect("written");
        };
        let cause = |which: &str| Cause::of(&place(which), &name);
        assert_eq!(cause("one"), Cause::New);
        record("one", 1);
        assert_eq!(cause("one"), Cause::Edited);
        assert_eq!(cause("two"), Cause::OtherHot);
        record("three", own_build().expect("ours").1);
        assert_eq!(cause("two"), Cause::OtherOptions);
        for other in ["another", &name[..1]] {
            assert_eq!(Cause::of(&place("two"), other), Cause::New);
        }
    }

    #[test]
    fn a_session_reads_what_was_told() {
        let session = tempfile::tempdir().expect("a folder");
        assert!(causes(session.path()).is_empty());
        std::fs::write(session.path().join(FILE), "new\nedited\n").expect("written");
        assert_eq!(causes(session.path()), [Cause::New, Cause::Edited]);
        forget(session.path());
        assert!(causes(session.path()).is_empty());
    }
}
