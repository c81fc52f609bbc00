//! Functions whose calls in progress are counted: those that stay in a loop around something that
//! waits, or in one that nothing in it ends; those with any loop without a given end that are
//! called once; and whoever calls them, up to `main`.
//!
//! ```text
//! fn serve(l: &TcpListener) { for s in l.incoming() { … } }      counted: a loop around `incoming`
//! fn tick() { sleep(SECOND) }   fn beat() { loop { tick() } }    counted: `tick` waits
//! fn run(&mut self) { while !self.done { self.draw() } }         counted: `main` calls it once
//! fn main() { serve(&listener); App::new().run() }               counted: it calls both
//! ```
//!
//! What is called once is followed from `main` (and from `run`, which the `main` of another crate
//! may call): calls that stand in no loop, nor in a closure that may be called again and again.
//!
//! A call in progress goes on with its old body. For these functions that may be for ever, so a
//! patch of one says how many calls are running. Found by name: a function that is counted without
//! need costs one atomic addition a call, and what is said of it is no less true.

mod loops;

use std::collections::{HashMap, HashSet};

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit::Visit;
use syn::Block;

use loops::{called_names, words, Loops};

/// Calls that usually wait for something outside of the program.
const WAITING: [&str; 19] = [
    "accept",
    "await",
    "incoming",
    "lines",
    "next_event",
    "park",
    "park_timeout",
    "read_line",
    "recv",
    "recv_deadline",
    "recv_timeout",
    "run_until",
    "select",
    "sleep",
    "spin_loop",
    "wait",
    "wait_timeout",
    "wait_while",
    "yield_now",
];

/// Where a program begins.
const BEGINNINGS: [&str; 2] = ["main", "run"];

/// Calls that call a closure once.
const CALLING_ONCE: [&str; 6] = [
    "block_on",
    "run",
    "scope",
    "spawn",
    "spawn_blocking",
    "spawn_local",
];

/// A name that more functions than this have says nothing of who calls whom.
const TOO_COMMON: usize = 3;

/// The functions of a crate, by name, as far as they matter here.
#[derive(Debug, Default)]
pub(crate) struct CallGraph {
    list: Vec<Function>,
    /// Macros by example that have a loop without a given end, each with its `!`.
    looping: HashSet<String>,
}

#[derive(Debug)]
struct Function {
    name: String,
    /// It waits itself.
    waits: bool,
    loops: Loops,
    called: HashSet<String>,
    once: Once,
}

impl CallGraph {
    /// Adds one function.
    pub(crate) fn add(&mut self, name: &str, block: &Block) {
        let (mut called, mut all) = (HashSet::new(), HashSet::new());
        called_names(block.to_token_stream(), &mut called);
        words(block.to_token_stream(), &mut all);
        let mut once = Once::default();
        once.visit_block(block);
        self.list.push(Function {
            name: name.to_owned(),
            waits: waits(&all),
            loops: Loops::of(block),
            called,
            once,
        });
    }

    /// Adds a macro by example.
    pub(crate) fn add_macro(&mut self, name: &str, rules: TokenStream) {
        let mut all = HashSet::new();
        words(rules, &mut all);
        if all.contains("loop") {
            self.looping.insert(format!("{name}!"));
        }
    }

    /// Names of functions to count.
    pub(crate) fn counted(&self) -> HashSet<String> {
        let mut definitions: HashMap<&str, usize> = HashMap::new();
        for function in &self.list {
            *definitions.entry(&function.name).or_default() += 1;
        }
        let telling = |name: &str| definitions.get(name).is_some_and(|n| *n <= TOO_COMMON);
        let once = self.called_once(&telling);
        let waiting = self.waiting(&telling);
        let stays = |function: &&Function| {
            let Function { loops, called, .. } = function;
            let calls_itself = || {
                waiting.contains(&*function.name)
                    && telling(&function.name)
                    && called.contains(&function.name)
            };
            loops.endless
                || waits(&loops.words)
                || loops.calls.iter().any(|name| waiting.contains(&**name))
                || called.iter().any(|name| self.looping.contains(name))
                || calls_itself()
                || function.once.loops && once.contains(&*function.name)
        };
        let mut counted: HashSet<String> = self
            .list
            .iter()
            .filter(stays)
            .map(|function| function.name.clone())
            .collect();
        loop {
            let callers: Vec<String> = self
                .list
                .iter()
                .filter(|function| !counted.contains(&function.name))
                .filter(|function| {
                    let mut called = function.called.iter();
                    called.any(|name| telling(name) && counted.contains(name))
                })
                .map(|function| function.name.clone())
                .collect();
            if callers.is_empty() {
                return counted;
            }
            counted.extend(callers);
        }
    }

    /// Names of functions that wait, themselves or in what they call.
    fn waiting(&self, telling: &dyn Fn(&str) -> bool) -> HashSet<&str> {
        let own = self.list.iter().filter(|function| function.waits);
        let own = own.map(|function| &*function.name);
        let mut waiting: HashSet<&str> = own.filter(|name| telling(name)).collect();
        loop {
            let waits = |function: &&Function| {
                let mut called = function.called.iter();
                called.any(|name| waiting.contains(&**name))
            };
            let others = self.list.iter().filter(waits);
            let others = others.map(|function| &*function.name);
            let new: Vec<&str> = others
                .filter(|name| telling(name) && !waiting.contains(name))
                .collect();
            if new.is_empty() {
                return waiting;
            }
            waiting.extend(new);
        }
    }

