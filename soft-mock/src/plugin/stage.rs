//! One load or reload, from the folder to a set that could become current. All or nothing: whatever fails,
//! what was begun is taken back, and the old set was never touched.
//!
//! ```text
//! files → kept | fresh → pre-flight → open → reloadable → export → import → order
//!       → on_load → vault → on_init → callbacks → (host: swap)
//! ```

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::abi::Known;
use super::border::{protect, take_panic, Inside};
use super::error::{Failure, Hook, PluginError};
use super::folder::Found;
use super::hooks::{Available, Declaration, Export, ImportError, Imports};
use super::image::{self, Image};
use super::life::{Escape, Escapes, Life};
use super::options::Options;
use super::order::order;
use super::reaper::{free, take_apart_together, unused, Reaper};
use super::report::Outcome;
use super::set::{Facts, Plugin, PluginManager};
use super::value::Value;
use super::vault::{Bag, Content, LiveEntry, Newest, Vault};

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

    // ---- files

    fn open_files(&mut self, found: Vec<Found>) -> Result<(), PluginError> {
        let fresh = self.keep(found)?;
        let mut known = Known::of_host();
        for (name, plugin) in &self.kept {
            if let Some(image) = &plugin.image {
                known.check(name, &image.built_by, &image.shared)?;
            }
        }
        // All are checked before the first is opened.
        for found in &fresh {
            known.check(found.name(), &found.file.manifest.rustc, &found.file.shared)?;
        }
        for found in fresh {
            let begun = Instant::now();
            let (image, declaration) = image::open(&found.file)?;
            let escapes = Arc::clone(&image.escapes);
            let mut facts = facts_of(&declaration);
            facts.file = Some(found.file.path().to_owned());
            facts.hash = found.hash;
            self.make(&declaration, facts, Some(image), escapes)?;
            self.took(&declaration, begun);
        }
        Ok(())
    }

    /// Carries over what can be, and returns the rest.
    fn keep(&mut self, found: Vec<Found>) -> Result<Vec<Found>, PluginError> {
        let old = |name: &str| {
            let old = self.old?;
            old.plugins
                .iter()
                .find(|plugin| plugin.name() == name)
                .cloned()
        };
        let (mut kept, mut fresh) = (BTreeMap::new(), BTreeMap::new());
        for found in found {
            let name = found.name().to_owned();
            match old(&name).filter(|plugin| plugin.hash() == found.hash || !plugin.reloadable()) {
                Some(plugin) => kept.insert(name, (plugin, found)).map(drop),
                None => fresh.insert(name, found).map(drop),
            };
        }
        // What imports a plugin that isn't carried over holds its old object, and is loaded anew with it.
        loop {
            let is_stale = |plugin: &Plugin| {
                plugin
                    .dependencies()
                    .iter()
                    .any(|needed| !kept.contains_key(needed))
            };
            let Some(name) = kept
                .iter()
                .find(|(_, (plugin, _))| is_stale(plugin))
                .map(|(name, _)| name.clone())
            else {
                break;
            };
            if let Some((plugin, found)) = kept.remove(&name) {
                if !plugin.reloadable() {
                    return Err(stale(
                        &plugin,
                        &kept.keys().chain(fresh.keys()).cloned().collect::<Vec<_>>(),
                    ));
                }
                fresh.insert(name, found);
            }
        }
        for (name, (plugin, found)) in kept {
            let outcome = if plugin.hash() == found.hash {
                Outcome::Unchanged
            } else {
                Outcome::NotReloadable
            };
            self.outcomes
                .insert(name.clone(), (outcome, Duration::ZERO));
            self.kept.insert(name, plugin);
        }
        for plugin in self.old.into_iter().flat_map(PluginManager::plugins) {
            if !self.kept.contains_key(plugin.name()) && !fresh.contains_key(plugin.name()) {
                self.outcomes
                    .insert(plugin.name().to_owned(), (Outcome::Removed, Duration::ZERO));
            }
        }
        Ok(fresh.into_values().collect())
    }

    fn make_static(&mut self, plugins: &[Declaration]) -> Result<(), PluginError> {
        for declaration in plugins {
            let begun = Instant::now();
            if self.fresh.contains_key(declaration.name) {
                return Err(PluginError::DuplicateName {
                    name: declaration.name.to_owned(),
                    first: "linked statically".to_owned(),
                    second: "linked statically".to_owned(),
                });
            }
            self.make(declaration, facts_of(declaration), None, Arc::default())?;
            self.took(declaration, begun);
        }
        Ok(())
    }

    /// Makes the plugin's value.
    fn make(
        &mut self,
        declaration: &Declaration,
        facts: Facts,
        image: Option<Image>,
        escapes: Arc<Escapes>,
    ) -> Result<(), PluginError> {
        let name = facts.name.clone();
        let instance = match declaration.make() {
            Ok(instance) => instance,
            Err(failure) => {
                if let Some(image) = &image {
                    // SAFETY: no value was made, and nothing of the library was handed out.
                    unsafe { image::release(image) };
                }
                return Err(PluginError::Hook {
                    plugin: name,
                    hook: Hook::Default,
                    failure,
                });
            }
        };
        let items = instance.items(declaration);
        let (items, failure) = match items {
            Ok(items) => (items, None),
            Err(failure) => (Vec::new(), Some(failure)),
        };
        let life = Life::new(&name, escapes);
        self.fresh.insert(
            name.clone(),
            Plugin {
                facts,
                instance: ManuallyDrop::new(instance),
                exported: ManuallyDrop::new(Arc::new(Export::nothing())),
                items: ManuallyDrop::new(Arc::new(items)),
                life,
                bag: Arc::new(Bag::default()),
                newest: Arc::new(Newest::default()),
                image,
                is_loaded: false,
            },
        );
        match failure {
            Some(failure) => Err(PluginError::Hook {
                plugin: name,
                hook: Hook::Live,
                failure,
            }),
            None => Ok(()),
        }
    }

    fn took(&mut self, declaration: &Declaration, begun: Instant) {
        let entry = self
            .outcomes
            .entry(declaration.name.to_owned())
            .or_insert((Outcome::Ok, Duration::ZERO));
        *entry = (Outcome::Ok, entry.1 + begun.elapsed());
    }

    // ---- hooks

    /// All hooks up to `on_load`; returns the names of all plugins in order.
    fn start(&mut self, data: &Value) -> Result<Vec<String>, PluginError> {
        self.each_fresh(Hook::Reloadable, |plugin| {
            plugin.facts.reloadable = plugin.instance.reloadable()?;
            Ok(())
        })?;
        self.each_fresh(Hook::Export, |plugin| {
            plugin.exported = ManuallyDrop::new(Arc::new(plugin.instance.export()?));
            Ok(())
        })?;
        self.import()?;
        let names = self.order()?;
        for name in &names {
            self.on_load(name, data)?;
        }
        Ok(names)
    }

    fn each_fresh(
        &mut self,
        hook: Hook,
        mut call: impl FnMut(&mut Plugin) -> Result<(), Failure>,
    ) -> Result<(), PluginError> {
        for (name, plugin) in &mut self.fresh {
            let begun = Instant::now();
            let result = call(plugin);
            add_time(&mut self.outcomes, name, begun);
            result.map_err(|failure| plugin.failed(hook, failure))?;
        }
        Ok(())
    }

    fn import(&mut self) -> Result<(), PluginError> {
        let kept = self.kept.values().map(|plugin| &**plugin);
        let available: BTreeMap<String, Available> = kept
            .chain(self.fresh.values())
            .map(|plugin| {
                let (life, exported) = (Arc::clone(&plugin.life), Arc::clone(&plugin.exported));
                (plugin.name().to_owned(), Available { life, exported })
            })
            .collect();
        let mut edges = Vec::new();
        for (name, plugin) in &mut self.fresh {
            let begun = Instant::now();
            let mut imports = Imports {
                available: &available,
                taken: Vec::new(),
                error: None,
            };
            let result = plugin.instance.import(&mut imports);
            let Imports { taken, error, .. } = imports;
            edges.extend(
                taken
                    .iter()
                    .map(|dependency| (name.clone(), dependency.clone())),
            );
            plugin.facts.dependencies = taken;
            plugin.facts.dependencies.sort();
            add_time(&mut self.outcomes, name, begun);
            if let (Some(error), Err(Failure::Error(_))) = (error, &result) {
                return Err(import_failed(name, error, available.keys()));
            }
            result.map_err(|failure| plugin.failed(Hook::Import, failure))?;
        }
        for (importer, exporter) in edges {
            if let (Some(one), Some(other)) = (self.image(&importer), self.image(&exporter)) {
                image::link(one, other);
            }
        }
        Ok(())
    }

    fn image(&self, name: &str) -> Option<&Image> {
        let kept = self.kept.get(name).map(|plugin| &**plugin);
        kept.or_else(|| self.fresh.get(name))?.image.as_ref()
    }

    fn order(&self) -> Result<Vec<String>, PluginError> {
        let kept = self.kept.values().map(|plugin| &**plugin);
        let all: BTreeMap<&str, &Plugin> = kept
            .chain(self.fresh.values())
            .map(|plugin| (plugin.name(), plugin))
            .collect();
        let edges = all
            .iter()
            .map(|(name, plugin)| ((*name).to_owned(), plugin.dependencies().to_vec()))
            .collect();
        let names = order(&edges)?;
        for plugin in all.values().filter(|plugin| !plugin.reloadable()) {
            let reloadable = plugin.dependencies().iter().find(|needed| {
                all.get(needed.as_str())
                    .is_some_and(|needed| needed.reloadable())
            });
            if let Some(dependency) = reloadable {
                return Err(PluginError::DependsOnReloadable {
                    plugin: plugin.name().to_owned(),
                    dependency: dependency.clone(),
                });
            }
        }
        Ok(names)
    }

    fn on_load(&mut self, name: &str, data: &Value) -> Result<(), PluginError> {
        let Some(plugin) = self.fresh.get_mut(name) else {
            return Ok(());
        };
        let begun = Instant::now();
        if data.is_object() {
            plugin.life.note(Escape::ObjectIn);
        }
        let result = plugin.instance.on_load(data);
        add_time(&mut self.outcomes, name, begun);
        result.map_err(|failure| plugin.failed(Hook::OnLoad, failure))?;
        plugin.is_loaded = true;
        Ok(())
    }

    // ---- vault

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

    fn extension(
        &self,
        old: Option<&Content>,
    ) -> Result<Option<super::vault::AnyExtension>, PluginError> {
        let Some(make) = &self.options.extension else {
            return Ok(None);
        };
        let _inside = Inside::new();
        let made = catch_unwind(AssertUnwindSafe(|| {
            let new = make();
            if let Some(old) = old.and_then(|old| old.extension.as_ref()) {
                (new.carry_over)(&*new.value, &*old.value, &|name| {
                    self.kept.contains_key(name)
                });
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
    // Without an order (the failure came before it), importers still go before what they import: what is
    // imported is counted, and is tried again in the next round.
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
    // What is left is held by somebody, or by each other. If nothing of it was ever loaded, it is the
    // latter, or as good as.
    let (never_loaded, loaded): (Vec<_>, Vec<_>) =
        fresh.into_iter().partition(|plugin| !plugin.is_loaded);
    let mut together = Vec::new();
    for plugin in never_loaded {
        together.extend(Arc::into_inner(plugin));
    }
    take_apart_together(together);
    reaper.add(loaded, Duration::ZERO);
}

fn facts_of(declaration: &Declaration) -> Facts {
    Facts {
        name: declaration.name.to_owned(),
        version: declaration.version.to_owned(),
        note: declaration.note.to_owned(),
        file: None,
        hash: String::new(),
        loaded_at: SystemTime::now(),
        dependencies: Vec::new(),
        reloadable: true,
    }
}

fn add_time(outcomes: &mut BTreeMap<String, (Outcome, Duration)>, name: &str, begun: Instant) {
    if let Some((_, elapsed)) = outcomes.get_mut(name) {
        *elapsed += begun.elapsed();
    }
}

fn stale(plugin: &Plugin, present: &[String]) -> PluginError {
    let gone = plugin
        .dependencies()
        .iter()
        .find(|needed| !present.contains(needed));
    PluginError::UnknownDependency {
        plugin: plugin.name().to_owned(),
        dependency: gone
            .or(plugin.dependencies().first())
            .cloned()
            .unwrap_or_default(),
        present: present.to_vec(),
    }
}

fn import_failed<'a>(
    plugin: &str,
    error: ImportError,
    present: impl Iterator<Item = &'a String>,
) -> PluginError {
    let plugin = plugin.to_owned();
    match error {
        ImportError::Unknown { dependency } => PluginError::UnknownDependency {
            plugin,
            dependency,
            present: present.cloned().collect(),
        },
        ImportError::Type {
            dependency,
            wanted,
            found,
        } => PluginError::DependencyType {
            plugin,
            dependency,
            wanted,
            found,
        },
    }
}
