//! Which new functions can have a site that later plugins find, and of which type that is.
//!
//! It is for plain functions, and only where the type can be written down: the type is all that a
//! later plugin's code is compared with. Knows nothing of how they are written.

use std::collections::HashSet;

use soft_mock_abi::late::CELL;
use soft_mock_abi::symbol::{CHECK, TYPE_ID};
use syn::{ItemImpl, Signature};

use crate::analysis::items::{DeclaredFunction, FileItems};
use crate::analysis::late_type::late_type;
use crate::syntax::names::Owner;

/// Whether a function that is new in a file can have one. `text`: the file's; `borrowing`: the
/// crate's types with lifetime parameters; `is_new`: whether a name is that of a new type, which
/// each plugin has another one of.
pub fn may_have_site(
    (file, text): (&FileItems, &str),
    function: &DeclaredFunction,
    borrowing: &HashSet<String>,
    is_new: &dyn Fn(&str) -> bool,
) -> bool {
    let is_plain = function.kind.is_ok()
        && function.cfgs.is_empty()
        && function.place.parameter_attributes.is_empty()
        && !matches!(function.owner, Owner::Trait { .. });
    if !is_plain || function.types.iter().any(|name| is_new(name)) {
        return false;
    }
    let signature = text.get(function.place.signature.clone());
    let signature = signature.and_then(|text| syn::parse_str::<Signature>(text).ok());
    let item = file.header_of(function).map(|header| {
        let block = syn::parse_str::<ItemImpl>(&format!("{} {{}}", header.text));
        block.ok().filter(|block| block.generics.params.is_empty())
    });
    let (Some(signature), Some(item)) = (signature, item.map_or(Some(None), |item| item.map(Some)))
    else {
        return false;
    };
    let is_simple = signature.unsafety.is_none() && signature.abi.is_none();
    is_simple && late_type(&signature, item.as_ref(), borrowing).is_some()
}

/// The symbol of the cell for the site of the function at this position.
pub(super) fn cell(position: usize) -> String {
    format!("{CELL}{position}")
}

/// The symbol of what says its type.
pub(super) fn type_id(position: usize) -> String {
    format!("{TYPE_ID}{position}")
}

/// The symbol of what compares it.
pub(super) fn check(position: usize) -> String {
    format!("{CHECK}{position}")
}
