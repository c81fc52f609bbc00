//! What things are called in a micro-crate, and in the crate itself.
//!
//! ```text
//! <app[1]::Store as app[2]::a::__SoftMock0>::__soft_mock_patch_0    <app[1]::Store>::get        a function
//! <app[1]::Store as app[2]::a::__SoftMock4>::helper                 <app[1]::Store>::helper     new beside it
//! app[2]::a::helper                                                 app[1]::a::helper
//! ```
//!
//! Knows nothing of what is compared.

use std::collections::HashMap;

use soft_mock_abi::symbol::{CARRIER, PREFIX};

use crate::objects::Object;
use crate::symbols::{is_rust, path, start_of};
use crate::world::World;

/// The static at the root of every micro-crate.
const MANIFEST: &str = "::__SOFT_MOCK_MANIFEST";

/// The names of one micro-crate.
pub(super) struct Names {
    /// Paths in the crate, by the last names of the functions in the micro-crate.
    functions: HashMap<String, String>,
    /// The crate's name with the mark of the micro-crate, and with its own.
    marks: Option<(String, String)>,
}

impl Names {
    pub(super) fn new(
        functions: HashMap<String, String>,
        object: &Object<'_>,
        own: &World<'_>,
    ) -> Self {
        Self {
            functions,
            marks: marks(object, own),
        }
    }

    /// A path as the crate has it.
    pub(super) fn in_crate(&self, path: String) -> String {
        let mut path = self.with_functions(path);
        while let Some(carrier) = carrier(&path) {
            let Some(end) = path[carrier..].find('>').map(|end| carrier + end) else {
                break;
            };
            let start = path[..carrier].rfind(" as ").unwrap_or(carrier);
            path.replace_range(start..end, "");
        }
        match &self.marks {
            Some((alone, own)) => path.replace(alone.as_str(), own),
            None => path,
        }
    }

    fn with_functions(&self, mut path: String) -> String {
        let mut from = 0;
        while let Some(at) = path[from..].find(PREFIX).map(|at| from + at) {
            let length = path[at..].find(|c: char| !c.is_alphanumeric() && c != '_');
            let end = length.map_or(path.len(), |length| at + length);
            match self.functions.get(&path[at..end]) {
                Some(name) => {
                    let start = start_of(&path, end);
                    path.replace_range(start..end, name);
                    from = start + name.len();
                }
                None => from = end,
            }
        }
        path
    }

    /// Whether a path of the micro-crate is a function that is new beside those that were changed.
    pub(super) fn is_new(&self, path: &str) -> bool {
        let own = self.marks.as_ref().map(|(alone, _)| alone.as_str());
        let is_there = own.is_some_and(|own| path.trim_start_matches('<').starts_with(own));
        !path.contains(PREFIX) && !path.ends_with(MANIFEST) && (is_there || carrier(path).is_some())
    }
}

/// Where a path names a trait that carries methods.
fn carrier(path: &str) -> Option<usize> {
    path.find(&format!("::{CARRIER}"))
}

fn marks(object: &Object<'_>, own: &World<'_>) -> Option<(String, String)> {
    let mut names = object.symbols.iter().map(|symbol| symbol.name);
    let manifest = names.find(|name| is_rust(name) && name.contains(&MANIFEST[2..]))?;
    let alone = path(manifest).strip_suffix(MANIFEST)?.to_owned();
    let start = &alone[..=alone.find('[')?];
    let own = own.paths().find_map(|(path, _)| {
        let mark = path.strip_prefix(start)?;
        Some(format!("{start}{}]", &mark[..mark.find(']')?]))
    })?;
    Some((alone, own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_functions_and_of_what_is_new() {
        let functions = [
            ("__soft_mock_patch_0", "<app[1]::S>::get"),
            ("__soft_mock_new_1", "app[1]::__soft_mock_body_f"),
        ];
        let names = Names {
            functions: functions
                .map(|(alone, own)| (alone.to_owned(), own.to_owned()))
                .into(),
            marks: Some(("app[2]".to_owned(), "app[1]".to_owned())),
        };
        let check = |alone: &str, own: &str| assert_eq!(names.in_crate(alone.to_owned()), own);
        check("__soft_mock_patch_0", "<app[1]::S>::get");
        check(
            "<app[1]::S as app[2]::a::__SoftMock0>::__soft_mock_patch_0::{closure#0}",
            "<app[1]::S>::get::{closure#0}",
        );
        check(
            "core[3]::map::<app[2]::__soft_mock_new_1::{closure#0}, u8>",
            "core[3]::map::<app[1]::__soft_mock_body_f::{closure#0}, u8>",
        );
        check(
            "<app[1]::S as app[2]::a::__SoftMock4>::new",
            "<app[1]::S>::new",
        );
        check("app[2]::a::helper", "app[1]::a::helper");
        check("__soft_mock_patch_7", "__soft_mock_patch_7");
        assert!(names.is_new("app[2]::a::helper"));
        assert!(names.is_new("<app[1]::S as app[2]::a::__SoftMock4>::new"));
        assert!(!names.is_new("app[1]::a::other"));
        assert!(!names.is_new("app[2]::__soft_mock_new_1"));
    }
}
