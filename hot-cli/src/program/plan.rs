//! From changed files to what is to be done: nothing, a patch, or a restart.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use soft_mock_rewriter::analysis::{Declaration, FileItems};
use soft_mock_rewriter::syntax::{Fingerprint, SyntaxError};

use super::left_behind::LeftBehind;
use super::whole_crate_plugin::WholeCratePlugin;

/// A function that gets a new body, or its original one again.
#[derive(Debug, Clone)]
pub(crate) struct PlannedFunction {
    /// The name of its site.
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
    /// Identifies the body that it shall have.
    pub(crate) body: Fingerprint,
    /// Stands for the additions that the body gets to.
    pub(crate) uses: Fingerprint,
    /// Stands for its code with all that comes along for it, if whole crates were compiled.
    pub(crate) code: Option<u64>,
    /// The program wasn't built with it: its signature, by which plugins that bring it find its
    /// site.
    pub(crate) brought: Option<String>,
}

impl PlannedFunction {
    /// Its name, and where it stands.
    pub(crate) fn place(&self) -> String {
        let Self {
            name, file, line, ..
        } = self;
        format!("{name} ({}:{line})", file.display())
    }

    /// Its name without that of its crate.
    fn path_in_crate(&self) -> &str {
        self.name
            .split_once("::")
            .map_or(&*self.name, |(_, path)| path)
    }

    /// The same without those of modules and types.
    fn own_name(&self) -> &str {
        self.name.rsplit("::").next().unwrap_or(&self.name)
    }

    /// Whether it does what another one does. Where not both were made from whole crates, their
    /// sources say so.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        match (self.code, other.code) {
            (Some(code), Some(other)) => code == other,
            _ => self.has_source_of(other),
        }
    }

    /// Whether its body is that of another one, and so are the additions that it gets to. A build
    /// of whole crates doesn't tell those.
    pub(crate) fn has_source_of(&self, other: &Self) -> bool {
        let unknown = self.uses == Fingerprint::default();
        self.body == other.body && (unknown || self.uses == other.uses)
    }

    /// Identifies all that its code is made from.
    pub(crate) fn content(&self) -> (Fingerprint, Fingerprint) {
        (self.body, self.uses)
    }
}

/// A closure or an async block that may live on with the body that it was made with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeptBody {
    /// The function that made it.
    pub(crate) function: String,
    /// Where it stands, if that is known.
    pub(crate) place: Option<(PathBuf, usize)>,
}

/// Statics that begin with another value while those that exist keep theirs: their names, and what
/// stands for the new value.
pub(crate) type KeptValues = BTreeMap<String, u64>;

/// A variable that a patch has in place of one that is gone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Successor {
    pub(crate) name: String,
    /// The one that is gone.
    pub(crate) gone: String,
    /// They are one variable. Else it begins with its own value.
    pub(crate) same: bool,
}

/// The changes of one crate.
#[derive(Debug, Clone, Default)]
pub(crate) struct UnitPlan {
    /// Functions that get the body that the file has now.
    pub(crate) patch: Vec<PlannedFunction>,
    /// Functions that get back the body that the program was built with.
    pub(crate) restore: Vec<PlannedFunction>,
    /// Files that differ from what was compiled: their text and what they declare.
    pub(crate) files: BTreeMap<PathBuf, ChangedFile>,
    /// What is new in them beside those functions, and that nothing else mentions.
    pub(crate) additions: Vec<PlannedAddition>,
    /// Files that the crate was compiled from and that hold none of its modules any more.
    pub(crate) gone: BTreeSet<PathBuf>,
    /// Files that macros included when the functions were compiled, each with a hash of what it
    /// held.
    pub(crate) included: BTreeMap<PathBuf, u64>,
    /// What else the crate is compiled with now: files whose contents are values in it, and
    /// manifests that set its variables.
    pub(crate) inputs: BTreeMap<PathBuf, ChangedInput>,
}

impl UnitPlan {
    /// Whether this file is another one than when the crate was compiled.
    pub(crate) fn is_edited(&self, file: &Path) -> bool {
        self.files.contains_key(file) || self.gone.contains(file) || self.inputs.contains_key(file)
    }
}

/// A file that is no source, as far as the crate is compiled otherwise with it now.
#[derive(Debug, Clone)]
pub(crate) struct ChangedInput {
    /// What is told of it.
    pub(crate) line: usize,
    pub(crate) what: String,
    pub(crate) content: InputContent,
}

