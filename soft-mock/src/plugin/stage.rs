//! One load or reload, from the folder to a set that could become current. All or nothing: whatever
//! fails, what was begun is taken back, and the old set was never touched.
//!
//! ```text
//! files → kept | fresh → pre-flight → open → reloadable → export → import → order
//!       → on_load → vault → on_init → callbacks → (host: swap)
//! ```

mod files;
mod hooks;

use std::collections::BTreeMap;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::border::{protect, take_panic, Inside};
use super::error::{Failure, Hook, PluginError};
use super::extension::AnyExtension;
use super::folder::Found;
use super::hooks::Declaration;
use super::options::Options;
use super::reaper::{free, take_apart_together, unused, Reaper};
use super::report::Outcome;
use super::set::{Plugin, PluginManager};
use super::value::Value;
use super::vault::{Content, LiveEntry, Vault};

/// What a load or reload has come to.
pub(crate) struct Staged {
    pub(crate) set: Arc<PluginManager>,
    pub(crate) content: Arc<Content>,
    pub(crate) outcomes: BTreeMap<String, (Outcome, Duration)>,
}

/// A load or reload in progress.
pub(crate) struct Stage<'a> {
    options: &'a Options,
    old: Option<&'a PluginManager>,
    kept: BTreeMap<String, Arc<Plugin>>,
    fresh: BTreeMap<String, Plugin>,
    outcomes: BTreeMap<String, (Outcome, Duration)>,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(options: &'a Options, old: Option<&'a PluginManager>) -> Self {
        Self {
            options,
            old,
            kept: BTreeMap::new(),
            fresh: BTreeMap::new(),
            outcomes: BTreeMap::new(),
        }
    }

    /// Loads files.
    pub(crate) fn run(
        mut self,
        found: Vec<Found>,
        data: &Value,
        reaper: &Arc<Reaper>,
    ) -> Result<Staged, PluginError> {
        let result = self.open_files(found).and_then(|()| self.start(data));
        self.finish(result, reaper)
    }

    /// Loads plugins that are part of this program.
    pub(crate) fn run_static(
        mut self,
        plugins: &[Declaration],
        data: &Value,
        reaper: &Arc<Reaper>,
    ) -> Result<Staged, PluginError> {
        let result = self.make_static(plugins).and_then(|()| self.start(data));
        self.finish(result, reaper)
    }

    fn finish(
        self,
        result: Result<Vec<String>, PluginError>,
        reaper: &Arc<Reaper>,
    ) -> Result<Staged, PluginError> {
        match result.and_then(|names| self.vault(&names).map(|vault| (names, vault))) {
            Ok((names, content)) => self.init(names, content, reaper),
            Err(error) => {
                undo(self.fresh.into_values().map(Arc::new).collect(), reaper);
                Err(error)
            }
        }
    }

    fn vault(&self, names: &[String]) -> Result<Arc<Content>, PluginError> {
        let mut live: BTreeMap<String, LiveEntry> = BTreeMap::new();
        let mut bags = Vec::new();
        for name in names {
            let kept = self.kept.get(name).map(|plugin| &**plugin);
            let Some(plugin) = kept.or_else(|| self.fresh.get(name)) else {
                continue;
            };
            bags.push((name.clone(), Arc::clone(&plugin.bag)));
            for (index, item) in plugin
                .items
                .iter()
                .enumerate()
                .filter(|(_, item)| item.kind.is_live())
            {
                let entry = LiveEntry {
                    items: Arc::clone(&plugin.items),
                    index,
                    life: Arc::clone(&plugin.life),
                };
                if let Some(before) = live.insert(item.name.clone(), entry) {
                    return Err(PluginError::DuplicateLive {
                        name: item.name.clone(),
                        first: before.life.name().to_owned(),
                        second: name.clone(),
                    });
                }
            }
        }
        let old = self.old.and_then(|old| old.vault.set_content());
        bags.push((
            String::new(),
            old.as_ref().map(|old| old.host_bag()).unwrap_or_default(),
        ));
        Ok(Arc::new(Content {
            extension: self.extension(old.as_deref())?,
            bags,
            live,
        }))
    }

    fn extension(&self, old: Option<&Content>) -> Result<Option<AnyExtension>, PluginError> {
        let Some(make) = &self.options.extension else {
            return Ok(None);
        };
        let _inside = Inside::new();
        let made = catch_unwind(AssertUnwindSafe(|| {
            let new = make();
            if let Some(old) = old.and_then(|old| old.extension.as_ref()) {
                (new.carry_over)(&new.value, &old.value, &|name| self.kept.contains_key(name));
            }
            new
        }));
        made.map(Some).map_err(|payload| PluginError::Extension {
            failure: Failure::Panic(take_panic(payload)),
        })
    }

    fn init(
        mut self,
        names: Vec<String>,
        content: Arc<Content>,
        reaper: &Arc<Reaper>,
    ) -> Result<Staged, PluginError> {
        let mut failed = None;
        for name in &names {
            let Some(plugin) = self.fresh.get_mut(name) else {
                continue;
            };
            let begun = Instant::now();
            plugin.newest.set(&content);
            let vault = Vault::of_plugin(Arc::clone(&plugin.newest), &plugin.life);
            let result = plugin.instance.on_init(&vault);
            add_time(&mut self.outcomes, name, begun);
            if let Err(failure) = result {
                failed = Some(plugin.failed(Hook::OnInit, failure));
                break;
            }
        }
        let mut plugins = Vec::with_capacity(names.len());
        for name in &names {
            plugins.extend(self.kept.remove(name));
            plugins.extend(self.fresh.remove(name).map(Arc::new));
        }
        let set = Arc::new(PluginManager {
            vault: Vault::of_set(Arc::clone(&content)),
            plugins,
        });
        let staged = Staged {
            set,
            content,
            outcomes: self.outcomes,
        };
        match failed {
            Some(error) => {
                staged.undo(self.old, reaper);
                Err(error)
            }
            None => Ok(staged),
        }
    }
}

