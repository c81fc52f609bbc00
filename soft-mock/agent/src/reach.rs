//! Writes down which functions a process enters, where `hot test` has this library loaded before
//! the program.
//!
//! ```text
//! HOT_TEST_SITES=…    all sites of the program, a line each, written at the start
//! HOT_TEST_TEMPLATE=… in each process that is forked: a bit for each, and whether that is all,
//!                     written at the end
//! ```
//!
//! What goes wrong is silent: who finds no file knows that nothing is known. Knows nothing of
//! tests.

use std::env;
use std::ffi::{c_char, c_int, OsString};
use std::fmt::Write;
use std::fs;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use soft_mock_abi::reach::{Ended, PRELOAD_BEFORE, SITES};
use soft_mock_abi::template::TEMPLATE;
use soft_mock_runtime::patch::{was_called, Transaction};
use soft_mock_runtime::reach::Reach;
use soft_mock_runtime::registry;

use crate::template::{self, Arguments};

/// What the dynamic linker calls before anything of the program.
#[used]
#[link_section = ".init_array"]
static BEGIN: unsafe extern "C" fn(c_int, *mut *mut c_char) = begin;

static WATCHED: OnceLock<Watched> = OnceLock::new();

struct Watched {
    reach: Reach,
    to: PathBuf,
    /// A child that was forked is another process, with the same end.
    process: u32,
}

/// # Safety
/// Only the dynamic linker calls it.
unsafe extern "C" fn begin(count: c_int, words: *mut *mut c_char) {
    let (sites, template) = (env::var_os(SITES), env::var_os(TEMPLATE));
    if sites.is_none() && template.is_none() {
        return;
    }
    // Nothing may unwind into the dynamic linker.
    let _ = panic::catch_unwind(|| {
        give_back_environment();
        // SAFETY: the dynamic linker calls us before the program. That this process gets no other
        // patches is up to who sets the variables: the generated main isn't in a test, and a
        // session sets others.
        let found = unsafe { Reach::of_the_program() }.ok();
        let to = match template {
            Some(_) => {
                // SAFETY: the dynamic linker's own, before the program.
                let arguments = unsafe { Arguments::new(count, words) };
                let install = &mut |plugins: &[PathBuf], copies: &Path| {
                    install(found.as_ref(), plugins, copies)
                };
                template::serve(arguments, install)?.reach
            }
            None => None,
        };
        watch(found?, sites, to)
    });
}

/// What the program and those that it starts see is the user's.
fn give_back_environment() {
    for variable in [SITES, TEMPLATE] {
        env::remove_var(variable);
    }
    match env::var_os(PRELOAD_BEFORE) {
        Some(before) if !before.is_empty() => env::set_var("LD_PRELOAD", before),
        _ => env::remove_var("LD_PRELOAD"),
    }
    env::remove_var(PRELOAD_BEFORE);
}

/// Installs plugins: all of their functions, or none and why.
fn install(reach: Option<&Reach>, plugins: &[PathBuf], copies: &Path) -> Result<(), String> {
    let reach = reach.ok_or("the program has no sites that can be patched from outside")?;
    registry::adopt_alone(reach.sites()).map_err(|error| error.to_string())?;
    let patch = Transaction::new().copies_in(Some(copies));
    let patch = plugins.iter().fold(patch, |patch, path| patch.plugin(path));
    patch.commit().map(drop).map_err(|error| error.to_string())
}

fn watch(reach: Reach, sites: Option<OsString>, to: Option<PathBuf>) -> Option<()> {
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
    let to = to?;
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
        // A patch has the place of what would set the bit.
        let sites = watched.reach.sites().iter().enumerate();
        for (place, _) in sites.filter(|(_, site)| was_called(site)) {
            bytes[place / 8] |= 1 << (place % 8);
        }
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
