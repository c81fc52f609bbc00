//! The macros of `soft_mock`, one file each. They know nothing of files that are loaded and of
//! processes; what they generate names only `::core`, `::std` and `::soft_mock::plugin`.
//!
//! Use them through `soft_mock::plugin`, which re-exports them.

#[cfg(feature = "mockable")]
mod double;
mod guarded;
mod lifetimes;
mod live;
mod mock;
#[cfg(feature = "mockable")]
mod mockable;
mod plugin;
mod record;
mod scan;
mod shared;
mod signature;
mod sources;
mod spy;

use proc_macro::TokenStream;
#[cfg(not(feature = "mockable"))]
use syn::spanned::Spanned;

/// Declares the crate's plugin: put it on `impl Plugin for Type`, in the crate root.
///
/// The type must be `Default`. Arguments, all optional: `name = "…"` (the package's name
/// otherwise), `note = "…"` (a version note for people), `live_prefix = "…"` (`live_` otherwise).
#[proc_macro_attribute]
pub fn plugin(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(plugin::expand(arguments.into(), item.into()))
}

/// Makes a function or a type *live*: found by name in the vault, whatever its own name looks like.
///
/// On a type, `#[live(dyn Trait)]` gives a constructor of `Box<dyn Trait>`, a plain `#[live]` one
/// of a `Value` with the object; either way through the type's `Default`. `name = "…"` sets
/// another name.
#[proc_macro_attribute]
pub fn live(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(live::expand(
        live::Kind::Live,
        arguments.into(),
        item.into(),
    ))
}

/// Makes a function or a static available to `Plugin::lookup`, with its type, under its own name.
#[proc_macro_attribute]
pub fn symbol(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(live::expand(
        live::Kind::Symbol,
        arguments.into(),
        item.into(),
    ))
}

/// Leaves a function alone under `hot`: it gets no prologue, so it costs nothing and can't be
/// patched or mocked. The function itself is unchanged.
///
/// A crate that doesn't depend on `soft_mock` writes `#[cfg_attr(any(), soft_mock::skip)]`.
#[proc_macro_attribute]
pub fn skip(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    item
}

/// Put on an impl of a shared trait: a panic in one of its methods reaches the caller in another
/// image as a panic that it can catch, instead of ending the process.
#[proc_macro_attribute]
pub fn guarded(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(guarded::expand(item.into()))
}

/// Records what a crate of shared types was compiled from and how. Call it once, in the crate's
/// root.
#[proc_macro]
pub fn shared(_input: TokenStream) -> TokenStream {
    expand(shared::expand())
}

/// Puts a closure in the place of a function, for the calling test, until the result is dropped.
///
/// ```text
/// let _mock = mock!(pricing::rate_for, |sku: &str| -> f64 { 0.5 });
/// let _mock = mock!("app::pricing::rate_for", |sku: &str| -> f64 { 0.5 });   // private ones, by name
/// let _mock = mock!(Store::get, |store: &'a Store, key: &str| -> &'a str { "x" });
/// let _mock = mock!(unsafe extern "C" ffi::read, |fd: i32| -> i32 { 0 });
/// let _mock = mock!(local ui::load, async move |name: Rc<str>| -> u32 { 7 });   // its future isn't `Send`
/// let _mock = mock!(pricing::rate_for, when |sku| sku == "hat", |_| 0.5).once();   // these calls only
/// let _mock = mock!(mut dice::roll, { let mut n = 0; move || { n += 1; n } });     // an `FnMut`
/// let _mock = mock!(clock::now, { let time = time.clone(); move || -> u64 { time.load(SeqCst) } });
/// ```
///
/// The types are written as the function declares them; named lifetimes need no declaration. The
/// closure is `Fn + Send + Sync + 'static`, since threads that the test starts call it as well.
///
/// # Panics
/// If the function can't be mocked, or isn't of the type that is written.
#[proc_macro]
pub fn mock(input: TokenStream) -> TokenStream {
    expand(mock::expand(input.into(), false))
}

/// Makes functions mockable under plain `cargo test`: put it on a function, an impl block, a trait
/// impl or an inline module. `hot cargo test` needs no attribute.
///
/// ```text
/// #[cfg_attr(any(test, feature = "mocks"), soft_mock::mockable)]
/// impl Store { … }
/// ```
///
/// A function that can't be mocked is an error if the attribute stands on itself; in a block or
/// module it stays as it is, and a mock of it fails with the reason.
#[cfg(feature = "mockable")]
#[proc_macro_attribute]
pub fn mockable(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(mockable::expand(arguments.into(), item.into()))
}

/// Makes a type that implements a trait, for tests: its methods are there to be mocked, and a call
/// that no mock takes panics where it is made.
///
/// ```text
/// double!(impl Store for Fake);                                    // the methods that the trait declares
/// double!(impl Repo for Fake { type Item = u32; const SIZE: usize = 3; });
/// double!(impl Read for Fake { fn read(&mut self, buf: &mut [u8]) -> io::Result<usize>; });   // of std: written
/// let _get = mock!(<Fake as Store>::get, |_, key| Some(7)).once();
/// assert_eq!(checkout::total(&Fake), 7);
/// ```
///
/// A method with a body is the original of its mocks. Several traits stand one after the other. A
/// type with parameters or fields is written before them: `struct Fake<T>(T);`.
#[proc_macro]
pub fn double(input: TokenStream) -> TokenStream {
    #[cfg(feature = "mockable")]
    return expand(double::expand(input.into()));
    #[cfg(not(feature = "mockable"))]
    return expand(Err(syn::Error::new(
        proc_macro2::TokenStream::from(input).span(),
        "doubles need a feature of soft-mock: `soft-mock = { version = …, features = [\"mockable\"] }`",
    )));
}

/// Lets a function run, counts its calls, and looks at what it returns.
///
/// ```text
/// let spy = spy!(store::len, |store: &Store| -> usize);
/// let spy = spy!(store::len, |store: &Store| -> usize => |length| assert!(*length < 10)).times(1..);
/// assert_eq!(spy.calls(), 3);
/// ```
#[proc_macro]
pub fn spy(input: TokenStream) -> TokenStream {
    expand(spy::expand_spy(input.into()))
}

/// As [`mock!`], for all threads of the process; other tests that mock wait until it is dropped.
#[proc_macro]
pub fn mock_everywhere(input: TokenStream) -> TokenStream {
    expand(mock::expand(input.into(), true))
}

fn expand(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}
