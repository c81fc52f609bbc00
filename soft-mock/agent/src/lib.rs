//! The runtime as a library of its own, for programs that don't depend on it.
//!
//! The main function that `hot` generates opens this library and calls [`soft_mock_agent_start_v1`]
//! once, before the user's main. Only the C ABI is crossed, so the compiler of the program and that
//! of this library needn't be the same. Nothing that goes wrong here may stop, change or slow the
//! program: it is said on one line, and the program runs on. Loaded before a test binary, it writes
//! down which functions are entered, and does nothing else.

mod reach;
mod template;

use std::ffi::{c_int, CStr, OsStr};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Once;

use soft_mock_abi::start::{Start, FAILED, STARTED, VERSION};
use soft_mock_runtime::registry;
use soft_mock_runtime::reloader::socket;

/// Starts the reloader. 0: it runs; otherwise it doesn't, and why stands on the standard error.
/// Returns at once, never unwinds and never ends the program.
///
/// # Safety
/// `start` is null or a valid [`Start`]: its bounds are those of the program's sites, its strings
/// end with a NUL. They are needed during the call only, the sites for ever.
#[no_mangle]
pub unsafe extern "C" fn soft_mock_agent_start_v1(start: *const Start) -> c_int {
    silence_panics();
    // SAFETY: the caller's promise.
    let result = panic::catch_unwind(AssertUnwindSafe(|| unsafe { begin(start) }));
    let problem = match result {
        Ok(Ok(())) => return STARTED,
        Ok(Err(problem)) => problem,
        Err(_) => "the reloader failed to start".to_owned(),
    };
    // Not `eprintln!`: that panics where the standard error is closed.
    let _ = writeln!(
        io::stderr(),
        "hot: no hot patching in this process: {problem}"
    );
    FAILED
}

/// # Safety
/// As for [`soft_mock_agent_start_v1`].
unsafe fn begin(start: *const Start) -> Result<(), String> {
    // SAFETY: null or valid, by the caller's promise.
    let start = unsafe { start.as_ref() }.ok_or("it was started without data")?;
    if start.version != VERSION || (start.size as usize) < size_of::<Start>() {
        return Err(format!(
            "the program speaks version {} of the start-up, the agent version {VERSION}",
            start.version
        ));
    }
    if start.session.is_null() || start.program.is_null() {
        return Err("it was started without a session".to_owned());
    }
    // SAFETY: strings that end with a NUL, by the caller's promise.
    let (session, program) =
        unsafe { (CStr::from_ptr(start.session), CStr::from_ptr(start.program)) };
    // SAFETY: the bounds of the program's sites, by the caller's promise.
    unsafe { registry::adopt(start.sites_start, start.sites_stop) }
        .map_err(|error| error.to_string())?;
    let session = Path::new(OsStr::from_bytes(session.to_bytes()));
    // The handle is not needed: the thread ends with the session, or with the program.
    socket::connect(session, &program.to_string_lossy()).map_err(|error| error.to_string())?;
    Ok(())
}

/// This library has a panic hook of its own, apart from the program's. What panics here is caught
/// or ends a thread of ours; the program's output isn't the place for it.
fn silence_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|panic| {
            let place = panic
                .location()
                .map(ToString::to_string)
                .unwrap_or_default();
            let _ = writeln!(
                io::stderr(),
                "hot: hot patching ended in this process (an error at {place})"
            );
        }));
    });
}
