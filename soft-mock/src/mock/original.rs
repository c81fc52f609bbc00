//! Calling the original of a mocked function.
//!
//! [`call_original`] notes on the calling thread that its next call of the function is to pass the
//! mock by. That very call takes the note away: what the original calls is mocked as before, and
//! other threads never see the note.
//!
//! An async function begins when its future is polled for the first time, so there the note is put
//! whenever the future is polled, until it was used.

use std::cell::Cell;
use std::future::{poll_fn, Future};
use std::pin::pin;
use std::ptr;

use soft_mock_abi::site::Site;
use soft_mock_runtime::hook::{Layer, SiteHook};
use soft_mock_runtime::registry::registry;
use soft_mock_runtime::shared::Shared;

use super::target::Target;
use super::{is_mock, take_mock, MockError, PASS};

/// Calls the original of a mocked function from `call`:
/// `call_original(store::get, || store::get("key"))`.
///
/// The first call of the function that `call` makes on this thread reaches the original; what the
/// original itself calls is mocked as before. That `call` makes no such call is an error, as the
/// mock would otherwise have been called unnoticed (on another thread, for instance).
pub fn call_original<F, R>(function: F, call: impl FnOnce() -> R) -> Result<R, MockError> {
    original_of(&Target::item(&function)?, call)
}

/// [`call_original`] for an async function: `call_original_async(fetch, || fetch("url")).await`.
///
/// The future that `call` returns is polled in place; the first time that it enters the function,
/// that is the original.
pub async fn call_original_async<F, R: Future>(
    function: F,
    call: impl FnOnce() -> R,
) -> Result<R::Output, MockError> {
    let target = Target::item(&function)?;
    let _entries = Entries::keep_all(&target)?;
    let mut future = pin!(call());
    let mut used = false;
    let output = poll_fn(|context| {
        if used {
            return future.as_mut().poll(context);
        }
        let note = Note::new(target.sites());
        let noted = Noted::put(&note);
        let polled = future.as_mut().poll(context);
        drop(noted);
        used = note.used.get();
        polled
    });
    let output = output.await;
    not_called_unless(used, &target).map(|()| output)
}

/// [`call_original`], as `spy!` expands to it.
#[doc(hidden)]
#[track_caller]
pub fn original<F, R>(function: &F, call: impl FnOnce() -> R) -> R {
    let result = Target::item(function).and_then(|target| original_of(&target, call));
    match result {
        Ok(result) => result,
        Err(error) => panic!("{error}"),
    }
}

/// [`call_original_async`], as `spy!` expands to it.
#[doc(hidden)]
pub async fn original_async<F, R: Future>(function: F, call: impl FnOnce() -> R) -> R::Output {
    match call_original_async(function, call).await {
        Ok(output) => output,
        Err(error) => panic!("{error}"),
    }
}

/// [`call_original`] for the function called `name`.
pub fn call_original_by_name<R>(name: &str, call: impl FnOnce() -> R) -> Result<R, MockError> {
    original_of(&Target::name(name)?, call)
}

fn original_of<R>(target: &Target, call: impl FnOnce() -> R) -> Result<R, MockError> {
    if let Some(site) = target.sites().iter().find(|site| site.is_async()) {
        // Its call only makes the future; when that is polled, the note would be gone.
        return Err(MockError::AsyncOriginal { name: site.name() });
    }
    let _entries = Entries::keep_all(target)?;
    let note = Note::new(target.sites());
    let noted = Noted::put(&note);
    let result = call();
    drop(noted);
    not_called_unless(note.used.get(), target).map(|()| result)
}

fn not_called_unless(used: bool, target: &Target) -> Result<(), MockError> {
    match (used, target.sites().first()) {
        (false, Some(site)) => Err(MockError::NotCalled { name: site.name() }),
        _ => Ok(()),
    }
}

/// Keeps calls of a site going through its slot, so that the one that is meant finds its note, even
/// if the function isn't mocked or is reset meanwhile.
struct Entries {
    hook: SiteHook,
    shared: &'static Shared,
}

impl Entries {
    fn keep_all(target: &Target) -> Result<Vec<Self>, MockError> {
        let shared = registry()?.shared();
        let sites = target.sites().iter();
        Ok(sites.map(|site| Self::keep(site, shared)).collect())
    }

