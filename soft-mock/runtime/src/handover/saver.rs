//! What a process will hand over. Kept in [`Shared`], because it isn't the program's own copy of
//! the runtime that `hot` talks to: savers are called through the C ABI, and what panics is caught
//! in the copy that it belongs to.

use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicPtr, Ordering};

use soft_mock_abi::handover::Contents;

use crate::shared::Shared;

/// One state or socket. Never freed.
#[repr(C)]
struct Saver {
    name: *const u8,
    name_len: usize,
    /// The socket; -1 for a state.
    socket: i32,
    /// For a state: calls `put` once, with what it came to.
    save: unsafe extern "C" fn(*const Saver, *mut (), Put),
    /// A leaked `Box<Save>` of the copy that made it; null for a socket.
    data: *const (),
    previous: *const Saver,
}

/// Takes the state (1) or what is wrong (0) as text.
type Put = unsafe extern "C" fn(*mut (), u32, *const u8, usize);

type Save = Box<dyn Fn() -> Result<String, String> + Send + Sync>;

pub(super) fn add_state(
    shared: &'static Shared,
    name: &str,
    save: impl Fn() -> Result<String, String> + Send + Sync + 'static,
) {
    crate::pin_library::pin_library(call as *const ());
    let save: Save = Box::new(save);
    let data = Box::into_raw(Box::new(save)).cast_const().cast();
    add(shared, name, -1, data);
}

pub(super) fn add_socket(shared: &'static Shared, name: &str, socket: OwnedFd) {
    // Open for as long as the process lives.
    add(shared, name, socket.into_raw_fd(), ptr::null());
}

fn savers(shared: &Shared) -> &AtomicPtr<Saver> {
    // SAFETY: this module alone uses the cell.
    unsafe { shared.savers.of() }
}

fn add(shared: &'static Shared, name: &str, socket: i32, data: *const ()) {
    let name: &'static str = Box::leak(name.to_owned().into_boxed_str());
    let saver = Box::leak(Box::new(Saver {
        name: name.as_ptr(),
        name_len: name.len(),
        socket,
        save: call,
        data,
        previous: ptr::null(),
    }));
    let _locked = shared.lock();
    saver.previous = savers(shared).load(Ordering::Relaxed);
    savers(shared).store(saver, Ordering::Release);
}

/// Everything that is to be handed over, and what couldn't be saved. Of two things of one name the
/// newer counts.
pub(crate) fn save_all(
    shared: &'static Shared,
) -> (Contents, Vec<BorrowedFd<'static>>, Vec<String>) {
    let (mut contents, mut sockets, mut problems) = (Contents::default(), Vec::new(), Vec::new());
    let mut seen: Vec<(String, bool)> = Vec::new();
    let mut next = savers(shared).load(Ordering::Acquire).cast_const();
    // SAFETY: null, or a saver that `add` published with Release; never changed since, never freed.
    while let Some(saver) = unsafe { next.as_ref() } {
        next = saver.previous;
        let key = (saver.name(), saver.socket >= 0);
        if seen.contains(&key) {
            continue;
        }
        seen.push(key);
        if saver.socket >= 0 {
            contents.sockets.push(saver.name());
            // SAFETY: `add_socket` gave it away for good; nobody closes it.
            sockets.push(unsafe { BorrowedFd::borrow_raw(saver.socket) });
            continue;
        }
        match saver.state() {
            Ok(text) => contents.states.push((saver.name(), text)),
            Err(why) => problems.push(format!(
                "the state `{}` isn't handed over: {why}",
                saver.name()
            )),
        }
    }
    debug_assert!(sockets.iter().all(|socket| socket.as_raw_fd() >= 0));
    (contents, sockets, problems)
}

impl Saver {
    fn name(&self) -> String {
        // SAFETY: `add` took both from one `&'static str`.
        let bytes = unsafe { slice::from_raw_parts(self.name, self.name_len) };
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn state(&self) -> Result<String, String> {
        let mut result: Option<Result<String, String>> = None;
        // SAFETY: `save` is the entry of the copy that made this saver; it calls `put` with what it
        // was given, before it returns.
        unsafe { (self.save)(self, ptr::from_mut(&mut result).cast(), put) };
        result.unwrap_or_else(|| Err("it said nothing".to_owned()))
    }
}

/// # Safety
/// `result` is the one of `Saver::state`, and the text is readable.
unsafe extern "C" fn put(result: *mut (), is_state: u32, start: *const u8, len: usize) {
    // SAFETY: the caller's promise.
    let text = unsafe { String::from_utf8_lossy(slice::from_raw_parts(start, len)) }.into_owned();
    // SAFETY: the caller's promise; nobody else uses it meanwhile.
    let result = unsafe { &mut *result.cast::<Option<Result<String, String>>>() };
    *result = Some(match is_state {
        1 => Ok(text),
        _ => Err(text),
    });
}

/// Calls a saver of this copy.
///
/// # Safety
/// `saver` is one for a state that `add_state` of this copy made; `sink` is what `put` takes.
unsafe extern "C" fn call(saver: *const Saver, sink: *mut (), put: Put) {
    let result = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: `add_state` of this copy put a `Save` there; never freed.
        unsafe { (*(*saver).data.cast::<Save>())() }
    }));
    let (is_state, text) = match result {
        Ok(Ok(text)) => (1, text),
        Ok(Err(why)) => (0, why),
        Err(panic) => {
            // What was thrown may throw when it is dropped.
            std::mem::forget(panic);
            (0, "its `save` panicked".to_owned())
        }
    };
    // SAFETY: the caller's promise, and the text is readable.
    unsafe { put(sink, is_state, text.as_ptr(), text.len()) };
}
