//! What the path of a piece of code tells of it: whose it is, and whether it belongs to a closure
//! or a future.

use std::collections::HashSet;

use soft_mock_abi::symbol::{ASYNC_BODY, DETACHED_BODY};

use crate::symbols::{is_of, start_of};

/// Whether `path` is the future of a body that was moved or compiled alone, or drops one.
pub(super) fn is_detached_body(path: &str) -> bool {
    let path = match path.split_once("::drop_in_place::<") {
        Some((_, rest)) => rest.strip_suffix('>').unwrap_or(rest),
        None => path,
    };
    let body = path.strip_suffix("::{closure#0}");
    let name = body.map(|body| body.rsplit("::").next().unwrap_or(body));
    let starts = [DETACHED_BODY, ASYNC_BODY];
    name.is_some_and(|name| starts.iter().any(|start| name.starts_with(start)))
}

/// Whether `path` is a closure or a future, or is made by the compiler or a foreign crate for one.
pub(super) fn is_closure(path: &str, crates: &HashSet<String>) -> bool {
    if !path.contains("{closure#") {
        return false;
    }
    let path = path.split("::{shim").next().unwrap_or(path);
    if path.ends_with('}') {
        return true;
    }
    let is_ours = |part: &str| is_ours(part, crates);
    let Some(inside) = path.strip_prefix('<') else {
        return !is_ours(path);
    };
    // `<Type as Trait>::method` or `<Type>::method`.
    let (ty, rest) = split_type(inside);
    let of_closure = ty.ends_with('}') && ty.contains("{closure#");
    let tr = rest.strip_prefix(" as ");
    (of_closure || !is_ours(ty))
        && tr.is_none_or(|tr| !is_ours(tr))
        && (tr.is_some() || !is_ours(ty))
}

/// Whether the type, trait or function that a path starts with is one of the program's.
fn is_ours(path: &str, crates: &HashSet<String>) -> bool {
    let part = path.trim_start_matches(['&', '<', '*', '(', '[']);
    let part = part.trim_start_matches("mut ").trim_start_matches("const ");
    let part = part.trim_start_matches("dyn ");
    part.find('[')
        .is_some_and(|end| crates.contains(&part[..end]))
}

/// Whether foreign crates wrote the code of `path`: only types in it are the program's.
pub(super) fn is_foreign(path: &str, crates: &HashSet<String>) -> bool {
    let path = path.split("::{shim").next().unwrap_or(path);
    let Some(inside) = path.strip_prefix('<') else {
        return !is_ours(path, crates);
    };
    let (ty, rest) = split_type(inside);
    // Of a box or a pinned pointer, an impl may be ours as if it were one of what is in it.
    let fundamental = ["::boxed::Box<", "::pin::Pin<"]
        .iter()
        .any(|name| ty.contains(name))
        && is_of(ty, crates);
    let tr = rest.strip_prefix(" as ").map(|tr| split_type(tr).0);
    !is_ours(ty, crates) && !fundamental && tr.is_none_or(|tr| !is_of(tr, crates))
}

/// Whether the compiler makes the code of `path`: drops a value, calls a function through its type.
pub(super) fn is_compiler_made(path: &str) -> bool {
    if path.starts_with("core[") && path.contains("::drop_in_place::<") {
        return true;
    }
    let Some(inside) = path.strip_prefix('<') else {
        return path.contains("::{shim");
    };
    let (_, rest) = split_type(inside);
    let tr = rest.strip_prefix(" as ").unwrap_or("");
    tr.starts_with("core[") && tr.contains("]::ops::function::Fn")
}

/// Whether `function` may be made of something generic: then it may be gone although its text is
/// not.
pub(super) fn is_instance(function: &str) -> bool {
    let inside = function.strip_prefix('<').unwrap_or(function);
    inside.contains('<') || function.contains(" as ")
}

/// The program's crates in a path, with their marks: `app[c3a08f]`.
pub(super) fn marks_of(path: &str, crates: &HashSet<String>) -> Vec<String> {
    let all = path.match_indices('[').filter_map(|(at, _)| {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let name = path[..at].rsplit(|c: char| !is_name(c)).next()?;
        let end = at + path[at..].find(']')?;
        crates
            .contains(name)
            .then(|| path[at - name.len()..=end].to_owned())
    });
    all.collect()
}

