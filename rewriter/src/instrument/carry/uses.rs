//! What becomes of a closure, as far as the call around it says: whether it runs at once, or
//! perhaps later and elsewhere.
//!
//! ```text
//! value.unwrap_or_else(|| 1)                at once
//! pool.execute(|job| …)  Box::new(|| …)     perhaps elsewhere
//! CONFIG.get_or_init(|| read())             makes what a static holds
//! ```
//!
//! A name that means something else costs time or a word that isn't carried, never more.

use syn::{Expr, ExprCall, ExprMethodCall, Pat};

/// Where a closure runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Here and now.
    Here,
    /// Perhaps elsewhere.
    Elsewhere,
    /// It makes what a static holds.
    Static,
    Unknown,
}

/// Methods of the standard library that call what they are given while they run, or whose result
/// does where it is used up.
const HERE: [&str; 44] = [
    "all",
    "and_then",
    "any",
    "binary_search_by",
    "filter",
    "filter_map",
    "find",
    "find_map",
    "flat_map",
    "fold",
    "for_each",
    "get_or_insert_with",
    "inspect",
    "is_none_or",
    "is_some_and",
    "map",
    "map_err",
    "map_or",
    "map_or_else",
    "map_while",
    "max_by",
    "max_by_key",
    "min_by",
    "min_by_key",
    "ok_or_else",
    "or_else",
    "or_insert_with",
    "partition",
    "position",
    "reduce",
    "retain",
    "rposition",
    "scan",
    "skip_while",
    "sort_by",
    "sort_by_key",
    "sort_unstable_by",
    "sort_unstable_by_key",
    "take_while",
    "then",
    "try_fold",
    "try_for_each",
    "unwrap_or_else",
    "with",
];

/// Methods and functions that leave what they are given to somebody else.
const ELSEWHERE: [&str; 12] = [
    "defer",
    "dispatch",
    "enqueue",
    "execute",
    "install",
    "post",
    "push",
    "push_back",
    "run",
    "schedule",
    "send",
    "submit",
];

/// Methods that set a static once.
const ONCE: [&str; 4] = [
    "call_once",
    "call_once_force",
    "get_or_init",
    "get_or_try_init",
];

/// Of the arguments of a function.
pub(super) fn of_function(function: &Expr) -> Use {
    let Expr::Path(path) = function else {
        return Use::Unknown;
    };
    let names: Vec<String> = path
        .path
        .segments
        .iter()
        .map(|segment| segment.ident.to_string())
        .collect();
    match names.iter().rev().map(String::as_str).collect::<Vec<_>>()[..] {
        ["new", "Box" | "Arc" | "Rc", ..] => Use::Elsewhere,
        ["catch_unwind" | "call_original" | "from_fn" | "repeat_with", ..] => Use::Here,
        [name, ..] => named(name),
        [] => Use::Unknown,
    }
}

/// Of the arguments of a method.
pub(super) fn of_method(call: &ExprMethodCall) -> Use {
    let name = call.method.to_string();
    if ONCE.contains(&name.as_str()) {
        return match is_static(&call.receiver) {
            true => Use::Static,
            false => Use::Here,
        };
    }
    match HERE.contains(&name.as_str()) {
        true => Use::Here,
        false => named(&name),
    }
}

fn named(name: &str) -> Use {
    match name.starts_with("spawn") || ELSEWHERE.contains(&name) {
        true => Use::Elsewhere,
        false => Use::Unknown,
    }
}

/// Whether what sets a static once is called without arguments.
pub(super) fn takes_nothing(call: &ExprMethodCall) -> bool {
    call.method != "call_once_force"
}

/// `CONFIG`, `crate::CONFIG`
fn is_static(expr: &Expr) -> bool {
    let Expr::Path(path) = unwrapped(expr) else {
        return false;
    };
    let last = path.path.segments.last();
    last.is_some_and(|last| !last.ident.to_string().contains(char::is_lowercase))
}

/// `LazyLock::new`, `Lazy::new`
pub(super) fn is_lazy(function: &Expr) -> bool {
    let Expr::Path(path) = function else {
        return false;
    };
    let mut last = path.path.segments.iter().rev();
    let is_new = last.next().is_some_and(|name| name.ident == "new");
    is_new
        && last
            .next()
            .is_some_and(|ty| ty.ident.to_string().starts_with("Lazy"))
}

/// `Box::pin(async { … })`: who takes it doesn't know what is in it.
pub(super) fn boxes_future(call: &ExprCall) -> bool {
    let Expr::Path(path) = &*call.func else {
        return false;
    };
    let names: Vec<&syn::Ident> = path.path.segments.iter().map(|s| &s.ident).collect();
    let is_pin = matches!(names[..], [.., ty, name] if ty == "Box" && name == "pin");
    let argument = call.args.first().map(unwrapped);
    is_pin && call.args.len() == 1 && matches!(argument, Some(Expr::Async(_)))
}

/// The name of the only parameter of a closure: `s` of `|s| …`.
pub(super) fn only_parameter(argument: &Expr) -> Option<String> {
    let Expr::Closure(closure) = unwrapped(argument) else {
        return None;
    };
    let pattern = match closure.inputs.first()? {
        Pat::Type(typed) => &*typed.pat,
        other => other,
    };
    match pattern {
        Pat::Ident(ident) if closure.inputs.len() == 1 => Some(ident.ident.to_string()),
        _ => None,
    }
}

/// What a body ends with.
pub(super) fn result(body: &Expr) -> &Expr {
    match body {
        Expr::Block(block) if block.label.is_none() => match block.block.stmts.last() {
            Some(syn::Stmt::Expr(last, None)) => last,
            _ => body,
        },
        other => other,
    }
}

/// Without parentheses and what macros put around.
pub(super) fn unwrapped(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(paren) => unwrapped(&paren.expr),
        Expr::Group(group) => unwrapped(&group.expr),
        other => other,
    }
}
