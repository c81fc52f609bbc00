//! Doc comments that a macro may read, told from those that mean nothing: in a syntax tree they get
//! another name.
//!
//! ```text
//! #[doc = "…"]              nobody reads it
//! #[__derive_doc = "…"]     derives may that only add impls
//! #[__macro_doc = "…"]      any other macro may
//! ```
//!
//! Knows nothing of which macros read what.

use proc_macro2::Ident;
use syn::Attribute;

/// Who may read a doc comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DocReader {
    /// A derive that adds impls and nothing else.
    Derive,
    /// Any other macro.
    Macro,
}

impl DocReader {
    fn name(self) -> &'static str {
        match self {
            Self::Derive => "__derive_doc",
            Self::Macro => "__macro_doc",
        }
    }

    /// Who reads this attribute, if it is a doc comment that has a reader.
    pub(crate) fn of(attr: &Attribute) -> Option<Self> {
        let readers = [Self::Derive, Self::Macro];
        let mut readers = readers.into_iter();
        readers.find(|reader| attr.path().is_ident(reader.name()))
    }

    /// Says that it reads this attribute, if that is a doc comment.
    pub(crate) fn mark(self, attr: &mut Attribute) {
        let path = match &mut attr.meta {
            syn::Meta::Path(path) => path,
            syn::Meta::List(list) => &mut list.path,
            syn::Meta::NameValue(pair) => &mut pair.path,
        };
        if path.is_ident("doc") {
            if let Some(first) = path.segments.first_mut() {
                first.ident = Ident::new(self.name(), first.ident.span());
            }
        }
    }
}

/// The name of an attribute that is a doc comment, whoever reads it.
pub(crate) fn is_doc(name: &Ident) -> bool {
    name == "doc" || name == DocReader::Derive.name() || name == DocReader::Macro.name()
}
