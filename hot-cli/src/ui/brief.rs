//! Long reasons in two lines of a terminal: parts of names that no user wrote go, then what stands
//! in generics, then a second reason beside the first, then by way of what old code is reached,
//! then the modules of types and traits, then the middles of names, and at last the end.
//!
//! Knows nothing of what a reason says.

use std::ops::RangeInclusive;

use soft_mock_abi::symbol;

/// Two lines of a terminal of 100 columns.
pub(super) const WIDTH: usize = 200;

/// What of a name in backquotes is left at its start and at its end, where it has to be cut: as
/// much as there is room for.
const NAME_ENDS: RangeInclusive<usize> = 12..=24;

/// What stands between two reasons.
const BOTH: &str = "; ";

/// What stands before code that leads on to what a reason is about.
const THROUGH: &str = ", through `";

/// What stands for something that was left out.
const CUT: char = '…';

/// The text in not more than `width` characters.
pub(super) fn brief(text: &str, width: usize) -> String {
    let mut text = written(text);
    for depth in [3, 2, 1] {
        if text.chars().count() > width {
            text = without_generics(&text, depth);
        }
    }
    if text.chars().count() > width {
        text = first_reason(&text).to_owned();
    }
    if text.chars().count() > width {
        let (start, _) = text.split_once(THROUGH).unwrap_or((&text, ""));
        text = start.to_owned();
    }
    if text.chars().count() > width {
        text = without_modules(&text);
    }
    for ends in NAME_ENDS.rev() {
        if text.chars().count() > width {
            text = with_short_names(&text, ends);
        }
    }
    match text.chars().count() > width {
        true => text.chars().take(width - 1).chain([CUT]).collect(),
        false => text,
    }
}

/// The text with names as the user wrote them: without what was generated.
pub(super) fn written(text: &str) -> String {
    if !text.contains(symbol::SUPPORT_MODULE) && !text.contains(symbol::SITE) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_part_of_name) {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find(|c| !is_part_of_name(c)).unwrap_or(rest.len());
        push_name(&mut out, &rest[..end]);
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// A name as it was written. What the user wrote nothing of takes the `::` before it along.
fn push_name(out: &mut String, name: &str) {
    let moved = [symbol::DETACHED_BODY, symbol::DETACHED_CODE];
    let moved = moved.iter().find_map(|start| name.strip_prefix(start));
    match moved {
        Some(name) => out.push_str(name),
        None if name == symbol::MAIN => out.push_str("main"),
        // A name by itself is what is spoken of.
        None if name.starts_with(symbol::SUPPORT_MODULE) || name == symbol::SITE => {
            match out.strip_suffix("::").map(str::len) {
                Some(kept) => out.truncate(kept),
                None => out.push_str(name),
            }
        }
        None => out.push_str(name),
    }
}

fn is_part_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The text without what stands in generics that lie at least so deep.
fn without_generics(text: &str, depth: usize) -> String {
    let mut out = String::with_capacity(text.len());
    // Whether each bracket that is open is one of generics; else it is that of `<T as Trait>`.
    let mut open: Vec<bool> = Vec::new();
    let mut before = ' ';
    for c in text.chars() {
        let inside = open.iter().filter(|generic| **generic).count();
        match c {
            '<' => {
                let generic = is_part_of_name(before) || before == ':';
                if inside < depth {
                    out.push(c);
                    if generic && inside + 1 == depth {
                        out.push(CUT);
                    }
                }
                open.push(generic);
            }
            '>' if before != '-' && before != '=' => {
                open.pop();
                let inside = open.iter().filter(|generic| **generic).count();
                if inside < depth {
                    out.push(c);
                }
            }
            // A bracket that is never closed was no bracket.
            '`' => {
                open.clear();
                out.push(c);
            }
            _ if inside < depth => out.push(c),
            _ => {}
        }
        before = c;
    }
    out
}

/// The text with the types and traits of its names in backquotes by their last names, and without
/// generics of which nothing is left.
fn without_modules(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(position, part)| {
        if position % 2 == 0 {
            return part.to_owned();
        }
        let part = part.replace(&format!("::<{CUT}>"), "");
        let mut out = String::with_capacity(part.len());
        let mut rest = part.as_str();
        while let Some(start) = rest.find(is_part_of_name) {
            out.push_str(&rest[..start]);
            rest = &rest[start..];
            let is_in_path = |c: char| is_part_of_name(c) || c == ':';
            let end = rest.find(|c| !is_in_path(c)).unwrap_or(rest.len());
            out.push_str(from_type(&rest[..end]));
            rest = &rest[end..];
        }
        out + rest
    });
    parts.collect::<Vec<String>>().join("`")
}

/// A path from its first type or trait on, which begins with a capital; one of a function alone
/// stays.
fn from_type(path: &str) -> &str {
    let starts = path
        .match_indices("::")
        .map(|(at, colons)| at + colons.len());
    let mut starts = std::iter::once(0).chain(starts);
    let is_type = |start: &usize| path[*start..].starts_with(char::is_uppercase);
    starts.find(is_type).map_or(path, |start| &path[start..])
}

