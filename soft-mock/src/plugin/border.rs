//! The border between images: which functions of the host a plugin's copy of this crate uses, and
//! how panics cross it.
//!
//! Each plugin brings its own copy of std and of this crate, so their statics and thread-locals
//! exist once an image. Two things must nevertheless be one: the allocator (what one image
//! allocates another frees) and the panics (a runtime ends the process when it catches the panic of
//! another image's runtime). So:
//!
//! - a plugin's `#[global_allocator]` is the host's, see [`HostAllocator`];
//! - every call into a plugin goes through [`protect`], which catches the plugin's panics in the
//!   plugin;
//! - where a call has no way to return a failure ([`guard`]), the panic is raised anew by the
//!   runtime that will catch it: that of the innermost [`protect`] on the thread, or else the
//!   host's.
//!
//! The host keeps the note of who catches, so it also knows whether a thread is inside a hook.

use std::alloc::{GlobalAlloc, Layout};
use std::any::Any;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, PoisonError};

use super::abi;
use super::early::Early;
use super::error::{Failure, NoSuchFunction};
use super::hooks::Declaration;
use super::HookResult;

/// The version of [`HostTable`] and of the entry.
const VERSION: u32 = 1;

/// A plugin's entry.
pub(crate) type Entry = unsafe extern "C" fn(*const HostTable, *mut Option<Declaration>) -> u32;

/// Raises a panic with this text in the image that the function belongs to.
type Raise = unsafe extern "C-unwind" fn(text: *const u8, length: usize) -> !;

/// The functions of the host that plugins use.
#[repr(C)]
#[derive(Debug)]
pub struct HostTable {
    version: u32,
    alloc: unsafe extern "C" fn(usize, usize) -> *mut u8,
    alloc_zeroed: unsafe extern "C" fn(usize, usize) -> *mut u8,
    dealloc: unsafe extern "C" fn(*mut u8, usize, usize),
    realloc: unsafe extern "C" fn(*mut u8, usize, usize, usize) -> *mut u8,
    /// A call into an image begins: sets who catches on this thread, returns who did.
    begin: extern "C" fn(Raise) -> Option<Raise>,
    /// The call has ended.
    end: extern "C" fn(Option<Raise>),
    /// Who catches on this thread.
    catcher: extern "C" fn() -> Option<Raise>,
    /// Raises a panic in the host.
    raise: Raise,
}

/// This image's own table: what a host gives to its plugins.
static OWN: HostTable = HostTable {
    version: VERSION,
    alloc: host_alloc,
    alloc_zeroed: host_alloc_zeroed,
    dealloc: host_dealloc,
    realloc: host_realloc,
    begin,
    end,
    catcher,
    raise: raise_here,
};

/// In a plugin: the host's table. Set once, before anything else of the plugin runs.
static HOST: AtomicPtr<HostTable> = AtomicPtr::new(ptr::null_mut());

/// The table to use here: the host's, which is this image's own in the host itself.
fn table() -> &'static HostTable {
    host().unwrap_or(&OWN)
}

/// The table of the host, for a plugin's entry.
pub(crate) fn own_table() -> *const HostTable {
    &raw const OWN
}

/// The body of a plugin's entry. Returns 0 if `out` was written, else the version that it wants.
///
/// # Safety
/// `host` is a table that lives as long as the plugin, `out` can be written, and the host has
/// compared the compiler and the crates of shared types with its own: [`Declaration`] has no stable
/// layout.
pub unsafe fn enter(
    host: *const HostTable,
    out: *mut Option<Declaration>,
    declare: fn() -> Declaration,
) -> u32 {
    // SAFETY: the version comes first in every version of the table.
    if unsafe { (&raw const (*host).version).read() } != VERSION {
        return VERSION;
    }
    HOST.store(host.cast_mut(), Ordering::Release);
    note_panics();
    let declaration = declare();
    abi::set_plugin(declaration.own_crate());
    // SAFETY: `out` can be written, and holds nothing that has to be dropped.
    unsafe { out.write(Some(declaration)) };
    0
}

