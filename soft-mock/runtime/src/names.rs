//! Names of functions, for messages: which of two spellings probably mean the same, and which come
//! near a wrong one. Which function is meant is never decided here.
//!
//! A site's name is written by the rewriter, which sees one file and resolves no path; the name of
//! a function's own type is written by the compiler, which does. Nothing here looks at sites.

/// How many names a message suggests.
const SUGGESTIONS: usize = 3;

/// Whether the name of a type is that of a function, not of a pointer, a closure or a value.
pub fn is_function(type_name: &str) -> bool {
    let pointer = [
        "fn(", "for<", "unsafe ", "extern ", "&", "*", "dyn ", "(", "[",
    ];
    let qualified = type_name.contains("::");
    qualified
        && !type_name.ends_with('}')
        && !pointer.iter().any(|start| type_name.starts_with(start))
}

/// Whether a site's name and the compiler's name of a function mean the same function, beyond
/// being equal.
///
/// ```text
/// site                                       compiler
/// <app::store::Store as fmt::Display>::fmt   <app::store::Store as core::fmt::Display>::fmt
/// app::extra::Store::reload                  app::extra::<impl app::store::Store>::reload
/// app::store::Map<String>::get               app::store::Map<alloc::string::String>::get
/// ```
pub fn is_same(site: &str, compiler: &str) -> bool {
    match (Qualified::parse(site), Qualified::parse(compiler)) {
        (Some(ours), Some(theirs)) => {
            ours.function == theirs.function
                && with_short_arguments(ours.ty) == with_short_arguments(theirs.ty)
                && ends_with_path(
                    &with_short_arguments(theirs.tr),
                    &with_short_arguments(ours.tr),
                )
        }
        (None, None) => with_short_arguments(site) == with_short_arguments(&without_impl(compiler)),
        _ => false,
    }
}

/// Whether two names mean one function of the standard library: the compiler's has private modules
/// in it as well, `std::thread::functions::sleep`.
pub fn is_of_std(site: &str, compiler: &str) -> bool {
    let compiler = without_arguments(compiler);
    let compiler = compiler.trim_end_matches("::");
    let mut rest = compiler.split("::");
    let within = site
        .split("::")
        .all(|segment| rest.any(|other| other == segment));
    within && rest.next().is_none() && compiler.split("::").next() == site.split("::").next()
}

/// Whether `compiler` may be the name of an instance of the generic function `site`. For messages:
/// traits and types are compared by their last names.
pub fn is_instance(site: &str, compiler: &str) -> bool {
    let words = |name: &str| -> Vec<String> {
        let plain = without_arguments(name);
        let words = plain.split(|sign: char| !(sign.is_alphanumeric() || sign == '_'));
        let words = words.filter(|word| !word.is_empty() && *word != "as" && *word != "impl");
        words.map(str::to_owned).collect()
    };
    let (ours, theirs) = (words(site), words(compiler));
    let end = |list: &[String]| list.last().cloned();
    let owner = ours.len().checked_sub(2).map(|at| &ours[at]);
    let known = |word: &String| theirs.contains(word);
    end(&ours) == end(&theirs)
        && owner.is_none_or(known)
        && generic_type(site).is_none_or(|word| known(&word.to_owned()))
}

/// `Box` of `<std::boxed::Box<T> as Trait>::f`. None where any type could be meant: `<T as Trait>`.
fn generic_type(site: &str) -> Option<&str> {
    let (ty, _) = site.strip_prefix('<')?.split_once(" as ")?;
    let (path, _) = ty.split_once('<')?;
    let name = path.rsplit("::").next()?;
    let is_name = |sign: char| sign.is_alphanumeric() || sign == '_';
    (!name.is_empty() && name.chars().all(is_name)).then_some(name)
}

/// Without what stands in angle brackets, but for `<Type as Trait>`.
fn without_arguments(name: &str) -> String {
    let mut depth = 0usize;
    let (start, rest) = match name.strip_prefix('<') {
        Some(rest) => ("<", rest),
        None => ("", name),
    };
    let mut out = start.to_owned();
    for sign in rest.chars() {
        match sign {
            '<' => depth += 1,
            '>' if depth > 0 => depth -= 1,
            sign if depth == 0 => out.push(sign),
            _ => {}
        }
    }
    out
}

/// `<ty as tr>::function`
struct Qualified<'a> {
    ty: &'a str,
    tr: &'a str,
    function: &'a str,
}

impl<'a> Qualified<'a> {
    fn parse(name: &'a str) -> Option<Self> {
        let (head, function) = name.strip_prefix('<')?.rsplit_once(">::")?;
        let (ty, tr) = head.split_once(" as ")?;
        Some(Self { ty, tr, function })
    }
}

/// `app::extra::<impl app::store::Store>::reload` becomes `app::extra::Store::reload`: the rewriter
/// names the type as it stands in the module of the impl block.
fn without_impl(name: &str) -> String {
    let Some((module, rest)) = name.split_once("<impl ") else {
        return name.to_owned();
    };
    let Some((ty, function)) = rest.rsplit_once(">::") else {
        return name.to_owned();
    };
    format!("{module}{}::{function}", last_segment(ty))
}

fn last_segment(path: &str) -> &str {
    let end = path.find('<').unwrap_or(path.len());
    let start = path[..end].rfind("::").map_or(0, |at| at + 2);
    &path[start..]
}