impl Staged {
    /// Calls a callback of the host.
    pub(crate) fn call_back(
        &self,
        old: Option<&PluginManager>,
        callback: impl FnOnce(&PluginManager, Option<&PluginManager>) -> super::HookResult,
    ) -> Result<(), PluginError> {
        protect(|| callback(&self.set, old)).map_err(|failure| PluginError::Callback { failure })
    }

    /// Takes everything back that is not in the old set.
    pub(crate) fn undo(self, old: Option<&PluginManager>, reaper: &Arc<Reaper>) {
        let fresh = not_in(&self.set, old);
        let Staged { set, content, .. } = self;
        drop(set);
        drop(content);
        undo(fresh, reaper);
    }
}

/// The plugins of a set that the other set doesn't have, in order.
pub(crate) fn not_in(set: &PluginManager, other: Option<&PluginManager>) -> Vec<Arc<Plugin>> {
    let has = |plugin: &Arc<Plugin>| {
        other.is_some_and(|other| {
            other
                .plugins
                .iter()
                .any(|theirs| Arc::ptr_eq(theirs, plugin))
        })
    };
    set.plugins
        .iter()
        .filter(|plugin| !has(plugin))
        .cloned()
        .collect()
}

/// Frees what a failed load has made, at once where that is possible.
fn undo(mut fresh: Vec<Arc<Plugin>>, reaper: &Arc<Reaper>) {
    // Without an order (the failure came before it), importers still go before what they import:
    // what is imported is counted, and is tried again in the next round.
    let mut progress = true;
    while progress {
        progress = false;
        for plugin in std::mem::take(&mut fresh).into_iter().rev() {
            match unused(plugin) {
                Ok(plugin) => {
                    free(plugin);
                    progress = true;
                }
                Err(plugin) => fresh.insert(0, plugin),
            }
        }
    }
    // What is left is held by somebody, or by each other. If nothing of it was ever loaded, it is
    // the latter, or as good as.
    let (never_loaded, loaded): (Vec<_>, Vec<_>) =
        fresh.into_iter().partition(|plugin| !plugin.is_loaded);
    let mut together = Vec::new();
    for plugin in never_loaded {
        together.extend(Arc::into_inner(plugin));
    }
    take_apart_together(together);
    reaper.add(loaded, Duration::ZERO);
}

fn add_time(outcomes: &mut BTreeMap<String, (Outcome, Duration)>, name: &str, begun: Instant) {
    if let Some((_, elapsed)) = outcomes.get_mut(name) {
        *elapsed += begun.elapsed();
    }
}
