//! The prologue of one function as an attribute macro inserts it: into an item that it was given,
//! in a crate that isn't rewritten.
//!
//! ```text
//! #[mockable] fn get((a, b): (u8, u8)) -> u8 { a + b }
//! fn get(__soft_mock_0: (u8, u8)) -> u8 { { static …; if let Some(code) = SITE.code() { … } } match __soft_mock_0 { (a, b) => { a + b }} }
//! ```
//!
//! The same text as elsewhere, but that the support module is that of the runtime.

use std::collections::HashSet;

use soft_mock_abi::site::flag::REFUSED;
use syn::{Attribute, Block, ItemImpl, ItemTrait, Signature};

use crate::analysis::eligibility::{classify_for_tests, Ineligible, Place};
use crate::instrument::instance::{hindrance, Surroundings};
use crate::instrument::item;
use crate::instrument::prologue;
pub use crate::instrument::prologue::Taken;
use crate::instrument::prologue::{Dialect, PrologueTarget};
use crate::instrument::prologue_check::PrologueCheck;
use crate::syntax::edition::Edition;
use crate::syntax::hidden_lifetimes::LifetimeCounts;
use crate::syntax::names::{plain, Owner};

/// Where the support module of crates that aren't rewritten is.
const SUPPORT: &str = "::soft_mock::__private::v1::mockable::";

/// What an attribute inserts into one function.
#[derive(Debug, Clone)]
pub struct AttributePrologue {
    /// The names that parameters get in place of their patterns, in their order.
    pub parameters: Vec<Option<String>>,
    /// The statements at the start of the body.
    pub body: String,
    /// What is bound around the rest of the body, the first outermost.
    pub taken: Vec<Taken>,
    /// The rest of the body has to be a block of its own.
    pub apart: bool,
}

/// What a function that is given to an attribute stands in.
#[derive(Debug, Clone, Copy)]
pub enum Within<'a> {
    /// A module.
    Module,
    /// An impl block.
    Impl(&'a ItemImpl),
    /// A trait, which gives it as a default.
    Trait(&'a ItemTrait),
}

impl<'a> Within<'a> {
    fn surroundings(self) -> Surroundings<'a> {
        Surroundings {
            item_impl: match self {
                Self::Impl(item) => Some(item),
                _ => None,
            },
            item_trait: match self {
                Self::Trait(item) => Some(item),
                _ => None,
            },
            in_body: false,
        }
    }

    fn owner(self) -> Owner {
        match self {
            Self::Module => Owner::Free,
            Self::Impl(item) => Owner::of_impl(item),
            Self::Trait(item) => Owner::of_trait(item),
        }
    }
}

/// The prologue for a function.
pub fn attribute_prologue(
    attrs: &[Attribute],
    signature: &Signature,
    block: &Block,
    within: Within<'_>,
    check: PrologueCheck,
) -> Result<AttributePrologue, Ineligible> {
    let surroundings = within.surroundings();
    let place = Place {
        impl_generics: surroundings.item_impl.map(|item| &item.generics),
        in_trait: surroundings.item_trait.is_some(),
        ..Place::default()
    };
    let (kind, has_instances) = classify_for_tests(attrs, signature, place)?;
    if let Some(why) = hindrance(signature, surroundings).filter(|_| has_instances) {
        return Err(why);
    }
    let owner = within.owner();
    let function = PrologueTarget {
        attrs,
        signature,
        block,
        owner: &owner,
        module: None,
        around: surroundings,
        instances: has_instances,
        kind,
        counted: false,
        main: false,
        expanded: false,
    };
    let dialect = Dialect {
        // Newer editions want `unsafe(…)` around the section, older compilers don't know it: those
        // that know edition 2024 take it everywhere.
        edition: Edition::E2024,
        borrowing: &HashSet::new(),
        lifetimes: &LifetimeCounts::default(),
        type_ids: true,
        mocks: true,
        check,
    };
    let (parameters, taken, body) = prologue::text(&function, &dialect);
    Ok(AttributePrologue {
        parameters,
        taken,
        body: body.replace("crate::__soft_mock::", SUPPORT),
        apart: item::declares(block),
    })
}

/// The site of a function that has none, for the reason: see `refused`.
pub fn attribute_refusal(signature: &Signature, within: Within<'_>, why: Ineligible) -> String {
    let owner = within.owner();
    let (before, after) = owner.affixes(&plain(&signature.ident.to_string()));
    let section = crate::instrument::support::SECTION;
    format!(
        "const _: () = {{ #[used] #[unsafe(link_section = {section:?})] static REFUSED: {SUPPORT}Site = {SUPPORT}Site::new({REFUSED}, \
         ::core::concat!({before:?}, ::core::module_path!(), {after:?}), ::core::file!(), 0, {:?}, ::core::option::Option::None); }};",
        why.to_string()
    )
}
