//! The calls that a program's crates were compiled with against those that cargo would make now.
//!
//! What only names or places the result is left out, and so is what only reports: lints, and which
//! names of conditions are known.
//!
//! Knows nothing of how the calls were found.

use std::collections::BTreeMap;
use std::path::Path;

use super::call::Call;
use super::target::Target;
use super::variables::{self, Changes, Variables};
use super::Difference;
use crate::config::settings;
use crate::os::files::content_hash;
use crate::rustc::args::RustcArgs;
use crate::rustc::unit::Unit;

/// Where the result goes, how it is called, and what is said meanwhile.
const OF_THE_RESULT: [&str; 8] = [
    "--out-dir",
    "--error-format",
    "--json",
    "--color",
    "--diagnostic-width",
    "--check-cfg",
    "--extern",
    "-L",
];
const CODEGEN_OF_THE_RESULT: [&str; 3] = ["metadata", "extra-filename", "incremental"];

/// Levels of lints, in all spellings.
const LINTS: [&str; 10] = [
    "-A",
    "-W",
    "-D",
    "-F",
    "--allow",
    "--warn",
    "--deny",
    "--forbid",
    "--force-warn",
    "--cap-lints",
];

/// Where the files of a build script lie.
pub(super) const OUT_DIR: &str = "OUT_DIR";

/// The length of cargo's hashes.
const HASH: usize = 16;

/// A crate of another package that isn't built.
pub(super) fn new_crate(call: &Call) -> Difference {
    let variable = |name: &str| call.variables.get(name).cloned().unwrap_or_default();
    let name = variable("CARGO_PKG_NAME");
    Difference {
        package: None,
        why: format!(
            "`{name}` {} has to be compiled: the program was built without it, with another version \
             or with other features",
            variable("CARGO_PKG_VERSION")
        ),
        word: name,
        line: None,
    }
}

/// The crates that would be compiled as they were but for their variables, by their positions.
/// `Err`: the first that would be compiled otherwise.
pub(super) fn all(
    units: &[(&Path, &Unit)],
    calls: &[Call],
    target: &Target,
) -> Result<Vec<(usize, Difference, Variables)>, Difference> {
    let of = |unit: &Unit, word: String, why: String| Difference {
        package: Some(unit.package().to_owned()),
        word,
        line: None,
        why,
    };
    if let Some((_, main)) = units.first() {
        if !calls.iter().any(|call| is_for(call, main)) {
            let name = &main.crate_name;
            let why = format!("cargo doesn't build crate `{name}` any more");
            return Err(of(main, name.clone(), why));
        }
    }
    let mut changed = Vec::new();
    for (position, unit) in units.iter().enumerate() {
        // What isn't called for is as it was built; of several calls one is enough that is the
        // same.
        let mut first = None;
        for pair in pairs(*unit, calls, target) {
            match pair.variables() {
                Ok(variables) => {
                    let variables = variables.map(|(word, why, all)| {
                        let difference = of(unit.1, word, why);
                        (position, difference, all)
                    });
                    changed.extend(variables);
                    first = None;
                    break;
                }
                Err(difference) => first = first.or(Some(difference)),
            }
        }
        if let Some((word, why)) = first {
            return Err(of(unit.1, word, why));
        }
    }
    Ok(changed)
}

fn pairs<'a>(
    (folder, unit): (&'a Path, &'a Unit),
    calls: &'a [Call],
    target: &'a Target,
) -> impl Iterator<Item = Pair<'a>> {
    let own = calls.iter().filter(move |call| is_for(call, unit));
    own.map(move |call| Pair {
        folder,
        unit,
        call,
        calls,
        target,
    })
}

/// Whether a call compiles the same crate.
fn is_for(call: &Call, unit: &Unit) -> bool {
    let (now, before) = (call.rustc_args(), unit.rustc_args());
    let root = now.input().map(|root| call.folder.join(root));
    root.as_ref() == Some(&unit.root)
        && now.value("--crate-name") == Some(&unit.crate_name)
        && now.crate_types() == before.crate_types()
        && now.is_test() == before.is_test()
}

