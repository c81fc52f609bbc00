//! The rewrite rules of soft-mock: source text in, source text and a list of sites out.
//!
//! ```text
//! syntax ◄─ analysis ◄─┬─ instrument      prologues
//!                      ├─ diff            what changed in a file
//!                      ├─ patch_source    a crate of the changed functions alone
//!                      └─ whole_crate     a crate prepared to be compiled whole and compared
//! ```
//!
//! No arrow runs the other way, and none between the four on the right. This crate does no IO and
//! starts no process. It knows nothing of cargo, of rustc's arguments and of running programs; see
//! `docs/architecture.md` of the workspace for the parts around it.

#![forbid(unsafe_code)]

pub mod analysis;
pub mod diff;
pub mod instrument;
pub mod patch_source;
pub mod syntax;
pub mod whole_crate;
