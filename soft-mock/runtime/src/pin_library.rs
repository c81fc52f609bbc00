//! Keeps the library that this copy of the runtime stands in: something of the process refers to
//! it.
//!
//! A program never goes, a managed plugin does. One that registers functions of its own with the
//! process must not be unmapped under them.

use std::mem::MaybeUninit;

/// From now on the library with this function stays mapped; nothing to do in a program.
pub(crate) fn pin_library(function: *const ()) {
    let mut found = MaybeUninit::<libc::Dl_info>::uninit();
    // SAFETY: an address of this image and room for the answer, which is complete if there is one.
    let found = unsafe {
        if libc::dladdr(function.cast(), found.as_mut_ptr()) == 0 {
            return;
        }
        found.assume_init()
    };
    // The handle is not given back: it is what keeps the library. A program has none by its path,
    // and needs none.
    // SAFETY: the name is that of a loaded image; nothing is loaded that isn't yet.
    unsafe {
        libc::dlopen(
            found.dli_fname,
            libc::RTLD_NOW | libc::RTLD_NOLOAD | libc::RTLD_NODELETE,
        )
    };
}
