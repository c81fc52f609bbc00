//! Functions that the user wants left alone: by attribute, or by a pattern for names.
//!
//! ```text
//! #[cfg_attr(any(), soft_mock::skip)]  fn tiny() {}     compiles without a dependency: the condition is never met
//! #[soft_mock::skip]                   fn tiny() {}
//! skip = ["app::fast::*"]                               in the manifest
//! ```

use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Path, Token};
use wildmatch::WildMatchPattern;

/// A pattern for names. Only `*` has a meaning: no name has a NUL in it.
type Pattern = WildMatchPattern<'*', '\0'>;

/// Whether one of a function's attributes says so, whatever the condition around it.
pub(crate) fn is_left_out(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| says_skip(&attr.meta))
}

fn says_skip(meta: &Meta) -> bool {
    match meta {
        Meta::Path(path) => is_skip(path),
        Meta::List(list) if list.path.is_ident("cfg_attr") => {
            let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            parts.is_ok_and(|parts| parts.iter().skip(1).any(says_skip))
        }
        _ => false,
    }
}

fn is_skip(path: &Path) -> bool {
    let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
    names == ["soft_mock", "skip"]
}

/// Whether one of these patterns fits the name of a site. A `*` stands for any text; a method of a
/// trait impl, `<app::Type as app::Trait>::name`, is also found as `app::Type::name`.
pub fn is_skipped(patterns: &[String], site: &str) -> bool {
    let plain = without_trait(site);
    patterns.iter().any(|pattern| {
        fits(pattern, site) || plain.as_ref().is_some_and(|name| fits(pattern, name))
    })
}

fn without_trait(site: &str) -> Option<String> {
    let (subject, rest) = site.strip_prefix('<')?.split_once(" as ")?;
    let (_, name) = rest.rsplit_once(">::")?;
    Some(format!("{subject}::{name}"))
}

fn fits(pattern: &str, name: &str) -> bool {
    Pattern::new(pattern).matches(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_that_say_skip() {
        let check = |text: &str, expected: bool| {
            let item: syn::ItemFn =
                syn::parse_str(&format!("{text} fn f() {{}}")).expect("a function");
            assert_eq!(is_left_out(&item.attrs), expected, "{text}");
        };
        check("#[cfg_attr(any(), soft_mock::skip)]", true);
        check("#[cfg_attr(any(), inline, soft_mock::skip)]", true);
        check("#[soft_mock::skip]", true);
        check("#[inline] #[::soft_mock::skip]", true);
        check("#[cfg_attr(any(), inline)]", false);
        check("#[rustfmt::skip]", false);
        check("#[skip]", false);
        check("", false);
    }

    #[test]
    fn patterns_for_names() {
        let check = |pattern: &str, name: &str, expected: bool| {
            assert_eq!(
                is_skipped(&[pattern.to_owned()], name),
                expected,
                "{pattern} {name}"
            );
        };
        check("app::f", "app::f", true);
        check("app::f", "app::ff", false);
        check("app::fast::*", "app::fast::deep::f", true);
        check("app::fast::*", "app::faster::f", false);
        check("*::tiny", "app::a::tiny", true);
        check("app::*::get*", "app::a::b::get_all", true);
        check("app::*::get", "app::a::got", false);
        check(
            "app::Type::*",
            "<app::Type as core::fmt::Display>::fmt",
            true,
        );
        check(
            "<app::Type as *",
            "<app::Type as core::fmt::Display>::fmt",
            true,
        );
        check("app::Other::*", "<app::Type as app::Other>::fmt", false);
        check("app::?", "app::f", false);
        check("*", "app::größe", true);
        check("*ß*", "app::größe", true);
    }

    #[test]
    fn many_stars_take_no_more_time_than_one() {
        let name = "a".repeat(2000);
        for (end, expected) in [("a", true), ("b", false)] {
            let pattern = format!("{}{end}", "*a".repeat(30));
            assert_eq!(is_skipped(&[pattern], &name), expected);
        }
    }
}
