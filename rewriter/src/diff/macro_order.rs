//! Compares the order of macros by example and of what may call them: which definition a name means
//! is a matter of where both stand.
//!
//! ```text
//! macro_rules! unit { … "km" }
//! fn near() { unit!() }           ─►  moved below the second: it says "mi" now, by the same text
//! macro_rules! unit { … "mi" }
//! ```
//!
//! By tokens: whatever calls macros is taken to call those whose names it, or a macro that it
//! calls, mentions. Knows nothing of what follows for a value or a type.

use std::collections::HashSet;

use super::context::ProgramContext;
use super::findings::FileDiff;
use super::modules::why_no_other_macro;
use super::pairs::pair;
use crate::analysis::items::{DeclaredFunction, FileItems, Item, ItemKind};
use crate::analysis::layout_names::LayoutNames;
use crate::syntax::known_macros::is_of_std;
use crate::syntax::mentions::Names;
use crate::syntax::normalize::{fingerprint_of_text, Fingerprint};

/// What puts macros into scope, for what stands below it.
struct Definer<'a> {
    title: String,
    /// Of one macro; none: of any.
    name: Option<&'a str>,
    line: usize,
    /// Where it begins in the text.
    start: usize,
    declared_in: &'a [String],
    /// The module in and below which they are in scope.
    scope: &'a [String],
    content: Fingerprint,
}

/// Of two states of a file: what puts macros into scope, and which of both states is the same.
pub(super) struct MacroOrder<'a> {
    around: &'a ProgramContext<'a>,
    files: (&'a FileItems, &'a FileItems),
    before: Vec<Definer<'a>>,
    after: Vec<Definer<'a>>,
    /// Of each of `after`, the same of `before`.
    same: Vec<Option<usize>>,
}

/// Something that may mean other macros than before, by where it stands.
pub(super) struct Crossed<'a> {
    /// In people's words.
    pub(super) what: String,
    /// All that is in scope for it.
    pub(super) now: Fingerprint,
    /// The macros that it may not have meant before, or means no more.
    pub(super) names: Vec<&'a str>,
}

/// What may call macros.
struct Place<'a> {
    module: &'a [String],
    start: usize,
    /// The names in it, and those that it calls. None: it can't be seen from here.
    words: Option<(&'a Names, &'a Names)>,
}

impl<'a> MacroOrder<'a> {
    pub(super) fn of(
        old: &'a FileItems,
        new: &'a FileItems,
        around: &'a ProgramContext<'a>,
    ) -> Self {
        // The program as it is now needn't be known where nothing of the kind stands in the file.
        let (before, mut after) = (definers(old, around.before), definers(new, around.before));
        if !(before.is_empty() && after.is_empty()) {
            after = definers(new, around.after);
        }
        let pairs = pair(
            &before,
            &after,
            |definer| (definer.declared_in, &definer.title),
            &[&|a, b| a.content == b.content],
        );
        let mut same = vec![None; after.len()];
        for (old, new) in pairs.both {
            same[new] = Some(old);
        }
        Self {
            around,
            files: (old, new),
            before,
            after,
            same,
        }
    }

    /// Macros that changed places among each other.
    pub(super) fn compare(&self, found: &mut FileDiff) {
        let known = self.same.iter().enumerate();
        let known: Vec<(usize, usize)> = known.filter_map(|(n, o)| Some(((*o)?, n))).collect();
        let Some(two) = known.windows(2).find(|two| two[0].0 > two[1].0) else {
            return;
        };
        let moved = &self.after[two[0].1];
        let what = format!("{} moved: the order of macros matters", moved.title);
        let names = [&moved.name, &self.after[two[1].1].name];
        let mut names = names.into_iter().flatten();
        match names.find_map(|name| why_no_other_macro(name, self.around)) {
            Some(why) => found.rude(moved.line, format!("{what}: {why}")),
            None => {
                let order = self.after.iter().map(|definer| definer.content);
                found.indirect(moved.line, what, Fingerprint::joined(order));
            }
        }
    }

    pub(super) fn of_function(
        &self,
        before: &DeclaredFunction,
        after: &DeclaredFunction,
    ) -> Option<Crossed<'_>> {
        fn place(function: &DeclaredFunction) -> Place<'_> {
            let mentions = &function.mentions;
            Place {
                module: &function.module,
                start: function.place.signature.start,
                words: Some((&mentions.all, &mentions.macros)),
            }
        }
        self.crossed(&after.title(), place(before), place(after))
    }

    pub(super) fn of_item(&self, before: &Item, after: &Item) -> Option<Crossed<'_>> {
        if is_block(self.files.0, before) && is_block(self.files.1, after) {
            return None; // What it holds is compared by itself.
        }
        fn place(item: &Item) -> Place<'_> {
            let is_file = item.kind == ItemKind::Mod;
            Place {
                module: &item.module,
                start: item.start,
                words: (!is_file).then_some((&item.mentions, &item.macros)),
            }
        }
        self.crossed(&after.title(), place(before), place(after))
    }

    fn crossed(&self, title: &str, before: Place<'_>, after: Place<'_>) -> Option<Crossed<'_>> {
        if self.before.is_empty() && self.after.is_empty() {
            return None;
        }
        let then: Vec<usize> = in_scope(&self.before, &before).collect();
        let now: Vec<usize> = in_scope(&self.after, &after).collect();
        let same: HashSet<usize> = now.iter().filter_map(|new| self.same[*new]).collect();
        let gone = then.iter().filter(|old| !same.contains(old));
        let gone = gone.map(|old| (&self.before[*old], self.same.contains(&Some(*old))));
        let come = now.iter().filter_map(|new| match self.same[*new] {
            Some(old) if then.contains(&old) => None,
            known => Some((&self.after[*new], known.is_some())),
        });
        let moved: Vec<(&Definer<'_>, bool)> = gone.chain(come).collect();
        if moved.is_empty() {
            return None;
        }
        let (old, new) = (
            Reach::of(before.words, self.around.before),
            Reach::of(after.words, self.around.after),
        );
        let uses = |definer: &Definer<'_>| [&old, &new].iter().any(|r| r.may_use(definer, self));
        // One that came or went says so itself, unless there is another of its name.
        let counts = moved
            .iter()
            .filter(|(definer, stays)| (*stays || self.has_others(definer)) && uses(definer));
        let counts: Vec<&Definer<'_>> = counts.map(|(definer, _)| *definer).collect();
        let what = format!("order of {title} and {} changed", counts.first()?.title);
        let seen = now.iter().map(|new| self.after[*new].content);
        let place = fingerprint_of_text(&format!("{:?} {title}", after.module));
        Some(Crossed {
            what,
            now: Fingerprint::joined([place].into_iter().chain(seen)),
            names: counts.iter().filter_map(|definer| definer.name).collect(),
        })
    }

    /// Whether there may be another macro of its name.
    fn has_others(&self, definer: &Definer<'_>) -> bool {
        let programs = [self.around.before, &**self.around.after];
        definer.name.is_none_or(|name| {
            is_of_std(name)
                || programs
                    .iter()
                    .any(|program| program.macros(name).count() > 1)
        })
    }
}