// ---- allocation

/// The allocator of a plugin: its host's.
#[derive(Debug)]
pub struct HostAllocator;

/// What initialisers of the plugin asked for, before it was entered.
static EARLY: Early = Early::new();

/// The host's table, once the plugin was entered.
fn host() -> Option<&'static HostTable> {
    // SAFETY: null, or the table that `enter` was promised to live as long as this image.
    unsafe { HOST.load(Ordering::Acquire).as_ref() }
}

// SAFETY: passes everything on to the host's global allocator, with the same layout. What was asked
// for before the host was known is told apart, and stays the system's; who writes an initialiser,
// which is `unsafe`, may give none of it away to another image.
unsafe impl GlobalAlloc for HostAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match host() {
            // SAFETY: the caller keeps the allocator's contract, and the host's function has the
            // same.
            Some(host) => unsafe { (host.alloc)(layout.size(), layout.align()) },
            // SAFETY: as above.
            None => unsafe { EARLY.alloc(layout) },
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if let Some(host) = host() {
            // SAFETY: as in `alloc`.
            return unsafe { (host.alloc_zeroed)(layout.size(), layout.align()) };
        }
        // SAFETY: as in `alloc`.
        let memory = unsafe { EARLY.alloc(layout) };
        if !memory.is_null() {
            // SAFETY: new memory of this size.
            unsafe { memory.write_bytes(0, layout.size()) };
        }
        memory
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        if unsafe { EARLY.dealloc(pointer, layout) } {
            return;
        }
        if let Some(host) = host() {
            // SAFETY: not early, so it came from this function's allocator.
            unsafe { (host.dealloc)(pointer, layout.size(), layout.align()) }
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        if let Some(moved) = unsafe { EARLY.realloc(pointer, layout, size) } {
            return moved;
        }
        match host() {
            // SAFETY: not early, so it came from this function's allocator.
            Some(host) => unsafe { (host.realloc)(pointer, layout.size(), layout.align(), size) },
            // Nobody else gives out memory before the host is known.
            None => ptr::null_mut(),
        }
    }
}

/// # Safety
/// `size` and `align` are those of a `Layout`.
unsafe fn layout(size: usize, align: usize) -> Layout {
    // SAFETY: promised.
    unsafe { Layout::from_size_align_unchecked(size, align) }
}

unsafe extern "C" fn host_alloc(size: usize, align: usize) -> *mut u8 {
    // SAFETY: called by `HostAllocator` alone, with the parts of a layout.
    unsafe { std::alloc::alloc(layout(size, align)) }
}

unsafe extern "C" fn host_alloc_zeroed(size: usize, align: usize) -> *mut u8 {
    // SAFETY: as above.
    unsafe { std::alloc::alloc_zeroed(layout(size, align)) }
}

unsafe extern "C" fn host_dealloc(pointer: *mut u8, size: usize, align: usize) {
    // SAFETY: as above; the pointer came from this allocator.
    unsafe { std::alloc::dealloc(pointer, layout(size, align)) }
}

unsafe extern "C" fn host_realloc(
    pointer: *mut u8,
    size: usize,
    align: usize,
    new_size: usize,
) -> *mut u8 {
    // SAFETY: as above.
    unsafe { std::alloc::realloc(pointer, layout(size, align), new_size) }
}

// ---- who catches