/// Shortens the paths among the generic arguments to their last segments.
fn with_short_arguments(path: &str) -> String {
    let Some(open) = path.find('<') else {
        return path.to_owned();
    };
    let mut out = path[..open].to_owned();
    let mut word = String::new();
    for sign in path[open..].chars() {
        if sign.is_alphanumeric() || sign == '_' || sign == ':' {
            word.push(sign);
        } else {
            out.push_str(word.rsplit("::").next().unwrap_or_default());
            word.clear();
            // After a closing bracket the path goes on, so that its `::` stays.
            out.push(sign);
        }
    }
    out.push_str(word.rsplit("::").next().unwrap_or_default());
    out
}

/// Whether `path` ends with the segments of `end`, as a source writes them.
fn ends_with_path(path: &str, end: &str) -> bool {
    let mut end = end.trim_start_matches("::");
    // What `std` calls its own is often of `core` or `alloc`.
    for relative in ["crate::", "self::", "super::", "std::", "core::", "alloc::"] {
        while let Some(rest) = end.strip_prefix(relative) {
            end = rest;
        }
    }
    path.strip_suffix(end)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with("::"))
}

/// The names that come near `wanted`, best first.
pub(crate) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let wanted = wanted.split('@').next().unwrap_or_default();
    let mut scored: Vec<(usize, &str)> = names
        .filter_map(|name| Some((distance(wanted, name)?, name)))
        .collect();
    scored.sort_unstable();
    scored.dedup();
    let names = scored.into_iter().take(SUGGESTIONS);
    names.map(|(_, name)| name.to_owned()).collect()
}

/// How far a name is from the one that was wanted; none: too far to be worth a word.
fn distance(wanted: &str, name: &str) -> Option<usize> {
    let (wanted_last, name_last) = (function_name(wanted), function_name(name));
    if ends_with_path(name, wanted) {
        return Some(0); // Only the beginning is missing.
    }
    let limit = wanted_last.len().max(4) / 2;
    let last = edits(wanted_last, name_last, limit)?;
    let whole = edits(wanted, name, wanted.len() / 3);
    match whole {
        Some(whole) => Some(1 + whole),
        // The right function in quite another place.
        None if last == 0 => Some(1 + wanted.len()),
        None => None,
    }
}

fn function_name(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}

/// The number of single-letter edits between two words, if it isn't beyond `limit`.
fn edits(left: &str, right: &str, limit: usize) -> Option<usize> {
    if left.len().abs_diff(right.len()) > limit {
        return None;
    }
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, r) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(l != *r);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
        if row.iter().all(|cost| *cost > limit) {
            return None;
        }
    }
    row.last().copied().filter(|cost| *cost <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_function() {
        for (site, compiler) in [
            (
                "<app::Store as fmt::Display>::fmt",
                "<app::Store as core::fmt::Display>::fmt",
            ),
            (
                "<app::Store as crate::tr::Get>::get",
                "<app::Store as app::tr::Get>::get",
            ),
            (
                "app::extra::Store::reload",
                "app::extra::<impl app::store::Store>::reload",
            ),
            (
                "app::Map<String>::get",
                "app::Map<alloc::string::String>::get",
            ),
            (
                "app::Map<String, u8>::get",
                "app::Map<alloc::string::String, u8>::get",
            ),
        ] {
            assert!(is_same(site, compiler), "{site} | {compiler}");
        }
    }

    #[test]
    fn different_functions() {
        for (site, compiler) in [
            ("app::a::get", "app::b::get"),
            ("app::get", "app::a::get"),
            (
                "<app::Store as Display>::fmt",
                "<app::Other as core::fmt::Display>::fmt",
            ),
            (
                "<app::Store as Debug>::fmt",
                "<app::Store as core::fmt::Display>::fmt",
            ),
            (
                "<app::Store as lay>::fmt",
                "<app::Store as core::fmt::Display>::fmt",
            ),
            ("app::Map<String>::get", "app::Map<u8>::get"),
        ] {
            assert!(!is_same(site, compiler), "{site} | {compiler}");
        }
    }

    #[test]
    fn instances_are_of_the_type_that_is_written() {
        let site = "<std::boxed::Box<T> as Named>::name";
        assert!(is_instance(
            site,
            "<alloc::boxed::Box<app::Money> as app::Named>::name"
        ));
        assert!(!is_instance(site, "<bool as app::Named>::name"));
        assert!(is_instance(
            "<T as Named>::name",
            "<bool as app::Named>::name"
        ));
        assert!(is_instance("app::Stack<T>::pop", "app::Stack<u8>::pop"));
    }

    #[test]
    fn functions_of_std() {
        assert!(is_of_std(
            "std::thread::sleep",
            "std::thread::functions::sleep"
        ));
        assert!(is_of_std("std::env::var", "std::env::var<&str>"));
        assert!(!is_of_std("std::fs::read", "core::fs::read"));
        assert!(!is_of_std("std::fs::read", "std::fs::read_dir"));
    }

    #[test]
    fn what_is_a_function() {
        assert!(is_function("app::get"));
        assert!(is_function("<app::Store as core::fmt::Display>::fmt"));
        for other in [
            "fn(u8) -> a::B",
            "for<'a> fn(&'a a::B)",
            "app::main::{{closure}}",
            "u8",
            "&a::b",
        ] {
            assert!(!is_function(other), "{other}");
        }
    }

    #[test]
    fn near_names() {
        let names = [
            "app::store::Store::get",
            "app::store::Store::set",
            "app::main",
            "other::fetch",
        ];
        let check = |wanted, expected: &[&str]| {
            assert_eq!(nearest(wanted, names.iter().copied()), expected, "{wanted}");
        };
        check("Store::get", &["app::store::Store::get"]);
        check("get", &["app::store::Store::get"]);
        check("app::store::Store::gte", &["app::store::Store::get"]);
        check("app::model::fetch", &["other::fetch"]);
        check("something::quite::different", &[]);
    }
}