/// The names that something may mean, also through the macros that it calls.
struct Reach<'a> {
    words: HashSet<&'a str>,
    /// What it calls can't be seen in whole.
    unknown: Unknown,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unknown {
    Nothing,
    /// It calls macros of other crates.
    Macros,
    All,
}

impl<'a> Reach<'a> {
    fn of(words: Option<(&'a Names, &'a Names)>, program: &'a LayoutNames) -> Self {
        let mut found = Self {
            words: HashSet::new(),
            unknown: Unknown::Nothing,
        };
        let Some((all, called)) = words else {
            found.unknown = Unknown::All;
            return found;
        };
        if called.is_empty() {
            return found;
        }
        let mut waiting = vec![(all, called)];
        while let Some((all, calls)) = waiting.pop() {
            let mut called = calls.iter();
            if called.any(|name| !is_of_std(name) && program.macros(name).next().is_none()) {
                found.unknown = Unknown::Macros;
            }
            // Of a static's value only the called ones are known.
            for word in all.iter().chain(calls) {
                if found.words.insert(word) {
                    waiting.extend(program.macros(word));
                }
            }
        }
        found
    }

    fn may_use(&self, definer: &Definer<'_>, order: &MacroOrder<'_>) -> bool {
        match (self.unknown, definer.name) {
            (Unknown::All, _) => true,
            // A macro of another crate means one of a name that it knows from elsewhere.
            (Unknown::Macros, _) if order.has_others(definer) => true,
            (_, Some(name)) => self.words.contains(name),
            (_, None) => !self.words.is_empty(),
        }
    }
}

fn in_scope<'a>(
    definers: &'a [Definer<'a>],
    place: &'a Place<'a>,
) -> impl Iterator<Item = usize> + 'a {
    let all = definers.iter().enumerate();
    let found = all.filter(|(_, definer)| {
        definer.start < place.start && place.module.starts_with(definer.scope)
    });
    found.map(|(at, _)| at)
}

/// In the order of the text.
fn definers<'a>(file: &'a FileItems, program: &LayoutNames) -> Vec<Definer<'a>> {
    let mut found = Vec::new();
    for module in &file.modules {
        let scope = lent_to(file, &module.path);
        found.extend(module.macros.iter().map(|rules| Definer {
            title: format!("macro {}!", rules.name),
            name: Some(&rules.name),
            line: rules.line,
            start: rules.start,
            declared_in: &module.path,
            scope,
            content: rules.content,
        }));
    }
    for item in &file.items {
        let defines = match item.kind {
            ItemKind::Mod => !is_block(file, item) && is_lent(file, &item.module, &item.name),
            ItemKind::MacroCall => {
                let words = Reach::of(Some((&item.mentions, &item.macros)), program).words;
                words.contains("macro_rules")
            }
            _ => false,
        };
        if defines {
            let parts = item.aspects.iter().map(|aspect| aspect.content);
            let title = item.title();
            found.push(Definer {
                name: None,
                line: item.line,
                start: item.start,
                declared_in: &item.module,
                scope: lent_to(file, &item.module),
                content: Fingerprint::joined(
                    [fingerprint_of_text(&title)].into_iter().chain(parts),
                ),
                title,
            });
        }
    }
    found.sort_by_key(|definer| definer.start);
    found
}

/// The module in and below which a module's macros are in scope: one around it, by `#[macro_use]`.
fn lent_to<'a>(file: &FileItems, mut module: &'a [String]) -> &'a [String] {
    while module.len() > file.module.len() {
        match module.split_last() {
            Some((name, parent)) if is_lent(file, parent, name) => module = parent,
            _ => break,
        }
    }
    module
}

fn is_lent(file: &FileItems, parent: &[String], name: &str) -> bool {
    let parents = file.modules.iter().filter(|module| module.path == parent);
    let mut children = parents.flat_map(|module| &module.children);
    children.any(|child| child.name == name && child.macro_use)
}

/// Whether it is a module whose items stand in this file.
fn is_block(file: &FileItems, item: &Item) -> bool {
    let is_it = |path: &[String]| {
        let last = path.split_last();
        last.is_some_and(|(name, parent)| *name == item.name && parent == item.module)
    };
    let mut blocks = file.modules.iter().skip(1);
    item.kind == ItemKind::Mod && blocks.any(|module| is_it(&module.path))
}
