//! Methods by their symbols: whose `Drop` one is, and what a vtable's places are called.

use crate::symbols::{is_rust, path, without_marks};

/// The type whose `Drop::drop` a symbol is: `app[1]::S` of `<app[1]::S as
/// core[2]::ops::drop::Drop>::drop`.
pub(super) fn dropped_type(symbol: &str) -> Option<String> {
    if !is_rust(symbol) || !symbol.contains("4Drop") {
        return None;
    }
    let path = path(symbol);
    let inside = path.strip_prefix('<')?;
    let inside = inside.strip_suffix("]::ops::drop::Drop>::drop")?;
    let (ty, mark) = inside.rsplit_once(" as core[")?;
    let is_mark = mark.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_mark.then(|| ty.to_owned())
}

/// Whether a type is made of others: code for it is there only if something needs it.
pub(super) fn has_type_arguments(ty: &str) -> bool {
    // `<app::S>::f::Local` begins with what it is declared in.
    let Some((_, arguments)) = ty.trim_start_matches('<').split_once('<') else {
        return false;
    };
    let mut arguments = arguments.trim_end_matches('>').split(", ");
    arguments.any(|argument| !argument.starts_with('\''))
}

/// The name of the method that a symbol is, if it is one of the type `of`: optimisation may have
/// put another function with the same code in its place.
pub(super) fn method(symbol: &str, of: &str) -> Option<String> {
    if !is_rust(symbol) {
        return None;
    }
    let path = without_marks(&path(symbol));
    let path = path.split("::{shim").next()?;
    let ty = path.strip_prefix('<')?;
    let head = |ty: &str| ty.split(['<', ' ', '>']).next().map(str::to_owned);
    if head(ty) != head(of) {
        return None;
    }
    let last = path.rsplit("::").next().unwrap_or(path);
    Some(last.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DROP: &str =
        "_RNvXs_CsbmNqQUJIY6D_3appNtB4_1SNtNtNtCs4Jc1T4vAF3P_4core3ops4drop4Drop4drop";

    #[test]
    fn types_with_a_drop_of_their_own() {
        let ty = dropped_type(DROP).expect("a type");
        assert_eq!(crate::symbols::without_marks(&ty), "app::S");
        assert_eq!(dropped_type("_RNvCsbmNqQUJIY6D_3app5drops"), None);
        assert_eq!(dropped_type("main"), None);
    }

    #[test]
    fn types_with_arguments() {
        for with in [
            "app[1]::W<u8>",
            "app[1]::W<&str>",
            "app[1]::W<'_, app[1]::S>",
            "app[1]::W<[u8; 3]>",
        ] {
            assert!(has_type_arguments(with), "{with}");
        }
        for without in ["app[1]::S", "app[1]::Guard<'_>", "<app[1]::S>::f::Local"] {
            assert!(!has_type_arguments(without), "{without}");
        }
    }

    #[test]
    fn names_of_methods() {
        let check = |symbol: &str, of: &str, name: Option<&str>| {
            assert_eq!(method(symbol, of).as_deref(), name);
        };
        check(DROP, "app::S", Some("drop"));
        check(DROP, "app::S<u8>", Some("drop"));
        check(DROP, "app::Other", None);
        check("_RNvCsbmNqQUJIY6D_3app5drops", "app::S", None);
        check("vtable.0", "app::S", None);
    }
}
