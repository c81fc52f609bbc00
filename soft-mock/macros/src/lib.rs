//! The macros of `soft_mock`, one file each. They know nothing of files that are loaded and of processes;
//! what they generate names only `::core`, `::std` and `::soft_mock::plugin`.
//!
//! Use them through `soft_mock::plugin`, which re-exports them.

mod guarded;
mod live;
mod plugin;
mod record;
mod scan;
mod shared;
mod signature;

use proc_macro::TokenStream;

/// Declares the crate's plugin: put it on `impl Plugin for Type`, in the crate root.
///
/// The type must be `Default`. Arguments, all optional: `name = "…"` (the package's name otherwise),
/// `note = "…"` (a version note for people), `live_prefix = "…"` (`live_` otherwise).
#[proc_macro_attribute]
pub fn plugin(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(plugin::expand(arguments.into(), item.into()))
}

/// Makes a function or a type *live*: found by name in the vault, whatever its own name looks like.
///
/// On a type, `#[live(dyn Trait)]` gives a constructor of `Box<dyn Trait>`, a plain `#[live]` one of
/// `Box<dyn Any + Send>`; either way through the type's `Default`. `name = "…"` sets another name.
#[proc_macro_attribute]
pub fn live(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(live::expand(live::Kind::Live, arguments.into(), item.into()))
}

/// Makes a function or a static available to `Plugin::lookup`, with its type, under its own name.
#[proc_macro_attribute]
pub fn symbol(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(live::expand(live::Kind::Symbol, arguments.into(), item.into()))
}

/// Put on an impl of a shared trait: a panic in one of its methods reaches the caller in another image as
/// a panic that it can catch, instead of ending the process.
#[proc_macro_attribute]
pub fn guarded(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(guarded::expand(item.into()))
}

/// Records what a crate of shared types was compiled from and how. Call it once, in the crate's root.
#[proc_macro]
pub fn shared(_input: TokenStream) -> TokenStream {
    expand(shared::expand())
}

fn expand(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(|error| error.to_compile_error()).into()
}