thread_local! {
    /// In the host: who catches panics on this thread, if it is inside a call into an image.
    static CATCHER: Cell<Option<Raise>> = const { Cell::new(None) };
    /// In every image: how many calls of [`protect`] this thread is in.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

extern "C" fn begin(raise: Raise) -> Option<Raise> {
    CATCHER.replace(Some(raise))
}

extern "C" fn end(before: Option<Raise>) {
    CATCHER.set(before);
}

extern "C" fn catcher() -> Option<Raise> {
    CATCHER.get()
}

/// Whether this thread is inside a hook. Only true to fact in the host's image.
pub(crate) fn inside_hook() -> bool {
    CATCHER.get().is_some()
}

/// Marks the thread as inside a hook as long as it lives: for callbacks of the host itself.
pub(crate) struct Inside(Option<Raise>);

impl Inside {
    pub(crate) fn new() -> Self {
        DEPTH.set(DEPTH.get() + 1);
        Self((table().begin)(raise_here))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        (table().end)(self.0);
        DEPTH.set(DEPTH.get() - 1);
    }
}

unsafe extern "C-unwind" fn raise_here(text: *const u8, length: usize) -> ! {
    // SAFETY: called by `guard` alone, with the parts of a string that outlives the copy made here.
    let text = unsafe { std::slice::from_raw_parts(text, length) };
    let text: Box<dyn Any + Send> = Box::new(String::from_utf8_lossy(text).into_owned());
    resume_unwind(text)
}

/// Runs code of this image for another: its errors and panics come back as text.
pub(crate) fn protect<R>(hook: impl FnOnce() -> HookResult<R>) -> Result<R, Failure> {
    let inside = Inside::new();
    let result = catch_unwind(AssertUnwindSafe(|| hook().map_err(describe)));
    drop(inside);
    match result {
        Ok(result) => result,
        Err(payload) => Err(Failure::Panic(take_panic(payload))),
    }
}

/// Runs code of this image for a caller in another that can't be told of a failure: a panic is
/// raised anew where it can be caught.
pub fn guard<R>(code: impl FnOnce() -> R) -> R {
    match catch_unwind(AssertUnwindSafe(code)) {
        Ok(value) => value,
        Err(payload) => pass_on(payload),
    }
}

#[cold]
fn pass_on(payload: Box<dyn Any + Send>) -> ! {
    let raise = (table().catcher)().unwrap_or(table().raise);
    if ptr::fn_addr_eq(raise, raise_here as Raise) {
        // Caught by this image: nothing has to be made anew.
        resume_unwind(payload)
    }
    // Leaked, for what unwinds from here passes no frame that could free it: a panic's text at
    // most.
    let text: &'static str = Box::leak(take_panic(payload).into_boxed_str());
    // SAFETY: the text lives on, and the image of `raise` has a call on this thread's stack.
    unsafe { raise(text.as_ptr(), text.len()) }
}

fn describe(error: super::HookError) -> Failure {
    if let Some(NoSuchFunction(name)) = error.downcast_ref() {
        return Failure::NoSuchFunction(name.clone());
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    Failure::Error(text)
}

// ---- panics

/// The panics of this image that are on their way to `protect`, with their places, by thread.
static NOTED: Mutex<BTreeMap<usize, String>> = Mutex::new(BTreeMap::new());

/// A number for this thread, without a thread-local destructor: that would keep a library from
/// being unloaded.
fn thread_number() -> usize {
    DEPTH.with(|depth| ptr::from_ref(depth).addr())
}

/// In a plugin: a panic inside a hook isn't printed but noted, for the error that the host reports.
fn note_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if DEPTH.get() == 0 {
            return before(info);
        }
        let place = info
            .location()
            .map(|place| format!(" (at {place})"))
            .unwrap_or_default();
        let text = format!("{}{place}", payload_text(info.payload()));
        NOTED
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(thread_number(), text);
    }));
}

/// The text of a caught panic, with its place where that is known.
pub(crate) fn take_panic(payload: Box<dyn Any + Send>) -> String {
    let noted = NOTED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .remove(&thread_number());
    let text = noted.unwrap_or_else(|| payload_text(&*payload));
    // A payload whose drop panics must not end the process.
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
    text
}

fn payload_text(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a value that is no text".to_owned()
    }
}
