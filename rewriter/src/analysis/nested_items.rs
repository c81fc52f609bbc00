//! The items that stand in a body: of its blocks and closures too, but not those of functions that
//! it declares.
//!
//! ```text
//! fn outer() { fn one() { fn two() {} } let f = || { impl X {} }; }     `one`, `impl X`
//! ```
//!
//! Knows nothing of what macros make.

use syn::visit::Visit;
use syn::{Block, Expr, Item};

/// The items of a function's body.
pub(crate) fn of_block(block: &Block) -> Vec<&Item> {
    let mut found = Found(Vec::new());
    found.visit_block(block);
    found.0
}

/// Those of the value of a constant or static.
pub(crate) fn of_value(value: &Expr) -> Vec<&Item> {
    let mut found = Found(Vec::new());
    found.visit_expr(value);
    found.0
}

struct Found<'ast>(Vec<&'ast Item>);

impl<'ast> Visit<'ast> for Found<'ast> {
    fn visit_item(&mut self, item: &'ast Item) {
        self.0.push(item);
    }
}
