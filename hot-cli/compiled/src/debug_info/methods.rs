//! Methods by their symbols: whose `Drop` one is, and what a vtable's places are called.

use crate::symbols::{is_rust, path};

/// The type whose `Drop::drop` a symbol is: `app[1]::S` of `<app[1]::S as core[2]::ops::drop::Drop>::drop`.
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

/// The name of the method that a symbol is, if it is a function.
pub(super) fn method(symbol: &str) -> Option<String> {
    if !is_rust(symbol) {
        return None;
    }
    let path = path(symbol);
    let path = path.split("::{shim").next()?;
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
    fn names_of_methods() {
        assert_eq!(method(DROP).as_deref(), Some("drop"));
        assert_eq!(
            method("_RNvCsbmNqQUJIY6D_3app5drops").as_deref(),
            Some("drops")
        );
        assert_eq!(method("vtable.0"), None);
    }
}
