//! Replace the body of a function while the program runs, or in a test.
//!
//! The rewriter gives every eligible function a *prologue*, a check of one pointer, and leaves a
//! [`Site`](registry::Site) for it in the program. This crate finds the sites and redirects them.
//! Programs and tests that `hot` builds need no dependency on it, except for what they ask of it
//! themselves:
//!
//! | you want | look at |
//! |---|---|
//! | another function in the place of one, in a test | [`mock!`], [`spy!`], [`Mocked`], [`Sequence`], [`returns()`], [`mock_by_name`] |
//! | a type that implements a trait, for a test | [`double!`] |
//! | a clock that a test sets and moves on | [`Clock`] |
//! | to be told of patches, to choose when they happen, to load them yourself | [`patch`] |
//! | patches that come by themselves: from a folder, a socket or the standard input | [`reloader`] |
//! | to keep states and sockets when `hot` restarts the program | [`handover`] |
//! | the list of functions that can be redirected | [`registry`] |
//! | modules that a host loads, calls and reloads as versions | [`plugin`] |
//!
//! ```
//! // A mock is installed by name, and only if its type is the function's.
//! fn always_two() -> u32 { 2 }
//! let refused = soft_mock::mock_by_name("app::dice::roll", always_two as fn() -> u32);
//! assert_eq!(refused.unwrap_err().to_string(), "no function is called `app::dice::roll`");
//!
//! // A plugin is installed as a whole, or refused with a reason.
//! match soft_mock::patch::load_plugin("/path/to/plugin.so") {
//!     Ok(report) => println!("{report}"),
//!     Err(error) => assert!(error.to_string().ends_with("there is no such file")),
//! }
//! ```
//!
//! # What holds
//! - Nothing is installed that wasn't compared with the function's type: by the id of the type for
//!   mocks, by signature, unit, compiler and id for plugins.
//! - A call that has begun goes on with the code that it began with; the next one runs the new
//!   code.
//! - The functions of one patch become active in one step, for all threads.
//! - Replaced code is never unloaded: strings, vtables and futures may point into it.
//!
//! # What this crate knows nothing of
//! Source code, cargo, and how plugins are made.

pub mod mock;
pub mod plugin;
mod scope;

/// What generated code refers to: attributes and macros of one version name one version of it. No
/// part of the interface.
#[doc(hidden)]
pub mod __private {
    pub mod v1 {
        pub use crate::mock::generated as mock;
        pub use crate::plugin::generated as plugin;

        /// What `mockable` puts in the place of a crate's own support module.
        pub mod mockable {
            pub use crate::mock::generated::{instance, instance_like, Here};
            pub use soft_mock_abi::item::Item;
            pub use soft_mock_runtime::registry::Site;
        }
    }
}

pub use mock::{
    call_original, call_original_async, call_original_by_name, check, get_mock_by_name,
    get_mock_for, list, mock_by_name, mock_unsafe_by_name, reset, reset_all, reset_by_name,
    returns, steps, Clock, MockError, Mocked, OnThread, Returns, Seen, Sequence, Steps, Times,
};
pub use scope::{scope, Entered, Follow, Scope};
#[cfg(feature = "mockable")]
pub use soft_mock_macros::mockable;
pub use soft_mock_macros::{double, mock, mock_everywhere, skip, spy};
pub use soft_mock_runtime::{handover, patch, registry, reloader};