/// What such a file means to the crate.
#[derive(Debug, Clone)]
pub(crate) enum InputContent {
    /// What it holds is a value in it.
    File(Arc<[u8]>),
    /// It is compiled with these variables. None: one isn't set any more.
    Variables(BTreeMap<String, Option<String>>),
}

impl ChangedInput {
    /// Stands for all that it means.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        match &self.content {
            InputContent::File(bytes) => Fingerprint::of_bytes(bytes),
            InputContent::Variables(all) => Fingerprint::of_bytes(format!("{all:?}").as_bytes()),
        }
    }

    /// The same as a text, for the session's history.
    pub(crate) fn text(&self) -> String {
        match &self.content {
            InputContent::File(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            InputContent::Variables(all) => {
                let lines = all.iter().map(|(name, value)| {
                    let value = value.as_deref().unwrap_or_default();
                    format!("{name}={value}\n")
                });
                lines.collect()
            }
        }
    }
}

/// Something new that goes with the functions that use it.
#[derive(Debug, Clone)]
pub(crate) struct PlannedAddition {
    pub(crate) file: PathBuf,
    /// What it is: by its position in its file.
    pub(crate) declaration: Declaration,
    /// The names by which code gets to it.
    pub(crate) names: Vec<String>,
    /// Stands for all that it is, and for the additions that it gets to.
    pub(crate) content: Fingerprint,
    /// A function that gets a site with the first plugin that has it: what such a plugin patches.
    pub(crate) function: Option<PlannedFunction>,
}

/// A file as it is now.
#[derive(Debug, Clone)]
pub(crate) struct ChangedFile {
    pub(crate) text: Arc<str>,
    pub(crate) items: Arc<FileItems>,
}

/// What is to be installed as one: by the position of the unit in the program.
pub(crate) type Plan = BTreeMap<usize, UnitPlan>;

/// A function of a program: the position of its unit, and the name of its site.
pub(crate) type SiteKey = (usize, String);

/// What the edited files say, as far as it means anything: equal if there is nothing new to do.
pub(crate) type Meaning = BTreeMap<(usize, PathBuf), Fingerprint>;

/// A patch that is wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// Of indirect edits: only the files; the build finds the functions.
    pub(crate) plan: Plan,
    pub(crate) meaning: Meaning,
    /// Edits that aren't bodies of functions with a site, and therefore reach others.
    pub(crate) indirect: Vec<Edit>,
    /// Others, of which nothing but bodies knows: they need no whole crate.
    pub(crate) additions: Vec<Edit>,
    /// Why they are none, if there could be some.
    pub(crate) no_additions: Option<String>,
    /// What runs patched was made from whole crates, and belongs together: so must what follows.
    pub(crate) whole_crate: bool,
    /// What reaches others is in effect, and nothing that is to be patched depends on it: small
    /// crates are enough, unless one can't be had.
    pub(crate) on_top: bool,
    /// Those of them that the patch before did not have.
    pub(crate) fresh: Vec<Edit>,
    /// Those that the patch before had, and that are no more.
    pub(crate) undone: Vec<Edit>,
    /// All functions with another body than the program was built with.
    pub(crate) bodies: BTreeMap<SiteKey, PlannedFunction>,
    /// Functions that run patched now.
    pub(crate) active: Vec<(SiteKey, PlannedFunction)>,
    /// Plugins of whole crates that were loaded before, oldest first.
    pub(crate) earlier: Vec<WholeCratePlugin>,
    /// What all plugins have left that were loaded before.
    pub(crate) left: Vec<LeftBehind>,
    /// Edits that can't be patched, and that it does without: the plan is of the files as if they
    /// did as well.
    pub(crate) without: Vec<Rude>,
    /// What was saved together with them and has to wait as well.
    pub(crate) waiting: Vec<Rude>,
    /// The texts of the edited files with those edits.
    pub(crate) beside: BTreeMap<PathBuf, Arc<str>>,
}

impl Wanted {
    /// Whether all that was edited are bodies of functions with a site.
    pub(crate) fn only_bodies(&self) -> bool {
        self.indirect.is_empty() && self.additions.is_empty()
    }

    /// The units with edits that aren't just bodies: what uses one may be other code now.
    pub(crate) fn beyond_bodies(&self) -> BTreeSet<usize> {
        let has = |unit: &UnitPlan| {
            let mut edits = self.indirect.iter().chain(&self.additions);
            edits.any(|edit| unit.is_edited(&edit.file))
        };
        let units = self.plan.iter().filter(|(_, unit)| has(unit));
        units.map(|(position, _)| *position).collect()
    }