/// The function in which the first closure or future of a path stands: `app::f` of
/// `app::f::{closure#0}`, also where that is the argument of something else.
pub(super) fn function_of(path: &str) -> Option<&str> {
    let end = path.find("::{closure#")?;
    Some(&path[start_of(path, end)..end])
}

/// The number of a closure or a future that stands in a function itself.
pub(super) fn closure_of(path: &str, function: &str) -> Option<usize> {
    let number = path.strip_prefix(function)?.strip_prefix("::{closure#")?;
    number.strip_suffix('}')?.parse().ok()
}

/// The type at the start of a path, and what follows it.
pub(super) fn split_type(text: &str) -> (&str, &str) {
    let mut depth = 0_usize;
    for (at, letter) in text.char_indices() {
        let arrow = letter == '>' && text[..at].ends_with('-');
        match letter {
            '<' | '(' | '[' | '{' => depth += 1,
            '>' if arrow => {}
            '>' if depth == 0 => return text.split_at(at),
            '>' | ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 && text[at..].starts_with(" as ") => return text.split_at(at),
            _ => {}
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_with_closures() {
        let check = |path: &str, function: Option<&str>| assert_eq!(function_of(path), function);
        check("app[1]::f::{closure#0}::{closure#1}", Some("app[1]::f"));
        check("<app[1]::S>::f::{closure#0}", Some("<app[1]::S>::f"));
        let of_trait = "<app[1]::S as app[1]::T<u8, fn() -> u8>>::f";
        check(&format!("{of_trait}::{{closure#0}}"), Some(of_trait));
        check(
            "core[2]::ptr::drop_in_place::<app[1]::f::<u8>::{closure#0}>",
            Some("app[1]::f::<u8>"),
        );
        check(
            "<&mut app[1]::f::{closure#0} as core[2]::ops::function::FnOnce<()>>::call_once",
            Some("app[1]::f"),
        );
        check("app[1]::f", None);
    }

    #[test]
    fn closures_of_functions_themselves() {
        assert_eq!(closure_of("app[1]::f::{closure#10}", "app[1]::f"), Some(10));
        for path in [
            "app[1]::f",
            "app[1]::fg::{closure#0}",
            "app[1]::f::{closure#0}::{closure#1}",
            "app[1]::f::{closure#0}::inner",
            "<app[1]::f::{closure#0} as core[2]::Trait>::run",
        ] {
            assert_eq!(closure_of(path, "app[1]::f"), None, "{path}");
        }
    }

    #[test]
    fn closures_and_what_is_made_for_them() {
        let crates = HashSet::from(["app".to_owned()]);
        let check = |path: &str| is_closure(path, &crates);
        for path in [
            "app[1]::f::{closure#0}",
            "<app[1]::S>::f::{closure#0}::{closure#1}",
            "core[2]::ptr::drop_in_place::<app[1]::f::{closure#0}>",
            "<app[1]::f::{closure#0} as core[2]::ops::function::FnOnce<()>>::call_once::{shim:vtable#0}",
            "<core[2]::iter::Map<app[1]::I, app[1]::f::{closure#0}> as core[2]::iter::Iterator>::next",
        ] {
            assert!(check(path), "{path}");
        }
        for path in [
            "app[1]::f",
            "app[1]::spawn::<app[1]::f::{closure#0}>",
            "app[1]::f::{closure#0}::inner",
            "<app[1]::Handler<app[1]::f::{closure#0}> as core[2]::Trait>::run",
            "<app[1]::f::{closure#0} as app[1]::Handler>::handle",
            "<app[1]::Handler<app[1]::f::{closure#0}>>::handle",
            "core[2]::ptr::drop_in_place::<app[1]::S>",
        ] {
            assert!(!check(path), "{path}");
        }
    }

    #[test]
    fn moved_bodies() {
        assert!(is_detached_body(
            "<app[1]::S>::__soft_mock_body_f::{closure#0}"
        ));
        assert!(is_detached_body(
            "core[2]::ptr::drop_in_place::<app[1]::__soft_mock_body_f::{closure#0}>"
        ));
        assert!(!is_detached_body(
            "app[1]::__soft_mock_body_f::{closure#0}::{closure#1}"
        ));
        assert!(!is_detached_body("app[1]::f::{closure#0}"));
    }
}