    fn keep(site: &'static Site, shared: &'static Shared) -> Self {
        let locked = shared.lock();
        let hook = SiteHook::of(site, &locked);
        hook.hold(&locked);
        if hook.slot(Layer::Process).is_none() {
            // SAFETY: it answers nothing.
            unsafe { hook.set_slot(Layer::Process, Some(&PASS), &locked) };
            hook.attach(&locked);
        }
        Self { hook, shared }
    }
}

impl Drop for Entries {
    fn drop(&mut self) {
        let locked = self.shared.lock();
        self.hook.release(&locked);
        let idle = !self.hook.is_held(&locked);
        if idle && !self.hook.slot(Layer::Process).is_some_and(is_mock) {
            take_mock(self.hook, &locked);
        }
    }
}

thread_local! {
    /// The innermost note of this thread. It needs no destructor, so it can be read at any time.
    static NOTES: Cell<*const Note> = const { Cell::new(ptr::null()) };
}

/// The next call of one of these sites on this thread passes the mock by. Belongs to a frame of the
/// thread's stack.
struct Note {
    /// Several for a function of std: each crate that calls it has one.
    sites: *const [&'static Site],
    used: Cell<bool>,
    /// It holds for all calls, not for the next one.
    lasting: bool,
    /// It is for whatever is called.
    all: bool,
    outer: *const Note,
}

impl Note {
    fn new(sites: &[&'static Site]) -> Self {
        Self {
            sites,
            used: Cell::new(false),
            lasting: false,
            all: false,
            outer: NOTES.get(),
        }
    }

    fn is_free(&self) -> bool {
        self.lasting || !self.used.get()
    }

    fn is_for(&self, site: *const Site) -> bool {
        // SAFETY: whoever made the note borrowed the sites for longer than it is in the list.
        let sites = unsafe { &*self.sites };
        self.all || sites.iter().any(|one| ptr::eq(*one, site))
    }
}

/// Takes a note away again, also when what was called panics.
struct Noted<'a> {
    note: &'a Note,
}

impl<'a> Noted<'a> {
    fn put(note: &'a Note) -> Self {
        NOTES.set(note);
        Self { note }
    }
}

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        NOTES.set(self.note.outer);
    }
}

/// Within the closure of a mock of a function of std, that function is std's own: all calls of it
/// on this thread pass the mock by until this is dropped.
pub(super) struct Inside {
    note: Box<Note>,
}

impl Inside {
    /// # Safety
    /// The sites outlive the value, which is dropped before all notes that are older.
    pub(super) unsafe fn enter(sites: &[&'static Site]) -> Self {
        let note = Box::new(Note {
            lasting: true,
            ..Note::new(sites)
        });
        NOTES.set(&*note);
        Self { note }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        NOTES.set(self.note.outer);
    }
}

/// Runs something without mocks, as far as this thread does it: the originals are called.
pub(super) fn unmocked<R>(work: impl FnOnce() -> R) -> R {
    let note = Note {
        lasting: true,
        all: true,
        ..Note::new(&[])
    };
    let _noted = Noted::put(&note);
    work()
}

/// Uses the innermost unused note for `site`, if this thread has one.
#[inline]
pub(super) fn use_note(site: *const Site) -> bool {
    with_note(site, |note| note.used.set(true)).is_some()
}

#[inline]
fn with_note<R>(site: *const Site, with: impl FnOnce(&Note) -> R) -> Option<R> {
    let mut note = NOTES.get();
    // SAFETY: null, or a note of a frame of this thread that is still active: `Noted` borrows it
    // and takes it out of the list before it goes.
    while let Some(found) = unsafe { note.as_ref() } {
        if found.is_for(site) && found.is_free() {
            return Some(with(found));
        }
        note = found.outer;
    }
    None
}

/// Whether there may be a note for some site on this thread.
#[inline]
pub(super) fn has_notes() -> bool {
    !NOTES.get().is_null()
}

/// Whether the next call of `site` on this thread is to reach the original.
#[inline]
pub(super) fn has_note(site: *const Site) -> bool {
    with_note(site, |_| ()).is_some()
}
