//! Functions that stand in a body, for tests: of a function, or of the value of a constant.
//!
//! ```text
//! fn outer() { fn inner() {} }                     the site app::outer::inner
//! const _: () = { impl X { fn f(&self) {} } };     app::X::f
//! ```
//!
//! Their names are in scope in that body alone, and so is what their types mention; the prologue
//! stands there too. Knows nothing of functions outside, and of what macros make.

use syn::Item;

use super::{attributes, Rewriter};
use crate::instrument::instance::Surroundings;
use crate::instrument::rewrite::Output;
use crate::syntax::attributes::is_test_only;
use crate::syntax::names::plain;

impl Rewriter<'_> {
    /// Gives the functions among the items of a body sites; `outer` is what their names begin with.
    pub(super) fn in_body<'b>(&mut self, outer: &str, items: impl FnOnce() -> Vec<&'b Item>) {
        if self.options.mocks && self.options.output == Output::Program {
            let is_below_body = std::mem::replace(&mut self.is_below_body, true);
            self.within(outer.to_owned(), true, items());
            self.is_below_body = is_below_body;
        }
    }

    /// The same for items of a body, or of a module in one.
    fn within(&mut self, outer: String, in_body: bool, items: Vec<&Item>) {
        let outer = std::mem::replace(&mut self.module, outer);
        let was_in_body = std::mem::replace(&mut self.in_body, in_body);
        let items = items.into_iter();
        for item in items.filter(|item| !is_test_only(attributes(item))) {
            match item {
                Item::Mod(item) => {
                    let module = format!("{}::{}", self.module, plain(&item.ident.to_string()));
                    let items = item.content.iter().flat_map(|(_, items)| items);
                    self.within(module, false, items.collect());
                }
                item => self.functions_of(item),
            }
        }
        self.in_body = was_in_body;
        self.module = outer;
    }

    /// What is around a function that belongs to no type.
    pub(super) fn free<'s>(&self) -> Surroundings<'s> {
        Surroundings {
            in_body: self.in_body,
            ..Surroundings::default()
        }
    }
}