    /// That no patch of it can be had. What was edited since the last patch is blamed, if anything
    /// was; of that, what the reason names first, then what it names at all, then what shares the
    /// most names with it, and then what stands in a module that it names.
    pub(crate) fn refused(&self, why: &str) -> Vec<Rude> {
        let edited = |edit: &Edit| Rude {
            file: edit.file.clone(),
            line: edit.line,
            why: format!("{}: {why}", edit.what),
        };
        let undone = |edit: &Edit| Rude {
            why: format!("{}, and was taken back: {why}", edit.what),
            ..edited(edit)
        };
        let body = |function: &PlannedFunction| Rude {
            file: function.file.clone(),
            line: function.line,
            why: why.to_owned(),
        };
        let is_fresh = |(site, function): &(&SiteKey, &PlannedFunction)| {
            let mut active = self.active.iter();
            !active.any(|(known, active)| known == *site && active.body == function.body)
        };
        let new = self.bodies.iter().filter(is_fresh).map(|(_, body)| body);
        let fresh = self.fresh.iter().map(|edit| (&*edit.what, edited(edit)));
        let fresh = fresh.chain(self.undone.iter().map(|edit| (&*edit.what, undone(edit))));
        let fresh = fresh.chain(new.map(|function| (function.path_in_crate(), body(function))));
        let code = code_in(why);
        // What a reason is about comes first in it, then who leads there.
        let first: BTreeSet<&str> = code.iter().take(1).flat_map(|code| names(code)).collect();
        let told: BTreeSet<&str> = code.into_iter().flat_map(names).collect();
        let among = |text: &str, told: &BTreeSet<&str>| {
            let own: BTreeSet<&str> = names(text).collect();
            own.intersection(told).count()
        };
        let shared = |(what, rude): &(&str, Rude)| {
            // A function's own name, if it is a path.
            let own = what.rsplit("::").next().unwrap_or(what);
            // What a macro makes has names that its edit doesn't say.
            let is_in_module = module(&rude.file).is_some_and(|module| told.contains(module));
            Reverse((
                among(own, &first) > 0,
                among(own, &told) > 0,
                among(what, &told),
                is_in_module,
            ))
        };
        let blamed = fresh.min_by_key(shared).map(|(_, rude)| rude);
        // Else a body was taken back.
        let restored = || {
            let active = self.active.iter();
            let mut restored = active.filter(|(site, _)| !self.bodies.contains_key(site));
            let named = restored.find(|(_, function)| told.contains(function.own_name()));
            named.map(|(_, function)| body(function))
        };
        let all = || self.indirect.iter().chain(&self.additions);
        let any = || all().map(edited).next();
        let any_body = || self.bodies.values().map(body).next();
        let blamed = blamed.or_else(restored).or_else(any).or_else(any_body);
        blamed.into_iter().collect()
    }
}

/// The name of the module that a file holds, where the file says it.
fn module(file: &Path) -> Option<&str> {
    let name = match file.file_stem()?.to_str()? {
        "mod" => file.parent()?.file_name()?.to_str()?,
        name => name,
    };
    Some(name)
}

/// What a reason says of code: what stands in backticks; where nothing does, its paths; where there
/// are none, all of it.
fn code_in(why: &str) -> Vec<&str> {
    let quoted: Vec<&str> = why.split('`').skip(1).step_by(2).collect();
    let paths = why.split_whitespace().filter(|word| word.contains("::"));
    let paths: Vec<&str> = paths.collect();
    let found = [quoted, paths, vec![why]].into_iter();
    let mut found = found.filter(|parts| !parts.is_empty());
    found.next().unwrap_or_default()
}

/// The names in a text, and its words.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let names = text.split(|char: char| !char.is_alphanumeric() && char != '_');
    names.filter(|name| !name.is_empty())
}

/// An edit, as people are told of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Edit {
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
    pub(crate) what: String,
    /// What it is now: another one when the same thing is edited again.
    pub(crate) now: Fingerprint,
    /// The static whose initial value it is.
    pub(crate) preserved_static: Option<String>,
    /// Nothing but what code does, or a value.
    pub(crate) is_of_code: bool,
    /// Macros may make something else elsewhere.
    pub(crate) may_alter_macros: bool,
    /// It may add, remove or alter a test of a harness.
    pub(crate) may_concern_tests: bool,
}

/// An edit that can't be patched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rude {
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
    pub(crate) why: String,
}

impl Rude {
    /// Whether it is told at this place.
    pub(crate) fn is_at(&self, file: &Path, line: usize) -> bool {
        self.file == file && self.line == line
    }
}

