//! What the process before this one handed over: put into [`Shared`] by the copy of the runtime
//! that got it from `hot`, taken out by name, each once.

use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, Ordering};

use soft_mock_abi::handover::Contents;

use crate::shared::Shared;

/// A state or a socket. Never freed.
#[repr(C)]
struct Inherited {
    name: *const u8,
    name_len: usize,
    /// The state; null for a socket.
    text: *const u8,
    text_len: usize,
    /// The socket; -1 for a state, or when it was taken.
    socket: AtomicI32,
    /// Not 0: the state was taken.
    taken: AtomicU32,
    previous: *const Inherited,
}

/// Keeps what `hot` had for this process.
pub(crate) fn keep(shared: &'static Shared, contents: Contents, sockets: Vec<OwnedFd>) {
    for (name, text) in contents.states {
        add(shared, name, Some(text), -1);
    }
    for (name, socket) in contents.sockets.into_iter().zip(sockets) {
        add(shared, name, None, socket.into_raw_fd());
    }
}

fn newest(shared: &Shared) -> &AtomicPtr<Inherited> {
    // SAFETY: this module alone uses the cell.
    unsafe { shared.inherited.of() }
}

fn add(shared: &'static Shared, name: String, text: Option<String>, socket: i32) {
    let name: &'static str = Box::leak(name.into_boxed_str());
    let text: Option<&'static str> = text.map(|text| &*Box::leak(text.into_boxed_str()));
    let inherited = Box::leak(Box::new(Inherited {
        name: name.as_ptr(),
        name_len: name.len(),
        text: text.map_or(ptr::null(), str::as_ptr),
        text_len: text.map_or(0, str::len),
        socket: AtomicI32::new(socket),
        taken: AtomicU32::new(0),
        previous: ptr::null(),
    }));
    let _locked = shared.lock();
    inherited.previous = newest(shared).load(Ordering::Relaxed);
    newest(shared).store(inherited, Ordering::Release);
}

pub(super) fn take_state(shared: &'static Shared, name: &str) -> Option<String> {
    let found = all(shared).find(|found| !found.text.is_null() && found.name() == name)?;
    let first = found.taken.swap(1, Ordering::AcqRel) == 0;
    // SAFETY: `add` took both from one `&'static str`.
    let bytes = unsafe { slice::from_raw_parts(found.text, found.text_len) };
    first.then(|| String::from_utf8_lossy(bytes).into_owned())
}

pub(super) fn take_socket(shared: &'static Shared, name: &str) -> Option<OwnedFd> {
    let found = all(shared).find(|found| found.text.is_null() && found.name() == name)?;
    let socket = found.socket.swap(-1, Ordering::AcqRel);
    // SAFETY: open, and nobody else's: whoever takes it leaves -1.
    (socket >= 0).then(|| unsafe { OwnedFd::from_raw_fd(socket) })
}

fn all(shared: &'static Shared) -> impl Iterator<Item = &'static Inherited> {
    let mut next = newest(shared).load(Ordering::Acquire).cast_const();
    std::iter::from_fn(move || {
        // SAFETY: null, or what `add` published with Release; never freed, and what changes is
        // atomic.
        let found = unsafe { next.as_ref() }?;
        next = found.previous;
        Some(found)
    })
}

impl Inherited {
    fn name(&self) -> &'static str {
        // SAFETY: `add` took both from one `&'static str`.
        let bytes = unsafe { slice::from_raw_parts(self.name, self.name_len) };
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}
