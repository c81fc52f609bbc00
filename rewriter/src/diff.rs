//! What changed between two states of a file, by meaning: comments, formatting, documentation that
//! no macro may read and the order of items (but for macros by example and those who call them) are
//! no change.
//!
//! ```text
//! fn get(&self) -> u8 { self.a }   ─►   fn get(&self) -> u8 { self.a + 1 }     changed: Store::get
//! struct Store { a: u8 }           ─►   struct Store { a: u8, b: u8 }          rude: field added to struct Store: …
//! const MAX: u8 = 1;               ─►   const MAX: u8 = 2;                     indirect: value of const MAX changed
//! ```
//!
//! Three kinds of change: *changed* is the body of a function with a site, and nothing else needs
//! to be compiled for it; an *indirect* edit is one of code, and becomes part of the program with
//! the functions that use it; a *rude* one can't, since values, vtables, statics or calls of code
//! that was compiled before would not fit (see [`LayoutNames`](crate::analysis::LayoutNames)). What
//! can't be told is rude.
//!
//! Knows nothing of how a patch is made.

mod additions;
mod context;
mod findings;
mod first_difference;
mod functions;
mod harness;
mod influence;
mod items;
mod macro_order;
mod macros_meant;
mod modules;
mod pairs;
mod shifted;

use crate::analysis::attribute_effect::{effect_of_text, AttributeEffect};
use crate::analysis::items::FileItems;

pub use additions::{Addition, Additions, Source};
pub use context::ProgramContext;
pub use findings::{ChangedFunction, FileDiff, IndirectEdit, RudeEdit, Turn};
pub use first_difference::first_difference;
pub use harness::may_be_test;
pub use influence::{HasSite, Influence};
pub use shifted::{shifted, Shifted};

/// Compares two states of a file of the program `around`.
pub fn diff(old: &FileItems, new: &FileItems, around: &ProgramContext<'_>) -> FileDiff {
    let mut found = FileDiff::default();
    if lasting_attributes(old).ne(lasting_attributes(new)) {
        found.rude(1, "attributes of the file changed");
    }
    let order = macro_order::MacroOrder::of(old, new, around);
    order.compare(&mut found);
    items::compare((old, new), around, &order, &mut found);
    modules::compare(old, new, around, &mut found);
    functions::compare((old, new), around, &order, &mut found);
    found.indirect.sort();
    found.indirect.dedup();
    found.rude.sort();
    found.rude.dedup();
    found
}

fn lasting_attributes(items: &FileItems) -> impl Iterator<Item = &String> {
    let attributes = items.attributes.iter();
    attributes.filter(|text| effect_of_text(text) != AttributeEffect::Nothing)
}

#[cfg(test)]
mod tests;
