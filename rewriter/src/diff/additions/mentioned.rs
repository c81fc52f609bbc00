//! Whether a name stands anywhere that isn't an addition or a changed body of its crate: there it
//! may mean something else now, or something that isn't compiled with it.
//!
//! Knows nothing of what the names are.

use std::collections::BTreeSet;
use std::ops::Range;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::collect::{Called, Found, Name};
use super::known_names::{is_item, is_method};
use super::Source;
use crate::analysis::declaration::Declaration;
use crate::syntax::mentions::contains;
use crate::syntax::names::plain;
use crate::syntax::normalize::sign_at;
use crate::syntax::tree::left_out;

/// Refuses if a name of an addition stands elsewhere in its reach.
pub(super) fn check(files: &[Source<'_>], found: &[Found]) -> Result<(), String> {
    for addition in found {
        for name in &addition.names {
            let known = match name.called {
                Called::Item => is_item(&name.text),
                Called::Member => is_method(&name.text),
                Called::Anyhow => false,
            };
            if known {
                return Err(format!("macros may mean `{}`", name.text));
            }
        }
    }
    for (position, file) in files.iter().enumerate() {
        let names: Vec<(usize, &Name)> = found
            .iter()
            .flat_map(|found| found.names.iter().map(|name| (found.addition.unit, name)))
            .collect();
        let in_macros = |name: &&(usize, &Name)| {
            let modules = file.items.modules.iter();
            let mut rules = modules.flat_map(|module| &module.macros);
            rules.any(|rules| contains(&rules.words.all, &name.1.text))
        };
        if let Some((_, name)) = names.iter().find(in_macros) {
            return Err(elsewhere(&name.text, file, "a macro"));
        }
        let seen = names
            .into_iter()
            .filter(|(unit, name)| sees(file, *unit, name));
        let (own, others): (Vec<_>, Vec<_>) = seen.partition(|(unit, _)| *unit == file.unit);
        let here: Vec<&Found> = found
            .iter()
            .filter(|found| found.addition.file == position)
            .collect();
        // Changed code is compiled against the other crates as they were built: it may not mention
        // what is new in those either.
        for (names, changed) in [
            (own, Changed::of(file, &here)),
            (others, Changed::default()),
        ] {
            let names: Vec<&Name> = names.into_iter().map(|(_, name)| name).collect();
            if !names.is_empty() {
                imports(file, &names, &changed)?;
                text(file, &names, changed)?;
            }
        }
    }
    Ok(())
}

/// What of a file may mention names: what is new, and changed bodies.
#[derive(Default)]
struct Changed {
    /// Bytes of the file.
    ranges: Vec<Range<usize>>,
    /// By the positions of their modules and their own.
    imports: Vec<(usize, usize)>,
}

impl Changed {
    /// `here`: the additions of the file.
    fn of(file: &Source<'_>, here: &[&Found]) -> Self {
        let new = here.iter().map(|found| found.range.clone());
        let bodies = file.bodies.iter();
        let bodies = bodies.map(|at| file.items.functions[*at].place.body.clone());
        let imports = here.iter().filter(|found| !found.addition.removed);
        let imports = imports.filter_map(|found| match found.addition.declaration {
            Declaration::Import { module, import } => Some((module, import)),
            _ => None,
        });
        Self {
            ranges: new.chain(bodies).collect(),
            imports: imports.collect(),
        }
    }
}

fn elsewhere(name: &str, file: &Source<'_>, place: &str) -> String {
    format!(
        "`{name}` stands elsewhere as well ({} of {})",
        place,
        file.items.path.display()
    )
}

/// Whether something in a file can mean what is declared in the crate `unit`.
fn sees(file: &Source<'_>, unit: usize, name: &Name) -> bool {
    name.scope.is_none() || file.unit == unit && may_see(file, name)
}

/// Whether something in a file of the same crate can mean it.
pub(super) fn may_see(file: &Source<'_>, name: &Name) -> bool {
    let Some(scope) = &name.scope else {
        return true;
    };
    let modules = &file.items.modules;
    modules.iter().any(|module| module.path.starts_with(scope))
}

/// Imports that were there before, of the same name.
fn imports(file: &Source<'_>, names: &[&Name], changed: &Changed) -> Result<(), String> {
    for (module, declared) in file.items.modules.iter().enumerate() {
        for (import, used) in declared.uses.iter().enumerate() {
            if changed.imports.contains(&(module, import)) {
                continue;
            }
            let last = match &used.kind {
                crate::analysis::items::UseKind::Name { name, .. } => Some(name.as_str()),
                _ => None,
            };
            let words: Vec<String> = [used.bound(), last]
                .into_iter()
                .flatten()
                .map(plain)
                .collect();
            let words = words
                .into_iter()
                .chain(used.prefix.iter().map(|name| plain(name)));
            let words: BTreeSet<String> = words.collect();
            let same = names.iter().find(|name| {
                let above = name.scope.as_ref();
                let in_reach = above.is_none_or(|scope| declared.path.starts_with(scope));
                name.called != Called::Member && in_reach && words.contains(&name.text)
            });
            if let Some(name) = same {
                return Err(elsewhere(&name.text, file, "an import"));
            }
        }
    }
    Ok(())
}

/// The text of a file outside of additions and changed bodies.
fn text(file: &Source<'_>, names: &[&Name], changed: Changed) -> Result<(), String> {
    let included = Name {
        text: "include".to_owned(),
        called: Called::Item,
        scope: None,
    };
    let mut names: Vec<&Name> = names.to_vec();
    names.push(&included);
    names.retain(|name| file.text.contains(&name.text));
    if names.is_empty() {
        return Ok(());
    }
    let skipped = left_out(file.text);
    let tokens: TokenStream = file.text[skipped..]
        .parse()
        .map_err(|_| elsewhere(&names[0].text, file, "the text"))?;
    let search = Search {
        names: &names,
        changed: changed.ranges,
        skipped,
    };
    match search.first(tokens, Within::Module) {
        Some((name, line)) => Err(elsewhere(&name, file, &format!("line {line}"))),
        None => Ok(()),
    }
}

/// What tokens stand in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// Items.
    Module,
    Attribute,
    Other,
}