/// A crate of the program, and how it would be compiled now.
pub(super) struct Pair<'a> {
    pub(super) folder: &'a Path,
    pub(super) unit: &'a Unit,
    pub(super) call: &'a Call,
    /// All that there are.
    calls: &'a [Call],
    pub(super) target: &'a Target,
}

impl Pair<'_> {
    /// The variables that differ, and nothing else does. `Err`: a word for what does, and what it
    /// is.
    fn variables(&self) -> Result<Option<Changes>, (String, String)> {
        match self.difference() {
            Some(difference) => Err(difference),
            None => variables::changes(self),
        }
    }

    /// A word for what differs beside variables, and what it is.
    fn difference(&self) -> Option<(String, String)> {
        let name = &self.unit.crate_name;
        let (before, now) = (self.unit.rustc_args(), self.call.rustc_args());
        let [mut old, new] = [&before, &now].map(|args| self.of_the_code(args));
        if old != new {
            old.retain(|arg| !new.contains(arg));
            let added = new
                .iter()
                .find(|arg| !self.of_the_code(&before).contains(arg));
            let what = match (added, old.first()) {
                (Some(now), Some(before)) => format!("with `{now}`, before with `{before}`"),
                (Some(now), None) => format!("with `{now}`"),
                (None, Some(before)) => format!("without `{before}`"),
                (None, None) => "with its arguments in another order".to_owned(),
            };
            let word = added.or(old.first()).map_or("", |arg| word_of(arg));
            return Some((
                word.to_owned(),
                format!("crate `{name}` would be compiled {what}"),
            ));
        }
        self.settings()
            .or_else(|| self.libraries(&before, &now))
            .or_else(|| self.files_of_build_script())
    }

    /// The arguments that decide what the code is, each option with its value.
    fn of_the_code(&self, args: &RustcArgs) -> Vec<String> {
        let args = args
            .without(&OF_THE_RESULT, &CODEGEN_OF_THE_RESULT)
            .without(&LINTS, &[]);
        let glued = |arg: &String| LINTS[..4].iter().any(|level| arg.starts_with(level));
        let mut found: Vec<String> = Vec::new();
        let mut option = None;
        for arg in args.all.into_iter().filter(|arg| !glued(arg)) {
            let arg = self.placed(&arg);
            match option.take() {
                Some(option) if !arg.starts_with('-') => found.push(format!("{option} {arg}")),
                before => {
                    found.extend(before);
                    option = Some(arg);
                }
            }
        }
        found.extend(option);
        found
    }

    /// What it says about itself to `hot`.
    fn settings(&self) -> Option<(String, String)> {
        let unit = self.unit;
        if unit.unmodified.is_some() {
            return None;
        }
        let why = match settings::read(&unit.crate_name, unit.package()) {
            Ok(now) if now == unit.skip => return None,
            Ok(_) => {
                "hot's setting `skip` changed: it decides which functions have sites".to_owned()
            }
            Err(error) => format!("{error:#}"),
        };
        Some(("skip".to_owned(), why))
    }

    /// Libraries that it is given, by the names that it calls them.
    fn libraries(&self, before: &RustcArgs, now: &RustcArgs) -> Option<(String, String)> {
        let name = &self.unit.crate_name;
        let stem = |path: &Path| {
            path.file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        };
        let old: BTreeMap<&str, &Path> = before.externs().collect();
        let new: BTreeMap<&str, &Path> = now.externs().collect();
        let say = |library: &str, what: &str| Some((library.replace('_', "-"), what.to_owned()));
        if let Some(library) = new.keys().find(|library| !old.contains_key(*library)) {
            let what = format!("crate `{name}` would be given `{library}`");
            return say(library, &what);
        }
        for (library, path) in &old {
            let Some(there) = new.get(library) else {
                return say(
                    library,
                    &format!("crate `{name}` wouldn't be given `{library}` any more"),
                );
            };
            // Of a member, the call itself is compared.
            let is_recorded = Unit::of_library(&self.unit.cwd.join(path)).is_some();
            let mut stems = self
                .calls
                .iter()
                .filter_map(|call| call.rustc_args().stem());
            let is_called = stems.any(|called| format!("lib{called}") == stem(there));
            if stem(path) != stem(there) && !(is_recorded && is_called) {
                return say(
                    library,
                    &format!("crate `{name}` would be given another build of `{library}`"),
                );
            }
        }
        let native = |args: &RustcArgs| -> Vec<String> {
            let folders = args
                .values("-L")
                .filter(|folder| !folder.starts_with("dependency="));
            folders.map(|folder| self.placed(folder)).collect()
        };
        (native(before) != native(now)).then(|| {
            (
                String::new(),
                format!("crate `{name}` would be linked with libraries of other folders"),
            )
        })
    }

    /// What its build script left, if it was run again.
    fn files_of_build_script(&self) -> Option<(String, String)> {
        let (before, now) = (
            self.unit.env.get(OUT_DIR)?,
            self.call.variables.get(OUT_DIR)?,
        );
        let (before, now) = (Path::new(before), Path::new(now));
        if !now.is_dir() || same_files(before, now) {
            return None;
        }
        Some((
            "build".to_owned(),
            format!(
                "the build script of crate `{}` makes other files",
                self.unit.crate_name
            ),
        ))
    }

    /// A text in which the target folder and cargo's hashes don't count.
    pub(super) fn placed(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for folder in [self.target.folder(), self.target.real(), self.folder] {
            text = text.replace(&*folder.to_string_lossy(), "target");
        }
        without_hashes(&text)
    }
}

