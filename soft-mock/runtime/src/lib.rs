//! What makes a running program patchable.
//!
//! The rewriter gives every eligible function a *prologue*, a check of one pointer, and leaves a
//! [`Site`](registry::Site) for it in the program. This crate finds the sites ([`registry`]) and
//! redirects them to the functions of a *plugin* ([`patch`]), which it checks before any code of it
//! runs ([`loader`]), and which may come by themselves ([`reloader`]). Somebody else can be asked
//! before patches: see [`hook`].
//!
//! ```
//! match soft_mock_runtime::patch::load_plugin("/path/to/plugin.so") {
//!     Ok(report) => println!("{report}"),
//!     Err(error) => assert!(error.to_string().ends_with("there is no such file")),
//! }
//! ```
//!
//! # Which way the arrows run
//! ```text
//! reloader → handover, patch → loader, images → registry → names, shared ← hook ← patch
//! ```
//!
//! # What this crate knows nothing of
//! Source code, cargo, how plugins are made; mocks, tests and managed plugins, which `soft-mock`
//! adds.

#[cfg(not(target_os = "linux"))]
compile_error!("soft-mock runs on Linux only: it relies on ELF sections, /proc and SO_PEERCRED");

#[cfg(test)]
#[path = "../../tests/common/mod.rs"]
mod common;
pub mod handover;
pub mod hook;
pub mod images;
pub mod loader;
pub mod names;
pub mod patch;
mod pin_library;
pub mod platform;
pub mod reach;
pub mod registry;
pub mod reloader;
pub mod shared;
mod signals;
mod sync;
