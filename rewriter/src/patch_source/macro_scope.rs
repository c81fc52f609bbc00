//! Whether the macros that a function calls, and those that stand beside it, mean the same in a
//! crate of its own.
//!
//! ```text
//! macro_rules! m { … }  fn f() { m!() }  macro_rules! m { … }      two of that name: which one is a matter of order
//! fn f() { vec![] }  macro_rules! vec { … }                       not in scope yet: it is that of std
//! prelude!();  fn f() { … }                                       may import what `f` means
//! ```
//!
//! Macros by example are in scope by textual order, which a plugin can't keep in all cases; what
//! other macros make is seen by the compiler alone. Where only one answer is possible there is no
//! doubt. Knows nothing of how a plugin is written.

use std::collections::HashSet;
use std::ptr;
use std::sync::Arc;

use crate::analysis::items::{
    DeclaredFunction, FileItems, Item, ItemKind, MacroRules, Module, UseKind,
};
use crate::syntax::mentions::{contains, Mentions};

/// Macros of other crates that make neither imports nor traits, beyond those that they are given.
const HARMLESS: [&str; 14] = [
    "assert_impl_all",
    "assert_not_impl_any",
    "bitflags",
    "cfg_if",
    "compile_error",
    "const_assert",
    "const_assert_eq",
    "criterion_group",
    "criterion_main",
    "lazy_static",
    "pin_project",
    "quick_error",
    "task_local",
    "thread_local",
];

/// Words without which no tokens make an import or a trait.
const BRINGING: [&str; 5] = ["use", "trait", "extern", "include", "macro_use"];

/// A macro by example, where it stands.
struct Definition<'a> {
    file: &'a FileItems,
    module: &'a Module,
    rules: &'a MacroRules,
}

/// A macro that the body calls, itself or through others, of which it isn't certain which one it
/// is.
pub(super) fn doubtful_macro(
    function: &DeclaredFunction,
    items: &[Arc<FileItems>],
) -> Option<String> {
    let mut seen: HashSet<&str> = HashSet::new();
    let mut waiting: Vec<&Mentions> = vec![&function.mentions];
    while let Some(mentions) = waiting.pop() {
        for name in &mentions.macros {
            let by_path = contains(&mentions.qualified, &format!("crate::{name}"));
            if !seen.insert(name) {
                continue;
            }
            match definitions(name, items).as_slice() {
                [] if made_by_macro(name, items) => {
                    return Some(format!("it calls {name}!, which another macro may define"));
                }
                [] => {}
                [one] => {
                    let from_root =
                        one.rules.exported && (by_path || imports(function, name, items));
                    if !from_root && !in_scope(one, function, items) {
                        return Some(format!(
                            "it calls {name}!, which may not be the crate's own"
                        ));
                    }
                    waiting.push(&one.rules.words);
                }
                _ => {
                    return Some(format!("it calls {name}!, of which the crate has several"));
                }
            }
        }
    }
    None
}

/// A macro call beside the function, or in a module of which it imports all names, that may bring
/// names or traits.
pub(super) fn doubtful_neighbour(
    function: &DeclaredFunction,
    items: &[Arc<FileItems>],
) -> Option<String> {
    let modules = modules_in_reach(function, items);
    let calls = items
        .iter()
        .flat_map(|file| &file.items)
        .filter(|item| item.kind == ItemKind::MacroCall && modules.contains(&item.module[..]));
    let mut doubtful = calls.filter(|call| brings_names(call, items));
    doubtful.next().map(|call| {
        let name = &call.name;
        format!("{name} in line {} may import what it mentions", call.line)
    })
}

/// Whether a macro call in place of items may make an import or a trait.
pub(super) fn brings_names(call: &Item, items: &[Arc<FileItems>]) -> bool {
    let brings = |words: &[Box<str>]| words.iter().any(|word| BRINGING.contains(&&**word));
    if brings(&call.mentions) {
        return true;
    }
    let mut seen: HashSet<&str> = HashSet::new();
    let mut waiting: Vec<&str> = call.macros.iter().map(|name| &**name).collect();
    while let Some(name) = waiting.pop() {
        if !seen.insert(name) {
            continue;
        }
        let found = definitions(name, items);
        let is_own = call.macros.iter().any(|called| **called == *name);
        if found.is_empty() && is_own && !HARMLESS.contains(&name) {
            return true;
        }
        for definition in found {
            if brings(&definition.rules.words.all) {
                return true;
            }
            let inner = definition.rules.words.macros.iter();
            waiting.extend(inner.map(|name| &**name));
        }
    }
    false
}

