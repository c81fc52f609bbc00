//! Items other than functions, imports and macros by example.

use super::declared::TextPlace;
use crate::analysis::local_items::LocalItems;
use crate::syntax::mentions::Names;
use crate::syntax::names::Owner;
use crate::syntax::normalize::Fingerprint;

/// An item, as far as a comparison needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// Its name; for an impl block its header.
    pub name: String,
    /// The module it stands in.
    pub module: Vec<String>,
    /// Its line.
    pub line: usize,
    /// Where the item of the module begins that it is, or stands in.
    pub start: usize,
    /// Where it stands; of what a macro makes, nowhere.
    pub place: TextPlace,
    /// Conditions under which it is compiled, its surroundings in this file included.
    pub cfgs: Vec<String>,
    /// What can change about it as a whole.
    pub aspects: Vec<Aspect>,
    /// Its fields or variants.
    pub parts: Vec<Part>,
    /// The names in its definition; of a static those in its type.
    pub mentions: Names,
    /// The macros that it calls.
    pub macros: Names,
    /// What the value of a constant or static declares.
    pub local_items: LocalItems,
    /// What an impl block belongs to.
    pub owner: Option<Owner>,
    /// It has attributes that may mean more than code.
    pub has_layout_attributes: bool,
    /// The names in a trait's bounds.
    pub supertraits: Names,
}

/// Something that can change about an item: `visibility`, `type`, …
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aspect {
    /// What it is called.
    pub name: &'static str,
    /// Its content.
    pub content: Fingerprint,
}

impl Aspect {
    /// Attributes that end in nothing but code.
    pub const CODE_ATTRIBUTES: &str = "code attributes";
    /// Doc comments that derives read which only add impls.
    pub const DERIVE_DOCS: &str = "doc comment, which a derive may read,";
    /// Doc comments that any other macro may read.
    pub const MACRO_DOCS: &str = "doc comment";
}

/// A field or a variant.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// `field` or `variant`.
    pub kind: &'static str,
    /// Its name; `0` for a tuple's first.
    pub name: String,
    /// Its line.
    pub line: usize,
    /// What can change about it.
    pub aspects: Vec<Aspect>,
}

/// The kinds of items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// A struct.
    Struct,
    /// An enum.
    Enum,
    /// A union.
    Union,
    /// A trait.
    Trait,
    /// A trait alias.
    TraitAlias,
    /// A type alias or an associated type.
    Type,
    /// A constant.
    Const,
    /// A static.
    Static,
    /// An impl block of a trait, or one with attributes.
    Impl,
    /// A module declaration.
    Mod,
    /// An `extern` block.
    ForeignMod,
    /// An `extern crate`.
    ExternCrate,
    /// A macro call in place of items.
    MacroCall,
    /// Something that the parser doesn't know.
    Other,
}

impl ItemKind {
    /// Whether nothing comes of it but what it says: a type, a trait, a value or an impl.
    pub(crate) fn is_itself(self) -> bool {
        matches!(
            self,
            Self::Struct
                | Self::Enum
                | Self::Union
                | Self::Trait
                | Self::Type
                | Self::Const
                | Self::Static
                | Self::Impl
        )
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Struct => "struct",
            Self::Enum => "enum",
            Self::Union => "union",
            Self::Trait => "trait",
            Self::TraitAlias => "trait alias",
            Self::Type => "type",
            Self::Const => "const",
            Self::Static => "static",
            Self::Impl => "",
            Self::Mod => "mod",
            Self::ForeignMod => "extern block",
            Self::ExternCrate => "extern crate",
            Self::MacroCall => "macro call",
            Self::Other => "item",
        }
    }

    /// Whether a change of its parts changes how values lie in memory.
    pub fn has_layout(self) -> bool {
        matches!(self, Self::Struct | Self::Enum | Self::Union)
    }
}

impl Item {
    /// What people call it: `struct User`, `impl Display for User`.
    pub fn title(&self) -> String {
        match self.kind.word() {
            "" => self.name.clone(),
            word => format!("{word} {}", self.name),
        }
    }
}
