//! Call sites of functions whose bodies aren't rewritten.
//!
//! ```text
//! SystemTime::now()                  crate::__soft_mock::std_time_SystemTime_now()
//! ```
//!
//! What is called instead has a site, so that a test can mock the clock. A function is recognised
//! by its path alone: methods aren't.

use std::collections::BTreeSet;

use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprPath, File, Item, ItemMod, Macro, Stmt, Token};

use self::std_functions::{StdFunction, FUNCTIONS};
pub(crate) use self::unseen::{support as unseen_support, Unseen};
use crate::syntax::edition::Edition;
use crate::syntax::edits::{blank, Edits};
use crate::syntax::known_macros;
use crate::syntax::paths::Scopes;

mod std_functions;
mod unseen;

/// Macros of soft-mock.
const MOCKS: [&str; 3] = ["mock", "mock_everywhere", "spy"];

/// What the redirected calls of a crate need in its support module.
pub(crate) type Used = BTreeSet<&'static StdFunction>;

/// Redirects the calls in a file, and lists those of std that can't be.
///
/// `instead`: none is redirected in this crate, for this reason.
pub(crate) fn insert(
    source: &str,
    file: &File,
    instead: Option<&'static str>,
    edits: &mut Edits,
    used: &mut Used,
) -> Vec<Unseen> {
    let mut visitor = Visitor {
        source,
        scopes: Scopes::default(),
        edits,
        used,
        instead,
        unseen: Vec::new(),
    };
    visitor.scopes.enter_module(file.items.iter());
    visit::visit_file(&mut visitor, file);
    visitor.unseen
}

struct Visitor<'a> {
    source: &'a str,
    scopes: Scopes,
    edits: &'a mut Edits,
    used: &'a mut Used,
    instead: Option<&'static str>,
    unseen: Vec<Unseen>,
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
        if let (Some(function), Some(reason)) = (function, self.instead) {
            self.unseen.push(Unseen {
                name: function.path,
                line: path.span().start().line,
                reason,
            });
        } else if let (true, Some(function)) = (plain, function) {
            let range = path.span().byte_range();
            let ends: String = blank(&self.source[range.clone()])
                .chars()
                .filter(|sign| *sign == '\n')
                .collect();
            self.edits.replace(
                range,
                format!("crate::__soft_mock::{}{ends}", function.ident()),
            );
            self.used.insert(function);
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
        if of_mocks {
            return; // There a function of std is named, and a mock may call the real one.
        }
        if !known {
            return self.look_into(call);
        }
        // The expressions are only looked at here; what the visitor keeps of them is copied.
        if let Ok(list) = call.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
            let mut inner = Visitor {
                source: self.source,
                scopes: std::mem::take(&mut self.scopes),
                edits: &mut *self.edits,
                used: &mut *self.used,
                instead: self.instead,
                unseen: std::mem::take(&mut self.unseen),
            };
            list.iter().for_each(|expr| inner.visit_expr(expr));
            self.unseen = inner.unseen;
            self.scopes = inner.scopes;
        } else {
            self.look_into(call);
        }
    }
}

/// What stands in the support module of a crate whose calls are redirected.
pub(crate) fn support(edition: Edition, used: &Used) -> String {
    let mut text = String::new();
    for function in used {
        text.push_str(&function.text(edition));
    }
    text
}

#[cfg(test)]
mod tests;