fn definitions<'a>(name: &str, items: &'a [Arc<FileItems>]) -> Vec<Definition<'a>> {
    let mut found = Vec::new();
    for file in items {
        for module in &file.modules {
            let named = module.macros.iter().filter(|rules| rules.name == name);
            found.extend(named.map(|rules| Definition {
                file,
                module,
                rules,
            }));
        }
    }
    found
}

/// Whether a macro that makes macros knows the name, or is given it.
fn made_by_macro(name: &str, items: &[Arc<FileItems>]) -> bool {
    let makes = |mentions: &Mentions| contains(&mentions.all, "macro_rules");
    let rules = || {
        let modules = items.iter().flat_map(|file| &file.modules);
        modules.flat_map(|module| &module.macros)
    };
    let mut makers = rules().filter(|rules| makes(&rules.words)).peekable();
    let is_maker = |called: &str| rules().any(|r| r.name == called && makes(&r.words));
    let mut calls = items
        .iter()
        .flat_map(|file| &file.items)
        .filter(|item| item.kind == ItemKind::MacroCall && contains(&item.mentions, name));
    makers.any(|rules| contains(&rules.words.all, name))
        || calls.any(|call| {
            contains(&call.mentions, "macro_rules") || call.macros.iter().any(|m| is_maker(m))
        })
}

/// Whether the function's module imports the exported macro: `use crate::name`.
fn imports(function: &DeclaredFunction, name: &str, items: &[Arc<FileItems>]) -> bool {
    let modules = items.iter().flat_map(|file| &file.modules);
    modules
        .filter(|module| module.path == function.module)
        .flat_map(|module| &module.uses)
        .any(|import| match &import.kind {
            UseKind::Name {
                name: theirs,
                bound,
            } => bound == name && theirs == name && import.prefix == ["crate"],
            _ => false,
        })
}

/// Whether a macro is in scope at a function by where both stand.
fn in_scope(
    definition: &Definition<'_>,
    function: &DeclaredFunction,
    items: &[Arc<FileItems>],
) -> bool {
    let (mut file, mut module) = (definition.file, definition.module);
    let (mut position, mut line) = (definition.rules.position, definition.rules.line);
    while !function.module.starts_with(&module.path) {
        // Out of its module by `#[macro_use]`.
        let Some((name, parent)) = module.path.split_last() else {
            return false;
        };
        let mut declarations = items.iter().flat_map(|file| {
            let parents = file.modules.iter().filter(|m| m.path == parent);
            parents.flat_map(move |m| {
                let children = m.children.iter().filter(|child| child.name == *name);
                children.map(move |child| (&**file, m, child))
            })
        });
        match (declarations.next(), declarations.next()) {
            (Some((outer_file, outer, child)), None) if child.macro_use => {
                (file, module) = (outer_file, outer);
                (position, line) = (child.position, child.line);
            }
            _ => return false,
        }
    }
    match function.module.get(module.path.len()) {
        Some(inner) => {
            let mut children = module.children.iter().filter(|c| c.name == *inner);
            let first = children.next();
            first.is_some_and(|child| child.position > position)
                && children.all(|child| child.position > position)
        }
        None => {
            let is_here = file.functions.iter().any(|own| ptr::eq(own, function));
            let alike = file.modules.iter().filter(|m| m.path == module.path);
            is_here && alike.count() == 1 && line < function.line
        }
    }
}

