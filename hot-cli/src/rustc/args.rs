//! The arguments of one rustc call, as far as the wrapper must understand them.
//!
//! Everything else is carried along untouched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use soft_mock_rewriter::syntax::Edition;

/// One rustc call.
#[derive(Debug, Clone)]
pub(crate) struct RustcArgs {
    /// All arguments after rustc's own path.
    pub(crate) all: Vec<String>,
}

/// Options of rustc that take their value as the next argument.
const WITH_VALUE: [&str; 14] = [
    "--crate-name",
    "--crate-type",
    "--edition",
    "--emit",
    "--out-dir",
    "-o",
    "--cfg",
    "--check-cfg",
    "--extern",
    "-L",
    "-l",
    "-C",
    "--cap-lints",
    "--target",
];

/// Options that say what is written and how it is reported: a rustc call of ours sets its own.
const OUTPUT: [&str; 7] = [
    "--crate-type",
    "--out-dir",
    "-o",
    "--emit",
    "--error-format",
    "--json",
    "--diagnostic-width",
];

impl RustcArgs {
    pub(crate) fn new(all: Vec<String>) -> Self {
        Self { all }
    }

    /// The value of an option, in either spelling.
    pub(crate) fn value(&self, option: &'static str) -> Option<&str> {
        self.values(option).next()
    }

    /// All values of an option that may be repeated.
    pub(crate) fn values(&self, option: &'static str) -> impl Iterator<Item = &str> {
        self.all.iter().enumerate().filter_map(move |(at, arg)| {
            if arg == option {
                return self.all.get(at + 1).map(String::as_str);
            }
            arg.strip_prefix(option)?.strip_prefix('=')
        })
    }

    /// The value of `-C option=value`, or an empty text for `-C option`. The last one counts.
    pub(crate) fn codegen(&self, option: &str) -> Option<&str> {
        let separate = self.values("-C");
        let glued = self.all.iter().filter_map(|arg| arg.strip_prefix("-C"));
        separate
            .chain(glued.filter(|rest| !rest.is_empty()))
            .filter_map(|setting| match setting.split_once('=') {
                Some((name, value)) if name == option => Some(value),
                None if setting == option => Some(""),
                _ => None,
            })
            .last()
    }

    /// The root file.
    pub(crate) fn input(&self) -> Option<&str> {
        self.input_position().map(|at| self.all[at].as_str())
    }

    fn input_position(&self) -> Option<usize> {
        (0..self.all.len()).find(|&at| {
            let after_option = at > 0
                && (WITH_VALUE.contains(&self.all[at - 1].as_str())
                    || OUTPUT.contains(&self.all[at - 1].as_str()));
            !after_option && !self.all[at].starts_with('-') && self.all[at].ends_with(".rs")
        })
    }

    pub(crate) fn has(&self, flag: &str) -> bool {
        self.all.iter().any(|arg| arg == flag)
    }

    pub(crate) fn crate_types(&self) -> Vec<&str> {
        self.values("--crate-type")
            .flat_map(|list| list.split(','))
            .collect()
    }

    /// What is emitted: `dep-info`, `metadata`, `link`.
    pub(crate) fn emits(&self, what: &str) -> bool {
        self.values("--emit")
            .flat_map(|list| list.split(','))
            .any(|kind| kind.split('=').next() == Some(what))
    }

    pub(crate) fn edition(&self) -> Edition {
        Edition::parse(self.value("--edition").unwrap_or("2015"))
    }

    /// Whether it is compiled with its tests.
    pub(crate) fn is_test(&self) -> bool {
        self.all.iter().any(|arg| arg == "--test")
    }

    /// Whether the optimiser inlines functions.
    pub(crate) fn is_optimised(&self) -> bool {
        let level = self.codegen("opt-level");
        level.map_or(self.has("-O"), |level| level != "0")
    }

    /// Whether code is put into other code when the program is linked.
    pub(crate) fn is_optimised_when_linked(&self) -> bool {
        const OFF: [&str; 5] = ["off", "no", "n", "false", "0"];
        let lto = self.codegen("lto").is_some_and(|lto| !OFF.contains(&lto));
        lto || self.codegen("linker-plugin-lto").is_some()
    }

