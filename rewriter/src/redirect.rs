//! Call sites of functions whose bodies aren't rewritten.
//!
//! ```text
//! SystemTime::now()                  crate::__soft_mock::std_time_SystemTime_now()
//! thread::spawn(move || work())      thread::spawn(crate::__soft_mock::inherit(move || work()))
//! tokio::spawn(async { … })          tokio::spawn(crate::__soft_mock::follow(async { … }))
//! ```
//!
//! The first has a site, so that a test can mock the clock; the others make threads and tasks work for
//! the test that their parent works for. A function is recognised by its path alone: methods aren't.

use std::collections::BTreeSet;

use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Block, Expr, ExprCall, ExprMethodCall, ExprPath, File, Item, ItemMod, Macro, Stmt, Token,
};

use crate::edition::Edition;
use crate::edits::{blank, Edits};
use crate::paths::Scopes;
use crate::support::SECTION;

/// A function of the standard library whose calls are redirected.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StdFunction {
    path: &'static str,
    /// Generic parameters of the function that takes its place.
    generics: &'static str,
    /// Name, type and, for the mock, type and expression.
    parameters: &'static [Parameter],
    output: &'static str,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Parameter {
    ty: &'static str,
    mock_type: &'static str,
    mock_value: &'static str,
}

const DURATION: Parameter = Parameter {
    ty: "::std::time::Duration",
    mock_type: "::std::time::Duration",
    mock_value: "a",
};
const KEY: Parameter = Parameter {
    ty: "A",
    mock_type: "&::std::ffi::OsStr",
    mock_value: "::std::convert::AsRef::<::std::ffi::OsStr>::as_ref(&a)",
};
const PATH: Parameter = Parameter {
    ty: "A",
    mock_type: "&::std::path::Path",
    mock_value: "::std::convert::AsRef::<::std::path::Path>::as_ref(&a)",
};
const BYTES: Parameter = Parameter {
    ty: "B",
    mock_type: "&[u8]",
    mock_value: "::std::convert::AsRef::<[u8]>::as_ref(&b)",
};
const CODE: Parameter = Parameter {
    ty: "i32",
    mock_type: "i32",
    mock_value: "a",
};

const OS: &str = "<A: ::std::convert::AsRef<::std::ffi::OsStr>>";
const FILE: &str = "<A: ::std::convert::AsRef<::std::path::Path>>";

macro_rules! function {
    ($path:literal, $generics:expr, [$($parameter:expr),*], $output:literal) => {
        StdFunction { path: $path, generics: $generics, parameters: &[$($parameter),*], output: $output }
    };
}

const FUNCTIONS: &[StdFunction] = &[
    function!(
        "std::env::current_dir",
        "",
        [],
        "::std::io::Result<::std::path::PathBuf>"
    ),
    function!("std::env::temp_dir", "", [], "::std::path::PathBuf"),
    function!(
        "std::env::var",
        OS,
        [KEY],
        "::std::result::Result<::std::string::String, ::std::env::VarError>"
    ),
    function!(
        "std::env::var_os",
        OS,
        [KEY],
        "::std::option::Option<::std::ffi::OsString>"
    ),
    function!("std::fs::create_dir", FILE, [PATH], "::std::io::Result<()>"),
    function!(
        "std::fs::create_dir_all",
        FILE,
        [PATH],
        "::std::io::Result<()>"
    ),
    function!(
        "std::fs::metadata",
        FILE,
        [PATH],
        "::std::io::Result<::std::fs::Metadata>"
    ),
    function!(
        "std::fs::read",
        FILE,
        [PATH],
        "::std::io::Result<::std::vec::Vec<u8>>"
    ),
    function!(
        "std::fs::read_to_string",
        FILE,
        [PATH],
        "::std::io::Result<::std::string::String>"
    ),
    function!(
        "std::fs::remove_dir_all",
        FILE,
        [PATH],
        "::std::io::Result<()>"
    ),
    function!(
        "std::fs::remove_file",
        FILE,
        [PATH],
        "::std::io::Result<()>"
    ),
    function!(
        "std::fs::write",
        "<A: ::std::convert::AsRef<::std::path::Path>, B: ::std::convert::AsRef<[u8]>>",
        [PATH, BYTES],
        "::std::io::Result<()>"
    ),
    function!("std::process::exit", "", [CODE], "!"),
    function!("std::process::id", "", [], "u32"),
    function!("std::thread::sleep", "", [DURATION], "()"),
    function!("std::time::Instant::now", "", [], "::std::time::Instant"),
    function!(
        "std::time::SystemTime::now",
        "",
        [],
        "::std::time::SystemTime"
    ),
];

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

/// Macros of the standard library whose arguments are expressions.
const MACROS: [&str; 20] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "dbg",
    "eprint",
    "eprintln",
    "format",
    "format_args",
    "panic",
    "print",
    "println",
    "todo",
    "unimplemented",
    "unreachable",
    "vec",
    "write",
    "writeln",
];

/// What the redirected calls of a crate need in its support module.
pub(crate) type Used = BTreeSet<&'static StdFunction>;

/// Redirects the calls in a file.
pub(crate) fn insert(source: &str, file: &File, edits: &mut Edits, used: &mut Used) {
    let mut visitor = Visitor {
        source,
        scopes: Scopes::default(),
        edits,
        used,
    };
    visitor.scopes.enter_module(file.items.iter());
    visit::visit_file(&mut visitor, file);
}

struct Visitor<'a> {
    source: &'a str,
    scopes: Scopes,
    edits: &'a mut Edits,
    used: &'a mut Used,
}

