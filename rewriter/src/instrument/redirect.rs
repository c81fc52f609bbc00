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
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprPath, File, Item, ItemMod, Macro, Stmt, Token};

pub(crate) use self::replacements::{support, Std};
use self::std_functions::FUNCTIONS;
use crate::syntax::edits::{blank, Edits};
use crate::syntax::known_macros;
use crate::syntax::paths::Scopes;

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
    visitor.scopes.enter_module(file.items.iter());
    visit::visit_file(&mut visitor, file);
}

struct Visitor<'a> {
    source: &'a str,
    scopes: Scopes,
    edits: &'a mut Edits,
}

impl Visitor<'_> {
    fn means(&self, path: &ExprPath, wanted: &str) -> bool {
        path.qself.is_none()
            && self
                .scopes
                .meanings(&path.path)
                .iter()
                .any(|name| name == wanted)
    }
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if let Some((_, items)) = &item.content {
            self.scopes.enter_module(items.iter());
            visit::visit_item_mod(self, item);
            self.scopes.leave();
        }
    }

    fn visit_block(&mut self, block: &'ast Block) {
        let items = block.stmts.iter().filter_map(|statement| match statement {
            Stmt::Item(item) => Some(item),
            _ => None,
        });
        let items: Vec<&Item> = items.collect();
        self.scopes.enter_block(items.into_iter());
        visit::visit_block(self, block);
        self.scopes.leave();
    }

    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        self.scopes.define(&pattern.ident.to_string());
        visit::visit_pat_ident(self, pattern);
    }

    // Attributes and constants are computed by the compiler.
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if item.sig.constness.is_none() {
            self.scopes.enter_block(std::iter::empty());
            visit::visit_item_fn(self, item);
            self.scopes.leave();
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if item.sig.constness.is_none() {
            self.scopes.enter_block(std::iter::empty());
            visit::visit_impl_item_fn(self, item);
            self.scopes.leave();
        }
    }

    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        let plain = path
            .path
            .segments
            .iter()
            .all(|segment| segment.arguments.is_none());
        let function = FUNCTIONS
            .iter()
            .find(|function| self.means(path, function.path));
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
        let known = call
            .path
            .segments
            .last()
            .is_some_and(|last| known_macros::takes_expressions(&last.ident.to_string()));
        let of_mocks = call
            .path
            .segments
            .last()
            .is_some_and(|last| MOCKS.iter().any(|name| last.ident == name));
        let list = match (of_mocks, known) {
            (true, _) => expressions(behind_first(&call.tokens)),
            (false, true) => expressions(call.tokens.clone()),
            (false, false) => None,
        };
        // The expressions are only looked at here; what the visitor keeps of them is copied.
        if let Some(list) = list {
            let mut inner = Visitor {
                source: self.source,
                scopes: std::mem::take(&mut self.scopes),
                edits: &mut *self.edits,
            };
            list.iter().for_each(|expr| inner.visit_expr(expr));
            self.scopes = inner.scopes;
        }
    }
}

fn expressions(tokens: TokenStream) -> Option<Punctuated<Expr, Token![,]>> {
    Punctuated::parse_terminated.parse2(tokens).ok()
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
