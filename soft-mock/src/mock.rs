//! Mocks: another function in the place of one that is found by its name, for the whole process,
//! and closures that belong to a test (`scoped`).
//!
//! A mock comes before patches; without one, whatever the program's own code is runs, patched or
//! not. That is what "the original" means here. Nothing in this module knows of plugins.
//!
//! How the original is called is in `original`.

mod call;
mod choice;
mod clock;
mod error;
mod exclusive;
mod expect;
mod guard;
mod held;
mod instances;
mod items;
mod local;
mod node;
mod original;
mod record;
mod scoped;
mod sequence;
mod shapes;
mod std_places;
mod strays;
mod sync;
mod target;
mod unexpected;

use std::any::{type_name, TypeId};
use std::collections::HashMap;
use std::mem;
use std::ptr;

use parking_lot::Mutex;
use soft_mock_abi::site::{Code, Site};
use soft_mock_runtime::hook::{Layer, SiteHook, Slot};
use soft_mock_runtime::patch::patch_of;
use soft_mock_runtime::registry::{self, find, registry};
use soft_mock_runtime::shared::Locked;

use self::original::use_note;

pub use clock::Clock;
pub use error::MockError;
pub use expect::{check, returns, steps, Returns, Steps};
pub use guard::Mocked;
pub use held::{OnThread, Seen};
pub use original::{call_original, call_original_async, call_original_by_name};
pub use record::Times;
pub use sequence::Sequence;

/// What `mock!` and `mockable` expand to.
#[doc(hidden)]
pub mod generated {
    pub use super::call::Call;
    pub use super::choice::{admit, admit_any};
    pub use super::guard::{install, install_async};
    pub use super::held::Turns;
    pub use super::instances::support::{instance, instance_like, Here};
    pub use super::local::{must_be_local, IsLocal, IsSend, Probe};
    pub use super::original::{original, original_async};
    pub use super::record::{AsDebug, AsUnknown, Shown};
    pub use super::scoped::Form;
    pub use super::shapes::{Exclusive, Owned, Returns, Shape, Shared};
    pub use super::target::Target;
    pub use super::unexpected::unexpected;
}

/// Puts `mock` in the place of the function called `name`, for all threads, until it is reset.
///
/// `F` is the function's type as a pointer, with its lifetimes as the function declares them:
/// `mock_by_name("app::name_of", short as for<'a> fn(&'a User) -> &'a str)`. It is compared with
/// the function's own; nothing else is accepted.
pub fn mock_by_name<F: Copy + 'static>(name: &str, mock: F) -> Result<(), MockError> {
    let site = find(name)?;
    match site.is_unsafe() {
        true => Err(MockError::Unsafe { name: site.name() }),
        false => install(site, mock),
    }
}

/// [`mock_by_name`] for functions that are `unsafe`.
///
/// # Safety
/// Callers of the function keep to what *it* asks of them; the mock may rely on no more.
pub unsafe fn mock_unsafe_by_name<F: Copy + 'static>(name: &str, mock: F) -> Result<(), MockError> {
    install(find(name)?, mock)
}

fn install<F: Copy + 'static>(site: &'static Site, mock: F) -> Result<(), MockError> {
    check_type::<F>(site)?;
    // SAFETY: `F` is the type of the site's function pointers (`check_type`), so it has the size of
    // one. The type is erased here and restored by the prologue of this very site.
    let code = unsafe { mem::transmute_copy::<F, Code>(&mock) };
    let slot = slot_for(code);
    let locked = registry()?.shared().lock();
    let hook = SiteHook::of(site, &locked);
    // SAFETY: the slot answers `code`, a function of the site's type; it is code of this image, as
    // the site is, or of a library, and whoever unloads that promises that nothing of it is
    // called any more.
    unsafe { hook.set_slot(Layer::Process, Some(slot), &locked) };
    hook.attach(&locked);
    Ok(())
}

