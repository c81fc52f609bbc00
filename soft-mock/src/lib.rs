//! Replace the body of a function while the program runs, or in a test: the runtime.
//!
//! The rewriter gives every eligible function a *prologue*, a check of one pointer, and leaves a
//! [`Site`] for it in the program. This crate finds the sites and redirects them: to the functions
//! of a *plugin* (a *patch*, see [`load_plugin`] and [`patch`]) or to another function of the program
//! itself (a *mock*, see [`mock_by_name`]). Programs that `hot` builds get it without depending on
//! it; a program that depends on it as well shares the same sites and the same state.
//!
//! ```
//! // Which functions of this program can be redirected?
//! for site in soft_mock::sites() {
//!     println!("{} {} ({}:{})", site.name(), site.signature(), site.file(), site.line());
//! }
//!
//! // A mock is installed by name, and only if its type is the function's.
//! fn always_two() -> u32 { 2 }
//! let refused = soft_mock::mock_by_name("app::dice::roll", always_two as fn() -> u32);
//! assert_eq!(refused.unwrap_err().to_string(), "no function is called `app::dice::roll`");
//!
//! // A plugin is installed as a whole, or refused with a reason.
//! match soft_mock::load_plugin("/path/to/plugin.so") {
//!     Ok(report) => println!("{report}"),
//!     Err(error) => assert!(error.to_string().ends_with("there is no such file")),
//! }
//!
//! // Or let plugins come by themselves: from a folder, a socket or the standard input.
//! # fn start(folder: &std::path::Path) -> Result<(), soft_mock::reloader::StartError> {
//! use soft_mock::reloader;
//! reloader::folder::start(folder, reloader::to_stderr)?;
//! # Ok(())
//! # }
//! ```
//!
//! # What holds
//! - Nothing is installed that wasn't compared with the function's type: by the id of the type for
//!   mocks, by signature, unit, compiler and id for plugins.
//! - A call that has begun goes on with the code that it began with; the next one runs the new code.
//! - The functions of one patch become active in one step, for all threads.
//! - Replaced code is never unloaded: strings, vtables and futures may point into it.
//!
//! # What this crate knows nothing of
//! Source code, cargo, and how plugins are made.

#[cfg(not(target_os = "linux"))]
compile_error!("soft-mock runs on Linux only: it relies on ELF sections, /proc and SO_PEERCRED");

#[cfg(test)]
#[path = "../tests/common/mod.rs"]
mod common;
pub mod handover;
mod hook;
mod images;
mod instances;
mod loader;
pub mod mock;
mod names;
pub mod patch;
mod platform;
pub mod plugin;
pub mod registry;
pub mod reloader;
mod scope;
mod shared;
mod signals;
mod stay;
mod sync;

/// What `mockable` expands to refers to. No part of the interface.
#[doc(hidden)]
pub mod __support {
    pub use crate::instances::support::{instance, instance_like, Here};
    pub use soft_mock_abi::site::Site;
}

pub use loader::{LoadError, Refusal};
pub use mock::{
    call_original, call_original_async, call_original_by_name, check, get_mock_by_name,
    get_mock_for, list, mock_by_name, mock_unsafe_by_name, reset, reset_all, reset_by_name,
    returns, steps, MockError, Mocked, Returns, Steps, Times,
};
pub use patch::{
    history, load_plugin, load_plugins, on_patch, patch_at_safe_points, rollback, safe_point,
    status, Report,
};
pub use registry::{find, sites, FindError};
pub use scope::{scope, Entered, Follow, Scope};
pub use soft_mock_abi::site::{Crate, Site, LAYOUT};
#[cfg(feature = "mockable")]
pub use soft_mock_macros::mockable;
pub use soft_mock_macros::{mock, mock_everywhere, skip, spy};
