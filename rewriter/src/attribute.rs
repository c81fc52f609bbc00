//! The prologue of one function as an attribute macro inserts it: into an item that it was given, in
//! a crate that isn't rewritten.
//!
//! ```text
//! #[mockable] fn get((a, b): (u8, u8)) -> u8 { a + b }
//! fn get(__soft_mock_0: (u8, u8)) -> u8 { { static …; if let Some(code) = SITE.code() { … } } let (a, b) = __soft_mock_0; a + b }
//! ```
//!
//! The same text as elsewhere, but that the support module is that of the runtime.

use std::collections::HashSet;

use syn::{Attribute, Block, ItemImpl, Signature};

use crate::edition::Edition;
use crate::eligibility::{classify, Ineligible, Place};
use crate::names::Owner;
use crate::prologue::{self, plain, Dialect, Function};

/// Where the support module of crates that aren't rewritten is.
const SUPPORT: &str = "::soft_mock::__support::";

/// What an attribute inserts into one function.
#[derive(Debug, Clone)]
pub struct AttributePrologue {
    /// The names of the parameters, in their order; a receiver's is `self`.
    pub parameters: Vec<String>,
    /// The statements at the start of the body.
    pub body: String,
}

/// The prologue for a function: of an impl block, or of a module.
pub fn attribute_prologue(
    attrs: &[Attribute],
    signature: &Signature,
    block: &Block,
    item_impl: Option<&ItemImpl>,
) -> Result<AttributePrologue, Ineligible> {
    let place = Place {
        impl_generics: item_impl.map(|item| &item.generics),
        ..Place::default()
    };
    let kind = classify(attrs, signature, place)?;
    let owner = item_impl.map_or(Owner::Free, Owner::of_impl);
    let function = Function {
        attrs,
        signature,
        block,
        owner: &owner,
        item_impl,
        kind,
        counted: false,
        main: false,
    };
    let dialect = Dialect {
        // Newer editions want `unsafe(…)` around the section, older compilers don't know it: those that
        // know edition 2024 take it everywhere.
        edition: Edition::E2024,
        no_std: false,
        borrowing: &HashSet::new(),
        type_ids: true,
        mocks: true,
    };
    let (parameters, body) = prologue::text(&function, &dialect);
    Ok(AttributePrologue {
        parameters,
        body: body.replace("crate::__soft_mock::", SUPPORT),
    })
}

/// The site of a function that has none, for the reason: see `refused`.
pub fn attribute_refusal(
    signature: &Signature,
    item_impl: Option<&ItemImpl>,
    why: Ineligible,
) -> String {
    let owner = item_impl.map_or(Owner::Free, Owner::of_impl);
    let (before, after) = owner.affixes(&plain(&signature.ident.to_string()));
    let section = crate::support::SECTION;
    format!(
        "const _: () = {{ #[used] #[unsafe(link_section = {section:?})] static REFUSED: {SUPPORT}Site = {SUPPORT}Site::new(32, \
         ::core::concat!({before:?}, ::core::module_path!(), {after:?}), ::core::file!(), 0, {:?}, ::core::option::Option::None); }};",
        why.to_string()
    )
}
