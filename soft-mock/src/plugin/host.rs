//! The host's side: holds the current set, and swaps it.
//!
//! [`PluginHost`] is a handle behind a table of functions: who got one through a shared type can
//! use it from a plugin too, and still runs the host's code on the host's statics.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use super::border::inside_hook;
use super::error::{HookResult, PluginError};
use super::folder;
use super::image::{retained, Retained};
use super::options::Options;
use super::reaper::Reaper;
use super::report::ReloadReport;
use super::set::{Plugin, PluginManager};
use super::stage::{not_in, Stage, Staged};
use super::value::Value;
use super::vault::{Content, Vault};
use soft_mock_runtime::images::ImageEvent;

/// Loads the plugins of a folder, and swaps them for newer versions.
///
/// ```no_run
/// use soft_mock::plugin::{Options, PluginHost};
///
/// # fn main() -> Result<(), soft_mock::plugin::PluginError> {
/// let host = PluginHost::new("plugins", Options::new());
/// println!("{}", host.load_plugins("any data")?);
///
/// let plugins = host.current();           // never blocks; these versions, as long as one holds it
/// let greeting = plugins.plugin("greeter")?.invoke_func("greet", "you")?;
/// # let _ = greeting;
///
/// println!("{}", host.reload("other data")?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PluginHost(Arc<dyn Api>);

/// What the handle can do, called through a table that belongs to the host's image.
trait Api: Send + Sync {
    fn load(&self, operation: Operation<'_>, data: Value) -> Result<ReloadReport, PluginError>;
    fn current(&self) -> Arc<PluginManager>;
    fn counter(&self) -> u64;
    fn is_static(&self) -> bool;
    fn reset_folder(&self, folder: PathBuf) -> Result<(), PluginError>;
    fn folder(&self) -> PathBuf;
    fn memory(&self) -> Memory;
    fn shutdown(&self, patience: Duration) -> Result<usize, PluginError>;
}

type OnceCallback<'a> = &'a mut dyn FnMut(&PluginManager, Option<&PluginManager>) -> HookResult;

enum Operation<'a> {
    Load,
    Reload(Option<OnceCallback<'a>>),
}

impl Operation<'_> {
    fn name(&self) -> &'static str {
        match self {
            Operation::Load => "load_plugins",
            Operation::Reload(_) => "reload",
        }
    }
}

/// What replaced plugins still take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// Replaced plugins that are in use, or wait for the free delay.
    pub waiting: usize,
    /// Versions that are freed but whose library stays loaded, with the reasons. Those of all
    /// hosts of this process.
    pub retained: Vec<Retained>,
}

impl Memory {
    /// The memory of all retained libraries, in bytes.
    pub fn retained_bytes(&self) -> u64 {
        self.retained.iter().map(|retained| retained.memory).sum()
    }
}

impl PluginHost {
    /// A host for the plugins in `folder`; nothing is loaded yet.
    pub fn new(folder: impl Into<PathBuf>, options: Options) -> Self {
        Self(Arc::new(Inner {
            folder: Mutex::new(folder.into()),
            options,
            current: ArcSwap::from_pointee(empty()),
            is_loaded: AtomicBool::new(false),
            counter: AtomicU64::new(0),
            busy: Mutex::new(()),
            reaper: Arc::default(),
        }))
    }

    /// Loads all plugins, once. After a failure it can be called again.
    ///
    /// # Errors
    /// See [`PluginError`]; nothing is loaded then.
    pub fn load_plugins(&self, data: impl Into<Value>) -> Result<ReloadReport, PluginError> {
        self.0.load(Operation::Load, data.into())
    }

    /// Loads what has changed, and swaps all at once. After a failure the old set serves on, and
    /// reload can be called again.
    ///
    /// # Errors
    /// See [`PluginError`].
    pub fn reload(&self, data: impl Into<Value>) -> Result<ReloadReport, PluginError> {
        self.0.load(Operation::Reload(None), data.into())
    }

