//! How our calls of rustc come about: for each kind of call, what is kept of what cargo asked for,
//! what is dropped and what is added.
//!
//! One row of [`recipe`] for each kind. Knows nothing of why a crate is compiled once more.

use std::path::Path;

use super::args::RustcArgs;
use super::unit::Unit;

/// What rustc is called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// In place of cargo's call: a library with sites.
    Library,
    /// In place of cargo's call: the crate of a program, as a library into the unit's folder.
    Program,
    /// In place of cargo's call: a test harness.
    Tests,
    /// In place of cargo's call: a test harness that is patched.
    LivingTests,
    /// In place of cargo's call: a library whose tasks carry the scope of a test.
    Tasks,
    /// In place of cargo's call: the generated root that makes a program of that library.
    Root,
    /// What plugins are compiled against.
    Twin,
    /// The crate as it is, or as it was, to be compared.
    WholeCrate,
    /// The same of a test harness: its objects, which are named as those of the harness.
    WholeHarness,
    /// Just the functions that changed.
    Patch,
    /// The user's own sources, for what rustc says of them.
    Check,
}

/// What becomes of one thing that cargo's call may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// As cargo has it.
    Kept,
    /// Dropped.
    Gone,
    /// This in place of it.
    Is(&'static str),
    /// This in place of it, where the crate is optimised.
    IfOptimised(&'static str),
    /// What the caller says, in place of it.
    Given,
}
use Rule::{Given, Gone, IfOptimised, Is, Kept};

/// A row of the table.
#[derive(Debug, Clone, Copy)]
struct Recipe {
    crate_type: Rule,
    emit: Rule,
    out_dir: Rule,
    edition: Rule,
    /// How rustc reports what it has to say: for cargo, or for people.
    reports: Rule,
    metadata: Rule,
    extra_filename: Rule,
    incremental: Rule,
    debuginfo: Rule,
    split_debuginfo: Rule,
    lto: Rule,
    codegen_units: Rule,
    relocation_model: Rule,
    /// Linker and its arguments.
    linking: Rule,
    /// `--test`.
    harness: Rule,
    /// Symbols of the newer kind, which name things by their paths.
    mangling: bool,
    /// Code that nothing calls stays.
    dead_code: bool,
    /// Files below the shadow tree are called as the user's are.
    remap: bool,
}

/// In place of cargo's call: it has to make what cargo waits for.
const IN_PLACE: Recipe = Recipe {
    crate_type: Kept,
    emit: Kept,
    out_dir: Kept,
    edition: Kept,
    reports: Kept,
    metadata: Kept,
    extra_filename: Kept,
    incremental: Kept,
    debuginfo: Kept,
    split_debuginfo: Kept,
    // Optimised crates would otherwise make symbols local that patches have to find.
    lto: Is("off"),
    // Without that optimisation across a crate's own parts, nothing is inlined from part to part.
    codegen_units: IfOptimised("1"),
    relocation_model: Kept,
    linking: Kept,
    harness: Kept,
    mangling: true,
    dead_code: true,
    remap: true,
};

/// Beside cargo's build, for our own purposes.
const REPEATED: Recipe = Recipe {
    crate_type: Is("lib"),
    emit: Given,
    out_dir: Given,
    edition: Kept,
    reports: Gone,
    metadata: Given,
    extra_filename: Gone,
    incremental: Gone,
    debuginfo: Kept,
    split_debuginfo: Gone,
    lto: Gone,
    codegen_units: Kept,
    // What is loaded has to run wherever it lies, also where the program doesn't.
    relocation_model: Gone,
    linking: Gone,
    harness: Gone,
    mangling: true,
    dead_code: true,
    remap: true,
};

/// The table.
const fn recipe(call: Call) -> Recipe {
    match call {
        Call::Library => IN_PLACE,
        Call::Program => Recipe {
            crate_type: Is("rlib"),
            emit: Is("dep-info,metadata,link"),
            out_dir: Given,
            metadata: Given,
            linking: Gone,
            ..IN_PLACE
        },
        Call::Tests | Call::LivingTests | Call::Tasks => Recipe {
            lto: Kept,
            codegen_units: Kept,
            // Patches have to find what a test calls. What mocks need, sites keep.
            dead_code: matches!(call, Call::LivingTests),
            ..IN_PLACE
        },
        Call::Root => Recipe {
            emit: Is("link"),
            edition: Is("2021"),
            incremental: Gone,
            lto: Kept,
            codegen_units: Kept,
            mangling: false,
            dead_code: false,
            remap: false,
            ..IN_PLACE
        },
        Call::Twin => Recipe {
            emit: Is("metadata,mir=/dev/null"),
            ..REPEATED
        },
        Call::WholeCrate => Recipe {
            crate_type: Is("rlib"),
            emit: Is("dep-info,link"),
            extra_filename: Kept,
            incremental: Given,
            // Layouts are read in it, whatever the program has.
            debuginfo: Is("2"),
            // Optimisation across objects would drop what nothing calls, and make symbols local.
            lto: Is("off"),
            ..REPEATED
        },
        Call::WholeHarness => Recipe {
            crate_type: Kept,
            harness: Kept,
            ..recipe(Call::WholeCrate)
        },
        Call::Patch => Recipe {
            debuginfo: Is("line-tables-only"),
            codegen_units: Is("1"),
            dead_code: false,
            ..REPEATED
        },
        Call::Check => Recipe {
            crate_type: Given,
            emit: Is("metadata"),
            metadata: Kept,
            incremental: Given,
            mangling: false,
            dead_code: false,
            remap: false,
            ..REPEATED
        },
    }
}

/// What the caller says.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Places<'a> {
    /// The file to compile.
    pub(crate) root: &'a str,
    pub(crate) crate_type: &'a str,
    pub(crate) emit: &'a str,
    pub(crate) out_dir: &'a str,
    pub(crate) metadata: &'a str,
    pub(crate) incremental: &'a str,
    /// The shadow tree, and the folder that rustc is called in.
    pub(crate) shadow: Option<(&'a Path, &'a Path)>,
}

