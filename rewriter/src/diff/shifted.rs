//! Functions in which what macros and blocks declare may stand in another order than before.
//!
//! ```text
//! (hit!(1), hit!(1000))   ─►   (hit!(2), hit!(1000))     the first use of two was edited
//! (hit!(1), hit!(1000))   ─►   (hit!(1000), hit!(5))     the second is the first now
//! ```
//!
//! Variables of one name in one body have but their order, if they are alike. Two uses are taken
//! for the same if they say the same; one that says something else, in the same place as before,
//! was edited. Knows nothing of what macros declare.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::syntax::known_macros;

/// What ends the name of a macro.
const MACRO: char = '!';

/// Words before which `!` and a group are no macro call.
const KEYWORDS: [&str; 8] = [
    "break", "else", "if", "in", "match", "move", "return", "while",
];

/// In which functions the order may be another one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shifted {
    /// Their names, without paths.
    pub functions: BTreeSet<String>,
    /// It may be so in any: in the rules of a macro, or in what can't be read.
    pub anywhere: bool,
}

/// Compares two states of files.
pub fn shifted<'t>(
    old: impl IntoIterator<Item = &'t str>,
    new: impl IntoIterator<Item = &'t str>,
) -> Shifted {
    let (Some(old), Some(new)) = (bodies(old), bodies(new)) else {
        return Shifted {
            anywhere: true,
            ..Shifted::default()
        };
    };
    let both = old.into_iter().filter_map(|(name, old)| {
        let new = new.get(&name)?;
        are_shifted(&old, new).then_some(name)
    });
    let (macros, functions): (_, BTreeSet<String>) = both.partition(|name| name.ends_with(MACRO));
    let macros: BTreeSet<String> = macros;
    Shifted {
        functions,
        anywhere: !macros.is_empty(),
    }
}

/// A body, as far as it counts.
#[derive(PartialEq, Eq)]
struct Body {
    text: String,
    uses: Vec<Use>,
}

/// A place in which something may be declared that has no name of its own.
#[derive(PartialEq, Eq)]
struct Use {
    /// Of the macro, or of the variable.
    name: String,
    /// What it says, and the statement or argument that it is part of.
    text: String,
}

fn are_shifted(old: &[Body], new: &[Body]) -> bool {
    let only_in = |all: &'_ [Body], others: &[Body]| -> Vec<usize> {
        let differs = |at: &usize| !others.iter().any(|other| other.text == all[*at].text);
        (0..all.len()).filter(differs).collect()
    };
    let (were, are) = (only_in(old, new), only_in(new, old));
    match were.len() == are.len() {
        true => {
            let mut pairs = were.iter().zip(&are);
            pairs.any(|(was, is)| is_shifted(&old[*was].uses, &new[*is].uses))
        }
        // Which of them is which isn't known.
        false => !were.is_empty() && !are.is_empty(),
    }
}

fn is_shifted(old: &[Use], new: &[Use]) -> bool {
    let count = |all: &[Use], name: &str| all.iter().filter(|one| one.name == name).count();
    let more = |all: &[Use], others: &[Use]| {
        all.iter()
            .any(|one| count(all, &one.name) > count(others, &one.name))
    };
    if more(old, new) && more(new, old) {
        return true; // One may have become the other.
    }
    let stays = |one: &&Use| count(old, &one.name) == count(new, &one.name);
    let old: Vec<&Use> = old.iter().filter(stays).collect();
    let new: Vec<&Use> = new.iter().filter(stays).collect();
    let pairs = || old.iter().zip(&new);
    pairs().any(|(was, is)| was.name != is.name)
        || pairs().any(|(was, is)| {
            let stands_elsewhere = |(then, now): (&&Use, &&Use)| now == was && then != now;
            was != is && pairs().any(stands_elsewhere)
        })
}

/// The bodies of functions and the rules of macros, by name.
fn bodies<'t>(texts: impl IntoIterator<Item = &'t str>) -> Option<BTreeMap<String, Vec<Body>>> {
    let mut found = BTreeMap::new();
    for text in texts {
        find_bodies(text.parse().ok()?, &mut found);
    }
    Some(found)
}

fn find_bodies(tokens: TokenStream, found: &mut BTreeMap<String, Vec<Body>>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            find_bodies(group.stream(), found);
            continue;
        }
        let behind = |by: usize| tokens.get(at + by);
        let (name, rest) = match (token, behind(1), behind(2)) {
            (TokenTree::Ident(word), Some(TokenTree::Ident(name)), _) if word == "fn" => {
                (name.to_string(), at + 2)
            }
            (TokenTree::Ident(word), Some(_), Some(TokenTree::Ident(name)))
                if word == "macro_rules" =>
            {
                (format!("{name}{MACRO}"), at + 3)
            }
            _ => continue,
        };
        let rest = tokens[rest..].iter();
        let mut rest = rest.take_while(
            |token| !matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';'),
        );
        let body = rest.find_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                Some(group.stream())
            }
            _ => None,
        });
        if let Some(body) = body {
            let text = body.to_string();
            let mut uses = Vec::new();
            find_uses(body, "", &mut uses);
            found.entry(name).or_default().push(Body { text, uses });
        }
    }
}

