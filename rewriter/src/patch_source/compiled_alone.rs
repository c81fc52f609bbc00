//! Which changed functions can't be compiled alone, against the widened copy of their crate.
//!
//! ```text
//! fn next() { static LAST: … }        a plugin would have another LAST
//! fn f(s: &S) { s.secret }            `secret` stayed private in the copy
//! fn f() { m!() }                     which of the macros m is a matter of textual order (see `macro_scope`)
//! fn f(s: &S) { s.inner_len() }       newly mentioned, and private elsewhere: the real crate refuses it
//! ```
//!
//! By name, and on the safe side. Knows nothing of how a plugin is written.

use std::sync::Arc;

use soft_mock_abi::site::has_opaque_result;

use super::macro_scope::{doubtful_macro, doubtful_neighbour};
use crate::analysis::declaration::Declaration;
use crate::analysis::hidden::Hidden;
use crate::analysis::items::{DeclaredFunction, FileItems, Module, Private, PrivateKind, UseKind};
use crate::syntax::mentions::{contains, Mentions};

/// Why `function` needs the whole crate to be compiled, if it does. `old` is its former state,
/// `hidden` are the names that the crate's copy did not widen, `items` are all files of the crate.
pub fn needs_whole_crate(
    function: &DeclaredFunction,
    old: &DeclaredFunction,
    hidden: &[Hidden],
    items: &[Arc<FileItems>],
) -> Option<String> {
    if let Some(what) = &function.local_items.what {
        return Some(format!("its body declares {what}"));
    }
    if function.local_items.functions != old.local_items.functions {
        // A pointer to one of them may be kept.
        return Some("a function in its body changed".to_owned());
    }
    if has_opaque_result(&function.signature) {
        return Some("its result is `impl Trait`".to_owned());
    }
    declaring_macro(function, items)
        .or_else(|| doubtful_macro(function, items))
        .or_else(|| doubtful_neighbour(function, items))
        .or_else(|| hidden_name(function, hidden, items))
        .or_else(|| newly_visible(function, old, hidden, items))
}

/// The same of something that is new.
pub fn addition_needs_whole_crate(
    addition: (usize, Declaration),
    hidden: &[Hidden],
    items: &[Arc<FileItems>],
) -> Option<String> {
    let file = items.get(addition.0)?;
    let within = match addition.1 {
        Declaration::Function(at) => {
            let place = &file.functions[at].place;
            place.signature.start..place.body.end
        }
        Declaration::Item(at) => file.items[at].place.range.clone(),
        Declaration::Impl(at) => file.impls[at].place.range.clone(),
        Declaration::Import { .. } => return None,
    };
    let functions = file.functions.iter();
    let mut functions = functions
        .filter(|function| within.start <= function.place.name.start)
        .filter(|function| function.place.body.end <= within.end);
    functions.find_map(|function| {
        let before = DeclaredFunction {
            signature: String::new(),
            mentions: Mentions::default(),
            ..function.clone()
        };
        let new = DeclaredFunction {
            signature: String::new(),
            ..function.clone()
        };
        needs_whole_crate(&new, &before, hidden, items)
    })
}

/// A macro of the crate's own that declares something, called in the body.
fn declaring_macro(function: &DeclaredFunction, items: &[Arc<FileItems>]) -> Option<String> {
    let mut macros = items
        .iter()
        .flat_map(|file| &file.modules)
        .flat_map(|module| &module.macros);
    macros
        .find(|m| {
            (m.declares || m.declares_functions) && contains(&function.mentions.macros, &m.name)
        })
        .map(|m| {
            format!(
                "its body calls {}!, which may declare a static, a type or a function",
                m.name
            )
        })
}

fn hidden_name(
    function: &DeclaredFunction,
    hidden: &[Hidden],
    items: &[Arc<FileItems>],
) -> Option<String> {
    hidden
        .iter()
        .filter(|hidden| hidden.visible_in(&function.module))
        .find(|hidden| mentions(&function.mentions, hidden, items))
        .map(|hidden| {
            let kind = if hidden.field { "field " } else { "" };
            format!("it mentions the private {kind}`{}`", hidden.name)
        })
}

/// A method is mentioned after a dot or `::` only; a name of which the kind is not known, anywhere.
fn mentions(words: &Mentions, hidden: &Hidden, items: &[Arc<FileItems>]) -> bool {
    let name = hidden.name.as_str();
    if hidden.field {
        return contains(&words.fields, name);
    }
    if !contains(&words.all, name) {
        return false;
    }
    let mut kinds = items
        .iter()
        .flat_map(|file| &file.private)
        .filter(|private| private.name == name && private.scope == hidden.scope)
        .filter(|private| private.kind != PrivateKind::Field)
        .peekable();
    if kinds.peek().is_none() || contains(&words.methods, name) {
        return true;
    }
    kinds.any(|private| match (private.kind, &private.owner) {
        (PrivateKind::Member, Some(owner)) => words.qualified.iter().any(|path| {
            path.split_once("::")
                .is_some_and(|(ty, member)| member == name && may_be(ty, owner, items))
        }),
        (PrivateKind::Member, None) => contains(&words.members, name),
        _ => true,
    })
}

/// Whether `ty`, as a body writes it, may be the type `owner`: only other types of the crate and a
/// few of the standard library surely aren't.
fn may_be(ty: &str, owner: &str, items: &[Arc<FileItems>]) -> bool {
    const OTHERS: [&str; 16] = [
        "Arc", "Box", "BTreeMap", "BTreeSet", "Cell", "Duration", "HashMap", "HashSet", "Instant",
        "Mutex", "Rc", "RefCell", "RwLock", "String", "Vec", "VecDeque",
    ];
    let declared = || {
        items
            .iter()
            .flat_map(|file| &file.items)
            .any(|item| item.kind.has_layout() && item.name == ty)
    };
    let renamed = || {
        items
            .iter()
            .flat_map(|file| &file.modules)
            .flat_map(|module| &module.uses)
            .any(|import| import.bound() == Some(ty) && import.path_text().contains(" as "))
    };
    ty == owner || renamed() || !(OTHERS.contains(&ty) || declared())
}