/// The function's module, and those of which it sees all names, by the last names of globs.
fn modules_in_reach<'a>(
    function: &'a DeclaredFunction,
    items: &'a [Arc<FileItems>],
) -> HashSet<&'a [String]> {
    let all = || items.iter().flat_map(|file| &file.modules);
    let mut reached: HashSet<&[String]> = HashSet::new();
    let mut waiting: Vec<&[String]> = vec![&function.module];
    while let Some(path) = waiting.pop() {
        if !reached.insert(path) {
            continue;
        }
        let globs = all()
            .filter(|module| module.path == path)
            .flat_map(|module| &module.uses)
            .filter(|import| import.kind == UseKind::Glob);
        for glob in globs {
            match glob.prefix.last().map(String::as_str) {
                Some("super") => {
                    let up = glob.prefix.iter().filter(|name| *name == "super").count();
                    waiting.push(&path[..path.len().saturating_sub(up)]);
                }
                Some("crate") | None => waiting.push(&[]),
                Some("self") => {}
                Some(name) => waiting.extend(
                    all()
                        .filter(|module| module.path.last().is_some_and(|last| last == name))
                        .map(|module| &module.path[..]),
                ),
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The function `f` of a crate with these files; the first is the root.
    #[track_caller]
    fn check(files: &[(&str, &str)], expected: Option<&str>) {
        let read = |(module, text): &(&str, &str)| {
            let path: Vec<String> = module.split("::").map(str::to_owned).collect();
            let path = if module.is_empty() { Vec::new() } else { path };
            let file = format!("/src/{module}.rs");
            Arc::new(FileItems::read(text, Path::new(&file), &path).expect("a file"))
        };
        let items: Vec<Arc<FileItems>> = files.iter().map(read).collect();
        let mut functions = items.iter().flat_map(|file| &file.functions);
        let function = functions.find(|f| f.name == "f").expect("a function");
        let found =
            doubtful_macro(function, &items).or_else(|| doubtful_neighbour(function, &items));
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn one_macro_in_scope() {
        check(
            &[("", "macro_rules! m { () => {} }\nfn f() { m!() }")],
            None,
        );
        check(
            &[(
                "",
                "macro_rules! m { () => {} }\nmod a { mod b { fn f() { m!() } } }",
            )],
            None,
        );
        let outer = "macro_rules! m { () => { n!() } }\nmod a;";
        check(&[("", outer), ("a", "fn f() { m!(); println!() }")], None);
        let lent = "#[macro_use]\nmod b;\nmod a;";
        let own = "macro_rules! m { () => {} }";
        check(&[("", lent), ("b", own), ("a", "fn f() { m!() }")], None);
        let exported = "#[macro_export] macro_rules! m { () => { $crate::n!() } }\n#[macro_export] macro_rules! n { () => {} }";
        check(
            &[
                ("", "mod b; mod a;"),
                ("b", exported),
                ("a", "fn f() { crate::m!() }"),
            ],
            None,
        );
        check(
            &[
                ("", "mod b; mod a;"),
                ("b", exported),
                ("a", "use crate::m; fn f() { m!() }"),
            ],
            None,
        );
    }

    #[test]
    fn more_than_one_answer() {
        let several = Some("it calls m!, of which the crate has several");
        let twice =
            "macro_rules! m { () => { 1 } }\nfn f() { m!() }\nmacro_rules! m { () => { 2 } }";
        check(&[("", twice)], several);
        check(&[("", "mod a { macro_rules! m { () => {} } }\nmacro_rules! m { () => {} }\nfn f() { m!() }")], several);
        let through = "macro_rules! n { () => { m!() } }\nmacro_rules! m { () => {} }\nmacro_rules! m { () => {} }\nfn f() { n!() }";
        check(&[("", through)], several);

        let later = "fn f() { vec![1] }\nmacro_rules! vec { () => {} }";
        let other = Some("it calls vec!, which may not be the crate's own");
        check(&[("", later)], other);
        check(
            &[(
                "",
                "mod a { fn f() { vec![] } }\nmacro_rules! vec { () => {} }",
            )],
            other,
        );
        check(
            &[(
                "",
                "mod a { macro_rules! vec { () => {} } }\nfn f() { vec![] }",
            )],
            other,
        );
        let made = "macro_rules! make { ($n:ident) => { macro_rules! $n { () => {} } } }\nmake!(vec);\nfn f() { vec![] }";
        check(
            &[("", made)],
            Some("it calls vec!, which another macro may define"),
        );
    }

    #[test]
    fn neighbours_that_may_bring_names() {
        let imports = "macro_rules! prelude { () => { use a::T; } }\nprelude!();\nfn f() {}";
        check(
            &[("", imports)],
            Some("prelude! in line 2 may import what it mentions"),
        );
        let glob = "macro_rules! prelude { () => { use a::T; } }\nprelude!();\nmod m { use super::*; fn f() {} }";
        check(
            &[("", glob)],
            Some("prelude! in line 2 may import what it mentions"),
        );
        check(
            &[(
                "",
                "macro_rules! prelude { () => { use a::T; } }\nprelude!();\nmod m { fn f() {} }",
            )],
            None,
        );
        check(
            &[("", "dep::unknown!();\nfn f() {}")],
            Some("dep::unknown! in line 1 may import what it mentions"),
        );
        check(
            &[("", "cfg_if! { if #[cfg(x)] { use a::T; } }\nfn f() {}")],
            Some("cfg_if! in line 1 may import what it mentions"),
        );
        check(&[("", "bitflags! { struct A: u8 {} }\nmacro_rules! code { () => { fn g() {} } }\ncode!();\nfn f() {}")], None);
    }
}