/// What a change comes to.
#[derive(Debug)]
pub(crate) enum Change {
    /// The program already is what the files say.
    Nothing,
    /// A file is no Rust at the moment.
    Syntax(SyntaxError),
    /// The program can't become what the files say.
    Rude {
        edits: Vec<Rude>,
        /// What can be had without that.
        beside: Option<Box<Wanted>>,
    },
    /// Whether edited manifests mean anything has to be asked first.
    Unknown,
    /// It can.
    Patch(Box<Wanted>),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(what: &str) -> Edit {
        Edit {
            file: "a.rs".into(),
            line: 1,
            what: what.to_owned(),
            now: Fingerprint::default(),
            preserved_static: None,
            is_of_code: true,
            may_alter_macros: false,
            may_concern_tests: false,
        }
    }

    fn function(name: &str, file: &str) -> PlannedFunction {
        PlannedFunction {
            name: name.to_owned(),
            file: file.into(),
            line: 1,
            body: Fingerprint::default(),
            uses: Fingerprint::default(),
            code: None,
            brought: None,
        }
    }

    /// The file that is blamed of an edit of `edited`, and a body of `app::q2::Boxed` in `b.rs`.
    #[track_caller]
    fn check(edited: &str, why: &str, blamed: &str) {
        let function = PlannedFunction {
            body: Fingerprint::joined([Fingerprint::default()]),
            ..function("<app::q2::Boxed as Drop>::drop", "b.rs")
        };
        let wanted = Wanted {
            fresh: vec![edit(edited)],
            bodies: BTreeMap::from([((0, function.name.clone()), function)]),
            ..Wanted::default()
        };
        let files: Vec<PathBuf> = wanted.refused(why).into_iter().map(|r| r.file).collect();
        assert_eq!(files, [PathBuf::from(blamed)], "{why}");
    }

    #[test]
    fn a_body_that_was_taken_back_is_blamed_before_what_is_in_effect() {
        let active = [
            function("app::q1::user", "u.rs"),
            function("app::q1::setup", "b.rs"),
        ];
        let wanted = Wanted {
            indirect: vec![edit("const W changed")],
            active: active
                .map(|function| ((0, function.name.clone()), function))
                .into(),
            ..Wanted::default()
        };
        let blamed = |why: &str| wanted.refused(why).remove(0).file;
        assert_eq!(
            blamed("`app::q1::setup::{closure#0}` has no site"),
            Path::new("b.rs")
        );
        assert_eq!(blamed("`app::q1::other` has no site"), Path::new("a.rs"));
    }

    #[test]
    fn what_a_reason_names_first_is_blamed() {
        let other = Edit {
            file: "b.rs".into(),
            ..edit("code attributes of field `v` of struct Out changed")
        };
        let wanted = Wanted {
            fresh: vec![edit("code attributes of struct Q changed"), other],
            ..Wanted::default()
        };
        let why =
            "`<app::Out as Serialize>::serialize` has no site, and a pointer to it, taken in \
                   `axum::from_handler::<app::query, Query<app::Q>>` may still lead to it";
        assert_eq!(wanted.refused(why).remove(0).file, Path::new("b.rs"));
    }

    #[test]
    fn whole_crates_tell_functions_by_what_they_come_to() {
        let made = |code| PlannedFunction {
            code,
            ..function("app::f", "a.rs")
        };
        let of_crate = made(Some(1));
        assert!(of_crate.is_like(&made(Some(1))));
        assert!(!of_crate.is_like(&made(Some(2))), "what it uses differs");
        assert!(of_crate.is_like(&made(None)), "its source says so");
    }

    #[test]
    fn what_stands_in_the_module_of_the_reason_is_blamed() {
        let made = "what is alive has another form: struct app::a::Made: field x: u8, was u16";
        check("macro mk! changed", made, "a.rs");
        check("macro mk! changed", &made.replace("::a::", "::b::"), "b.rs");
        assert_eq!(module(Path::new("src/a/mod.rs")), Some("a"));
    }

    #[test]
    fn what_shares_names_with_the_reason_is_blamed() {
        let other = "what is alive has another form: static app::q1::KEEP: u32, was u64";
        check("impl Tr for Sel removed", other, "a.rs");
        check("static KEEP changed", other, "a.rs");
        let body = "a vtable may still lead to `<app::q2::Boxed as Drop>::drop`";
        check("impl Tr for Sel removed", body, "b.rs");
        check("body of fn vtable changed", body, "b.rs");
        let form = "what is alive has another form: struct app::q2::Boxed: field a: u32, was u8";
        check("body of fn a::r#struct::new changed", form, "b.rs");
    }
}
