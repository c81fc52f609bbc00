//! Says what a patch came to.

use super::*;
use crate::program::plan::{Edit, PlannedFunction};

/// A function as it is shown.
struct Shown {
    name: String,
    file: String,
    line: u32,
}

impl Shown {
    fn function(&self) -> Function<'_> {
        Function {
            name: &self.name,
            file: &self.file,
            line: self.line,
        }
    }
}

/// The functions that run something else than before: a build of whole crates carries the others along.
/// Where that doesn't tell them apart, all of them, unless it was `main` that the edit reached.
fn new_functions(wanted: &Wanted, reached_main: bool) -> Vec<&PlannedFunction> {
    let all = || {
        let units = wanted.plan.iter();
        units.flat_map(|(position, unit)| unit.patch.iter().map(move |f| (*position, f)))
    };
    let carried = |position: usize, function: &PlannedFunction| {
        let site = (position, function.name.clone());
        let mut active = wanted.active.iter();
        active.any(|(known, active)| *known == site && active.body == function.body)
    };
    let new: Vec<_> = all()
        .filter(|(position, function)| !carried(*position, function))
        .map(|(_, function)| function)
        .collect();
    match new.is_empty() && !reached_main {
        true => all().map(|(_, function)| function).collect(),
        false => new,
    }
}

impl Engine {
    /// Says what is new. What a process told of running calls decides the words.
    pub(super) fn tell(&self, sent: &Sent, loaded: &Loaded) {
        let elapsed = sent.since.elapsed();
        let units = || sent.wanted.plan.values();
        let functions: Vec<Shown> = new_functions(&sent.wanted, !sent.once.is_empty())
            .into_iter()
            .map(|f| self.show(f))
            .collect();
        let running = |name: &str| {
            let mut functions = loaded.report.functions.iter();
            functions.any(|f| f.name == name && f.running > 0)
        };
        let is_main = |name: &str| name.matches("::").count() == 1 && name.ends_with("::main");
        let (dead, live): (Vec<&Shown>, Vec<&Shown>) = functions
            .iter()
            .partition(|f| is_main(&f.name) && running(&f.name));
        let live: Vec<Function<'_>> = live.into_iter().map(Shown::function).collect();
        if !live.is_empty() {
            let because = self.because(&sent.wanted);
            self.report.patched(&live, elapsed, because.as_deref());
            let still: Vec<Function<'_>> =
                live.iter().filter(|f| running(f.name)).copied().collect();
            if !still.is_empty() {
                self.report.still_running(&still);
            }
        }
        let once: Vec<Shown> = sent.once.iter().map(|f| self.show(f)).collect();
        let dead = dead.into_iter().chain(&once).map(Shown::function);
        self.report.without_effect(&dead.collect::<Vec<_>>());
        let restored: Vec<Shown> = units()
            .flat_map(|unit| &unit.restore)
            .map(|f| self.show(f))
            .collect();
        if !restored.is_empty() {
            let restored: Vec<Function<'_>> = restored.iter().map(Shown::function).collect();
            self.report.restored(&restored, elapsed);
        }
        self.tell_kept(&sent.wanted.fresh, &sent.kept);
    }

    /// An edit was compiled, and the code of the running program is what comes out.
    pub(super) fn tell_nothing_differs(&self, wanted: &Wanted, built: &Built) {
        let once: Vec<Shown> = built.once.iter().map(|f| self.show(f)).collect();
        let once: Vec<Function<'_>> = once.iter().map(Shown::function).collect();
        self.report.without_effect(&once);
        let Some(edit) = wanted.fresh.first().filter(|_| once.is_empty()) else {
            return;
        };
        self.tell_kept(&wanted.fresh, &built.kept);
        if wanted.fresh.iter().any(|edit| edit.kept.is_none()) {
            let (file, line) = (self.shown(&edit.file), edit.line);
            let text = format!("{file}:{line}: {}: nothing that runs uses it", edit.what);
            self.report.note(&text);
        }
    }

    /// Statics that exist keep what they hold.
    fn tell_kept(&self, edits: &[Edit], kept: &[String]) {
        if edits.is_empty() {
            return;
        }
        let said = |name: &&String| {
            edits
                .iter()
                .filter_map(|edit| edit.kept.as_ref())
                .any(|of| name.ends_with(of.as_str()))
        };
        for name in kept.iter().filter(|name| !said(name)) {
            let text =
                format!("`{name}` begins with another value now, but keeps the one that it has");
            self.report.note(&text);
        }
        for edit in edits {
            if let Some(name) = &edit.kept {
                let (file, line) = (self.shown(&edit.file), edit.line);
                let text = format!(
                    "{file}:{line}: {}: `{name}` keeps the value that it has, if it was used before",
                    edit.what
                );
                self.report.note(&text);
            }
        }
    }

    /// The edits that aren't bodies of the functions themselves.
    fn because(&self, wanted: &Wanted) -> Option<String> {
        let first = wanted.fresh.first()?;
        Some(match wanted.fresh.len() {
            1 => first.what.clone(),
            more => format!("{} +{} more", first.what, more - 1),
        })
    }

    fn show(&self, function: &PlannedFunction) -> Shown {
        Shown {
            name: function.name.clone(),
            file: self.shown(&function.file),
            line: u32::try_from(function.line).unwrap_or(u32::MAX),
        }
    }

    /// A path as the user would write it here.
    pub(super) fn shown(&self, path: &Path) -> String {
        let here = std::env::current_dir().unwrap_or_default();
        path.strip_prefix(&here)
            .unwrap_or(path)
            .display()
            .to_string()
    }
}

/// Where a patch that the program refused came from.
pub(super) fn first_edit(wanted: &Wanted, why: &str) -> Vec<Rude> {
    let edits = wanted.spreading.iter().map(|edit| (&edit.file, edit.line));
    let units = wanted.plan.values();
    let functions = units.flat_map(|unit| unit.patch.iter().chain(&unit.restore));
    let places = edits.chain(functions.map(|function| (&function.file, function.line)));
    places
        .take(1)
        .map(|(file, line)| Rude {
            file: file.clone(),
            line,
            why: why.to_owned(),
        })
        .collect()
}
