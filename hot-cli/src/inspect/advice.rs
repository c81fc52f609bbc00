//! What follows an edit only after a restart, or late, although it has a site: each with a line of
//! advice.
//!
//! By a crate's sources: `main`, handlers that an attribute takes, and closures that something
//! keeps. Knows nothing of what runs.

use std::path::Path;

use serde::Serialize;
use soft_mock_rewriter::syntax::CrateTree;
use syn::spanned::Spanned;
use syn::visit::Visit;

/// Methods that keep what they are given: routers and the like, which are made once.
const KEEPERS: [&str; 11] = [
    "add_observer",
    "add_systems",
    "default_service",
    "fallback",
    "layer",
    "nest",
    "route",
    "route_layer",
    "service",
    "wrap",
    "wrap_fn",
];

/// Attributes of actix-web: each puts the function below it into a method of its own.
const ROUTES: [&str; 7] = ["delete", "get", "head", "patch", "post", "put", "trace"];

/// One thing, and what to do about it.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(super) struct Advice {
    pub(super) what: String,
    pub(super) advice: String,
}

impl Advice {
    pub(super) fn new(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            advice: advice.into(),
        }
    }
}

/// What is to be said of a crate; `is_program` if it has a `main`.
pub(super) fn of_crate(
    tree: &CrateTree,
    is_program: bool,
    shown: &dyn Fn(&Path) -> String,
) -> Vec<Advice> {
    let mut all = Vec::new();
    if let Some(root) = tree.files.first().filter(|_| is_program) {
        let mut items = root.ast.items.iter();
        let main = items.find_map(|item| match item {
            syn::Item::Fn(function) if function.sig.ident == "main" => Some(function),
            _ => None,
        });
        all.extend(main.map(|main| {
            let line = main.sig.ident.span().start().line;
            Advice::new(
                format!("{}:{line}: `main` runs once, so an edit of it needs a restart", shown(&root.path)),
                "leave it short: what is edited often belongs into functions that are called again and again",
            )
        }));
    }
    let has_actix = tree
        .files
        .iter()
        .any(|file| file.text.contains("actix_web"));
    for file in tree.files.iter().filter(|_| has_actix) {
        let mut routes = Routes::default();
        routes.visit_file(&file.ast);
        all.extend(routes.0.iter().map(|(line, function, attribute)| {
            Advice::new(
                format!(
                    "{}:{line}: `#[{attribute}]` puts `{function}` into a method of its own, so an edit of it needs a \
                     restart",
                    shown(&file.path)
                ),
                format!("let it call a function, or give it to the router by name: `web::{attribute}().to({function})`"),
            )
        }));
    }
    for file in &tree.files {
        let mut closures = Closures::default();
        closures.visit_file(&file.ast);
        for (keeper, lines) in closures.found {
            let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
            let (noun, keep) = match lines.len() {
                1 => ("a closure", "keeps the body that it was"),
                _ => ("closures", "keep the body that they were"),
            };
            all.push(Advice::new(
                format!(
                    "{}:{}: {noun} given to `{keeper}` {keep} made with",
                    shown(&file.path),
                    lines.join(", ")
                ),
                "give it a function by name, or a closure that only calls one: that is patched",
            ));
        }
    }
    all
}

/// Functions under one of `ROUTES`, with line and attribute.
#[derive(Default)]
struct Routes(Vec<(usize, String, String)>);

impl<'ast> Visit<'ast> for Routes {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        let names = function.attrs.iter().filter_map(|attribute| {
            let name = attribute.path().segments.last()?.ident.to_string();
            ROUTES.contains(&&*name).then_some(name)
        });
        let line = function.sig.ident.span().start().line;
        let places = names.map(|name| (line, function.sig.ident.to_string(), name));
        self.0.extend(places);
        syn::visit::visit_item_fn(self, function);
    }
}

/// Closures in the arguments of keepers.
#[derive(Default)]
struct Closures {
    keeper: Option<String>,
    /// By keeper, in the order of the file.
    found: Vec<(String, Vec<usize>)>,
}

impl<'ast> Visit<'ast> for Closures {
    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.visit_expr(&call.receiver);
        let name = call.method.to_string();
        let outer = self.keeper.clone();
        if KEEPERS.contains(&&*name) {
            self.keeper = Some(name);
        }
        for argument in &call.args {
            self.visit_expr(argument);
        }
        self.keeper = outer;
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        let Some(keeper) = self.keeper.take() else {
            return syn::visit::visit_expr_closure(self, closure);
        };
        if !only_calls(&closure.body) {
            let line = closure.span().start().line;
            match self.found.iter_mut().find(|(known, _)| *known == keeper) {
                Some((_, lines)) => lines.push(line),
                None => self.found.push((keeper.clone(), vec![line])),
            }
        }
        // What is in it belongs to it.
        self.keeper = Some(keeper);
    }
}

/// Whether a body is nothing but the call of a function with what is at hand.
fn only_calls(body: &syn::Expr) -> bool {
    let is_plain = |argument: &syn::Expr| {
        matches!(
            argument,
            syn::Expr::Path(_) | syn::Expr::Reference(_) | syn::Expr::Field(_)
        )
    };
    match body {
        syn::Expr::Call(call) => call.args.iter().all(is_plain),
        syn::Expr::MethodCall(call) => is_plain(&call.receiver) && call.args.iter().all(is_plain),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, is_program: bool, expected: &[&str]) {
        let mut read = |_: &Path| Ok(text.to_owned());
        let tree = CrateTree::load(Path::new("main.rs"), &mut read).expect("a crate");
        let found = of_crate(&tree, is_program, &|path| path.display().to_string());
        let found: Vec<&str> = found.iter().map(|advice| advice.what.as_str()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn main_and_closures_that_are_kept() {
        let main = "main.rs:1: `main` runs once, so an edit of it needs a restart";
        check("fn main() {}", true, &[main]);
        check("fn main() {}", false, &[]);
        check(
            "fn app() -> R {\n R::new()\n.route(\"/\", get(|| async { 1 }))\n\
             .route(\"/b\", post(move |x| { let y = |z| z; y(x) }))\n.fallback(|| 2)\n}",
            false,
            &[
                "main.rs:3, 4: closures given to `route` keep the body that they were made with",
                "main.rs:5: a closure given to `fallback` keeps the body that it was made with",
            ],
        );
    }

    #[test]
    fn handlers_that_an_attribute_takes() {
        let handler = "#[get(\"/\")]\nasync fn index() {}\n#[inline]\nfn other() {}";
        check(
            &format!("use actix_web::get;\n{handler}"),
            false,
            &["main.rs:3: `#[get]` puts `index` into a method of its own, so an edit of it needs a restart"],
        );
        check(handler, false, &[]);
    }

    #[test]
    fn what_is_called_again_or_by_name_is_patched() {
        check(
            "fn f() { R.route(\"/\", get(show)).route(\"/c\", get(move |x| show(x, &state)));\n\
             list.iter().map(|x| x + 1).for_each(|x| { x; }) }",
            false,
            &[],
        );
    }
}
