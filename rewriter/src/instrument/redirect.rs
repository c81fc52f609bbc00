//! Call sites of functions whose bodies aren't rewritten.
//!
//! ```text
//! fs::read(path)                     crate::__soft_mock::std_fs_read(path)
//! ```
//!
//! It is a generic function of std, and what is called instead has a site, so that a test can mock
//! it. A function is recognised by its path alone. Calls that aren't, and all those of functions
//! without generics, are led to the same places in the objects that the compiler writes: what there
//! is to lead them to stands in `replacements`.

use proc_macro2::{TokenStream, TokenTree};
use soft_mock_abi::std_calls::ident;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Block, ExprPath, File, ItemMod, Macro};

pub(crate) use self::replacements::{support, Std};
use self::std_functions::FUNCTIONS;
use crate::syntax::edits::{blank, Edits};
use crate::syntax::known_macros;
use crate::syntax::paths::{Scoped, Scopes};

mod replacements;
mod std_functions;

/// Macros of soft-mock.
const MOCKS: [&str; 3] = ["mock", "mock_everywhere", "spy"];

/// Redirects the calls in a file.
pub(crate) fn insert(source: &str, file: &File, edits: &mut Edits) {
    let mut visitor = Visitor {
        source,
        scopes: Scopes::default(),
        edits,
    };
    visitor.in_file(file);
}

struct Visitor<'a> {
    source: &'a str,
    scopes: Scopes,
    edits: &'a mut Edits,
}

impl Scoped<'_> for Visitor<'_> {
    fn scopes(&mut self) -> &mut Scopes {
        &mut self.scopes
    }
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.in_module(item);
    }

    fn visit_block(&mut self, block: &'ast Block) {
        self.in_block(block);
    }

    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        self.in_pattern(pattern);
    }

    // Attributes and constants are computed by the compiler.
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if item.sig.constness.is_none() {
            self.in_function(|inner| visit::visit_item_fn(inner, item));
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if item.sig.constness.is_none() {
            self.in_function(|inner| visit::visit_impl_item_fn(inner, item));
        }
    }

    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        let plain = path
            .path
            .segments
            .iter()
            .all(|segment| segment.arguments.is_none());
        let meanings = self.scopes.meanings(path);
        let function = FUNCTIONS
            .iter()
            .find(|function| meanings.iter().any(|name| name == function.path));
        if let Some(function) = function.filter(|function| plain && function.is_generic()) {
            let range = path.span().byte_range();
            let ends: String = blank(&self.source[range.clone()])
                .chars()
                .filter(|sign| *sign == '\n')
                .collect();
            self.edits.replace(
                range,
                format!("crate::__soft_mock::{}{ends}", ident(function.path)),
            );
        }
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let of_mocks = call
            .path
            .segments
            .last()
            .is_some_and(|last| MOCKS.iter().any(|name| last.ident == name));
        let list = match of_mocks {
            true => known_macros::expressions(behind_first(&call.tokens)),
            false => known_macros::arguments(call),
        };
        // The expressions are only looked at here; what the visitor keeps of them is copied.
        let list = list.into_iter().flatten();
        list.for_each(|expr| self.visit_expr(&expr));
    }
}

/// What stands behind the first comma: the closure of a mock, as against the function that it is
/// for.
fn behind_first(tokens: &TokenStream) -> TokenStream {
    let is_comma =
        |token: &TokenTree| matches!(token, TokenTree::Punct(sign) if sign.as_char() == ',');
    let mut tokens = tokens.clone().into_iter();
    let _ = tokens.by_ref().find(is_comma);
    tokens.collect()
}

#[cfg(test)]
mod tests;
