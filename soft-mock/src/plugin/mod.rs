//! Managed plugins: whole modules that a host loads, calls and reloads as versions.
//!
//! A plugin is a library crate with one attribute; `hot build` makes a file of it. A host loads a
//! folder of such files as one [set](PluginManager), calls them by name, and swaps the set for a
//! newer one while calls go on. Host and plugins share types through library crates of their own,
//! each with [`shared!()`](shared) in its root: that all were built from the same ones, by the same
//! compiler, is checked before any code of a plugin runs.
//!
//! ```
//! // ---- a plugin's lib.rs
//! use soft_mock::plugin::{HookResult, Plugin, Value};
//!
//! #[derive(Default)]
//! struct Hello;
//!
//! // #[soft_mock::plugin::plugin]
//! impl Plugin for Hello {
//!     fn invoke_func(&self, name: &str, params: Value) -> HookResult<Value> {
//!         Ok(format!("{name}: hello, {}", params.get::<String>()?).into())
//!     }
//! }
//!
//! // ---- the host's main.rs
//! use soft_mock::plugin::{Options, PluginHost};
//!
//! fn serve() -> Result<(), Box<dyn std::error::Error>> {
//!     let host = PluginHost::new("plugins", Options::new());
//!     host.load_plugins(())?;
//!     let answer = host.current().plugin("hello")?.invoke_func("greet", "you")?;
//!     println!("{}", answer.get::<String>()?);
//!     host.reload(())?;
//!     Ok(())
//! }
//! assert!(serve().unwrap_err().to_string().starts_with("the plugin folder plugins can't be read"));
//! ```
//!
//! # What holds
//! - A reload is all or nothing. Whatever fails (a file, a type, a hook, a panic), the old set
//!   serves on, and the reload can be repeated at once.
//! - `current()` takes no lock and gives a whole set. Who holds a set runs its versions.
//! - No hook can bring the host down, block it by calling it back, or make it free what is in use.
//! - An object is given out only as the type that it has: a type of the same name and id in another
//!   version is another type.
//! - A library is unloaded only when no pointer into it can be left; otherwise it is
//!   [retained](PluginHost::memory), with the reason.
//!
//! # What to know
//! A plugin's library is complete: it has its own copies of std and of every crate it uses, so
//! statics and thread-locals exist once in the host and once in each plugin. Types that rely on
//! them (the locks of `parking_lot`, epochs, runtimes) must not be shared by value; share a trait,
//! and let one side implement it. Put [`#[guarded]`](guarded) on such an impl, so that a panic in
//! it can be caught on the other side.
//!
//! # What this module knows nothing of
//! Cargo and compilers: how a plugin's file is made is the business of `hot build`.

mod abi;
mod border;
mod early;
mod error;
mod extension;
mod file;
mod folder;
mod hooks;
mod host;
mod image;
mod lenient;
mod life;
mod live;
mod live_data;
mod object;
mod options;
mod order;
mod reaper;
mod report;
mod set;
mod stage;
mod value;
mod vault;
mod watch;

pub use error::{
    Failure, Hook, HookError, HookResult, LookupError, NoSuchFunction, NotTaken, ObjectError,
    OtherType, OtherTypes, PluginError,
};
pub use extension::{Entries, EntryTaken, Extension};
pub use hooks::{Declaration, Export, Import, ImportError, Imports, Plugin};
pub use host::{Memory, PluginHost};
pub use image::Retained;
pub use live::{Live, LiveValue};
pub use live_data::{LiveData, LiveDataError};
pub use options::Options;
pub use report::{Outcome, ReloadReport};
pub use set::{IntoParams, Plugin as LoadedPlugin, PluginManager};
pub use soft_mock_macros::{guarded, live, plugin, shared, symbol};
pub use value::Value;
pub use vault::{DataBag, ExtensionRef, Vault};
pub use watch::Watching;

/// What the macros' output uses.
#[doc(hidden)]
pub mod generated {
    pub use super::border::{enter, guard, HostAllocator, HostTable};
    pub use super::hooks::assert_in_crate_root;
    pub use super::live::{Collector, Listed};
}
