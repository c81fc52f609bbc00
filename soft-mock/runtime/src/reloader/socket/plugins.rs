//! Managed plugins that can be patched: for each that serves, a connection of its own to `hot`, to
//! which it is one more program. The connection ends when another version takes the plugin's place.

use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::connection::Program;
use super::{keep_calling, StartError, Stop, THREAD};
use crate::images::{self, Image};
use crate::{registry, signals};

/// The session that this process belongs to: its folder, and the one for copies of patches.
static SESSION: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();

static SERVING: Mutex<Vec<Serving>> = Mutex::new(Vec::new());

/// A plugin that `hot` knows of.
struct Serving {
    image: &'static Image,
    /// The process that has the connection: a child that it forked must not end it.
    pid: u32,
    stop: Stop,
    stream: Arc<Mutex<Option<UnixStream>>>,
}

/// Tells `hot` of all plugins that are loaded from now on.
pub(super) fn follow(session: &Path, copies: PathBuf) -> Result<(), StartError> {
    // A process has one session, and its agent is started once.
    let _ = SESSION.set((session.to_owned(), copies));
    images::observe(registry::registry()?.shared(), seen);
    Ok(())
}

/// Called on the thread that loads plugins, by its copy of the runtime: nothing may unwind into it,
/// and it doesn't wait.
extern "C" fn seen(image: &'static Image, current: u32) {
    let _ = panic::catch_unwind(AssertUnwindSafe(|| {
        end(image);
        if current != 0 {
            begin(image);
        }
    }));
}

fn begin(image: &'static Image) {
    let Some((session, copies)) = SESSION.get() else {
        return;
    };
    let serving = Serving {
        image,
        pid: std::process::id(),
        stop: Stop::default(),
        stream: Arc::default(),
    };
    let program = Program {
        name: image.program(),
        copies: Some(copies.clone()),
        image: Some(image),
        ..Program::default()
    };
    let (stop, stream) = (serving.stop.clone(), Arc::clone(&serving.stream));
    SERVING.lock().push(serving);
    // Without a thread the plugin can't be patched; it serves all the same.
    let _ = signals::spawn(THREAD, move || {
        let called = |connection: &UnixStream| {
            *stream.lock() = connection.try_clone().ok();
            // It may have been replaced just before.
            if stop.is_set() {
                let _ = connection.shutdown(Shutdown::Both);
            }
        };
        keep_calling(session, &program, &stop, &called);
    });
}

fn end(image: &'static Image) {
    let mut serving = SERVING.lock();
    let Some(at) = serving
        .iter()
        .position(|serving| ptr::eq(serving.image, image))
    else {
        return;
    };
    let ended = serving.swap_remove(at);
    ended.stop.0.store(true, Ordering::SeqCst);
    let stream = ended.stream.lock().take();
    if let Some(stream) = stream.filter(|_| ended.pid == std::process::id()) {
        // It may be closed already.
        let _ = stream.shutdown(Shutdown::Both);
    }
}