    /// As [`reload`](Self::reload), with a callback for this one time, called after that of the
    /// options.
    ///
    /// # Errors
    /// See [`PluginError`].
    pub fn reload_with_callback(
        &self,
        data: impl Into<Value>,
        callback: impl FnOnce(&PluginManager, Option<&PluginManager>) -> HookResult,
    ) -> Result<ReloadReport, PluginError> {
        let mut callback = Some(callback);
        let mut once = |new: &PluginManager, old: Option<&PluginManager>| match callback.take() {
            Some(callback) => callback(new, old),
            None => Ok(()),
        };
        self.0.load(Operation::Reload(Some(&mut once)), data.into())
    }

    /// The current set; an empty one before the first load. Never blocks.
    pub fn current(&self) -> Arc<PluginManager> {
        self.0.current()
    }

    /// How many loads and reloads have succeeded.
    pub fn reload_counter(&self) -> u64 {
        self.0.counter()
    }

    /// Whether the plugins are linked into this program.
    pub fn static_linking_mode(&self) -> bool {
        self.0.is_static()
    }

    /// The folder that the next load or reload looks into.
    pub fn plugin_dir(&self) -> PathBuf {
        self.0.folder()
    }

    /// Sets another folder for the next load or reload.
    ///
    /// # Errors
    /// If a load or reload is in progress, or with static linking.
    pub fn reset_plugin_dir(&self, folder: impl AsRef<Path>) -> Result<(), PluginError> {
        self.0.reset_folder(folder.as_ref().to_owned())
    }

    /// What replaced plugins still take.
    pub fn memory(&self) -> Memory {
        self.0.memory()
    }

    /// Frees all plugins, without regard to the free delay; waits for those in use, but not longer
    /// than `patience`. Returns how many are left; `current()` is empty from now on.
    ///
    /// # Errors
    /// If a load or reload is in progress, or this thread is inside a hook.
    pub fn shutdown(&self, patience: Duration) -> Result<usize, PluginError> {
        self.0.shutdown(patience)
    }
}

impl fmt::Debug for PluginHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PluginHost({}, reload {})",
            self.plugin_dir().display(),
            self.reload_counter()
        )
    }
}

struct Inner {
    folder: Mutex<PathBuf>,
    options: Options,
    current: ArcSwap<PluginManager>,
    is_loaded: AtomicBool,
    counter: AtomicU64,
    /// Held during a load or reload; never waited for.
    busy: Mutex<()>,
    reaper: Arc<Reaper>,
}

impl Api for Inner {
    fn load(&self, operation: Operation<'_>, data: Value) -> Result<ReloadReport, PluginError> {
        let begun = Instant::now();
        let result = self.exclusively(operation.name(), || self.swap(operation, &data, begun));
        match &result {
            Ok(report) => tracing::info!(counter = self.counter(), "plugins loaded:\n{report}"),
            Err(error) => tracing::error!(%error, "plugins could not be loaded"),
        }
        result
    }

    fn current(&self) -> Arc<PluginManager> {
        self.current.load_full()
    }

    fn counter(&self) -> u64 {
        self.counter.load(Ordering::Acquire)
    }

    fn is_static(&self) -> bool {
        !self.options.static_plugins.is_empty()
    }

    fn reset_folder(&self, folder: PathBuf) -> Result<(), PluginError> {
        if self.is_static() {
            return Err(PluginError::StaticLinking {
                operation: "reset_plugin_dir",
            });
        }
        self.exclusively("reset_plugin_dir", || {
            *self.folder.lock().unwrap_or_else(PoisonError::into_inner) = folder;
            Ok(())
        })
    }

