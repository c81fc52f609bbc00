//! Why an edit can be patched neither alone nor by whole crates, in one sentence. What comes first
//! in it is what a user gets to see where there isn't room for all.
//!
//! Knows nothing of how either was found out.

use crate::program::Program;

/// What stood in the way of a micro-crate.
#[derive(Clone, Copy)]
pub(in crate::patch) enum Why<'a> {
    /// What an earlier patch left.
    Left(&'a str),
    /// What the sources say.
    Source(&'a str),
    /// What rustc says of it: nothing that concerns a user, where the whole crate compiles.
    Rustc(&'a str),
}

/// `reason` is that of whole crates.
pub(super) fn both(program: &Program, why: Option<Why<'_>>, reason: &str) -> String {
    let reason = match made_by_attribute(program, reason) {
        Some(why) => format!("{why}; {reason}"),
        None => reason.to_owned(),
    };
    match why {
        Some(Why::Left(why)) => format!("{why}; {reason}"),
        Some(Why::Source(why)) => format!("{reason}; not compiled alone: {why}"),
        Some(Why::Rustc(_)) | None => reason,
    }
}

/// If a reason speaks of what a macro makes of a function: that has names that no user wrote.
fn made_by_attribute(program: &Program, reason: &str) -> Option<String> {
    program.files().find_map(|(position, _, items)| {
        let krate = &program.units[position].unit.crate_name;
        let mut functions = items.functions.iter();
        functions.find_map(|function| {
            let attribute = function.attribute_macro()?;
            names(reason, &function.site_name(krate)).then(|| {
                let name = &function.name;
                format!(
                    "what `#[{attribute}]` makes of `{name}` can't be patched, but functions that it calls can"
                )
            })
        })
    })
}

/// Whether a text has this name, and not just as the start or end of a longer one.
fn names(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = text.match_indices(name);
    found.any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + name.len()..].chars().next();
        ![before, after].into_iter().flatten().any(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_whole_one() {
        for (text, expected) in [
            ("`app::index::{closure#0}` has no site", true),
            ("no code of its own for app::index", true),
            ("`app::index_all` has no site", false),
            ("`myapp::index` has no site", false),
            ("`app::index_all` and `app::index`", true),
        ] {
            assert_eq!(names(text, "app::index"), expected, "{text}");
        }
    }
}
