//! Libraries with sites of their own, that come and go while the program runs.
//!
//! Each such library has a section of sites like a program, and its own copy of the runtime. Who
//! opens it makes an [`Image`] of it before any code of it runs, and says when it serves and when
//! it is replaced; who installs patches (the agent) is told so, and then treats it as one more
//! program of the process. What such a library is for isn't known here. The copy of the runtime
//! that opens and the one that patches are often not the same, so what they share is laid out by
//! hand. All sites of the process hang on one [`Shared`], so that there is one order of patches and
//! mocks.
//!
//! An image can be unloaded, a program can't. Therefore nobody touches its sites without
//! [`Image::enter`], and an image that a patch refers to is pinned: it stays for ever.

use std::ffi::OsStr;
use std::hint;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use std::thread;

use soft_mock_abi::site::Site;

use crate::registry::{registry, Registry, RegistryError};
use crate::shared::Shared;

/// The image is closed, or about to be: nobody may enter any more.
const CLOSED: u32 = 1 << 31;
/// Something refers to the image for ever.
const PINNED: u32 = 1 << 30;

/// What happens to an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageEvent {
    /// It serves from now on.
    Current,
    /// Another version serves in its place, or none.
    Replaced,
}

/// Who is told: the image, and whether it is current from now on (1) or replaced (0).
pub type Observer = extern "C" fn(&'static Image, u32);

/// Sets who is told.
pub(crate) fn observe(shared: &Shared, observer: Observer) {
    cell(shared).store(observer as *mut (), Ordering::Release);
}

fn observer(shared: &Shared) -> Option<Observer> {
    let observer = cell(shared).load(Ordering::Acquire);
    // SAFETY: null, or what `observe` of this or another copy has stored.
    unsafe { std::mem::transmute::<*mut (), Option<Observer>>(observer) }
}

/// Holds an [`Observer`].
fn cell(shared: &Shared) -> &AtomicPtr<()> {
    // SAFETY: this module alone uses the cell.
    unsafe { shared.images.of() }
}

/// One opened library with sites. Never freed, so that whoever knows it can ask whether it is still
/// there.
#[repr(C)]
#[derive(Debug)]
pub struct Image {
    start: *const Site,
    stop: *const Site,
    path: *const u8,
    path_len: usize,
    program: *const u8,
    program_len: usize,
    /// How many are inside, and the bits above.
    state: AtomicU32,
}

// SAFETY: but for the atomic nothing changes, and the pointers are used as the type says.
unsafe impl Sync for Image {}
// SAFETY: as above; no thread owns any of it.
unsafe impl Send for Image {}

/// The library's code and data stay as long as this lives.
#[derive(Debug)]
pub struct Inside(&'static Image);

impl Image {
    /// Takes note of a library that was just opened, and gives its sites the process's state.
    ///
    /// # Safety
    /// Between the bounds lie sites, until [`Image::try_close`] has answered `true`; nothing of the
    /// library's own code has looked at them yet.
    pub unsafe fn new(
        start: *const Site,
        stop: *const Site,
        path: &Path,
        program: &str,
    ) -> Result<&'static Self, RegistryError> {
        let shared = registry()?.shared();
        // SAFETY: the caller's promise.
        unsafe { Registry::share(start, stop, shared) }?;
        let path: &'static [u8] = path.as_os_str().as_bytes().to_vec().leak();
        let program: &'static str = program.to_owned().leak();
        Ok(Box::leak(Box::new(Self {
            start,
            stop,
            path: path.as_ptr(),
            path_len: path.len(),
            program: program.as_ptr(),
            program_len: program.len(),
            state: AtomicU32::new(0),
        })))
    }

    /// The file that was opened.
    pub fn path(&self) -> &Path {
        // SAFETY: leaked by `new`.
        let bytes = unsafe { std::slice::from_raw_parts(self.path, self.path_len) };
        Path::new(OsStr::from_bytes(bytes))
    }

    /// What its builder called it.
    pub fn program(&self) -> String {
        // SAFETY: leaked by `new`.
        let bytes = unsafe { std::slice::from_raw_parts(self.program, self.program_len) };
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// Keeps the image where it is; none if it is gone.
    pub fn enter(&'static self) -> Option<Inside> {
        let more = |state: u32| (state & CLOSED == 0).then_some(state + 1);
        // Acquire and the Release of `drop`: what is done inside is over before the image is
        // closed.
        let entered = self
            .state
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, more);
        entered.is_ok().then_some(Inside(self))
    }

    /// # Safety
    /// Nothing of the result is used any more when the image is closed: somebody is inside until
    /// then, or it is pinned.
    unsafe fn sites(&self) -> Result<Registry, RegistryError> {
        // SAFETY: as promised to `new` and by the caller.
        unsafe { Registry::between(self.start, self.stop) }
    }

    /// Nobody may enter any more; `false` if something refers to the image for ever. Waits for
    /// those inside, who are never long.
    pub fn try_close(&self) -> bool {
        loop {
            let closed =
                self.state
                    .compare_exchange(0, CLOSED, Ordering::AcqRel, Ordering::Acquire);
            match closed {
                Ok(_) => return true,
                Err(state) if state & CLOSED != 0 => return true,
                Err(state) if state & PINNED != 0 => return false,
                Err(_) => {
                    hint::spin_loop();
                    thread::yield_now();
                }
            }
        }
    }

    /// Whether something refers to the image for ever.
    pub fn is_pinned(&self) -> bool {
        self.state.load(Ordering::Acquire) & PINNED != 0
    }

    /// Tells whoever installs patches in this process.
    pub fn tell(&'static self, event: ImageEvent) {
        let Some(observer) = registry().ok().and_then(|r| observer(r.shared())) else {
            return;
        };
        observer(self, u32::from(event == ImageEvent::Current));
    }
}

impl Inside {
    /// Its sites, as long as somebody is inside.
    ///
    /// # Safety
    /// Nothing of the result is used after `self` is dropped.
    pub(crate) unsafe fn sites(&self) -> Result<Registry, RegistryError> {
        // SAFETY: the caller's promise.
        unsafe { self.0.sites() }
    }

    /// Its sites, and from now on the image stays for ever: something is about to refer to them.
    pub(crate) fn pinned_sites(&self) -> Result<Registry, RegistryError> {
        self.pin();
        // SAFETY: it is pinned.
        unsafe { self.0.sites() }
    }

    fn pin(&self) {
        self.0.state.fetch_or(PINNED, Ordering::AcqRel);
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.state.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> &'static Image {
        Box::leak(Box::new(Image {
            start: std::ptr::null(),
            stop: std::ptr::null(),
            path: std::ptr::null(),
            path_len: 0,
            program: std::ptr::null(),
            program_len: 0,
            state: AtomicU32::new(0),
        }))
    }

    #[test]
    fn a_closed_image_is_not_entered() {
        let image = image();
        drop(image.enter().expect("open"));
        assert!(image.try_close() && image.try_close());
        assert!(image.enter().is_none());
    }

    #[test]
    fn a_pinned_image_is_not_closed() {
        let image = image();
        let inside = image.enter().expect("open");
        inside.pin();
        drop(inside);
        assert!(image.is_pinned() && !image.try_close());
        assert!(image.enter().is_some());
    }

    #[test]
    fn closing_waits_for_those_inside() {
        let image = image();
        let inside = image.enter().expect("open");
        let closing = thread::spawn(|| image.try_close());
        thread::sleep(std::time::Duration::from_millis(20));
        assert!(!closing.is_finished());
        drop(inside);
        assert!(closing.join().expect("closed"));
    }
}
