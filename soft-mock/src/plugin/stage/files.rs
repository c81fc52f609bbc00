//! From files to fresh plugins: what is carried over, what is opened anew, and the value of each.

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::Stage;
use crate::plugin::abi::Known;
use crate::plugin::error::{Hook, PluginError};
use crate::plugin::folder::Found;
use crate::plugin::hooks::{Declaration, Export};
use crate::plugin::image::{self, Image};
use crate::plugin::life::{Escapes, Life};
use crate::plugin::report::Outcome;
use crate::plugin::set::{Facts, Plugin, PluginManager};
use crate::plugin::vault::{Bag, Newest};

impl Stage<'_> {
    pub(super) fn open_files(&mut self, found: Vec<Found>) -> Result<(), PluginError> {
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
            // SAFETY: `known.check` has compared compiler and shared types, with the host's and
            // those of all others of this set.
            let (image, declaration) = unsafe { image::open(&found.file) }?;
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
        // What imports a plugin that isn't carried over holds its old object, and is loaded anew
        // with it.
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

    pub(super) fn make_static(&mut self, plugins: &[Declaration]) -> Result<(), PluginError> {
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
