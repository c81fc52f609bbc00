//! What the source of a crate says: which functions can have a site, what files declare, what lasts
//! in a running program.
//!
//! By names alone, on the safe side. Writes no text, compares nothing, and knows nothing of how
//! patches are made.

pub(crate) mod attribute_effect;
pub(crate) mod closure_edits;
pub(crate) mod crate_survey;
pub(crate) mod declaration;
pub(crate) mod doc_readers;
pub(crate) mod each_function;
pub(crate) mod eligibility;
pub(crate) mod function_info;
pub(crate) mod hidden;
pub(crate) mod inlined;
pub(crate) mod items;
pub(crate) mod known_attributes;
pub(crate) mod late_type;
pub(crate) mod layout_names;
pub(crate) mod local_closures;
pub(crate) mod local_items;
pub(crate) mod long_running;
pub(crate) mod macro_functions;
pub(crate) mod mock_targets;
pub(crate) mod nested_items;
pub(crate) mod redirected;
pub(crate) mod skip;
pub(crate) mod track_caller;

pub use closure_edits::{
    closures_differ, edited_closures, only_closures_differ, untouched_closures,
};
pub use crate_survey::{fields_seen, FieldsSeen};
pub use declaration::Declaration;
pub use eligibility::{classify, Ineligible, Kind, Place};
pub use function_info::FunctionInfo;
pub use hidden::Hidden;
pub use inlined::inlined;
pub use items::{
    forget_sources, Aspect, Child, DeclaredFunction, Dynamic, ExternCrate, FileItems,
    FunctionPlace, ImplHeader, Item, ItemKind, LocalName, MacroRules, Module, Part, Private,
    PrivateKind, TextPlace, Use, UseKind,
};
pub use layout_names::LayoutNames;
pub use local_closures::LocalClosure;
pub use local_items::{LocalItem, LocalItems};
pub use macro_functions::{macro_functions, MacroFunction};
pub use skip::is_skipped;
pub use track_caller::{tracked, tracking_methods};
