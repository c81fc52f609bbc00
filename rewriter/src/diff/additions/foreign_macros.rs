//! Names that macros of other crates may mean where unchanged code calls them: hygiene protects
//! their variables from those of the caller, but not from the caller's items.
//!
//! ```text
//! assert_eq!(a, b)             ─►  match (&a, &b) { (left_val, right_val) => … }
//! + const left_val: i32 = 5;       now a pattern that asks for 5
//! ```
//!
//! What such a macro mentions meant something before. So a new item or import can come between in
//! two ways only: it stands for a value in a pattern, or it has the name of something that a glob
//! brings. One that is removed may have been what was meant. Knows nothing of what macros consist
//! of, and of what names without an import there are.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::collect::{Called, Found, Name};
use super::mentioned::{is_attribute, may_see};
use super::Source;
use crate::analysis::declaration::Declaration;
use crate::analysis::items::{ItemKind, Use, UseKind};
use crate::analysis::known_attributes::makes_no_code;
use crate::syntax::known_macros::{is_of_std, only_adds_impls};
use crate::syntax::names::{is_variable, plain};
use crate::syntax::normalize::sign_at;
use crate::syntax::tree::left_out;

/// Refuses if a macro may mean an addition.
pub(super) fn check(files: &[Source<'_>], found: &[Found]) -> Result<(), String> {
    for addition in found {
        if let Some(import) = import(files, addition).filter(|import| replaces_std(import)) {
            return Err(format!("macros may mean `{}`", import.path_text()));
        }
        for name in &addition.names {
            if name.called == Called::Member {
                continue;
            }
            if is_lower_value(files, addition, name) {
                return Err(format!("a pattern of a macro may mean `{}`", name.text));
            }
            let unit = addition.addition.unit;
            let doubtful = addition.addition.removed || meets_glob(files, unit, name);
            if let Some(place) = doubtful.then(|| foreign_call(files, unit, name)).flatten() {
                return Err(format!("{place} may mean `{}`", name.text));
            }
        }
    }
    Ok(())
}

/// A constant or a type that is called as variables are. Of imports a small crate asks the compiler
/// (`patch_source::addition`).
fn is_lower_value(files: &[Source<'_>], found: &Found, name: &Name) -> bool {
    let addition = &found.addition;
    let Declaration::Item(at) = addition.declaration else {
        return false;
    };
    let item = &files[addition.file].items.items[at];
    let own = plain(&item.name) == name.text;
    own && item.kind != ItemKind::Trait && is_variable(&name.text)
}

/// Whether a name is new where a glob may bring what is declared in another crate.
fn meets_glob(files: &[Source<'_>], unit: usize, name: &Name) -> bool {
    let own = || files.iter().filter(|file| file.unit == unit);
    let modules = || own().flat_map(|file| &file.items.modules);
    let is_glob = |import: &&Use| import.kind == UseKind::Glob;
    let is_own = |import: &Use| match import.prefix.first().map(|first| plain(first)) {
        Some(first) if ["crate", "self", "super"].contains(&first.as_str()) => true,
        Some(first) if !import.leading_colon => modules().any(|module| {
            let children = module.children.iter().map(|child| &child.name);
            let mut names = children.chain(module.locals.iter().map(|local| &local.name));
            names.any(|name| plain(name) == first)
        }),
        _ => false,
    };
    let in_reach = |path: &Vec<String>| {
        let scope = name.scope.as_ref();
        scope.is_none_or(|scope| path.starts_with(scope))
    };
    let mut reached = modules().filter(|module| in_reach(&module.path));
    reached.any(|module| module.uses.iter().any(|import| is_glob(&import)))
        && modules()
            .flat_map(|module| &module.uses)
            .any(|import| is_glob(&import) && !is_own(import))
}

/// The first place in reach of a name where a macro of another crate is used, but for those of the
/// standard library.
fn foreign_call(files: &[Source<'_>], unit: usize, name: &Name) -> Option<String> {
    let own = || files.iter().filter(|file| file.unit == unit);
    let rules = own().flat_map(|file| &file.items.modules);
    let rules = rules.flat_map(|module| &module.macros);
    let known = Known {
        own: rules.map(|rules| plain(&rules.name)).collect(),
        replaced: own().any(may_replace_std),
    };
    own().filter(|file| may_see(file, name)).find_map(|file| {
        let skipped = left_out(file.text);
        let tokens: TokenStream = file.text[skipped..].parse().ok()?;
        let (text, line) = known.first_other(tokens)?;
        Some(format!("{text} ({}:{line})", file.items.path.display()))
    })
}

/// The import that is new.
fn import<'a>(files: &[Source<'a>], found: &Found) -> Option<&'a Use> {
    match found.addition.declaration {
        Declaration::Import { module, import } if !found.addition.removed => {
            let items = files[found.addition.file].items;
            Some(&items.modules[module].uses[import])
        }
        _ => None,
    }
}

/// Whether an import may put another macro in the place of one of the standard library.
fn replaces_std(import: &Use) -> bool {
    let std = ["std", "core", "alloc"];
    let mut first = import.prefix.iter().take(1);
    let of_std = first.any(|first| std.contains(&&**first));
    let mut bound = import.bound().into_iter();
    bound.any(|bound| is_of_std(&plain(bound)) && !of_std)
}

fn may_replace_std(file: &Source<'_>) -> bool {
    let mut modules = file.items.modules.iter();
    modules.any(|module| {
        module.uses.iter().any(replaces_std)
            || module.extern_crates.iter().any(|crates| crates.macro_use)
    })
}

struct Known {
    /// The macros of the crate: what they consist of stands in its files as well.
    own: Vec<String>,
    /// The names of the standard library may mean other macros.
    replaced: bool,
}

impl Known {
    /// The first macro, attribute or derive that isn't known, and its line.
    fn first_other(&self, tokens: TokenStream) -> Option<(String, usize)> {
        let list: Vec<TokenTree> = tokens.into_iter().collect();
        list.iter().enumerate().find_map(|(at, token)| match token {
            TokenTree::Group(group) if is_attribute(&list, at, group) => self.attribute(group),
            TokenTree::Group(group) => self.first_other(group.stream()),
            TokenTree::Ident(word) => {
                let name = plain(&word.to_string());
                let called = sign_at(&list, at + 1) == Some('!')
                    && matches!(
                        list.get(at + 2),
                        Some(TokenTree::Group(_) | TokenTree::Ident(_))
                    );
                let own = self.own.contains(&name) || (is_of_std(&name) && !self.replaced);
                let line = word.span().start().line;
                (called && !own && name != "macro_rules").then(|| (format!("{name}!"), line))
            }
            _ => None,
        })
    }

    fn attribute(&self, group: &Group) -> Option<(String, usize)> {
        let list: Vec<TokenTree> = group.stream().into_iter().collect();
        let line = group.span_open().start().line;
        let Some(TokenTree::Ident(name)) = list.first() else {
            return None;
        };
        let arguments = list.iter().find_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => Some(group),
            _ => None,
        });
        match name.to_string().as_str() {
            "derive" => {
                let paths = arguments?.stream().to_string();
                let names = paths.split(',').map(|path| path.rsplit("::").next());
                let mut names = names.flatten().map(str::trim);
                let other = names.find(|name| !name.is_empty() && !only_adds_impls(name))?;
                Some((format!("derive({other})"), line))
            }
            "cfg_attr" => Some(("cfg_attr".to_owned(), line)),
            name if makes_no_code(name) => None,
            name => Some((format!("#[{name}]"), line)),
        }
    }
}
