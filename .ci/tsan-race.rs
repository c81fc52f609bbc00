//! Two programs for `.ci/tsan`: with `--cfg race`, a value is published without an order, which
//! ThreadSanitizer has to find; without, it is published as the sites publish their hooks, which it
//! must not mind.

use std::sync::atomic::{AtomicPtr, Ordering};

static HOOK: AtomicPtr<u64> = AtomicPtr::new(std::ptr::null_mut());

fn main() {
    let reader = std::thread::spawn(|| loop {
        // SAFETY: null, or the box below, which is never freed.
        if let Some(value) = unsafe { HOOK.load(Ordering::Acquire).as_ref() } {
            break *value;
        }
    });
    let order = if cfg!(race) {
        Ordering::Relaxed
    } else {
        Ordering::Release
    };
    HOOK.store(Box::into_raw(Box::new(7)), order);
    assert_eq!(reader.join().expect("the reader"), 7);
}
