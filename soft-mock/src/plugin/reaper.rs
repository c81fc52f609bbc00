//! Frees replaced plugins: each once nothing uses it and the free delay has passed, those that
//! import others first.
//!
//! What is in use is told by counts alone: of the sets that hold a plugin, and of what was handed
//! out of it. Guards are dropped anywhere, also in plugins, so nobody tells this module; it looks.

use std::collections::VecDeque;
use std::mem::ManuallyDrop;
use std::sync::atomic::{fence, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::Hook;
use super::image::{self, Image};
use super::life::{Escape, Life};
use super::set::Plugin;

/// How often is looked, while plugins wait.
const INTERVAL: Duration = Duration::from_millis(10);

/// The replaced plugins of one host.
#[derive(Default)]
pub(crate) struct Reaper {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    batches: Vec<Batch>,
    thread_runs: bool,
}

/// What one reload replaced, in the order in which it is freed.
struct Batch {
    due: Instant,
    plugins: VecDeque<Arc<Plugin>>,
}

impl Reaper {
    /// Takes over replaced plugins, in dependency order.
    pub(crate) fn add(self: &Arc<Self>, replaced: Vec<Arc<Plugin>>, delay: Duration) {
        if replaced.is_empty() {
            return;
        }
        let mut state = self.lock();
        state.batches.push(Batch {
            due: Instant::now() + delay,
            plugins: replaced.into_iter().rev().collect(),
        });
        if !state.thread_runs {
            let reaper = Arc::clone(self);
            let thread = std::thread::Builder::new().name("soft-mock-plugins".to_owned());
            // Without a thread the plugins stay as they are; the next reload tries again.
            state.thread_runs = thread.spawn(move || reaper.run()).is_ok();
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Frees what can be freed, without regard to the delay; returns how many plugins are left.
    pub(crate) fn drain(&self, patience: Duration) -> usize {
        let deadline = Instant::now() + patience;
        let mut state = self.lock();
        for batch in &mut state.batches {
            batch.due = Instant::now();
        }
        self.changed.notify_all();
        while !state.batches.is_empty() && Instant::now() < deadline {
            let waited = self.changed.wait_timeout(state, INTERVAL);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.batches.iter().map(|batch| batch.plugins.len()).sum()
    }

    /// The plugins that are replaced but in use, or wait for their delay.
    pub(crate) fn waiting(&self) -> usize {
        self.lock()
            .batches
            .iter()
            .map(|batch| batch.plugins.len())
            .sum()
    }

    /// Runs as long as there is something to free.
    fn run(&self) {
        let mut state = self.lock();
        loop {
            while let Some(plugin) = state.next_free() {
                drop(state);
                free(plugin);
                state = self.lock();
                state.batches.retain(|batch| !batch.plugins.is_empty());
                self.changed.notify_all();
            }
            if state.batches.is_empty() {
                state.thread_runs = false;
                return;
            }
            let pause = state.pause();
            state = self
                .changed
                .wait_timeout(state, pause)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A plugin that is due and that nothing else holds. Its batch stays until it is freed.
    fn next_free(&mut self) -> Option<Plugin> {
        let now = Instant::now();
        for batch in self.batches.iter_mut().filter(|batch| batch.due <= now) {
            let Some(plugin) = batch.plugins.pop_front() else {
                continue;
            };
            match unused(plugin) {
                Ok(plugin) => return Some(plugin),
                Err(plugin) => batch.plugins.push_front(plugin),
            }
        }
        None
    }

    fn pause(&self) -> Duration {
        let now = Instant::now();
        let next = self
            .batches
            .iter()
            .map(|batch| batch.due.saturating_duration_since(now))
            .min();
        next.unwrap_or(INTERVAL).max(INTERVAL)
    }
}

/// The plugin itself, if nothing else holds it or anything of it.
pub(crate) fn unused(plugin: Arc<Plugin>) -> Result<Plugin, Arc<Plugin>> {
    let plugin = Arc::try_unwrap(plugin)?;
    // Only now: while somebody else held the plugin, he could still take something out of it. One
    // count of the life is the plugin's own.
    if Arc::strong_count(&plugin.life) > 1 {
        return Err(Arc::new(plugin));
    }
    // With the release in the drop of the last other holder.
    fence(Ordering::Acquire);
    Ok(plugin)
}

/// Calls `on_free` if `on_load` was, drops all that belongs to the plugin, and lets its library go.
pub(crate) fn free(mut plugin: Plugin) {
    if plugin.is_loaded {
        if let Err(failure) = plugin.instance.on_free() {
            let error = plugin.failed(Hook::OnFree, failure);
            tracing::error!(plugin = plugin.name(), %error, "plugin could not be freed cleanly");
        }
    }
    take_apart(plugin);
}

/// Drops all that belongs to the plugin, and lets its library go.
fn take_apart(plugin: Plugin) {
    let (image, _) = drop_values(plugin);
    if let Some(image) = image {
        // SAFETY: the value, the export and the items are dropped. The caller held the only
        // references to plugin and life, so no set has the plugin, nothing handed out is
        // left, and no call runs. A vault may still hold objects of the plugin: that was noted
        // when they were put in.
        unsafe { image::release(&image) };
    }
}

/// Takes plugins apart that were never loaded and that hold each other, by imports in a circle.
pub(crate) fn take_apart_together(plugins: Vec<Plugin>) {
    // What one holds of another is an object of its own, and its code stays until all values are
    // gone.
    let parts: Vec<_> = plugins.into_iter().map(drop_values).collect();
    for (image, life) in parts {
        let Some(image) = image else { continue };
        if Arc::strong_count(&life) > 1 {
            life.note(Escape::ObjectOut);
        }
        fence(Ordering::Acquire);
        // SAFETY: as above; where something is left, that was noted, and the library stays.
        unsafe { image::release(&image) };
    }
}

/// Drops what can hold pointers into the library.
fn drop_values(plugin: Plugin) -> (Option<Image>, Arc<Life>) {
    let Plugin {
        facts,
        instance,
        exported,
        items,
        life,
        bag,
        image,
        ..
    } = plugin;
    let name = facts.name;
    // Export and bag go with the value: they may be the last holders of objects of the plugin, and
    // what panics when it is dropped is caught there.
    let exported = ManuallyDrop::into_inner(exported);
    if let Err(failure) = ManuallyDrop::into_inner(instance).dispose(exported, bag) {
        tracing::error!(plugin = name, hook = %Hook::Drop, %failure, "plugin could not be dropped cleanly");
    }
    // How their boxes are freed is known in the library; a vault that still has them holds the life
    // as well.
    drop(ManuallyDrop::into_inner(items));
    tracing::debug!(plugin = name, "plugin freed");
    (image, life)
}
