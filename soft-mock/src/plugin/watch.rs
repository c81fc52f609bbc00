//! Reloads by itself when a file in the plugin folder changes.

use std::ffi::OsStr;
use std::fmt;
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError};
use std::time::Duration;

use notify::{Event, RecursiveMode, Watcher};

use super::error::PluginError;
use super::host::PluginHost;
use super::report::ReloadReport;
use super::value::Value;

/// How long the folder must be quiet before it is looked at.
const QUIET: Duration = Duration::from_millis(50);

/// Watches as long as it lives.
pub struct Watching {
    // With it the channel closes, and the thread ends.
    _watcher: notify::RecommendedWatcher,
}

impl fmt::Debug for Watching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watching")
    }
}

impl PluginHost {
    /// Reloads whenever a plugin's file is put into the folder, changed or removed. `data` is
    /// called for what `on_load` is given, `done` gets the result. What is watched is the
    /// folder of now, also after [`reset_plugin_dir`](Self::reset_plugin_dir).
    ///
    /// # Errors
    /// If the folder can't be watched.
    pub fn reload_on_change(
        &self,
        data: impl Fn() -> Value + Send + 'static,
        done: impl Fn(Result<ReloadReport, PluginError>) + Send + 'static,
    ) -> Result<Watching, PluginError> {
        let folder = self.plugin_dir();
        let unwatchable = |error: notify::Error| PluginError::Folder {
            path: folder.clone(),
            source: std::io::Error::other(error),
        };
        let (sender, changes) = channel();
        // A failed send means that the thread is gone, and nobody wants to know.
        let watcher = notify::recommended_watcher(move |event| drop(sender.send(event)));
        let mut watcher = watcher.map_err(unwatchable)?;
        watcher
            .watch(&folder, RecursiveMode::NonRecursive)
            .map_err(unwatchable)?;
        let host = self.clone();
        let thread = std::thread::Builder::new().name("soft-mock-plugins".to_owned());
        let started = thread.spawn(move || {
            while wait(&changes) {
                done(reload(&host, &data));
            }
        });
        match started {
            Ok(_) => Ok(Watching { _watcher: watcher }),
            Err(source) => Err(PluginError::Folder {
                path: folder,
                source,
            }),
        }
    }
}

fn reload(host: &PluginHost, data: &impl Fn() -> Value) -> Result<ReloadReport, PluginError> {
    loop {
        match host.reload(data()) {
            // What is in progress may have looked at the folder before the change.
            Err(PluginError::Busy) => std::thread::sleep(QUIET),
            result => return result,
        }
    }
}

/// Waits for a change and the quiet after it; false at the end.
fn wait(changes: &Receiver<notify::Result<Event>>) -> bool {
    loop {
        match changes.recv() {
            Ok(Ok(event)) if concerns(&event) => break,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    loop {
        match changes.recv_timeout(QUIET) {
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}

fn concerns(event: &Event) -> bool {
    let is_plugin = |name: &OsStr| !name.as_encoded_bytes().starts_with(b".");
    !event.kind.is_access()
        && event.paths.iter().any(|path| {
            path.extension().is_some_and(|kind| kind == "so")
                && path.file_name().is_some_and(is_plugin)
        })
}