    /// The same call without optimisation, so that every function is one by itself. What that
    /// decides beside stays.
    pub(crate) fn without_optimisation(&self) -> Self {
        let mut args = self.without(&[], &["opt-level"]).without_flag("-O");
        args.push(&["-Copt-level=0"]);
        if self.is_optimised() && self.codegen("debug-assertions").is_none() {
            args.push(&["-Cdebug-assertions=off"]);
        }
        // Functions are put into others by a pass, also without optimisation. And where code that
        // nothing calls stays, inline functions of other crates are called as in a whole crate.
        args.push(&["-Cno-prepopulate-passes", "-Clink-dead-code"]);
        args
    }

    /// Whether the C library becomes part of the program.
    pub(crate) fn is_static(&self) -> bool {
        let separate = self.values("-C");
        let glued = self.all.iter().filter_map(|arg| arg.strip_prefix("-C"));
        let features = separate
            .chain(glued)
            .filter_map(|setting| setting.strip_prefix("target-feature="));
        features
            .flat_map(|list| list.split(','))
            .filter(|feature| feature.ends_with("crt-static"))
            .last()
            .is_some_and(|feature| feature.starts_with('+'))
    }

    /// The stem of the output files: crate name and extra file name.
    pub(crate) fn stem(&self) -> Option<String> {
        let name = self.value("--crate-name")?;
        Some(format!(
            "{name}{}",
            self.codegen("extra-filename").unwrap_or("")
        ))
    }

    /// The library files that this crate is linked with, by the names it calls them.
    pub(crate) fn externs(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.values("--extern").filter_map(|text| {
            let (name, path) = text.split_once('=')?;
            let name = name.rsplit(':').next().unwrap_or(name);
            Some((name, Path::new(path)))
        })
    }

    /// The folders in which libraries look for the libraries that they use.
    pub(crate) fn dependency_folders(&self) -> impl Iterator<Item = &Path> {
        let folders = self.values("-L");
        folders.filter_map(|text| text.strip_prefix("dependency=").map(Path::new))
    }

    /// The same call with another root file.
    pub(crate) fn with_input(&self, input: &Path) -> Self {
        let mut changed = self.clone();
        if let Some(at) = self.input_position() {
            changed.all[at] = input.to_string_lossy().into_owned();
        }
        changed
    }

    /// The same call with other files for some of the libraries, by the stems of their files.
    pub(crate) fn with_libraries(&self, files: &BTreeMap<String, PathBuf>) -> Self {
        let mut changed = self.clone();
        let mut folders = Vec::new();
        for folder in files.values().filter_map(|file| file.parent()) {
            folders.extend(["-L".to_owned(), format!("dependency={}", folder.display())]);
        }
        for at in 0..changed.all.len() {
            let after = at > 0 && changed.all[at - 1] == "--extern";
            let text = &changed.all[at];
            let Some((name, path)) = text.split_once('=') else {
                continue;
            };
            let glued = text.starts_with("--extern=");
            let (name, path) = match path.split_once('=') {
                Some((inner, path)) if glued => (format!("{name}={inner}"), path),
                _ if after => (name.to_owned(), path),
                _ => continue,
            };
            let stem = Path::new(path).file_stem().and_then(|stem| stem.to_str());
            let file = stem
                .and_then(|stem| stem.strip_prefix("lib"))
                .and_then(|stem| files.get(stem));
            if let Some(file) = file {
                changed.all[at] = format!("{name}={}", file.display());
            }
        }
        // Before the others: of two files with one name, rustc takes the one that fits.
        changed.all.splice(0..0, folders);
        changed
    }