/// Finds the uses in a group, of which `before` says what stands before it.
fn find_uses(tokens: TokenStream, before: &str, found: &mut Vec<Use>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut start = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Punct(punct) if matches!(punct.as_char(), ',' | ';') => start = at + 1,
            TokenTree::Ident(word) if word == "else" && at == start => start = at + 1,
            TokenTree::Ident(word) if word == "static" => {
                let name = tokens.get(at + 1).map(ToString::to_string);
                let all: TokenStream = tokens.iter().cloned().collect();
                found.push(Use {
                    name: format!("static {}", name.unwrap_or_default()),
                    text: format!("{before} {all}"),
                });
            }
            TokenTree::Group(group) => {
                let head = shown(&tokens[start..at]);
                if let Some(name) = macro_name(&tokens[..at]) {
                    let end = tokens[at + 1..].iter().position(is_end);
                    let end = end.map_or(tokens.len(), |end| at + 1 + end);
                    let rest = shown(&tokens[at + 1..end]);
                    found.push(Use {
                        text: format!("{before} | {head} {group} {rest}"),
                        name,
                    });
                }
                find_uses(group.stream(), &head, found);
                if group.delimiter() == Delimiter::Brace {
                    start = at + 1;
                }
            }
            _ => {}
        }
    }
}

/// The macro that a group behind these tokens is handed to, unless it is known to declare nothing.
fn macro_name(before: &[TokenTree]) -> Option<String> {
    let [.., TokenTree::Ident(name), TokenTree::Punct(mark)] = before else {
        return None;
    };
    let name = name.to_string();
    let is_macro = mark.as_char() == '!' && !KEYWORDS.contains(&&*name);
    (is_macro && !known_macros::takes_expressions(&name)).then_some(name)
}

/// The end of a statement or an argument.
fn is_end(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if matches!(punct.as_char(), ',' | ';'))
}

/// Tokens without what stands in their groups.
fn shown(tokens: &[TokenTree]) -> String {
    let words = tokens.iter().map(|token| match token {
        TokenTree::Group(group) => format!("{:?}", group.delimiter()),
        token => token.to_string(),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(functions: &[&str]) -> Shifted {
        Shifted {
            functions: functions.iter().map(|name| (*name).to_owned()).collect(),
            anywhere: false,
        }
    }

    #[track_caller]
    fn check(old: &str, new: &str, expected: bool) {
        let [old, new] =
            [old, new].map(|body| format!("impl S {{ fn f<A, B>(&self) -> u8 {{ {body} }} }}"));
        let expected = names(if expected { &["f"] } else { &[] });
        assert_eq!(shifted([&*old], [&*new]), expected, "{old} -> {new}");
    }

    #[test]
    fn uses_that_stay_in_their_places() {
        check("(hit!(1), hit!(1000))", "(hit!(2), hit!(1000))", false);
        check("(hit!(1), hit!(1000))", "(hit!(2), hit!(3))", false);
        check(
            "format!(\"{} {}\", hit!(1), hit!(2))",
            "let n = 1; format!(\"{}+{} {n}\", hit!(1), hit!(2))",
            false,
        );
        check(
            "let a = hit!(); let b = hit!();",
            "let c = hit!(); let b = hit!();",
            false,
        );
        // They are the same, and how often isn't asked here.
        check("(hit!(1), hit!(1))", "(hit!(1), hit!(2))", false);
        check("(hit!(1), hit!(2))", "hit!(2)", false);
        check("(hit!(1), hit!(2))", "(hit!(1), other!(), hit!(2))", false);
        check(
            "hit!(1); println!(\"a\");",
            "hit!(1); eprintln!(\"a\");",
            false,
        );
    }

    #[test]
    fn uses_that_stand_elsewhere() {
        check("(hit!(1), hit!(1000))", "(hit!(1000), hit!(5))", true);
        check("(hit!(1), hit!(1000))", "(hit!(1000), hit!(1))", true);
        check(
            "let a = hit!(); let b = hit!();",
            "let b = hit!(); let c = hit!();",
            true,
        );
        check(
            "if a { hit!() } else if b { hit!() } else { 0 }",
            "if b { hit!() } else if c { hit!() } else { 0 }",
            true,
        );
        check(
            "match n { 1 => hit!(), 2 => hit!(), }",
            "match n { 2 => hit!(), 3 => hit!(), }",
            true,
        );
        check("(hit!(), other!())", "(other!(), hit!())", true);
        check("(hit!(), hit!())", "(other!(), hit!())", true);
        check(
            "{ static N: u8 = 0; a(&N) } { static N: u8 = 0; b(&N) }",
            "{ static N: u8 = 0; b(&N) } { static N: u8 = 0; c(&N) }",
            true,
        );
    }

    #[test]
    fn functions_of_one_name_and_macros() {
        let text = |first: &str, second: &str| {
            format!("fn new() {{ {first} }} mod m {{ fn new() {{ {second} }} }}")
        };
        let (old, new) = (text("hit!(1); hit!(2)", "1"), text("hit!(1); hit!(2)", "2"));
        assert_eq!(shifted([&*old], [&*new]), Shifted::default());
        let new = text("hit!(2); hit!(3)", "1");
        assert_eq!(shifted([&*old], [&*new]), names(&["new"]));
        let rules = |uses: &str| format!("macro_rules! two {{ () => {{ {uses} }} }}");
        let (old, new) = (rules("hit!(1); hit!(2)"), rules("hit!(2); hit!(1)"));
        let anywhere = Shifted {
            anywhere: true,
            ..Shifted::default()
        };
        assert_eq!(shifted([&*old], [&*new]), anywhere);
        assert_eq!(shifted(["fn f() {"], ["fn f() {}"]), anywhere);
    }
}