    /// Names of functions that are called once, as far as can be seen.
    fn called_once(&self, telling: &dyn Fn(&str) -> bool) -> HashSet<&str> {
        let mut once: HashSet<&str> = BEGINNINGS.into_iter().collect();
        let mut new: Vec<&str> = BEGINNINGS.to_vec();
        while let Some(caller) = new.pop() {
            let callers = self.list.iter().filter(|function| function.name == caller);
            for name in callers.flat_map(|function| &function.once.called) {
                if telling(name) && once.insert(name) {
                    new.push(name);
                }
            }
        }
        once
    }
}

fn waits(words: &HashSet<String>) -> bool {
    WAITING.iter().any(|waiting| words.contains(*waiting))
}

/// What a body calls once each time that it is called, and whether it has a loop that ends when it
/// wants to.
#[derive(Debug, Default)]
struct Once {
    called: HashSet<String>,
    loops: bool,
    /// The arguments at hand are those of something that calls a closure once.
    enters_closures: bool,
}

impl Once {
    fn call<'ast>(&mut self, name: String, arguments: impl Iterator<Item = &'ast syn::Expr>) {
        let enters = CALLING_ONCE.contains(&name.as_str());
        let outer = std::mem::replace(&mut self.enters_closures, enters);
        arguments.for_each(|argument| self.visit_expr(argument));
        self.enters_closures = outer;
        self.called.insert(name);
    }
}

impl<'ast> Visit<'ast> for Once {
    fn visit_expr_loop(&mut self, _: &'ast syn::ExprLoop) {
        self.loops = true;
    }

    fn visit_expr_while(&mut self, _: &'ast syn::ExprWhile) {
        self.loops = true;
    }

    fn visit_expr_for_loop(&mut self, item: &'ast syn::ExprForLoop) {
        self.visit_expr(&item.expr);
    }

    fn visit_expr_closure(&mut self, item: &'ast syn::ExprClosure) {
        if self.enters_closures {
            self.visit_expr(&item.body);
        }
    }

    fn visit_expr_call(&mut self, item: &'ast syn::ExprCall) {
        match &*item.func {
            syn::Expr::Path(path) => {
                let last = path.path.segments.last();
                let name = last.map(|segment| segment.ident.to_string());
                self.call(name.unwrap_or_default(), item.args.iter());
            }
            _ => syn::visit::visit_expr_call(self, item),
        }
    }

    fn visit_expr_method_call(&mut self, item: &'ast syn::ExprMethodCall) {
        self.visit_expr(&item.receiver);
        self.call(item.method.to_string(), item.args.iter());
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let mut functions = CallGraph::default();
        let file: syn::File = syn::parse_str(text).expect("a file");
        for item in file.items {
            match item {
                syn::Item::Fn(item) => functions.add(&item.sig.ident.to_string(), &item.block),
                syn::Item::Macro(item) => {
                    let name = item.ident.expect("a macro by example").to_string();
                    functions.add_macro(&name, item.mac.tokens);
                }
                syn::Item::Impl(item) => {
                    for item in item.items {
                        if let syn::ImplItem::Fn(item) = item {
                            functions.add(&item.sig.ident.to_string(), &item.block);
                        }
                    }
                }
                _ => {}
            }
        }
        let expected = expected.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(functions.counted(), expected, "{text}");
    }

    #[test]
    fn loops_that_wait_and_their_callers() {
        check(
            "fn serve() { loop { listener.accept(); handle(); } } \
             fn start() { serve() } fn handle() { for x in 0..3 { work(x) } } fn other() {}",
            &["serve", "start"],
        );
    }

    #[test]
    fn loops_that_wait_by_way_of_others() {
        let helpers = "fn nap() { sleep(D) } fn doze() { nap() } fn quick() {} \
                       fn ticker() -> T { T::new(sleep) } \
                       macro_rules! forever { ($($t:tt)*) => { loop { $($t)* } } }";
        let check = |body: &str, is_counted: bool| {
            let expected: &[&str] = if is_counted { &["stays"] } else { &[] };
            check(&format!("{helpers} fn stays() {{ {body} }}"), expected);
        };
        for body in [
            "while on() { doze(); }",
            "for _ in ticker() { work(); }",
            "(0..).for_each(|_| { sleep(D); work(); })",
            "repeat_with(|| nap()).map(work).last();",
            "work_until(|| { nap(); false })",
            "forever! { work(); }",
            "nap(); stays()",
            "while on() { park_timeout(D); }",
            "loop { for x in all() { if x { break; } } }",
            "loop { work(); let f = || { return 1; }; }",
        ] {
            check(body, true);
        }
        for body in [
            "while on() { quick(); }",
            "loop { if on() { break; } }",
            "loop { work()?; }",
            "'a: loop { loop { break 'a; } }",
            "loop { check!(return 1) }",
            "all().for_each(|x| quick(x))",
            "spawn(|| nap());",
            "nap();",
        ] {
            check(body, false);
        }
    }

    #[test]
    fn loops_that_are_entered_once() {
        let app = "impl App { fn turn(&mut self) { while !self.done { self.draw(); } } \
                   fn draw(&self) { let mut x = 0; while x < 9 { x += 1; } } }";
        check(
            &format!("{app} fn main() {{ let mut app = App::new(); app.turn(); }}"),
            &["turn", "main"],
        );
        check(
            &format!("{app} fn main() {{ ratatui::run(|t| App::new().turn(t)); }}"),
            &["turn", "main"],
        );
        check(
            &format!("{app} pub fn run() {{ App::new().turn() }}"),
            &["turn", "run"],
        );
        check(
            &format!("{app} fn main() {{ for app in all() {{ app.turn(); }} }}"),
            &[],
        );
        check(
            &format!("{app} fn main() {{ all().map(|app| app.turn()); }}"),
            &[],
        );
        check(&format!("{app} fn other() {{ App::new().turn() }}"), &[]);
    }
}
