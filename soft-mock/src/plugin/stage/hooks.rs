//! The hooks of fresh plugins up to `on_load`, in the order in which they are called.

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::time::Instant;

use super::{add_time, Stage};
use crate::plugin::error::{Failure, Hook, PluginError};
use crate::plugin::hooks::{Available, ImportError, Imports};
use crate::plugin::image::{self, Image};
use crate::plugin::life::Escape;
use crate::plugin::order::order;
use crate::plugin::set::Plugin;
use crate::plugin::value::Value;

impl Stage<'_> {
    /// All hooks up to `on_load`; returns the names of all plugins in order.
    pub(super) fn start(&mut self, data: &Value) -> Result<Vec<String>, PluginError> {
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
        ImportError::Other { dependency, other } => PluginError::DependencyOther {
            plugin,
            dependency,
            other,
        },
    }
}
