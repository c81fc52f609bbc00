//! What cargo would compile now, without compiling it: so it is known whether an edited manifest or
//! lock file means anything to the crates of a program.
//!
//! ```text
//! a target folder with links to what is built ─► cargo, with `hot` in place of every compiler
//!                                                   └─ each call is written down and succeeds
//! the calls that the program was compiled with ◄─ compared ─┘
//! ```
//!
//! Cargo finds its own work of before in that folder, so it calls for what it would compile again,
//! and for members of the workspace in any case, since what their dep-info names of `hot` isn't
//! there. Nothing of the project's own target folder is touched.
//!
//! Knows nothing of sessions, nor of what follows from a difference.

mod call;
mod compare;
mod needed;
mod target;
mod variables;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result};

pub(crate) use call::answer;

use crate::os::files::content_hash;
use crate::os::process::{Cancel, Process};
use crate::program::plan::{ChangedInput, InputContent, Rude};
use crate::program::state::Judgement;
use crate::program::Program;
use crate::rustc::unit::Unit;
use call::Call;
use target::Target;
use variables::Variables;

/// The name of the link that cargo calls in place of every compiler.
pub(crate) const WRAPPER: &str = "hot-dry-build";

/// A program, and its manifests and lock files that differ from those that it was built with.
pub(crate) struct Question {
    pub(crate) program: Arc<Program>,
    /// With hashes of what they hold.
    pub(crate) files: BTreeMap<PathBuf, u64>,
    /// What builds the project; none if that isn't known.
    pub(crate) build: Option<Command>,
    pub(crate) cancel: Cancel,
}

/// What would be compiled otherwise.
#[derive(Debug, PartialEq, Eq)]
struct Difference {
    /// The package that it concerns, if it is one of the program's.
    package: Option<PathBuf>,
    /// A word by which the line in a manifest may be known, or the line itself.
    word: String,
    line: Option<usize>,
    why: String,
}

/// Whether the program would be compiled otherwise now. None: it was cancelled.
pub(crate) fn ask(question: &Question) -> Option<Judgement> {
    let mut variables = Vec::new();
    let difference = match difference(question) {
        Ok(Answer::Cancelled) => return None,
        Ok(Answer::Same) => None,
        Ok(Answer::Variables(found)) => {
            variables = found;
            None
        }
        Ok(Answer::Differs(difference)) => Some(difference),
        Err(error) => Some(Difference {
            package: None,
            word: String::new(),
            line: None,
            why: format!("the manifest changed ({error:#})"),
        }),
    };
    // Cargo itself may have brought the lock file up to date.
    let now = |path: &PathBuf| (path.clone(), content_hash(path));
    let is_lock = |path: &&PathBuf| path.extension().is_some_and(|end| end == "lock");
    let locks = question
        .program
        .manifests()
        .filter(|(path, recorded)| is_lock(path) && content_hash(path) != *recorded);
    let locks: Vec<(PathBuf, u64)> = locks.map(|(path, _)| now(path)).collect();
    let mut files = question.files.clone();
    files.extend(locks);
    Some(Judgement {
        difference: difference.map(|difference| difference.at(&files)),
        variables: by_manifest(variables, &files),
        files,
    })
}

/// The crates with other variables, by the manifests that are to be blamed.
fn by_manifest(
    found: Vec<(usize, Difference, Variables)>,
    files: &BTreeMap<PathBuf, u64>,
) -> BTreeMap<PathBuf, Vec<(usize, ChangedInput)>> {
    let mut manifests: BTreeMap<PathBuf, Vec<(usize, ChangedInput)>> = BTreeMap::new();
    for (position, difference, variables) in found {
        let Rude { file, line, why } = difference.at(files);
        let input = ChangedInput {
            line,
            what: why,
            content: InputContent::Variables(variables),
        };
        manifests.entry(file).or_default().push((position, input));
    }
    manifests
}

enum Answer {
    Same,
    /// Nothing differs but these, and each crate can be compiled with them for a patch.
    Variables(Vec<(usize, Difference, Variables)>),
    Differs(Difference),
    Cancelled,
}