/// What a manifest calls it: `serde` of `--cfg feature="serde"`, `opt-level` of `-C opt-level=1`.
fn word_of(arg: &str) -> &str {
    match arg.strip_prefix("-C ") {
        Some(setting) => setting.split('=').next().unwrap_or(setting),
        None => arg.rsplit('=').next().unwrap_or(arg).trim_matches('"'),
    }
}

/// A text without what cargo puts behind names.
pub(super) fn without_hashes(text: &str) -> String {
    let mut parts = text.split('-');
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let hash = part
            .get(..HASH)
            .filter(|hash| hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let rest = hash.and(part.get(HASH..));
        match rest.filter(|rest| !rest.starts_with(|char: char| char.is_ascii_alphanumeric())) {
            Some(rest) => kept.push_str(rest),
            None => {
                kept.push('-');
                kept.push_str(part);
            }
        }
    }
    kept
}

/// Whether two folders hold the same.
fn same_files(one: &Path, other: &Path) -> bool {
    let names = |folder: &Path| -> Option<Vec<_>> {
        let entries = std::fs::read_dir(folder).ok()?;
        let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
        names.sort();
        Some(names)
    };
    let (Some(names), Some(others)) = (names(one), names(other)) else {
        return false;
    };
    names == others
        && names.iter().all(|name| {
            let (one, other) = (one.join(name), other.join(name));
            match one.is_dir() && other.is_dir() {
                true => same_files(&one, &other),
                false => content_hash(&one) == content_hash(&other),
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_no_part_of_a_name() {
        for (text, without) in [
            (
                "target/build/a-b-0123456789abcdef/out",
                "target/build/a-b/out",
            ),
            ("clap_derive-0123456789abcdef", "clap_derive"),
            ("a-0123456789abcdefg", "a-0123456789abcdefg"),
            ("a-0123456789abcde", "a-0123456789abcde"),
            ("-l", "-l"),
        ] {
            assert_eq!(without_hashes(text), without);
        }
    }

    #[test]
    fn folders_with_the_same_files_are_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
        for side in [&one, &other] {
            std::fs::create_dir_all(side.join("deep")).expect("a folder");
            std::fs::write(side.join("deep/file"), "text").expect("a file");
        }
        assert!(same_files(&one, &other));
        std::fs::write(other.join("deep/file"), "texts").expect("a file");
        assert!(!same_files(&one, &other));
        std::fs::remove_file(other.join("deep/file")).expect("a file");
        assert!(!same_files(&one, &other));
    }
}
