//! Closures and tests: whatever a test makes works for it, wherever it runs.
//!
//! ```text
//! fn f(queue: &Queue) {
//!     let __soft_mock_scope = crate::__soft_mock::carry();
//!     queue.send(Box::new(move || { let __soft_mock_entered = __soft_mock_scope.enter(); work() }));
//! }
//! #[test] fn t() { crate::__soft_mock::test(); … }
//! static POOL: LazyLock<Pool> = LazyLock::new(|| { let __soft_mock_shared = crate::__soft_mock::shared(); Pool::new() });
//! ```
//!
//! A closure captures one word more, so nothing else changes for whoever takes it: not what is
//! inferred of its arguments, nor whether it is `Copy`, `Send` or `'static`. Closures that are
//! handed to something that calls them at once are left alone (`uses`). What a static holds belongs
//! to no test. Tasks of known executors carry their scope themselves (`executors`).

use std::collections::{HashMap, HashSet};

use proc_macro2::Span;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Expr, ExprClosure, File, ItemMod, Macro, Token};

use self::uses::{unwrapped, Use};
use crate::syntax::attributes::body_start;
use crate::syntax::edition::Edition;
use crate::syntax::edits::Edits;
use crate::syntax::known_macros;
use crate::syntax::paths::{Scoped, Scopes};

mod lazy_static;
mod statics;
mod support;
mod uses;

pub(crate) use support::support;

/// A closure that carries its scope: the lines that it stands on.
pub(crate) type Lines = (usize, usize);

const CARRY: &str = "let __soft_mock_scope = crate::__soft_mock::carry();";
const ENTER: &str = "let __soft_mock_entered = __soft_mock_scope.enter();";
const SHARED: &str = "let __soft_mock_shared = crate::__soft_mock::shared();";

/// Lets the closures of a file carry their scopes, but for those that stand on a line of `without`,
/// and its tests begin with one. Says which closures carry one.
pub(crate) fn insert(
    file: &File,
    edition: Edition,
    without: &HashSet<usize>,
    edits: &mut Edits,
) -> Vec<Lines> {
    let mut visitor = Visitor {
        edition,
        without,
        scopes: Scopes::default(),
        bodies: Vec::new(),
        uses: HashMap::new(),
        threads: Vec::new(),
        builders: Vec::new(),
        awaited: None,
        edits,
        carrying: Vec::new(),
    };
    visitor.in_file(file);
    visitor.carrying
}

struct Visitor<'a> {
    edition: Edition,
    without: &'a HashSet<usize>,
    scopes: Scopes,
    /// The bodies around: whether a closure in it has asked for the scope.
    bodies: Vec<bool>,
    /// What becomes of closures that stand further on, by where they begin.
    uses: HashMap<usize, Use>,
    /// Names of the scopes of `std::thread::scope`.
    threads: Vec<String>,
    /// Names of variables that hold a `std::thread::Builder`.
    builders: Vec<String>,
    /// Where a call begins that makes what a static holds by a future.
    awaited: Option<usize>,
    edits: &'a mut Edits,
    carrying: Vec<Lines>,
}

