//! Where the program has a variable that stands in a body which both compilations have moved out of
//! its function: there no body was moved, and what a macro made of the function is around it.
//!
//! ```text
//! app::__soft_mock_code_f::N                ─►   app::f::N
//! app::__soft_mock_code_f::{closure#0}::M   ─►   app::f::{closure#0}::M, or {closure#1} behind a macro's own
//! ```
//!
//! Knows nothing of variables that plugins brought.

use soft_mock_abi::symbol::{DETACHED_BODY, DETACHED_CODE};

use super::Selector;
use crate::sites::attached;
use crate::symbols::without_marks;

impl Selector<'_, '_> {
    /// The path in the program of a variable of the old compilation, or of what reaches one. Empty:
    /// there was none.
    pub(super) fn in_program(&self, path: Option<&str>) -> Result<String, String> {
        let path = path.unwrap_or_default();
        let Some((function, name)) = in_moved_body(path) else {
            return Ok(path.to_owned());
        };
        // A closure has another number behind those of a macro: then one of its namesakes has a
        // path that the program doesn't know.
        let is_namesake = |other: &str| in_moved_body(other) == Some((function, name));
        let old = self.on.old.paths().map(|(path, _)| &**path);
        let mut namesakes = old.filter(|other| is_namesake(other)).peekable();
        if namesakes.peek().is_none() {
            return Ok(String::new());
        }
        let in_program = |path: &str| self.on.premises.in_program(path);
        let is_known = |path: &str| {
            in_program(path).is_some_and(|path| !self.on.program.symbols_of(&path).is_empty())
        };
        let found = namesakes.all(is_known).then(|| in_program(path)).flatten();
        found.ok_or_else(|| {
            let name = attached(&without_marks(path));
            format!("it can't be told which variable of the program `{name}` is")
        })
    }
}

/// The path of a function whose body was moved, and the last name of what stands in that.
fn in_moved_body(path: &str) -> Option<(&str, &str)> {
    let starts = [DETACHED_BODY, DETACHED_CODE].into_iter();
    let at = starts.filter_map(|start| path.rfind(start)).max()?;
    let (function, _) = path[at..].split_once("::")?;
    let (_, name) = path.rsplit_once("::")?;
    Some((&path[..at + function.len()], name))
}