impl Call {
    /// The arguments of this call, made of those of cargo's.
    pub(crate) fn args(self, cargo: &RustcArgs, places: &Places<'_>) -> RustcArgs {
        let row = recipe(self);
        let optimised = cargo.is_optimised();
        let options = [
            ("--crate-type", row.crate_type, places.crate_type),
            ("--emit", row.emit, places.emit),
            ("--out-dir", row.out_dir, places.out_dir),
            ("--edition", row.edition, ""),
            ("--error-format", row.reports, ""),
            ("--json", row.reports, ""),
            ("--diagnostic-width", row.reports, ""),
            ("--cap-lints", Is("allow"), ""),
        ];
        let settings = [
            ("metadata", row.metadata, places.metadata),
            ("extra-filename", row.extra_filename, ""),
            ("incremental", row.incremental, places.incremental),
            ("debuginfo", row.debuginfo, ""),
            ("split-debuginfo", row.split_debuginfo, ""),
            ("lto", row.lto, ""),
            ("codegen-units", row.codegen_units, ""),
            ("relocation-model", row.relocation_model, ""),
            ("linker", row.linking, ""),
            ("link-arg", row.linking, ""),
            ("link-args", row.linking, ""),
        ];
        let mut args = cargo.with_input(Path::new(places.root));
        if row.out_dir != Kept {
            args = args.without(&["-o"], &[]);
        }
        if row.debuginfo != Kept {
            args = args.without_flag("-g").without(&[], &["strip"]);
        }
        if row.harness == Gone && args.has("--test") {
            args = args.without_flag("--test");
            // What is there for tests alone stays.
            args.push(&["--cfg", "test"]);
        }
        for (option, rule, given) in options {
            let value = rule.value(optimised, given);
            args = value.apply(args, &[option], &[], |value| format!("{option}={value}"));
        }
        for (setting, rule, given) in settings {
            let value = rule.value(optimised, given);
            args = value.apply(args, &[], &[setting], |value| {
                format!("-C{setting}={value}")
            });
        }
        if row.mangling {
            args.push(&["-Csymbol-mangling-version=v0"]);
        }
        if row.dead_code {
            args.push(&["-Clink-dead-code"]);
        }
        if let Some((shadow, cwd)) = places.shadow.filter(|_| row.remap) {
            args.push(&remap(shadow, cwd).each_ref().map(String::as_str));
        }
        args
    }
}

/// A rule, applied to a call.
enum Value<'a> {
    Kept,
    Gone,
    Is(&'a str),
}

impl Rule {
    fn value<'a>(self, optimised: bool, given: &'a str) -> Value<'a> {
        match self {
            Kept => Value::Kept,
            Gone => Value::Gone,
            IfOptimised(_) if !optimised => Value::Kept,
            Is(value) | IfOptimised(value) => Value::Is(value),
            Given => Value::Is(given),
        }
    }
}

impl Value<'_> {
    fn apply(
        &self,
        args: RustcArgs,
        options: &[&str],
        settings: &[&str],
        text: impl Fn(&str) -> String,
    ) -> RustcArgs {
        let value = match self {
            Self::Kept => return args,
            Self::Gone => None,
            Self::Is(value) => Some(text(value)),
        };
        let mut args = args.without(options, settings);
        args.all.extend(value);
        args
    }
}

/// Options that give every file below `shadow` the path that it has for plain cargo.
fn remap(shadow: &Path, cwd: &Path) -> [String; 2] {
    let shadow = shadow.display();
    [
        format!("--remap-path-prefix={shadow}/=/"),
        format!("--remap-path-prefix={shadow}{}/=", cwd.display()),
    ]
}

/// The environment of a repeated call: what cargo set, but for its job server, which has ended with
/// it. Its numbers of files are those of something else by then.
pub(crate) fn environment(unit: &Unit) -> impl Iterator<Item = (&String, &String)> {
    let variables = unit.env.iter();
    variables.filter(|(_, value)| !value.contains("--jobserver-"))
}

#[cfg(test)]
mod tests;
