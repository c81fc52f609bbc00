//! The rewrite rules of soft-mock: source text in, source text and a list of sites out.
//!
//! This crate does no IO and starts no process. It knows nothing of cargo, of rustc's arguments and
//! of running programs; see `docs/architecture.md` of the workspace for the parts around it.

#![forbid(unsafe_code)]

mod attribute;
mod check;
mod diff;
mod each_function;
mod edition;
mod edits;
mod elided;
mod eligibility;
mod facts;
mod inlined;
mod instance;
mod items;
mod known;
mod lasting;
mod local_items;
mod macro_functions;
mod names;
mod normal;
mod paths;
mod plugin_source;
mod prologue;
mod redirect;
mod refused;
mod rewrite;
mod running;
mod signature;
mod skip;
mod support;
mod tracked;
mod tree;
mod visibility;
mod weight;
mod whole;
mod whole_crate;
mod words;

pub use attribute::{attribute_prologue, attribute_refusal, AttributePrologue, Within};
pub use check::Check;
pub use diff::{diff, Around, ChangedFunction, FileDiff, Rude, Spread};
pub use edition::Edition;
pub use eligibility::{
    classify, has_attribute, has_opaque_result, is_test_only, Ineligible, Kind, Place,
};
pub use facts::{identifiers, widened_structs};
pub use inlined::inlined;
pub use items::{
    forget_sources, Aspect, Child, Dynamic, ExternCrate, FileItems, Function, FunctionPlace,
    ImplHeader, Item, ItemKind, LocalName, MacroRules, Module, Part, Private, PrivateKind, Use,
    UseKind,
};
pub use lasting::Lasting;
pub use local_items::{LocalItem, LocalItems};
pub use macro_functions::{macro_functions, MacroFunction};
pub use names::{signature_text, site_name, Owner};
pub use normal::Fingerprint;
pub use plugin_source::{
    plugin_source, PatchFunction, PluginError, PluginFunction, PluginOptions, PluginRequest,
    PluginSource, HOST, PLUGIN_ROOT,
};
pub use rewrite::{rewrite, FunctionInfo, Options, Output, Rewritten};
pub use skip::is_skipped;
pub use support::{sentinel, support_module, CrateFacts, SECTION, SUPPORT_MODULE};
pub use tracked::{tracked, tracking_methods};
pub use tree::{line_of, parse, CrateTree, SourceFile, SyntaxError};
pub use visibility::Hidden;
pub use whole::{whole, WholeSource, DETACHED_BODY, DETACHED_CODE, DETACHED_OUTPUT};
pub use whole_crate::needs_whole_crate;
pub use words::{contains, Names, Words};
