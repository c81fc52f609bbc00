//! `column!()` behind a prologue on its line: the number that it is without one.
//!
//! ```text
//! fn f() -> u32 { column!() }   ─►   fn f() -> u32 { <prologue> 17u32     }
//! ```

use quote::ToTokens;

use crate::syntax::column_calls::{calls, in_place_of, is_redefined, may_have_calls};
use crate::syntax::columns::Place;
use crate::syntax::edits::Edits;
use crate::syntax::tree::SourceFile;

/// Writes the numbers of one file, after all that is inserted before code.
pub(crate) fn insert(file: &SourceFile, edits: &mut Edits) {
    let text = file.parsed();
    if !may_have_calls(text) || is_redefined(text) {
        return;
    }
    for call in calls(file.ast.to_token_stream()) {
        if edits.shift_code_at(text, call.start) {
            let Place { line, column } = Place::START.behind(&text[..call.start]);
            let number = file.columns.original(line, column);
            edits.replace(call.clone(), in_place_of(&text[call], number));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::syntax::tree::CrateTree;

    fn check(source: &str, expected: &str) {
        let mut read = |_: &Path| Ok(source.to_owned());
        let tree = CrateTree::load(Path::new("lib.rs"), &mut read).expect("a root");
        let mut edits = Edits::default();
        let brace = source.find('{').expect("a body") + 1;
        edits.insert_before_code(brace, "$");
        insert(&tree.files[0], &mut edits);
        assert_eq!(edits.apply(source), expected);
    }

    #[test]
    fn calls_become_numbers_behind_a_prologue() {
        check(
            "fn f() { g(column!(), ::std::column!(), \"é\", column!()) }",
            "fn f() {$ g(12u32    , 23u32           , \"é\", 46u32    ) }",
        );
        check(
            "fn f() { format!(\"{}\", column ! ()) }",
            "fn f() {$ format!(\"{}\", 24u32      ) }",
        );
        check("fn f() {\n column!() }", "fn f() {$\n column!() }");
    }

    #[test]
    fn what_may_be_something_else_stays() {
        for body in [
            "assert!(column!() > 1)",
            "stringify!(column!())",
            "macro_rules! m { () => { column!() } }",
            "column!(a)",
        ] {
            check(
                &format!("fn f() {{ {body} }}"),
                &format!("fn f() {{$ {body} }}"),
            );
        }
        check(
            "fn f() { column!() } use diesel::column;",
            "fn f() {$ column!() } use diesel::column;",
        );
    }
}