fn difference(question: &Question) -> Result<Answer> {
    let build = question.build.as_ref();
    let build = build.context("how it is built isn't known")?;
    let units = question.program.units.iter();
    let units: Vec<(&Path, &Unit)> = units.map(|u| (&*u.folder, &u.unit)).collect();
    let (main, _) = units.first().context("the program has no unit")?;
    let target = Target::like(main)?;
    let variables = build
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)));
    let output = Process::new(build.get_program())
        .args(in_another_folder(build.get_args()))
        .envs(variables)
        .env("CARGO_TARGET_DIR", Some(target.folder()))
        .env("CARGO_BUILD_BUILD_DIR", Some(target.folder()))
        .env("CARGO_TERM_COLOR", Some("never"))
        .env("RUSTC_WRAPPER", Some(target.wrapper(WRAPPER)?))
        .output_unless(&question.cancel)?;
    let Some(output) = output else {
        return Ok(Answer::Cancelled);
    };
    let calls = Call::read_all(target.folder())?;
    if let Some(new) = calls.iter().find(|call| !call.member) {
        return Ok(Answer::Differs(compare::new_crate(new)));
    }
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Ok(Answer::Differs(Difference::failed(&said)));
    }
    Ok(match compare::all(&units, &calls, &target) {
        Err(found) => Answer::Differs(found),
        Ok(none) if none.is_empty() => Answer::Same,
        Ok(found) => Answer::Variables(found),
    })
}

/// The arguments without a folder for what is built.
fn in_another_folder<'a>(arguments: impl Iterator<Item = &'a OsStr>) -> Vec<OsString> {
    const OPTION: &str = "--target-dir";
    let mut kept = Vec::new();
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy();
        if text == OPTION {
            arguments.next();
        } else if !text.starts_with(OPTION) {
            kept.push(argument.to_owned());
        }
    }
    kept
}

impl Difference {
    /// Cargo itself says what is wrong.
    fn failed(said: &str) -> Self {
        let mut lines = said.lines().skip_while(|line| !line.starts_with("error"));
        let error = lines.next().unwrap_or("it failed");
        let place = lines.find_map(|line| line.trim_start().strip_prefix("--> "));
        let mut place = place
            .into_iter()
            .flat_map(|place| place.rsplit(':'))
            .skip(1);
        Self {
            package: None,
            word: String::new(),
            line: place.next().and_then(|line| line.parse().ok()),
            why: format!("cargo can't build it: {error}"),
        }
    }
    /// With the file that is to be blamed, of those that were edited.
    fn at(self, edited: &BTreeMap<PathBuf, u64>) -> Rude {
        let own = self.package.map(|package| package.join("Cargo.toml"));
        let own = own.filter(|file| edited.contains_key(file));
        let file = own.or_else(|| {
            edited
                .keys()
                .max_by_key(|path| path.ends_with("Cargo.toml"))
                .cloned()
        });
        let file = file.unwrap_or_default();
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let line = self.line.or_else(|| needed::line(&file, &text, &self.word));
        Rude {
            line: line.unwrap_or(1),
            why: self.why,
            file,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_for_what_is_built_is_ours() {
        let given = [
            "build",
            "--target-dir",
            "x",
            "--bin",
            "a",
            "--target-dir=y",
            "--target",
            "t",
        ];
        let kept = in_another_folder(given.iter().map(OsStr::new));
        assert_eq!(kept, ["build", "--bin", "a", "--target", "t"]);
    }

    #[test]
    fn what_cargo_says_names_its_line() {
        let said = "warning: x\nerror: unquoted keys\n  --> app/Cargo.toml:53:3\n   |\n";
        let failed = Difference::failed(said);
        assert_eq!(failed.line, Some(53));
        assert_eq!(failed.why, "cargo can't build it: error: unquoted keys");
        assert_eq!(Difference::failed("").line, None);
    }

    #[test]
    fn the_line_that_names_it_is_blamed() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("Cargo.toml");
        let text = "[package]\n# serde\nname = \"serde-x\"\n[dependencies]\nserde = \"1\"\n";
        std::fs::write(&file, text).expect("written");
        let found = |word: &str| Difference {
            package: None,
            word: word.to_owned(),
            line: None,
            why: String::new(),
        };
        let edited = BTreeMap::from([(folder.path().join("Cargo.lock"), 1), (file.clone(), 1)]);
        assert_eq!(
            (
                found("serde").at(&edited).line,
                found("none").at(&edited).line
            ),
            (5, 1)
        );
        assert_eq!(found("serde").at(&edited).file, file);
    }
}