fn check_type<F: 'static>(site: &'static Site) -> Result<(), MockError> {
    let name = site.name();
    if site.is_async() {
        return Err(MockError::Async { name });
    }
    let hint = hint::<F>(site.signature());
    check_type_of(site, TypeId::of::<F>(), type_name::<F>(), hint)
}

fn check_type_of(
    site: &'static Site,
    id: TypeId,
    found: &'static str,
    hint: &'static str,
) -> Result<(), MockError> {
    let (name, signature) = (site.name(), site.signature());
    // SAFETY: who compares it with a type of theirs is generic code of the program, of its
    // compiler.
    let type_id = unsafe { site.type_id() };
    let type_id = type_id.ok_or(MockError::NoType { name, signature })?;
    match type_id() == id {
        true => Ok(()),
        false => Err(MockError::Signature {
            name,
            expected: signature,
            found,
            hint: if hint.is_empty() {
                lifetimes_hint(found, signature)
            } else {
                hint
            },
        }),
    }
}

fn hint<F>(signature: &str) -> &'static str {
    let found = type_name::<F>();
    if size_of::<F>() != size_of::<Code>() {
        "; a mock is given as a pointer: `mock as fn(…) -> …`"
    } else if found == signature {
        "; they differ in their lifetimes, write those of the mock as the function declares them: \
         `mock as for<'a> fn(&'a …) -> …`"
    } else {
        ""
    }
}

/// Without their lifetimes, both read the same; or there is one that the mock leaves out.
fn lifetimes_hint(found: &str, signature: &str) -> &'static str {
    if ["&'_ &", "&'_ mut &"]
        .iter()
        .any(|twice| found.contains(twice))
    {
        return "; where a reference is behind a reference, write the types, `|value: &&'a Type| -> Result { … }`";
    }
    match without_lifetimes(found) == without_lifetimes(signature) {
        true => "; they differ in their lifetimes, write those of the mock as the function declares them",
        false => "",
    }
}

/// The letters of a signature that don't belong to lifetimes.
fn without_lifetimes(text: &str) -> String {
    let mut out = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\'' {
            while letters
                .next_if(|next| next.is_alphanumeric() || *next == '_')
                .is_some()
            {}
        } else if !letter.is_whitespace() && !"<>,:".contains(letter) {
            out.push(letter);
        }
    }
    out.replacen("for", "", usize::from(text.starts_with("for<")))
}

/// Gives a function its original back: `reset(store::get)`. Returns whether it was mocked. Mocks
/// that other tests made for themselves stay.
pub fn reset<F>(function: F) -> Result<bool, MockError> {
    let mut mocked = false;
    for site in target::Target::item(&function)?.sites() {
        mocked |= reset_site(site)?;
    }
    Ok(mocked)
}

/// Gives the function called `name` its original back. Returns whether it was mocked.
pub fn reset_by_name(name: &str) -> Result<bool, MockError> {
    reset_site(find(name)?)
}

/// Gives all functions their originals back.
pub fn reset_all() -> Result<(), MockError> {
    for site in registry()?.sites().chain(instances::sites()) {
        reset_site(site)?;
    }
    Ok(())
}

fn reset_site(site: &'static Site) -> Result<bool, MockError> {
    let Some(hook) = SiteHook::existing(site) else {
        return Ok(false);
    };
    let scoped = scoped::reset(site);
    let locked = registry()?.shared().lock();
    let mocked = hook.slot(Layer::Process).is_some_and(is_mock);
    if mocked {
        take_mock(hook, &locked);
    }
    Ok(mocked || scoped)
}

fn take_mock(hook: SiteHook, locked: &Locked) {
    let slot = hook.is_held(locked).then_some(&PASS);
    // SAFETY: it answers nothing.
    unsafe { hook.set_slot(Layer::Process, slot, locked) };
    hook.settle(locked);
}