/// A name that the body did not mention before and that is private to another module: in the copy
/// it is visible, and could be taken for something else of that name.
fn newly_visible(
    function: &DeclaredFunction,
    old: &DeclaredFunction,
    hidden: &[Hidden],
    items: &[Arc<FileItems>],
) -> Option<String> {
    let globs = globs_around(function, items);
    let is_hidden = |private: &Private| {
        hidden
            .iter()
            .any(|hidden| hidden.name == private.name && hidden.scope == private.scope)
    };
    items
        .iter()
        .flat_map(|file| &file.private)
        .filter(|private| !function.module.starts_with(&private.scope))
        .find(|private| {
            is_new(private, &function.mentions, &old.mentions, &globs) && !is_hidden(private)
        })
        .map(|private| {
            format!(
                "it newly mentions `{}`, which is private to {}",
                private.name,
                module_text(&private.scope)
            )
        })
}

fn is_new(private: &Private, new: &Mentions, old: &Mentions, globs: &[&str]) -> bool {
    let name = private.name.as_str();
    let in_new = |words: &Mentions| match private.kind {
        PrivateKind::Field => contains(&words.fields, name),
        PrivateKind::Member => contains(&words.methods, name) || contains(&words.members, name),
        PrivateKind::Item => {
            let imported = private
                .module
                .last()
                .is_some_and(|module| globs.contains(&module.as_str()));
            contains(&words.members, name) || (imported && contains(&words.all, name))
        }
    };
    in_new(new) && !in_new(old)
}

/// Last names of the globs in the function's module and in those around it.
fn globs_around<'a>(function: &DeclaredFunction, items: &'a [Arc<FileItems>]) -> Vec<&'a str> {
    let around = |module: &&Module| function.module.starts_with(&module.path);
    items
        .iter()
        .flat_map(|file| &file.modules)
        .filter(around)
        .flat_map(|module| &module.uses)
        .filter(|import| import.kind == UseKind::Glob)
        .filter_map(|import| import.prefix.last().map(String::as_str))
        .collect()
}

fn module_text(path: &[String]) -> String {
    match path.is_empty() {
        true => "the crate".to_owned(),
        false => format!("module {}", path.join("::")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The first function of the first file, in its old and new form; hidden: `.field` or `name`.
    fn check(old: &str, new: &str, other: &str, hidden: &[&str], expected: Option<&str>) {
        let read = |text, module: &str| {
            FileItems::read(text, Path::new("a.rs"), &[module.to_owned()]).expect("a file")
        };
        let hidden: Vec<Hidden> = hidden
            .iter()
            .map(|name| Hidden {
                name: name.trim_start_matches('.').to_owned(),
                field: name.starts_with('.'),
                scope: vec!["a".to_owned()],
            })
            .collect();
        let old = read(old, "a");
        let items = [read(new, "a"), read(other, "b")].map(Arc::new);
        let found = needs_whole_crate(&items[0].functions[0], &old.functions[0], &hidden, &items);
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn declarations() {
        check(
            "fn f() {}",
            "fn f() { static A: u8 = 1; }",
            "",
            &[],
            Some("its body declares static A"),
        );
        check(
            "fn f() {}",
            "fn f() { count!() }",
            "macro_rules! count { () => {{ static N: u8 = 1; }} }",
            &[],
            Some("its body calls count!, which may declare a static, a type or a function"),
        );
    }

    #[test]
    fn hidden_names() {
        let body = "fn f() { s.n; m() }";
        check(
            body,
            body,
            "",
            &[".n"],
            Some("it mentions the private field `n`"),
        );
        check(body, body, "", &["m"], Some("it mentions the private `m`"));
        check(body, body, "", &[".m", "x"], None);
        let new = "struct S; struct T; impl S { fn new() {} }";
        let call = |ty: &str| format!("fn f() {{ {ty}::new() }} {new}");
        check(&call("T"), &call("T"), "", &["new"], None);
        check(&call("Vec"), &call("Vec"), "", &["new"], None);
        for ty in ["S", "Self", "Alias"] {
            let text = call(ty);
            check(
                &text,
                &text,
                "",
                &["new"],
                Some("it mentions the private `new`"),
            );
        }
        let method = "fn f() { let len = 1; s.len; } impl S { fn len(&self) {} }";

        check(method, method, "", &["len"], None);
    }

    #[test]
    fn new_mentions_of_what_is_private_elsewhere() {
        let other = "struct S { n: u8 } impl S { fn len(&self) {} } fn g() {}";
        check(
            "fn f() {}",
            "fn f() { s.n }",
            other,
            &[],
            Some("it newly mentions `n`, which is private to module b"),
        );
        check(
            "fn f() {}",
            "fn f() { s.len() }",
            other,
            &[],
            Some("it newly mentions `len`, which is private to module b"),
        );
        check("fn f() { s.len() }", "fn f() { t.len() }", other, &[], None);
        check("fn f() {}", "fn f() { let g = 1; }", other, &[], None);
        check("fn f() {}", "use b::*; fn f() {}", other, &[], None);
        check(
            "use b::*; fn f() {}",
            "use b::*; fn f() { g() }",
            other,
            &[],
            Some("it newly mentions `g`, which is private to module b"),
        );
    }
}
