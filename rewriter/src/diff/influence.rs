//! How far edits reach by names: what mentions none of the names that they change, directly or
//! through code that has no site of its own, means what it meant before.
//!
//! ```text
//! const LIMIT: u32 = 2;                  changed: LIMIT
//! fn cut<T>(list: &[T]) { …LIMIT… }      generic: its users hold its code, so: cut
//! fn show() { cut(&[1]) }                reached, has a site: it goes no further
//! fn main() { show() }                   not reached
//! ```
//!
//! Where code may be used that nothing names (an impl of a trait, what a macro makes, methods of an
//! imported trait), it can't be told. Knows nothing of how a patch is made.

use std::collections::BTreeSet;

use super::additions::{is_item, may_be_trait, Source};
use super::findings::{IndirectEdit, Turn};
use crate::analysis::declaration::Declaration;
use crate::analysis::items::{DeclaredFunction, FileItems, ItemKind};
use crate::syntax::mentions::Names;
use crate::syntax::names::{is_variable, plain, Owner};

/// Whether a function of the crate with this number has a site.
pub type HasSite<'a> = &'a dyn Fn(usize, &DeclaredFunction) -> bool;

/// The names through which edits reach other code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Influence {
    names: BTreeSet<String>,
}

impl Influence {
    /// Of all edits of `files`. `None`: it can't be told.
    pub fn of(files: &[Source<'_>], has_site: HasSite<'_>) -> Option<Self> {
        let mut found = Self::default();
        for file in files {
            let reaches = |edit: &&&IndirectEdit| edit.turn != Some(Turn::FieldVisibility);
            for edit in file.edits.iter().filter(reaches) {
                let name = found.own_name(files, file, edit)?;
                found.names.insert(name);
            }
        }
        let new = NewTypes(files);
        loop {
            let known = found.names.len();
            for file in files {
                found.spread(file, &new, has_site)?;
            }
            if found.names.len() == known {
                return Some(found);
            }
        }
    }

    /// Whether something that mentions these names may mean something else than before.
    pub fn reaches(&self, mentions: &Names) -> bool {
        mentions
            .iter()
            .any(|name| self.names.contains(&plain(name)))
    }

    /// The name of what was edited.
    fn own_name(
        &self,
        files: &[Source<'_>],
        file: &Source<'_>,
        edit: &IndirectEdit,
    ) -> Option<String> {
        let (items, declaration) = edit.turn?.found_in(file.old, Some(file.items))?;
        let items = items?;
        let changed = matches!(edit.turn, Some(Turn::Changed(_)));
        match declaration {
            Declaration::Function(at) => {
                let function = &items.functions[at];
                let of_trait = matches!(function.owner, Owner::Trait { .. });
                let new = NewTypes(files);
                if !changed && !of_trait && is_item(&function.name) {
                    return None;
                }
                let is_named = !of_trait || new.has(file.unit, &function.module, &function.owner);
                is_named.then(|| function.name.clone())
            }
            Declaration::Item(at) => {
                let item = &items.items[at];
                let last = item.name.rsplit("::").next().unwrap_or_default();
                let named = match item.kind {
                    // Macros may mean it that don't mention it in the crate.
                    ItemKind::Const
                    | ItemKind::Type
                    | ItemKind::Static
                    | ItemKind::Struct
                    | ItemKind::Enum
                    | ItemKind::Union
                        if !changed && (is_item(last) || is_variable(last)) =>
                    {
                        false
                    }
                    ItemKind::Const | ItemKind::Type | ItemKind::Static => {
                        !item.name.contains(' ') && item.name != "_"
                    }
                    ItemKind::Struct | ItemKind::Enum | ItemKind::Union | ItemKind::Mod => !changed,
                    // Nothing gets to it without the name of the type, which is new as well.
                    ItemKind::Impl => {
                        let new = NewTypes(files);
                        let owner = item.owner.as_ref()?;
                        let is_new = new.has(file.unit, &item.module, owner);
                        return owner.type_name().filter(|_| is_new);
                    }
                    _ => false,
                };
                named.then(|| last.to_owned())
            }
            Declaration::Import { module, import } => {
                let module = &items.modules[module];
                let used = &module.uses[import];
                let is_plain = used.attributes.is_empty() && used.cfgs.is_empty();
                let bound = used.bound().filter(|bound| is_plain && *bound != "_")?;
                (!may_be_trait(files, file.unit, used)).then(|| plain(bound))
            }
            Declaration::Impl(_) => None,
        }
    }

    /// Adds the names of what holds code, values or types of what is reached.
    fn spread(
        &mut self,
        file: &Source<'_>,
        new: &NewTypes<'_>,
        has_site: HasSite<'_>,
    ) -> Option<()> {
        let items: &FileItems = file.items;
        let is_new = |module: &[String], owner: &Owner| new.has(file.unit, module, owner);
        let mut impls = items.impls.iter();
        if impls.any(|block| self.reaches(&block.mentions) && !is_new(&block.module, &block.owner))
        {
            return None;
        }
        for function in &items.functions {
            let holds = !has_site(file.unit, function) && self.reaches(&function.mentions.all);
            if !holds && !self.reaches(&function.types) {
                continue;
            }
            if matches!(function.owner, Owner::Trait { .. }) {
                match is_new(&function.module, &function.owner) {
                    true => continue,
                    false => return None,
                }
            }
            self.names.insert(function.name.clone());
        }
        for item in &items.items {
            if !self.reaches(&item.mentions) {
                continue;
            }
            match item.kind {
                ItemKind::Const
                | ItemKind::Static
                | ItemKind::Struct
                | ItemKind::Enum
                | ItemKind::Union => {}
                ItemKind::Type if !item.name.contains(' ') => {}
                ItemKind::Impl | ItemKind::Type => match &item.owner {
                    Some(owner) if is_new(&item.module, owner) => continue,
                    _ => return None,
                },
                _ => return None,
            }
            let last = item.name.rsplit("::").next().unwrap_or_default();
            if last == "_" {
                return None;
            }
            self.names.insert(last.to_owned());
        }
        for rules in items.modules.iter().flat_map(|module| &module.macros) {
            if self.reaches(&rules.words.all) {
                self.names.insert(rules.name.clone());
            }
        }
        Some(())
    }
}

/// The types that are new.
struct NewTypes<'a>(&'a [Source<'a>]);

impl NewTypes<'_> {
    /// Whether an impl block in this module belongs to one of them.
    fn has(&self, unit: usize, module: &[String], owner: &Owner) -> bool {
        let Some(name) = owner.type_name() else {
            return false;
        };
        let files = self.0.iter().filter(|file| file.unit == unit);
        let mut new = files.flat_map(|file| {
            let edits = file.edits.iter();
            edits.filter_map(|edit| match edit.turn {
                Some(Turn::Added(Declaration::Item(at))) => file.items.items.get(at),
                _ => None,
            })
        });
        new.any(|item| item.kind.has_layout() && item.name == name && item.module == module)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::tests::states;

    /// The names that the edits between two texts reach; none if that can't be told.
    #[track_caller]
    fn check(old: &str, new: &str, expected: Option<&[&str]>) {
        let (before, after, found) = states(old, new);
        assert_eq!(found.rude, [], "{new}");
        let source = Source {
            unit: 0,
            old: Some(&before),
            items: &after,
            text: new,
            bodies: Vec::new(),
            edits: found.indirect.iter().collect(),
        };
        let has_site = |_: usize, function: &DeclaredFunction| function.kind.is_ok();
        let influence = Influence::of(&[source], &has_site);
        let names = influence.map(|influence| influence.names.into_iter().collect::<Vec<_>>());
        let expected = expected.map(|names| names.iter().map(|n| (*n).to_owned()).collect());
        assert_eq!(names, expected, "{new}");
    }

    #[test]
    fn names_spread_through_what_has_no_site() {
        let text = "const N: u8 = 1; const M: u8 = N + 1; fn f<T>() { M; } fn g() { f::<u8>() } fn h() { g() }";
        check(text, &text.replace("= 1", "= 2"), Some(&["M", "N", "f"]));
        let text = "fn f<T>() { 1 } const fn g() { f::<u8>() } macro_rules! m { () => { g() } } fn h() { m!() }";
        check(
            text,
            &text.replace("{ 1 }", "{ 2 }"),
            Some(&["f", "g", "m"]),
        );
        let text = "fn f() { h(1) } fn h(a: u8) {} fn g(h: u8) {}";
        check(text, &text.replace("h(a: u8)", "h(a: u16)"), Some(&["h"]));
        check(
            "fn f() {}",
            "fn f() {} struct S; impl Clone for S { fn clone(&self) -> S { S } }",
            Some(&["S", "clone"]),
        );
        check("fn f() {}", "use std::io; fn f() {}", Some(&["io"]));
        check(
            "fn f() {}",
            "mod a { fn g() {} } fn f() {}",
            Some(&["a", "g"]),
        );
    }

    #[test]
    fn what_nothing_names() {
        let text = "struct W<T>(T); impl<T> Drop for W<T> { fn drop(&mut self) { one() } }";
        check(text, &text.replace("one()", "two()"), None);
        let text = "struct S; const N: u8 = 1; impl<T> Show for T { fn show(&self) { N } }";
        check(text, &text.replace("= 1", "= 2"), None);
        check(
            "struct S;",
            "struct S; impl Clone for S { fn clone(&self) -> S { S } }",
            None,
        );
        check("fn f() {}", "use std::io::Read; fn f() {}", None);
        check("fn f() {}", "use a::*; fn f() {}", None);
        check("fn f() {}", "const tmp: u8 = 1; fn f() {}", None);
        check("fn f() {}", "struct Vec; fn f() {}", None);
        check("fn f() {}", "fn f() {} fn size_of() {}", None);
        check(
            "macro_rules! m { () => { 1 } }",
            "macro_rules! m { () => { 2 } }",
            None,
        );
    }
}
