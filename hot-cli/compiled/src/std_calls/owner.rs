//! Whose code it is that refers to a function of std, by the path of the function around it.
//!
//! The code of generic functions stands where it is used: a crate's objects hold code of std and of
//! dependencies too, which is theirs. That of `core` and `alloc` can't know of std, so what it
//! refers to was given to it by the crate's own code. And where the compiler optimises, a function
//! that is given to a generic one may have become part of it.

use std::collections::HashSet;

use soft_mock_abi::std_calls::{ident_of, REPLACEMENT};
use soft_mock_abi::symbol::SUPPORT_MODULE;

/// Modules of std whose generic code refers to the clock, to threads and to files by itself.
const WORKING: [&str; 14] = [
    "backtrace",
    "env",
    "fs",
    "io",
    "net",
    "panicking",
    "path",
    "process",
    "rt",
    "sys",
    "thread",
    "time",
    "sync::mpmc",
    "sync::mpsc",
];

/// The same, anywhere in a path.
const WAITING: [&str; 2] = ["::condvar::", "::barrier::"];

/// The rewritten crates.
pub(super) struct Owners<'c> {
    crates: &'c HashSet<String>,
    optimised: bool,
}

impl<'c> Owners<'c> {
    pub(super) fn new(crates: &'c HashSet<String>, optimised: bool) -> Self {
        Self { crates, optimised }
    }

    /// Whether code that refers to `target` does so for the rewritten crates, given the path of the
    /// function around it.
    pub(super) fn are_own(&self, path: &str, target: &str) -> bool {
        if path.starts_with(REPLACEMENT) || replacement_in(path).is_some() {
            return false;
        }
        let is_given = path.contains(target) && !is_behind_a_shell(target);
        if self.optimised && (is_given || self.are_given(path)) {
            return true;
        }
        let head = head(path);
        let (ty, tr) = match path.starts_with('<') {
            true => outer_as(head).map_or((head, ""), |at| (&head[..at], &head[at..])),
            false => (head, ""),
        };
        // A function as a value is called by code that was given it.
        let is_value = tr.starts_with(" as core::ops::function::Fn");
        let ty = ty.trim_start_matches(['<', '&', '[', '(']);
        if is_value {
            return !is_behind_a_shell(ty);
        }
        let krate = ty.split("::").next().unwrap_or_default();
        if self.crates.contains(krate) || names(tr).any(|name| self.crates.contains(name)) {
            return true;
        }
        match krate {
            "std" => !is_work(ty),
            "core" | "alloc" => true,
            // Of a dependency; or data without a name, types without a crate.
            _ => !ty.contains("::"),
        }
    }
}

impl Owners<'_> {
    /// Whether one of the rewritten crates' functions or closures is an argument of a generic one.
    fn are_given(&self, path: &str) -> bool {
        let is_part = |sign: char| sign.is_alphanumeric() || "_:{}#".contains(sign);
        let parts = path.split(|sign: char| !is_part(sign));
        let mut own = parts.filter(|part| {
            let krate = part.split("::").next().unwrap_or_default();
            self.crates.contains(krate)
        });
        own.any(|part| {
            let name = part.rsplit("::").next().unwrap_or_default();
            part.contains("{closure") || name.starts_with(|sign: char| sign.is_lowercase())
        })
    }
}

/// Where ` as ` stands between a type and its trait.
fn outer_as(head: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, sign) in head.char_indices() {
        match sign {
            '<' => depth += 1,
            '>' if !head[..at].ends_with('-') => depth = depth.saturating_sub(1),
            ' ' if depth == 1 && head[at..].starts_with(" as ") => return Some(at),
            _ => {}
        }
    }
    None
}

/// The path, or the type with its trait, that a function's path starts with.
fn head(path: &str) -> &str {
    if !path.starts_with('<') {
        return path.split('<').next().unwrap_or(path);
    }
    let mut depth = 0_usize;
    for (at, sign) in path.char_indices() {
        match sign {
            '<' => depth += 1,
            '>' if !path[..at].ends_with('-') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return &path[..at];
        }
    }
    path
}

/// What stands before `::` in a text.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split("::").map(|part| {
        let start = part.rfind(|sign: char| !(sign.is_alphanumeric() || sign == '_'));
        &part[start.map_or(0, |at| at + 1)..]
    })
}

fn is_work(path: &str) -> bool {
    let inside = path.strip_prefix("std::").unwrap_or(path);
    let working = WORKING.iter().any(|module| {
        let rest = inside.strip_prefix(module);
        rest.is_some_and(|rest| rest.starts_with("::"))
    });
    working || WAITING.iter().any(|part| path.contains(part))
}