/// The mock that is in the place of a function, if there is one: `get_mock_for(store::get)`.
pub fn get_mock_for<F>(function: F) -> Result<Option<Mock>, MockError> {
    let target = target::Target::item(&function)?;
    Ok(target.sites().iter().find_map(|site| mock_of(site)))
}

/// The mock that is in the place of the function called `name`, if there is one.
pub fn get_mock_by_name(name: &str) -> Result<Option<Mock>, MockError> {
    Ok(mock_of(find(name)?))
}

fn mock_of(site: &'static Site) -> Option<Mock> {
    if scoped::is_mocked(site) {
        let code = ptr::null();
        return Some(Mock { site, code });
    }
    let slot = SiteHook::existing(site)?.slot(Layer::Process)?;
    is_mock(slot).then(|| Mock {
        site,
        code: slot.data(),
    })
}

/// A mock that was found in the place of a function.
#[derive(Debug, Clone, Copy)]
pub struct Mock {
    site: &'static Site,
    code: *const (),
}

// SAFETY: the code is that of a function, which any thread may know.
unsafe impl Send for Mock {}
// SAFETY: as above.
unsafe impl Sync for Mock {}

impl Mock {
    /// The function that is mocked.
    pub fn site(&self) -> &'static Site {
        self.site
    }

    /// The mock itself, if it is a function, as those of [`mock_by_name`] are, and `F` is its type.
    /// A closure can only be called in place of its function.
    pub fn get<F: Copy + 'static>(&self) -> Option<F> {
        check_type::<F>(self.site).ok()?;
        if self.code.is_null() {
            return None;
        }
        // SAFETY: `F` is the type of the site's function pointers, and only such are installed.
        Some(unsafe { mem::transmute_copy::<*const (), F>(&self.code) })
    }
}

/// A function of the program that can be redirected, and what is in its place now.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Entry {
    /// The function.
    pub site: &'static Site,
    /// The patch that runs in its place.
    pub patch: Option<u64>,
    /// Whether it is mocked.
    pub mocked: bool,
}

/// All functions of the program that can be redirected, in the order in which they lie in it.
pub fn list() -> Vec<Entry> {
    let entry = |site: &'static Site| Entry {
        site,
        patch: patch_of(site),
        mocked: scoped::is_mocked(site)
            || SiteHook::existing(site)
                .and_then(|hook| hook.slot(Layer::Process))
                .is_some_and(is_mock),
    };
    registry::sites()
        .chain(instances::sites())
        .map(entry)
        .collect()
}

/// Yields the mock, unless this call is to reach the original. Bound by the rules of a slot.
#[allow(improper_ctypes_definitions)] // As for `HookHead`.
unsafe extern "C" fn enter(site: *const Site, code: *const ()) -> Option<Code> {
    if use_note(site) {
        return None;
    }
    // SAFETY: null, or the code of a function: `Option` of a function pointer has that layout.
    unsafe { mem::transmute::<*const (), Option<Code>>(code) }
}

/// No mock, but calls find their notes.
// SAFETY: `enter` keeps the rules of a slot, and null is data for it.
static PASS: Slot = unsafe { Slot::new(enter, ptr::null()) };

/// Whether a slot stands for a mock.
fn is_mock(slot: &Slot) -> bool {
    !slot.data().is_null()
}

/// The slot for a mock. Slots are never freed, so the same mock gets the same slot each time.
fn slot_for(code: Code) -> &'static Slot {
    static SLOTS: Mutex<Option<HashMap<usize, &'static Slot>>> = Mutex::new(None);
    let mut slots = SLOTS.lock();
    let slots = slots.get_or_insert_with(HashMap::new);
    let data = code as *const ();
    slots
        .entry(data.addr())
        // SAFETY: `enter` keeps the rules of a slot, and the data is the code of a function.
        .or_insert_with(|| Box::leak(Box::new(unsafe { Slot::new(enter, data) })))
}