impl Visitor<'_> {
    /// Visits a body that runs by itself and begins with `text`.
    fn body(&mut self, start: Start, text: &str, visit: impl FnOnce(&mut Self)) {
        self.bodies.push(false);
        visit(self);
        let asked = self.bodies.pop().unwrap_or_default();
        let text = match (text.is_empty(), asked) {
            (true, false) => return,
            (false, false) => text.to_owned(),
            (true, true) => CARRY.to_owned(),
            (false, true) => format!("{text} {CARRY}"),
        };
        match start {
            Start::Inside(at) => self.edits.insert_before_code(at, format!(" {text}")),
            Start::Around(span) => {
                let range = span.byte_range();
                self.edits
                    .insert_before_code(range.start, format!("{{ {text} "));
                self.edits.insert(range.end, " }");
            }
        }
    }

    fn function(&mut self, attrs: &[Attribute], sig: &syn::Signature, block: &Block) {
        if sig.constness.is_some() {
            return;
        }
        let text = match (is_test(attrs), sig.asyncness) {
            (false, _) => "",
            (true, None) => "crate::__soft_mock::test();",
            (true, Some(_)) => "crate::__soft_mock::async_test();",
        };
        let names = [&mut self.threads, &mut self.builders].map(std::mem::take);
        self.in_function(|inner| {
            for input in &sig.inputs {
                inner.visit_fn_arg(input);
                inner.starter(input);
            }
            let start = Start::Inside(body_start(attrs, block));
            inner.body(start, text, |inner| inner.visit_block(block));
        });
        [self.threads, self.builders] = names;
    }

    /// Notes a parameter that threads can be started with.
    fn starter(&mut self, input: &syn::FnArg) {
        let syn::FnArg::Typed(typed) = input else {
            return;
        };
        let ty = match &*typed.ty {
            syn::Type::Reference(reference) => &*reference.elem,
            ty => ty,
        };
        let (syn::Pat::Ident(name), syn::Type::Path(ty)) = (&*typed.pat, ty) else {
            return;
        };
        let (name, meanings) = (name.ident.to_string(), self.scopes.meanings_of(ty));
        let means = |wanted: &str| meanings.iter().any(|meaning| meaning == wanted);
        if means("std::thread::Scope") {
            self.threads.push(name);
        } else if means("std::thread::Builder") {
            self.builders.push(name);
        }
    }

    fn use_of(&mut self, closure: &ExprClosure, of: Use) {
        self.uses.entry(start(closure.span())).or_insert(of);
    }

    /// Notes what becomes of the closures among the arguments of a call.
    fn arguments(&mut self, arguments: &Punctuated<Expr, Token![,]>, of: Use) {
        for argument in arguments {
            if let Expr::Closure(closure) = unwrapped(argument) {
                self.use_of(closure, of);
            }
        }
    }

    fn carries(&self, closure: &ExprClosure, of: Use) -> bool {
        let handed = match of {
            Use::Here | Use::Static => false,
            Use::Elsewhere => true,
            Use::Unknown => closure.capture.is_some() || closure.inputs.is_empty(),
        };
        // Before 2021, a closure that borrows would borrow the word itself.
        let captures = closure.capture.is_some() || self.edition >= Edition::E2021;
        let lines = lines(closure.span());
        handed
            && captures
            && closure.asyncness.is_none()
            && !self.bodies.is_empty()
            && !(lines.0..=lines.1).any(|line| self.without.contains(&line))
    }

    /// Whether what is handed to a thread has to be wrapped: it isn't a closure that carries its
    /// scope.
    fn wraps(&self, argument: &Expr) -> bool {
        match unwrapped(argument) {
            Expr::Closure(closure) => !self.carries(closure, Use::Elsewhere),
            _ => true,
        }
    }

    fn wrap(&mut self, argument: &Expr, with: &str) {
        let range = argument.span().byte_range();
        self.edits
            .insert(range.start, format!("crate::__soft_mock::{with}("));
        self.edits.insert(range.end, ")");
    }

    fn means(&self, function: &Expr, wanted: &str) -> bool {
        matches!(function, Expr::Path(path)
            if self.scopes.meanings(path).iter().any(|name| name == wanted))
    }

    /// `Builder::new().name(…)`
    fn is_builder(&self, expr: &Expr) -> bool {
        match unwrapped(expr) {
            Expr::Path(path) => {
                let name = path.path.get_ident();
                name.is_some_and(|name| self.builders.iter().any(|builder| name == builder))
            }
            Expr::MethodCall(call) => self.is_builder(&call.receiver),
            Expr::Call(call) => self.means(&call.func, "std::thread::Builder::new"),
            _ => false,
        }
    }

    /// What a thread is started with by this method, if one is.
    fn thread<'e>(&self, call: &'e syn::ExprMethodCall) -> Option<&'e Expr> {
        let name = call.method.to_string();
        let is_scope = |expr: &Expr| match unwrapped(expr) {
            Expr::Path(path) => path
                .path
                .get_ident()
                .is_some_and(|ident| self.threads.iter().any(|name| ident == name)),
            _ => false,
        };
        match (name.as_str(), call.args.len()) {
            ("spawn", 1) if is_scope(&call.receiver) || self.is_builder(&call.receiver) => {
                call.args.first()
            }
            ("spawn_scoped", 2) if self.is_builder(&call.receiver) => call.args.last(),
            _ => None,
        }
    }
}

impl Scoped<'_> for Visitor<'_> {
    fn scopes(&mut self) -> &mut Scopes {
        &mut self.scopes
    }
}

/// Where text goes that a body begins with.
enum Start {
    Inside(usize),
    /// The body is no block yet.
    Around(Span),
}

fn start(span: Span) -> usize {
    span.byte_range().start
}

fn lines(span: Span) -> Lines {
    (span.start().line, span.end().line)
}