/// Whether a path is that of a function which only std itself can call: the part of a public
/// function behind its generic shell.
pub(super) fn is_behind_a_shell(path: &str) -> bool {
    let path = path.trim_start_matches('<');
    let name = path.rsplit("::").next().unwrap_or_default();
    let is_private = path.starts_with("std::sys::") || name == "inner" || name.starts_with('_');
    let is_value = path.contains(" as ") || path.contains("drop");
    path.starts_with("std::") && is_private && !is_value
}

/// The function of std that a path stands in for; it has no symbol of its own if it is generic.
pub(super) fn replacement_in(path: &str) -> Option<String> {
    if let Some(ident) = ident_of(path) {
        return Some(ident.to_owned());
    }
    let (_, function) = path.split_once(&format!("{SUPPORT_MODULE}::std_"))?;
    let name = function.split(['<', ':']).next().unwrap_or(function);
    Some(format!("std_{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_that_calls_lead_to() {
        let crates: HashSet<String> = ["app".to_owned()].into();
        let owners = Owners::new(&crates, false);
        let now = "<std::time::SystemTime>::now";
        let check =
            |path: &str, expected: bool| assert_eq!(owners.are_own(path, now), expected, "{path}");
        check("app::started::{{closure}}", true);
        check("<app::Meter as core::fmt::Display>::fmt", true);
        check("<std::time::SystemTime as app::Stamp>::stamp", true);
        check(
            "app::<impl app::Stamp for std::time::SystemTime>::stamp",
            true,
        );
        check("core::ops::function::FnOnce::call_once", true);
        check(
            "<core::iter::adapters::map::Map<B,I,F> as core::iter::Iterator>::next",
            true,
        );
        check("std::sync::once_lock::OnceLock<T>::initialize", true);
        check(
            "std::collections::hash::map::Entry<K,V>::or_insert_with",
            true,
        );
        check(
            "<std::path::PathBuf as core::convert::From<app::Place>>::from",
            true,
        );
        check(
            "<<std::time::SystemTime>::now as core::ops::function::FnOnce<()>>::call_once",
            true,
        );
        check("", true);
        check("std::sync::mpmc::list::Channel<T>::recv", false);
        check(
            "std::sync::poison::condvar::Condvar::wait_timeout_while",
            false,
        );
        check("std::fs::read", false);
        check("<std::path::Path>::exists", false);
        check("tokio::time::timeout", false);
        check(
            "<tokio::runtime::Core<T,S> as core::future::Future>::poll",
            false,
        );
        check(
            "<tokio::runtime::Core<app::F, S> as core::future::Future>::poll",
            false,
        );
        check("<std::sync::mpmc::list::Channel<app::Job>>::recv", false);
        check(
            "<app::__soft_mock::Follow<app::f::{closure#0}> as core::future::Future>::poll",
            true,
        );
        check("app::__soft_mock::std_fs_read", false);
        check("__soft_mock_std_00__std_process_id", false);
    }

    #[test]
    fn code_that_became_part_of_other_code() {
        let crates: HashSet<String> = ["app".to_owned()].into();
        let now = "<std::time::SystemTime>::now";
        let check = |path: &str, plain: bool, optimised: bool| {
            assert_eq!(
                Owners::new(&crates, false).are_own(path, now),
                plain,
                "{path}"
            );
            assert_eq!(
                Owners::new(&crates, true).are_own(path, now),
                optimised,
                "{path}"
            );
        };
        check("tokio::task::run::<app::f::{closure#0}, ()>", false, true);
        check("std::thread::spawn::<app::work, ()>", false, true);
        check(
            "other::call::<<std::time::SystemTime>::now, u8>",
            false,
            true,
        );
        check(
            "<std::sync::mpmc::list::Channel<app::Job>>::recv",
            false,
            false,
        );
        let inner = "<std::sys::net::TcpStream>::connect::inner";
        let shim = format!("<{inner} as core::ops::function::FnMut<()>>::call_mut");
        assert!(!Owners::new(&crates, true).are_own(&shim, inner));
    }

    #[test]
    fn what_only_std_calls() {
        assert!(is_behind_a_shell("std::fs::read::inner"));
        assert!(is_behind_a_shell("<std::fs::OpenOptions>::_open"));
        assert!(is_behind_a_shell("std::sys::fs::metadata"));
        assert!(!is_behind_a_shell("<std::fs::OpenOptions>::new"));
        assert!(!is_behind_a_shell(
            "<std::ffi::os_str::OsString as core::fmt::Debug>::fmt"
        ));
        assert!(!is_behind_a_shell("alloc::raw_vec::handle_error"));
    }

    #[test]
    fn replacements() {
        let check = |path: &str, expected: Option<&str>| {
            assert_eq!(replacement_in(path).as_deref(), expected);
        };
        check("__soft_mock_std_00__std_fs_read__3", Some("std_fs_read"));
        check("app::__soft_mock::std_fs_read::<&str>", Some("std_fs_read"));
        check("app::__soft_mock::inherit::<(), app::f::{closure#0}>", None);
        check("app::load", None);
    }
}
