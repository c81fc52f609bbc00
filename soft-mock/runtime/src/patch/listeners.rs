//! Who is told of patches: `on_patch`.
//!
//! Listeners hang in [`Shared`](crate::shared::Shared), since the copy of the runtime that installs
//! a patch needn't be the one that the program registered them with. So they are called through the
//! C ABI, with plain data, and what panics is caught in the copy that it belongs to.

use std::any::Any;
use std::cell::Cell;
use std::marker::PhantomData;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicPtr, Ordering};

use soft_mock_abi::report::{Installed, Report};

use crate::registry::{registry, RegistryError};
use crate::shared::{Shared, Turn};

/// When a listener is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Everything is checked and loaded; the old code still runs.
    Before,
    /// The new code runs.
    After,
}

/// What a listener is told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PatchEvent {
    /// Before or after the switch.
    pub phase: Phase,
    /// The number of the patch.
    pub patch: u64,
    /// The functions that it changes: names, and where their new code comes from.
    pub functions: Vec<Installed>,
    /// The patches that it takes back, the newest first, if it is a rollback.
    pub undone: Vec<u64>,
}

/// One listener. Belongs to the copy of the runtime that made it; never freed.
#[repr(C)]
struct Listener {
    call: unsafe extern "C" fn(*const Listener, *const RawEvent<'_>),
    /// A leaked `Box<Callback>` of that copy.
    data: *const (),
    previous: *const Listener,
}

type Callback = Box<dyn Fn(&PatchEvent) + Send + Sync>;

/// A [`PatchEvent`] as it crosses from copy to copy.
#[repr(C)]
struct RawEvent<'a> {
    after: u32,
    patch: u64,
    functions: *const RawFunction<'a>,
    functions_len: usize,
    undone: *const u64,
    undone_len: usize,
    /// To be called with what went wrong.
    complain: unsafe extern "C" fn(*const Self, *const u8, usize),
    complaints: *mut (),
}

#[repr(C)]
struct RawFunction<'a> {
    name: RawText<'a>,
    file: RawText<'a>,
    line: u32,
    restored: u32,
    running: usize,
}

#[repr(C)]
struct RawText<'a> {
    start: *const u8,
    len: usize,
    of: PhantomData<&'a str>,
}

/// Registers a function that is told of every patch, just before and just after it becomes active,
/// with the list of what changes. For as long as the process lives.
///
/// It is called on the thread that installs the patch: the one that called
/// [`load_plugin`](super::load_plugin) or [`safe_point`](super::safe_point), else a thread of the
/// reloader, which takes no signals. The patch waits for it, so it should be short; it can't change
/// functions itself. If it panics, the patch is installed all the same, and its
/// [`Report`] says so in `warnings`.
///
/// ```
/// soft_mock_runtime::patch::on_patch(|event| {
///     for function in &event.functions {
///         println!("{:?}: {} ({}:{})", event.phase, function.name, function.file, function.line);
///     }
/// })?;
/// # Ok::<(), soft_mock_runtime::registry::RegistryError>(())
/// ```
pub fn on_patch(
    listener: impl Fn(&PatchEvent) + Send + Sync + 'static,
) -> Result<(), RegistryError> {
    let shared = registry()?.shared();
    crate::pin_library::pin_library(call as *const ());
    let callback: Callback = Box::new(listener);
    let listener = Box::leak(Box::new(Listener {
        call,
        data: Box::into_raw(Box::new(callback)).cast_const().cast(),
        previous: ptr::null(),
    }));
    let _locked = shared.lock();
    listener.previous = newest(shared).load(Ordering::Relaxed);
    newest(shared).store(listener, Ordering::Release);
    Ok(())
}

fn newest(shared: &Shared) -> &AtomicPtr<Listener> {
    // SAFETY: this module alone uses the cell.
    unsafe { shared.listeners.of() }
}