/// Whether an attribute makes a function a test.
fn is_test(attrs: &[Attribute]) -> bool {
    const OTHERS: [&str; 5] = [
        "rstest",
        "test_case",
        "test_matrix",
        "quickcheck",
        "parameterized",
    ];
    attrs.iter().any(|attr| {
        let last = attr.path().segments.last();
        last.is_some_and(|last| {
            let name = last.ident.to_string();
            name == "test" || name.ends_with("_test") || OTHERS.contains(&name.as_str())
        })
    })
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    // Attributes and constants are computed by the compiler.
    fn visit_attribute(&mut self, _: &'ast Attribute) {}
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_trait_item_const(&mut self, _: &'ast syn::TraitItemConst) {}
    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}
    fn visit_type(&mut self, _: &'ast syn::Type) {}

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        let bodies = std::mem::take(&mut self.bodies);
        self.initial(&item.expr);
        self.bodies = bodies;
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.in_module(item);
    }

    fn visit_block(&mut self, block: &'ast Block) {
        self.in_block(block);
    }

    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        self.in_pattern(pattern);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.attrs, &item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.attrs, &item.sig, &item.block);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.attrs, &item.sig, block);
        }
    }

    fn visit_expr_async(&mut self, expr: &'ast syn::ExprAsync) {
        let inside = Start::Inside(body_start(&expr.attrs, &expr.block));
        self.body(inside, "", |inner| inner.visit_block(&expr.block));
    }

    fn visit_expr_closure(&mut self, closure: &'ast ExprClosure) {
        let of = self.uses.remove(&start(closure.span()));
        let of = of.unwrap_or(Use::Unknown);
        let text = match self.carries(closure, of) {
            true => {
                if let Some(asked) = self.bodies.last_mut() {
                    *asked = true;
                }
                self.carrying.push(lines(closure.span()));
                ENTER
            }
            false if of == Use::Static && closure.asyncness.is_none() => SHARED,
            false => "",
        };
        let place = match &*closure.body {
            Expr::Block(body) if body.label.is_none() && body.attrs.is_empty() => {
                Start::Inside(body.block.brace_token.span.open().byte_range().end)
            }
            other => Start::Around(other.span()),
        };
        self.in_function(|inner| {
            inner.body(place, text, |inner| {
                closure.inputs.iter().for_each(|pat| inner.visit_pat(pat));
                inner.visit_expr(&closure.body);
            });
        });
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        visit::visit_local(self, local);
        let init = local.init.as_ref();
        if let (syn::Pat::Ident(name), true) = (
            &local.pat,
            init.is_some_and(|init| self.is_builder(&init.expr)),
        ) {
            self.builders.push(name.ident.to_string());
        }
    }

    fn visit_expr_await(&mut self, expr: &'ast syn::ExprAwait) {
        if let Expr::MethodCall(call) = unwrapped(&expr.base) {
            if uses::of_method(call) == Use::Static {
                self.awaited(call);
            }
        }
        visit::visit_expr_await(self, expr);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        let mut scopes = Vec::new();
        let of = match uses::of_function(&call.func) {
            _ if self.means(&call.func, "std::thread::scope") => {
                scopes.extend(call.args.iter().filter_map(uses::only_parameter));
                Use::Here
            }
            of => of,
        };
        self.arguments(&call.args, of);
        if let (true, [argument]) = (
            self.means(&call.func, "std::thread::spawn"),
            call.args.iter().collect::<Vec<_>>().as_slice(),
        ) {
            if self.wraps(argument) {
                self.wrap(argument, "inherit");
            }
        }
        if uses::boxes_future(call) {
            self.wrap(&call.args[0], "follow");
        }
        let outer = self.threads.len();
        self.threads.append(&mut scopes);
        visit::visit_expr_call(self, call);
        self.threads.truncate(outer);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let thread = self.thread(call);
        let of = match thread {
            Some(_) => Use::Elsewhere,
            None => uses::of_method(call),
        };
        self.arguments(&call.args, of);
        let makes = of == Use::Static && uses::takes_nothing(call);
        if makes && self.awaited.take() != Some(start(call.span())) {
            if let Some(Expr::Path(path)) = call.args.first().map(unwrapped) {
                self.lazy_function(path);
            }
        }
        if let Some(argument) = thread.filter(|argument| self.wraps(argument)) {
            self.wrap(argument, "inherit");
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let last = call.path.segments.last();
        if last.is_some_and(|last| last.ident == "lazy_static") {
            for expr in lazy_static::values(&call.tokens) {
                let bodies = std::mem::take(&mut self.bodies);
                self.body(Start::Around(expr.span()), SHARED, |inner| {
                    inner.visit_expr(&expr);
                });
                self.bodies = bodies;
            }
        }
        // Only looked at here; what is kept of them is copied.
        let list = known_macros::arguments(call).into_iter().flatten();
        list.for_each(|expr| self.visit_expr(&expr));
    }
}

#[cfg(test)]
mod tests;