    /// The same call without the options `drop` (with their values) and the codegen settings
    /// `codegen`.
    pub(crate) fn without(&self, drop: &[&str], codegen: &[&str]) -> Self {
        let mut kept = Vec::new();
        let mut args = self.all.iter().peekable();
        while let Some(arg) = args.next() {
            let name = arg.split('=').next().unwrap_or(arg);
            if drop.contains(&arg.as_str()) {
                args.next();
            } else if drop.contains(&name) {
                // Glued to its value.
            } else if arg == "-C" {
                if let Some(setting) = args.next() {
                    let option = setting.split('=').next().unwrap_or(setting);
                    if !codegen.contains(&option) {
                        kept.extend([arg.clone(), setting.clone()]);
                    }
                }
            } else if arg
                .strip_prefix("-C")
                .is_some_and(|s| codegen.contains(&s.split('=').next().unwrap_or(s)))
            {
                // Glued to -C.
            } else {
                kept.push(arg.clone());
            }
        }
        Self::new(kept)
    }

    /// The same call without a flag.
    pub(crate) fn without_flag(mut self, flag: &str) -> Self {
        self.all.retain(|arg| arg != flag);
        self
    }

    pub(crate) fn push(&mut self, args: &[&str]) {
        self.all.extend(args.iter().map(|arg| (*arg).to_owned()));
    }

    /// The metadata of a program's crate when it is compiled as a library: the generated main has
    /// cargo's.
    pub(crate) fn program_metadata(&self) -> String {
        format!("{}h", self.codegen("metadata").unwrap_or(""))
    }

    /// The folder of the output files.
    pub(crate) fn out_dir(&self) -> Option<PathBuf> {
        self.value("--out-dir").map(PathBuf::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(text: &str) -> RustcArgs {
        RustcArgs::new(text.split(' ').map(str::to_owned).collect())
    }

    const CALL: &str = "--crate-name app --edition=2021 src/main.rs --crate-type bin --emit=dep-info,link -C opt-level=3 -Cmetadata=ab -C extra-filename=-ab --cfg x.rs --extern noprelude:dep=/d/libdep-1.rlib --out-dir /t/deps -C incremental=/t/i";

    #[test]
    fn optimised_is_every_level_but_none() {
        let is_optimised = |line: &str| {
            let all = line.split(' ').map(str::to_owned).collect();
            RustcArgs::new(all).is_optimised()
        };
        assert!(is_optimised("-C opt-level=1 src/main.rs"));
        assert!(is_optimised("-Copt-level=s src/main.rs"));
        assert!(!is_optimised("-C opt-level=0 src/main.rs"));
        assert!(!is_optimised("src/main.rs"));
    }

    #[test]
    fn static_is_what_the_last_setting_says() {
        assert!(args("-C target-feature=+avx,+crt-static").is_static());
        assert!(args("-Ctarget-feature=+crt-static -C target-feature=+avx").is_static());
        assert!(!args("-C target-feature=+crt-static -C target-feature=-crt-static").is_static());
        assert!(!args("-C target-feature=+avx").is_static());
    }

    #[test]
    fn reads_what_cargo_writes() {
        let call = args(CALL);
        assert_eq!(call.value("--crate-name"), Some("app"));
        assert_eq!(call.value("--edition"), Some("2021"));
        assert_eq!(call.codegen("metadata"), Some("ab"));
        assert_eq!(call.codegen("lto"), None);
        assert_eq!(call.input(), Some("src/main.rs"));
        assert_eq!(call.stem().as_deref(), Some("app-ab"));
        assert!(call.emits("link") && !call.emits("metadata"));
        assert_eq!(
            call.externs().collect::<Vec<_>>(),
            [("dep", Path::new("/d/libdep-1.rlib"))]
        );
    }

    #[test]
    fn takes_other_libraries() {
        let files = BTreeMap::from([("dep-1".to_owned(), PathBuf::from("/n/libdep-1.rlib"))]);
        let changed = args("--extern a=/d/liba-1.rlib --extern noprelude:dep=/d/libdep-1.rmeta")
            .with_libraries(&files);
        assert_eq!(
            changed.all.join(" "),
            "-L dependency=/n --extern a=/d/liba-1.rlib --extern noprelude:dep=/n/libdep-1.rlib"
        );
    }
}