thread_local! {
    static LISTENING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is telling a listener of this copy of something.
pub(super) fn is_listening() -> bool {
    LISTENING.try_with(Cell::get).unwrap_or(false)
}

/// Tells all listeners, in the order in which they were registered. What goes wrong becomes a
/// warning of the report.
pub(super) fn tell(turn: &Turn, phase: Phase, report: &mut Report) {
    let mut listeners = Vec::new();
    let mut next = newest(turn.shared()).load(Ordering::Acquire).cast_const();
    // SAFETY: null, or a listener that `on_patch` published with Release; never changed since,
    // never freed.
    while let Some(listener) = unsafe { next.as_ref() } {
        listeners.push(listener);
        next = listener.previous;
    }
    if listeners.is_empty() {
        return;
    }
    let mut complaints: Vec<String> = Vec::new();
    let functions: Vec<RawFunction<'_>> = report.functions.iter().map(RawFunction::of).collect();
    let event = RawEvent {
        after: u32::from(phase == Phase::After),
        patch: report.patch,
        functions: functions.as_ptr(),
        functions_len: functions.len(),
        undone: report.undone.as_ptr(),
        undone_len: report.undone.len(),
        complain,
        complaints: ptr::from_mut(&mut complaints).cast(),
    };
    for listener in listeners.into_iter().rev() {
        // SAFETY: `call` is the entry of the copy that made this listener, and the event and all
        // that it refers to live until it returns.
        unsafe { (listener.call)(listener, &event) };
    }
    report.warnings.append(&mut complaints);
}

/// # Safety
/// `event` is one that `tell` made, during a call of a listener; the text is valid UTF-8 or not,
/// but readable.
unsafe extern "C" fn complain(event: *const RawEvent<'_>, start: *const u8, len: usize) {
    // SAFETY: the caller's promise.
    let (event, text) = unsafe { (&*event, slice::from_raw_parts(start, len)) };
    // SAFETY: `tell` of this copy set it to its list, which nobody else uses meanwhile.
    let complaints = unsafe { &mut *event.complaints.cast::<Vec<String>>() };
    complaints.push(String::from_utf8_lossy(text).into_owned());
}

/// Calls a listener of this copy.
///
/// # Safety
/// `listener` was made by this copy, `event` is valid during the call.
unsafe extern "C" fn call(listener: *const Listener, event: *const RawEvent<'_>) {
    let result = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: `on_patch` of this copy put a `Callback` there; never freed.
        let callback = unsafe { &*(*listener).data.cast::<Callback>() };
        // SAFETY: the caller's promise.
        let event = unsafe { (*event).read() };
        let _listening = Listening::begin();
        callback(&event);
    }));
    let Err(panic) = result else {
        return;
    };
    let text = complaint(&*panic);
    // What was thrown may throw when it is dropped.
    std::mem::forget(panic);
    // SAFETY: the event is still valid, and the text is readable.
    unsafe { ((*event).complain)(event, text.as_ptr(), text.len()) };
}

fn complaint(panic: &(dyn Any + Send)) -> String {
    let words = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    format!("an `on_patch` listener panicked: {words}")
}

/// Set as long as a listener runs, also if it panics.
struct Listening(bool);

impl Listening {
    fn begin() -> Self {
        Self(LISTENING.replace(true))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        LISTENING.set(self.0);
    }
}

impl RawEvent<'_> {
    /// # Safety
    /// All it refers to is valid.
    unsafe fn read(&self) -> PatchEvent {
        // SAFETY: the caller's promise.
        let functions = unsafe { slice::from_raw_parts(self.functions, self.functions_len) };
        // SAFETY: as above.
        let undone = unsafe { slice::from_raw_parts(self.undone, self.undone_len) };
        PatchEvent {
            phase: match self.after {
                0 => Phase::Before,
                _ => Phase::After,
            },
            patch: self.patch,
            // SAFETY: as above.
            functions: functions.iter().map(|f| unsafe { f.read() }).collect(),
            undone: undone.to_vec(),
        }
    }
}

impl<'a> RawFunction<'a> {
    fn of(function: &'a Installed) -> Self {
        Self {
            name: RawText::of(&function.name),
            file: RawText::of(&function.file),
            line: function.line,
            restored: u32::from(function.restored),
            running: function.running,
        }
    }

    /// # Safety
    /// Its texts are valid.
    unsafe fn read(&self) -> Installed {
        Installed {
            // SAFETY: the caller's promise.
            name: unsafe { self.name.read() },
            // SAFETY: the caller's promise.
            file: unsafe { self.file.read() },
            line: self.line,
            running: self.running,
            restored: self.restored != 0,
            called: None,
        }
    }
}

impl<'a> RawText<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            start: text.as_ptr(),
            len: text.len(),
            of: PhantomData,
        }
    }

    /// # Safety
    /// Start and length are those of a text that is alive.
    unsafe fn read(&self) -> String {
        // SAFETY: the caller's promise.
        let bytes = unsafe { slice::from_raw_parts(self.start, self.len) };
        String::from_utf8_lossy(bytes).into_owned()
    }
}
