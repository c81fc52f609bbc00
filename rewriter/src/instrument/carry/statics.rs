//! What makes that which a static holds: it belongs to no test, whoever comes first.
//!
//! ```text
//! static POOL: Lazy<Pool> = Lazy::new(Pool::new)      Lazy::new(|| { …shared(); Pool::new() })
//! ACTOR.get_or_init(|| async { start() }).await       ACTOR.get_or_init(|| …sharing(async { start() })).await
//! ```

use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::Expr;

use super::uses::{self, unwrapped, Use};
use super::{start, Visitor, SHARED};

const SHARING: &str = "sharing";

impl Visitor<'_> {
    /// Visits the expression that a static is made of.
    pub(super) fn initial(&mut self, expr: &Expr) {
        if let Expr::Call(call) = expr {
            for argument in &call.args {
                match unwrapped(argument) {
                    Expr::Closure(closure) => self.use_of(closure, Use::Static),
                    Expr::Path(path) if uses::is_lazy(&call.func) => self.lazy_function(path),
                    _ => {}
                }
            }
        }
        self.visit_expr(expr);
    }

    /// `LazyLock::new(make)`, `STATIC.get_or_init(make)`: as a closure.
    pub(super) fn lazy_function(&mut self, path: &syn::ExprPath) {
        let range = path.span().byte_range();
        self.edits.insert(range.start, format!("|| {{ {SHARED} "));
        self.edits.insert(range.end, "() }");
    }

    /// What a static holds comes of a future, which is polled after the call.
    pub(super) fn awaited(&mut self, call: &syn::ExprMethodCall) {
        self.awaited = Some(start(call.span()));
        match call.args.first().map(unwrapped) {
            Some(Expr::Closure(closure)) if closure.asyncness.is_none() => {
                let made = uses::result(&closure.body);
                if start(made.span()) == start(closure.body.span()) {
                    self.use_of(closure, Use::Here);
                }
                self.wrap(made, SHARING);
            }
            Some(Expr::Path(path)) => {
                let range = path.span().byte_range();
                let before = format!("|| crate::__soft_mock::{SHARING}(");
                self.edits.insert(range.start, before);
                self.edits.insert(range.end, "())");
            }
            _ => {}
        }
    }
}