impl Within {
    /// What the group at `at` of `list` holds, which stands in this.
    fn group(self, list: &[TokenTree], at: usize, group: &Group) -> Self {
        let word = |back: usize| match at.checked_sub(back).map(|before| &list[before]) {
            Some(TokenTree::Ident(word)) => word.to_string(),
            _ => String::new(),
        };
        match self {
            Self::Attribute => Self::Attribute,
            _ if is_attribute(list, at, group) => Self::Attribute,
            Self::Module if word(2) == "mod" => Self::Module,
            _ => Self::Other,
        }
    }
}

struct Search<'a> {
    names: &'a [&'a Name],
    /// Where they may stand.
    changed: Vec<Range<usize>>,
    skipped: usize,
}

impl Search<'_> {
    /// The first name that stands where it may not.
    fn first(&self, tokens: TokenStream, within: Within) -> Option<(String, usize)> {
        let list: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < list.len() {
            if let Some(after) = without_meaning(&list, at, within) {
                at = after;
                continue;
            }
            let found = match &list[at] {
                TokenTree::Group(group) => {
                    self.first(group.stream(), within.group(&list, at, group))
                }
                TokenTree::Ident(word) => self.word(&plain(&word.to_string()), &list, at),
                TokenTree::Literal(literal) => self.literal(&literal.to_string(), within),
                TokenTree::Punct(_) => None,
            };
            if let Some(name) = found.filter(|_| !self.may(&list[at])) {
                return Some(name);
            }
            at += 1;
        }
        None
    }

    fn word(&self, word: &str, list: &[TokenTree], at: usize) -> Option<(String, usize)> {
        let after_dot =
            sign_before(list, at, 1) == Some('.') && sign_before(list, at, 2) != Some('.');
        let after_path =
            sign_before(list, at, 1) == Some(':') && sign_before(list, at, 2) == Some(':');
        // Several additions may have it.
        let mut same = self.names.iter().filter(|name| name.text == word);
        let meant = same.any(|name| match name.called {
            Called::Item => !after_dot,
            Called::Member => after_dot || after_path,
            Called::Anyhow => true,
        });
        let line = list[at].span().start().line;
        meant.then(|| (word.to_owned(), line))
    }

    /// Format strings name variables, attributes name functions.
    fn literal(&self, text: &str, within: Within) -> Option<(String, usize)> {
        if within != Within::Attribute && !text.contains('{') {
            return None;
        }
        let mut words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        let found = words.find(|word| self.names.iter().any(|name| name.text == **word))?;
        Some((found.to_owned(), 0))
    }

    /// Whether a token stands in an addition or a changed body.
    fn may(&self, token: &TokenTree) -> bool {
        if matches!(token, TokenTree::Group(_)) {
            return false; // What it holds was looked at.
        }
        let at = token.span().byte_range().start + self.skipped;
        self.changed.iter().any(|range| range.contains(&at))
    }
}

/// Where what begins here ends, if it means nothing: documentation, imports (which are looked
/// at by themselves), what is compiled for tests only.
fn without_meaning(list: &[TokenTree], at: usize, within: Within) -> Option<usize> {
    match &list[at] {
        TokenTree::Ident(word)
            if word == "use" && within == Within::Module && starts_item(list, at) =>
        {
            let end = list[at..].iter().position(is_semicolon)?;
            Some(at + end + 1)
        }
        TokenTree::Group(group) if is_attribute(list, at, group) => {
            let text = group.stream().to_string().replace(' ', "");
            if text.starts_with("doc=") {
                return Some(at + 1);
            }
            (text == "cfg(test)").then(|| {
                let end = list[at + 1..].iter().position(ends_item);
                end.map_or(list.len(), |end| at + 1 + end + 1)
            })
        }
        _ => None,
    }
}

fn sign_before(list: &[TokenTree], at: usize, back: usize) -> Option<char> {
    at.checked_sub(back).and_then(|at| sign_at(list, at))
}

/// `[…]` of `#[…]` or `#![…]`.
pub(super) fn is_attribute(list: &[TokenTree], at: usize, group: &Group) -> bool {
    group.delimiter() == Delimiter::Bracket
        && (sign_before(list, at, 1) == Some('#')
            || sign_before(list, at, 1) == Some('!') && sign_before(list, at, 2) == Some('#'))
}

/// Whether an item can begin here, its visibility aside.
fn starts_item(list: &[TokenTree], at: usize) -> bool {
    match at.checked_sub(1).map(|before| &list[before]) {
        None => true,
        Some(TokenTree::Punct(sign)) => sign.as_char() == ';',
        Some(TokenTree::Group(_)) => true,
        Some(TokenTree::Ident(word)) => word == "pub",
        Some(TokenTree::Literal(_)) => false,
    }
}

fn is_semicolon(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(sign) if sign.as_char() == ';')
}

/// `;` or `{…}`.
fn ends_item(token: &TokenTree) -> bool {
    is_semicolon(token)
        || matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}