    fn folder(&self) -> PathBuf {
        self.folder
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn memory(&self) -> Memory {
        Memory {
            waiting: self.reaper.waiting(),
            retained: retained(),
        }
    }

    fn shutdown(&self, patience: Duration) -> Result<usize, PluginError> {
        self.exclusively("shutdown", || {
            let old = self.current.swap(Arc::new(empty()));
            self.is_loaded.store(false, Ordering::Release);
            let plugins = old.plugins.clone();
            drop(old);
            tell(&plugins, ImageEvent::Replaced);
            self.reaper.add(plugins, Duration::ZERO);
            Ok(self.reaper.drain(patience))
        })
    }
}

impl Inner {
    /// Runs what only one thread may do at a time, and none from inside a hook.
    fn exclusively<R>(
        &self,
        operation: &'static str,
        run: impl FnOnce() -> Result<R, PluginError>,
    ) -> Result<R, PluginError> {
        if inside_hook() {
            return Err(PluginError::InsideHook { operation });
        }
        // Not waited for: a hook may wait for the thread that asks.
        match self.busy.try_lock() {
            Ok(_busy) => run(),
            Err(TryLockError::Poisoned(_busy)) => run(),
            Err(TryLockError::WouldBlock) => Err(PluginError::Busy),
        }
    }

    fn swap(
        &self,
        mut operation: Operation<'_>,
        data: &Value,
        begun: Instant,
    ) -> Result<ReloadReport, PluginError> {
        let is_loaded = self.is_loaded.load(Ordering::Acquire);
        match &operation {
            Operation::Load if is_loaded => return Err(PluginError::AlreadyLoaded),
            Operation::Reload(_) if self.is_static() => {
                return Err(PluginError::StaticLinking {
                    operation: "reload",
                })
            }
            Operation::Reload(_) if !is_loaded => return Err(PluginError::NotLoaded),
            _ => {}
        }
        let old = self.current.load_full();
        let old_set = is_loaded.then_some(&*old);
        let staged = self.stage(old_set, data)?;
        if let Err(error) = self.call_back(&staged, old_set, &mut operation) {
            staged.undo(old_set, &self.reaper);
            return Err(error);
        }
        let replaced = not_in(&old, Some(&staged.set));
        let Staged {
            set,
            content,
            outcomes,
        } = staged;
        let kept = set
            .plugins
            .iter()
            .filter(|plugin| old.plugins.iter().any(|old| Arc::ptr_eq(old, plugin)));
        for plugin in kept {
            plugin.newest.set(&content);
        }
        let made = not_in(&set, Some(&old));
        // The one step in which the new set becomes current.
        self.current.store(set);
        self.is_loaded.store(true, Ordering::Release);
        self.counter.fetch_add(1, Ordering::AcqRel);
        drop(old);
        tell(&replaced, ImageEvent::Replaced);
        tell(&made, ImageEvent::Current);
        drop(made);
        self.reaper.add(replaced, self.options.free_delay);
        Ok(ReloadReport {
            plugins: outcomes,
            elapsed: begun.elapsed(),
        })
    }

    fn stage(&self, old: Option<&PluginManager>, data: &Value) -> Result<Staged, PluginError> {
        let stage = Stage::new(&self.options, old);
        if self.is_static() {
            return stage.run_static(&self.options.static_plugins, data, &self.reaper);
        }
        let folder = self.folder();
        let found = folder::read(&folder, self.options.whitelist.as_deref())?;
        stage.run(found, data, &self.reaper)
    }

    fn call_back(
        &self,
        staged: &Staged,
        old: Option<&PluginManager>,
        operation: &mut Operation<'_>,
    ) -> Result<(), PluginError> {
        if let Some(callback) = &self.options.on_reload {
            staged.call_back(old, callback)?;
        }
        if let Operation::Reload(Some(callback)) = operation {
            staged.call_back(old, callback)?;
        }
        Ok(())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let last = self.current.swap(Arc::new(empty()));
        let plugins = last.plugins.clone();
        drop(last);
        tell(&plugins, ImageEvent::Replaced);
        self.reaper.add(plugins, Duration::ZERO);
    }
}

/// Tells whoever patches this process which versions serve.
fn tell(plugins: &[Arc<Plugin>], event: ImageEvent) {
    for image in plugins.iter().filter_map(|plugin| plugin.image.as_ref()) {
        image.tell(event);
    }
}

fn empty() -> PluginManager {
    let content = Content {
        extension: None,
        bags: Vec::new(),
        live: std::collections::BTreeMap::new(),
    };
    PluginManager {
        vault: Vault::of_set(Arc::new(content)),
        plugins: Vec::new(),
    }
}
