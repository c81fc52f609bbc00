//! Symbols as paths: `_RNvNtC…` is `app[c3a08f]::store::get` to a comparison, and `app::store::get`
//! to people.

use std::collections::HashSet;

/// A symbol as a path, with the crates' own marks: two versions of one crate differ.
pub fn path(symbol: &str) -> String {
    // What the compiler appends to tell copies apart is no part of the path.
    let symbol = symbol.split(".llvm.").next().unwrap_or(symbol);
    rustc_demangle::demangle(symbol).to_string()
}

/// Whether a symbol is one of Rust's, in the newer mangling.
pub fn is_rust(symbol: &str) -> bool {
    symbol.starts_with("_R")
}

/// A symbol as people write it.
pub fn demangled(symbol: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(symbol))
}

/// Whether symbols name one function, or instances of it that several crates have made: these
/// differ in the name of that crate alone, which stands at the end. A path doesn't tell, for it
/// leaves out the numbers of what has the same name in one body.
pub(crate) fn are_one<'s>(mut symbols: impl Iterator<Item = &'s str>) -> bool {
    let Some(first) = symbols.next() else {
        return false;
    };
    symbols.all(|other| are_instances(first, other))
}

fn are_instances(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(|symbol| symbol.split(".llvm.").next().unwrap_or(symbol));
    let pairs = one.bytes().zip(other.bytes());
    let common = pairs.take_while(|(one, other)| one == other).count();
    let ends_with_crate = |symbol: &str, at: usize| symbol.get(at..).is_some_and(is_crate);
    one == other || (0..=common).any(|at| ends_with_crate(one, at) && ends_with_crate(other, at))
}

/// Whether it is a crate as symbols have it, and nothing else: `Cs4fqI_3app`, or `B5_`, which says
/// where the same stood before.
fn is_crate(text: &str) -> bool {
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if let Some(place) = text.strip_prefix('B') {
        return place.strip_suffix('_').is_some_and(number);
    }
    let Some(mut name) = text.strip_prefix('C') else {
        return false;
    };
    if let Some((mark, rest)) = name.strip_prefix('s').and_then(|rest| rest.split_once('_')) {
        if !number(mark) {
            return false;
        }
        name = rest;
    }
    let name = name.strip_prefix('u').unwrap_or(name);
    let digits = name.bytes().take_while(u8::is_ascii_digit).count();
    let (length, name) = name.split_at(digits);
    let name = name.strip_prefix('_').unwrap_or(name);
    length.parse() == Ok(name.len())
}

/// Orders the symbols of one path as what they name is ordered in the source: they differ in a
/// number alone, which the newer mangling writes with digits, then small letters, then capitals.
pub(crate) fn order(symbol: &str) -> (usize, String) {
    let swapped = symbol.chars().map(|letter| match letter {
        'a'..='z' => letter.to_ascii_uppercase(),
        _ => letter.to_ascii_lowercase(),
    });
    (symbol.len(), swapped.collect())
}

/// A path without the crates' marks.
pub fn without_marks(path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some(at) = rest.find('[') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let end = after.find(']').map_or(after.len(), |end| end + 1);
        let mark = &after[1..end.saturating_sub(1).max(1)];
        let is_mark = !mark.is_empty() && mark.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !(is_mark && before.ends_with(|c: char| c.is_alphanumeric() || c == '_')) {
            out.push_str(&after[..end]);
        }
        rest = &after[end..];
    }
    out + rest
}

/// Where the path starts that ends at `end`: it may be an argument of something else.
pub(crate) fn start_of(text: &str, end: usize) -> usize {
    let mut depth = 0_usize;
    let mut start = end;
    for (at, letter) in text[..end].char_indices().rev() {
        let arrow = letter == '>' && text[..at].ends_with('-');
        match letter {
            '>' | ')' | ']' if !arrow => depth += 1,
            '<' | '(' | '[' | ' ' | ',' | '&' if depth == 0 => break,
            '<' | '(' | '[' => depth = depth.saturating_sub(1),
            _ => {}
        }
        start = at;
    }
    start
}

/// The closure that a path names: the code is its own, or made for it.
pub fn closure_in(path: &str) -> Option<&str> {
    const CLOSURE: &str = "::{closure#";
    let at = path.find(CLOSURE)?;
    let mut end = at;
    while path[end..].starts_with(CLOSURE) {
        end += path[end..].find('}')? + 1;
    }
    Some(&path[start_of(path, at)..end])
}

/// Whether a path names one of the program's crates. What doesn't is the same in every compilation,
/// wherever its code happens to be found.
pub fn is_of(path: &str, crates: &HashSet<String>) -> bool {
    path.match_indices('[').any(|(end, _)| {
        let before = &path[..end];
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let name = before.rsplit(|c: char| !is_name(c)).next();
        name.is_some_and(|name| crates.contains(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_of_one_function() {
        let one = |symbols: &[&str]| are_one(symbols.iter().copied());
        let generic = "_RINvCs1_3app1fmE";
        for made_by in [["Cs1_3app", "Cs2_4main"], ["B4_", "Cs2_4main"]] {
            let symbols = made_by.map(|made_by| format!("{generic}{made_by}"));
            assert!(one(&[&symbols[0], &symbols[1]]), "{symbols:?}");
        }
        assert!(one(&["_RNvCs1_3app1f", "_RNvCs1_3app1f.llvm.12"]));
        assert!(!one(&[]));
        for (first, second) in [
            ("_RNvNvCs1_3app1f1g", "_RNvNvCs1_3app1fs_1g"),
            ("_RINvNvCs1_3app1f1gmEB4_", "_RINvNvCs1_3app1fs_1gmEB4_"),
            (
                "_RNvMNvCs1_3app1fNtB2_1S1m",
                "_RNvMs_NvCs1_3app1fNtB4_s_1S1m",
            ),
            ("_RNvCs1_3app1f", "_RNvCs2_3app1f"),
        ] {
            assert_eq!(without_marks(&path(first)), without_marks(&path(second)));
            assert!(!one(&[first, second]), "{first} {second}");
        }
    }

    #[test]
    fn closures_in_paths() {
        let closure = "app::main::{closure#0}::{closure#2}";
        for path in [
            closure.to_owned(),
            format!("<ecs::Run<(u8, fn(u8)), {closure}> as ecs::System>::run"),
            format!("<{closure} as core::ops::function::FnOnce<()>>::call_once"),
        ] {
            assert_eq!(closure_in(&path), Some(closure), "{path}");
        }
        assert_eq!(closure_in("<app::G<u8> as app::Item>::shown"), None);
    }

    #[test]
    fn paths_are_shown_without_marks() {
        assert_eq!(
            without_marks("<app[c3a08f]::S<[u8; 3]> as core[0]::Tr>::f"),
            "<app::S<[u8; 3]> as core::Tr>::f"
        );
    }
}
