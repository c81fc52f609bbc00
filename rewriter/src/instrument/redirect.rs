//! Call sites of functions whose bodies aren't rewritten.
//!
//! ```text
//! SystemTime::now()                  crate::__soft_mock::std_time_SystemTime_now()
//! thread::spawn(move || work())      thread::spawn(crate::__soft_mock::inherit(move || work()))
//! tokio::spawn(async { … })          tokio::spawn(crate::__soft_mock::follow(async { … }))
//! ```
//!
//! The first has a site, so that a test can mock the clock; the others make threads and tasks work
//! for the test that their parent works for. A function is recognised by its path alone: methods
//! aren't.

use std::collections::BTreeSet;

use soft_mock_abi::site::flag;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Block, Expr, ExprCall, ExprMethodCall, ExprPath, File, Item, ItemMod, Macro, Stmt, Token,
};

use self::std_functions::{StdFunction, FUNCTIONS};
pub(crate) use self::unseen::{support as unseen_support, Unseen};
use crate::instrument::support::SECTION;
use crate::syntax::edition::Edition;
use crate::syntax::edits::{blank, Edits};
use crate::syntax::known_macros;
use crate::syntax::paths::Scopes;

mod std_functions;
mod unseen;

/// Functions that run their arguments elsewhere, and what is put around these.
const ELSEWHERE: [(&str, &str); 11] = [
    ("std::thread::spawn", "inherit"),
    ("tokio::spawn", "follow"),
    ("tokio::task::spawn", "follow"),
    ("tokio::task::spawn_local", "follow"),
    ("tokio::task::spawn_blocking", "inherit"),
    ("async_std::task::spawn", "follow"),
    ("async_std::task::spawn_blocking", "inherit"),
    ("smol::spawn", "follow"),
    ("smol::unblock", "inherit"),
    ("rayon::spawn", "inherit"),
    ("rayon::join", "inherit"),
];

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
    fn wrap(&mut self, argument: &Expr, with: &str) {
        if self.instead.is_some() {
            return;
        }
        let range = argument.span().byte_range();
        self.edits
            .insert(range.start, format!("crate::__soft_mock::{with}("));
        self.edits.insert(range.end, ")");
    }

    fn means(&self, path: &ExprPath, wanted: &str) -> bool {
        path.qself.is_none()
            && self
                .scopes
                .meanings(&path.path)
                .iter()
                .any(|name| name == wanted)
    }

    fn elsewhere(&self, path: &ExprPath) -> Option<&'static str> {
        let found = ELSEWHERE.iter().find(|(name, _)| self.means(path, name));
        found.map(|(_, with)| *with)
    }

    /// `Builder::new().name(…)`
    fn is_builder(&self, expr: &Expr) -> bool {
        match expr {
            Expr::MethodCall(call) => self.is_builder(&call.receiver),
            Expr::Call(call) => {
                matches!(&*call.func, Expr::Path(path) if self.means(path, "std::thread::Builder::new"))
            }
            _ => false,
        }
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

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let Expr::Path(path) = &*call.func {
            if let Some(with) = self.elsewhere(path) {
                for argument in &call.args {
                    self.wrap(argument, with);
                }
            }
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        if call.method == "spawn" && call.args.len() == 1 && self.is_builder(&call.receiver) {
            self.wrap(&call.args[0], "inherit");
        }
        visit::visit_expr_method_call(self, call);
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
    let section = edition.unsafe_attribute(&format!("link_section = {SECTION:?}"));
    let mut text = SCOPES
        .replace("$section", &section)
        .replace("$scope", &flag::SCOPE.to_string());
    for function in used {
        text.push_str(&function.text(edition));
    }
    text
}

/// The thread's scope, as the runtime's `scope` module keeps it: 0 is none, the largest number
/// asks.
const SCOPES: &str = r#"
    fn scope(scope: u64) -> u64 {
        #[used] $section static SITE: Site = Site::new($scope, "", "", 0, "", Option::None);
        match SITE.code() {
            Option::Some(code) => unsafe { ::std::mem::transmute::<unsafe fn(), extern "C" fn(u64) -> u64>(code)(scope) },
            Option::None => 0,
        }
    }
    struct InScope(u64);
    impl InScope { fn enter(of: u64) -> Option<InScope> { if of == 0 { Option::None } else { Option::Some(InScope(scope(of))) } } }
    impl ::std::ops::Drop for InScope { fn drop(&mut self) { scope(self.0); } }
    pub fn inherit<R, F: ::std::ops::FnOnce() -> R>(work: F) -> impl ::std::ops::FnOnce() -> R {
        let parent = scope(::std::primitive::u64::MAX);
        move || { let _in_scope = InScope::enter(parent); work() }
    }
    pub struct Follow<F> { parent: u64, future: F }
    impl<F: ::std::future::Future> ::std::future::Future for Follow<F> {
        type Output = F::Output;
        fn poll(self: ::std::pin::Pin<&mut Self>, context: &mut ::std::task::Context<'_>) -> ::std::task::Poll<F::Output> {
            let _in_scope = InScope::enter(self.parent);
            unsafe { self.map_unchecked_mut(|follow| &mut follow.future) }.poll(context)
        }
    }
    pub fn follow<F: ::std::future::Future>(future: F) -> Follow<F> { Follow { parent: scope(::std::primitive::u64::MAX), future: future } }
"#;

#[cfg(test)]
mod tests;