/// What stands before a second reason, where both ways to a patch are refused: it explains itself.
fn first_reason(text: &str) -> &str {
    let mut ends = text.match_indices(BOTH).map(|(end, _)| &text[..end]);
    let is_in_name = |first: &str| first.matches('`').count() % 2 == 1;
    ends.find(|first| !is_in_name(first)).unwrap_or(text)
}

/// The text with the middles of its names in backquotes left out, but for so much at both ends.
fn with_short_names(text: &str, ends: usize) -> String {
    let parts = text.split('`').enumerate().map(|(position, part)| {
        let count = part.chars().count();
        if position % 2 == 0 || count <= 2 * ends + 1 {
            return part.to_owned();
        }
        let start = part.chars().take(ends);
        let end = part.chars().skip(count - ends);
        start.chain([CUT]).chain(end).collect()
    });
    parts.collect::<Vec<String>>().join("`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_generated_is_left_in_names() {
        for (text, expected) in [
            ("`app::run` is gone", "`app::run` is gone"),
            (
                "`app::__soft_mock_body_serve::{closure#0}` differs",
                "`app::serve::{closure#0}` differs",
            ),
            ("`app::__soft_mock_code_f::<u8>`", "`app::f::<u8>`"),
            ("`app::f::__SOFT_MOCK_SITE`", "`app::f`"),
            ("`app::__soft_mock::Site`", "`app::Site`"),
            ("the name `__soft_mock` is", "the name `__soft_mock` is"),
            ("`app::__soft_mock_main`", "`app::main`"),
            ("`f::__soft_mock_output::<u8>` →", "`f::<u8>` →"),
        ] {
            assert_eq!(written(text), expected);
        }
    }

    #[track_caller]
    fn check(text: &str, width: usize, expected: &str) {
        assert_eq!(brief(text, width), expected);
        assert!(expected.chars().count() <= width);
    }

    #[test]
    fn generics_go_from_the_inside_and_only_where_there_is_no_room() {
        let text = "`<Store<Vec<Option<u8>>> as Get>::get::<A<B>>` differs -> so";
        check(text, 60, text);
        check(
            text,
            59,
            "`<Store<Vec<Option<…>>> as Get>::get::<A<B>>` differs -> so",
        );
        check(
            text,
            55,
            "`<Store<Vec<…>> as Get>::get::<A<…>>` differs -> so",
        );
        check(text, 50, "`<Store<…> as Get>::get::<…>` differs -> so");
        check(
            "a < b and `c<d` stay: 1234567890",
            30,
            "a < b and `c<…` stay: 1234567…",
        );
    }

    #[test]
    fn a_second_reason_goes_before_the_first_is_cut() {
        let first = "fn about added: something may still lead to `[about; 3]` as it was";
        let second = "`core::ptr::drop_in_place` has no site, and a pointer to it may lead there";
        let both = format!("{first}; {second}");
        check(&both, both.chars().count(), &both);
        check(&both, 100, first);
    }

    #[test]
    fn what_leads_on_goes_before_names_are_cut() {
        let start = "`app::report` has another signature now, and a vtable may still lead to it";
        let whole = format!("{start}, through `<bevy::System>::run` (as before)");
        check(&whole, whole.chars().count(), &whole);
        check(&whole, 100, start);
    }

    #[test]
    fn types_lose_their_modules_before_names_are_cut() {
        let text = "src/cart.rs:29: attributes of field `goods` of struct Total changed: \
                    `<shop::cart::Total as serde_core::ser::Serialize>::serialize::<&mut S<V>>` has \
                    no site, and a pointer taken in \
                    `<axum::boxed::BoxedIntoRoute<AppState, E>>::from_handler::<A, (B, C)>` may \
                    still lead to its old code";
        check(
            text,
            215,
            "src/cart.rs:29: attributes of field `goods` of struct Total changed: \
             `<Total as Serialize>::serialize` has no site, and a pointer taken in \
             `<BoxedIntoRoute<…>>::from_handler` may still lead to its old code",
        );
        let functions = "`shop::routes::ticks::{closure#0}` differs, `shop::Total::sum` does";
        check(
            functions,
            functions.chars().count() - 1,
            "`shop::routes::ticks::{closure#0}` differs, `Total::sum` does",
        );
    }

    #[test]
    fn names_lose_their_middle_and_the_reason_stays() {
        let name = "outer::".repeat(20) + "last";
        let text = format!("the static `{name}` may still lead to its old code");
        let short = brief(&text, 100);
        assert!(
            short.ends_with("::last` may still lead to its old code"),
            "{short}"
        );
        assert!(short.contains("`outer::") && short.contains(CUT), "{short}");
        assert!(short.chars().count() <= 100);
        let names = format!("`{name}` and `{name}` differ, and `{name}` leads there");
        assert!(
            brief(&names, 120).ends_with("::last` leads there"),
            "{}",
            brief(&names, 120)
        );
        check(&"x".repeat(300), WIDTH, &("x".repeat(199) + "…"));
    }
}
