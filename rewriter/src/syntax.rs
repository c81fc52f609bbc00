//! Rust as text and tokens: the files of a crate, names, types, edits, and what tokens mention.
//!
//! Knows nothing of sites and patches: what a function or a change means for them is for others to
//! say.

pub(crate) mod attributes;
pub(crate) mod column_calls;
pub(crate) mod columns;
pub(crate) mod compiled_as;
pub(crate) mod documentation;
pub(crate) mod edition;
pub(crate) mod edits;
pub(crate) mod elided;
pub(crate) mod hidden_lifetimes;
mod included_files;
pub(crate) mod known_macros;
pub(crate) mod mentions;
pub(crate) mod names;
pub(crate) mod normalize;
pub(crate) mod paths;
pub(crate) mod patterns;
pub(crate) mod signature;
mod source_names;
pub(crate) mod tree;

pub use attributes::{has_attribute, is_test_only};
pub use columns::Columns;
pub use compiled_as::CompiledAs;
pub use edition::Edition;
pub use included_files::{included_files, plain_path};
pub use mentions::{contains, identifiers, Mentions, Names};
pub use names::{signature_text, site_name, Owner, PRIMITIVE_TYPES};
pub use normalize::Fingerprint;
pub use source_names::SourceNames;
pub use tree::{line_of, parse, CrateTree, SourceFile, SyntaxError};
