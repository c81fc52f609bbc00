//! What a program that can be patched, its plugins, the runtime in it and `hot` must agree on,
//! although each of them is compiled by itself: layouts of memory, names in object files, messages.
//!
//! - always: [`site`], [`late`], [`item`], [`mod@scope`], [`start`], [`std_calls`],
//!   [`mod@section`], [`symbol`], [`build`], [`reach`]; no dependencies
//! - with the feature `wire`: `manifest`, `checksum`, `protocol`, `report`, `handover`, `template`
//!
//! A change here needs a new version where the module names one. Knows nothing of who reads and
//! writes it: neither of what stands behind a site nor of source code, cargo and files of plugins.

#[macro_use]
mod layout;

pub mod build;
#[cfg(feature = "wire")]
pub mod checksum;
#[cfg(feature = "wire")]
pub mod handover;
pub mod item;
pub mod late;
pub mod manifest;
#[cfg(feature = "wire")]
pub mod protocol;
pub mod reach;
#[cfg(feature = "wire")]
pub mod report;
pub mod scope;
pub mod section;
pub mod site;
pub mod start;
pub mod std_calls;
pub mod symbol;
#[cfg(feature = "wire")]
pub mod template;