impl Visitor<'_> {
    fn wrap(&mut self, argument: &Expr, with: &str) {
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
        if let (true, Some(function)) = (plain, function) {
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
            .is_some_and(|last| MACROS.iter().any(|name| last.ident == name));
        if !known {
            return;
        }
        // The expressions are only looked at here; what the visitor keeps of them is copied.
        if let Ok(list) = call.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
            let mut inner = Visitor {
                source: self.source,
                scopes: std::mem::take(&mut self.scopes),
                edits: &mut *self.edits,
                used: &mut *self.used,
            };
            list.iter().for_each(|expr| inner.visit_expr(expr));
            self.scopes = inner.scopes;
        }
    }
}

impl StdFunction {
    fn ident(&self) -> String {
        self.path.replace("::", "_")
    }

    /// The function that takes its place, for the support module.
    fn text(&self, edition: Edition) -> String {
        let section = edition.unsafe_attribute(&format!("link_section = {SECTION:?}"));
        let names = &["a", "b"][..self.parameters.len()];
        let join = |parts: Vec<String>| parts.join(", ");
        let parameters = join(
            names
                .iter()
                .zip(self.parameters)
                .map(|(name, p)| format!("{name}: {}", p.ty))
                .collect(),
        );
        let types = join(
            self.parameters
                .iter()
                .map(|p| p.mock_type.to_owned())
                .collect(),
        );
        let values = join(
            self.parameters
                .iter()
                .map(|p| p.mock_value.to_owned())
                .collect(),
        );
        let Self {
            path,
            generics,
            output,
            ..
        } = self;
        let arrow = match *output {
            "()" => String::new(),
            output => format!(" -> {output}"),
        };
        let signature = format!("fn({types}){arrow}").replace("::std::", "std::");
        let ident = self.ident();
        let pointer = format!("fn({types}){arrow}");
        format!(
            "#[track_caller] pub fn {ident}{generics}({parameters}){arrow} {{ \
             #[used] {section} static SITE: Site = Site::new(0, {path:?}, {path:?}, 0, {signature:?}, Option::Some(::std::any::TypeId::of::<{pointer}>)); \
             if let Option::Some(code) = SITE.code() {{ return unsafe {{ ::std::mem::transmute::<unsafe fn(), {pointer}>(code)({values}) }}; }} \
             ::{path}({names}) }}\n",
            names = names.join(", "),
        )
    }
}

/// What stands in the support module of a crate whose calls are redirected.
pub(crate) fn support(edition: Edition, used: &Used) -> String {
    let section = edition.unsafe_attribute(&format!("link_section = {SECTION:?}"));
    let mut text = SCOPES.replace("$section", &section);
    for function in used {
        text.push_str(&function.text(edition));
    }
    text
}

/// The thread's scope, as the runtime's `scope` module keeps it: 0 is none, the largest number asks.
const SCOPES: &str = r#"
    fn scope(scope: u64) -> u64 {
        #[used] $section static SITE: Site = Site::new(16, "", "", 0, "", Option::None);
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
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &str, after: &str) {
        let file = syn::parse_file(before).expect("a file");
        let mut edits = Edits::default();
        let mut used = Used::new();
        insert(before, &file, &mut edits, &mut used);
        assert_eq!(
            edits.apply(before).replace("crate::__soft_mock::", "$"),
            after
        );
    }

    #[test]
    fn functions_of_std_by_their_paths() {
        check(
            "use std::time::SystemTime; fn f() { SystemTime::now(); }",
            "use std::time::SystemTime; fn f() { $std_time_SystemTime_now(); }",
        );
        check(
            "use std::time::*; fn f() { a(Instant::now); }",
            "use std::time::*; fn f() { a($std_time_Instant_now); }",
        );
        check(
            "fn f() { assert!(::std::process::id() > 1); }",
            "fn f() { assert!($std_process_id() > 1); }",
        );
        check(
            "fn f() { use std::{env, fs as g}; env::var(x); g::read(y) }",
            "fn f() { use std::{env, fs as g}; $std_env_var(x); $std_fs_read(y) }",
        );
        check(
            "use std::thread::sleep; mod t { use super::*; fn f() { sleep(d) } }",
            "use std::thread::sleep; mod t { use super::*; fn f() { $std_thread_sleep(d) } }",
        );
    }

    #[test]
    fn other_things_of_those_names_stay() {
        for same in [
            "mod thread {} fn f() { thread::sleep(d) }",
            "use own::Instant; fn f() { Instant::now() }",
            "use std::thread::sleep; fn f() { let sleep = 1; sleep(d) }",
            "use std::thread::sleep; fn f(sleep: F) { sleep(d) }",
            "use std::thread; mod t { fn f() { thread::sleep(d) } }",
            "const X: u32 = std::process::id();",
            "fn f() { quote!(std::process::id()); a.elapsed(); }",
        ] {
            check(same, same);
        }
    }

    #[test]
    fn threads_and_tasks_follow() {
        check(
            "fn f() { std::thread::spawn(move || 1); }",
            "fn f() { std::thread::spawn($inherit(move || 1)); }",
        );
        check(
            "use std::thread; fn f() { thread::Builder::new().name(n).spawn(g) }",
            "use std::thread; fn f() { thread::Builder::new().name(n).spawn($inherit(g)) }",
        );
        check(
            "use tokio::task; async fn f() { tokio::spawn(async {}); task::spawn_blocking(|| std::thread::sleep(d)); }",
            "use tokio::task; async fn f() { tokio::spawn($follow(async {})); task::spawn_blocking($inherit(|| $std_thread_sleep(d))); }",
        );
        check(
            "fn f(s: S) { s.spawn(|| 1); }",
            "fn f(s: S) { s.spawn(|| 1); }",
        );
    }
}
