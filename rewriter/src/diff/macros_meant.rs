//! Whether an edit may alter what macros make elsewhere, in functions that read as they did.
//!
//! ```text
//! static N: u8 = 1;         ─►                                      no: macros don't see it
//!                           ─►   use std::fmt::Write;               no, if no macro of that name is called
//! macro_rules! m { … }      ─►   macro_rules! m { … }               it may
//! use a::*;                 ─►   use b::*;                          it may: any macro may be another one
//! ```
//!
//! By kinds and names, on the safe side. Knows nothing of what is made.

use super::findings::IndirectEdit;
use crate::analysis::declaration::Declaration;
use crate::analysis::items::{FileItems, ItemKind};
use crate::analysis::layout_names::LayoutNames;

impl IndirectEdit {
    /// Whether it may, if it is one between these two states of a file. `before`: the program as it
    /// runs.
    pub fn may_alter_macros(
        &self,
        (old, new): (&FileItems, &FileItems),
        before: &LayoutNames,
    ) -> bool {
        if self.is_of_code {
            return false;
        }
        let Some(turn) = self.turn else {
            return true;
        };
        let Some((items, declaration)) = turn.found_in(old, new) else {
            return false;
        };
        match declaration {
            Declaration::Function(_) | Declaration::Impl(_) => false,
            Declaration::Item(place) => {
                let item = items.items.get(place);
                item.is_none_or(|item| may_bring_macros(item.kind))
            }
            Declaration::Import { module, import } => {
                let module = items.modules.get(module);
                let import = module.and_then(|module| module.uses.get(import));
                let bound = import.and_then(|import| import.bound());
                bound.is_none_or(|name| before.calls_macro(name))
            }
        }
    }
}

fn may_bring_macros(kind: ItemKind) -> bool {
    !kind.is_itself() && !matches!(kind, ItemKind::TraitAlias | ItemKind::ForeignMod)
}

#[cfg(test)]
mod tests {
    use crate::analysis::layout_names::LayoutNames;
    use crate::diff::tests::states;

    /// Whether the edits of a crate may alter what macros make.
    #[track_caller]
    fn check(old: &str, new: &str, expected: bool) {
        let (before, after, found) = states(old, new);
        assert!(
            found.rude.is_empty() && !found.indirect.is_empty(),
            "{found:?}"
        );
        let names = LayoutNames::of([(0, &before)]);
        let mut edits = found.indirect.iter();
        let may = edits.any(|edit| edit.may_alter_macros((&before, &after), &names));
        assert_eq!(may, expected, "{found:?}");
    }

    #[test]
    fn macros_see_macros_and_what_is_imported_by_their_names() {
        check("static N: u8 = 1;", "", false);
        check("", "struct S; impl S { fn f() {} }", false);
        check("", "use a::b;", false);
        check("fn f() { b!() }", "use a::b; fn f() { b!() }", true);
        check(
            "macro_rules! m { () => { b!() } }",
            "use a::b; macro_rules! m { () => { b!() } }",
            true,
        );
        check("use a::b as c;", "use a::c as b;", false);
        check("", "use a::*;", true);
        check(
            "macro_rules! m { () => { 1 } } fn f() { m!() }",
            "macro_rules! m { () => { 2 } } fn f() { m!() }",
            true,
        );
    }
}
