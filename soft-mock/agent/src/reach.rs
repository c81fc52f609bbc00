//! Writes down which functions a process enters, where `hot test` has this library loaded before
//! the program.
//!
//! ```text
//! HOT_TEST_SITES=…    all sites of the program, a line each, written at the start
//! HOT_TEST_REACH=…    a bit for each, and whether that is all, written at the end
//! ```
//!
//! What goes wrong is silent: who finds no file knows that nothing is known. Knows nothing of
//! tests.

use std::env;
use std::ffi::OsString;
use std::fmt::Write;
use std::fs;
use std::panic;
use std::path::PathBuf;
use std::sync::OnceLock;

use soft_mock_abi::reach::{Ended, PRELOAD_BEFORE, REACH, SITES};
use soft_mock_runtime::reach::Reach;

/// What the dynamic linker calls before anything of the program.
#[used]
#[link_section = ".init_array"]
static BEGIN: extern "C" fn() = begin;

static WATCHED: OnceLock<Watched> = OnceLock::new();

struct Watched {
    reach: Reach,
    to: PathBuf,
    /// A child that was forked is another process, with the same end.
    process: u32,
}

extern "C" fn begin() {
    let (sites, reach) = (env::var_os(SITES), env::var_os(REACH));
    if sites.is_none() && reach.is_none() {
        return;
    }
    // Nothing may unwind into the dynamic linker.
    let _ = panic::catch_unwind(|| {
        give_back_environment();
        watch(sites, reach)
    });
}

/// What the program and those that it starts see is the user's.
fn give_back_environment() {
    env::remove_var(SITES);
    env::remove_var(REACH);
    match env::var_os(PRELOAD_BEFORE) {
        Some(before) if !before.is_empty() => env::set_var("LD_PRELOAD", before),
        _ => env::remove_var("LD_PRELOAD"),
    }
    env::remove_var(PRELOAD_BEFORE);
}

fn watch(sites: Option<OsString>, to: Option<OsString>) -> Option<()> {
    // SAFETY: the dynamic linker calls us before the program. That this process gets no patches is
    // up to who sets the variables: the generated main isn't in a test, and a session sets others.
    let reach = unsafe { Reach::of_the_program() }.ok()?;
    if let Some(path) = sites {
        let mut text = String::new();
        for site in reach.sites() {
            let _ = match site.is_function() {
                true => writeln!(text, "{:016x} {}", site.unit(), site.name()),
                false => writeln!(text),
            };
        }
        fs::write(path, text).ok()?;
    }
    let to = PathBuf::from(to?);
    let process = std::process::id();
    let _ = WATCHED.set(Watched { reach, to, process });
    // SAFETY: `end` doesn't unwind, and is there for as long as the process: the library was loaded
    // with it.
    unsafe { libc::atexit(end) };
    Some(())
}

extern "C" fn end() {
    let _ = panic::catch_unwind(|| {
        let watched = WATCHED.get()?;
        if std::process::id() != watched.process {
            return None;
        }
        let ended = match had_children() {
            true => Ended::HadChildren,
            false => Ended::Complete,
        };
        let mut bytes = watched.reach.bits();
        bytes.push(ended as u8);
        fs::write(&watched.to, bytes).ok()
    });
}

/// Whether the process has started others, what of those can be known.
fn had_children() -> bool {
    // SAFETY: a structure of numbers, for which zeros are values.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both are given valid places to write to.
    let (used, waiting) = unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        (
            libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage),
            libc::waitid(libc::P_ALL, 0, &mut info, options),
        )
    };
    // Who ran has touched memory. Without a child, there is an error.
    used != 0 || usage.ru_minflt > 0 || usage.ru_majflt > 0 || waiting == 0
}
