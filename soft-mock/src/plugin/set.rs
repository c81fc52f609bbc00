//! A set of plugins, which is one version: what `current()` gives.

use std::fmt;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::error::{Failure, Hook, LookupError, PluginError};
use super::hooks::{Export, Instance};
use super::image::Image;
use super::life::{Escape, Life};
use super::live::{Item, ItemKind, Live};
use super::value::Value;
use super::vault::{Bag, Newest, Vault};

/// A plugin of a set, as the host sees it.
pub struct Plugin {
    pub(crate) facts: Facts,
    // All that can hold pointers into the library, dropped by `take_apart` in that order. Never
    // dropped by itself: a value whose library may be gone must not run.
    pub(crate) instance: ManuallyDrop<Box<dyn Instance>>,
    pub(crate) exported: ManuallyDrop<Arc<Export>>,
    pub(crate) items: ManuallyDrop<Arc<Vec<Item>>>,
    pub(crate) life: Arc<Life>,
    pub(crate) bag: Arc<Bag>,
    pub(crate) newest: Arc<Newest>,
    pub(crate) image: Option<Image>,
    /// `on_load` has succeeded.
    pub(crate) is_loaded: bool,
}

/// What is known of a plugin.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) note: String,
    pub(crate) file: Option<PathBuf>,
    pub(crate) hash: String,
    pub(crate) loaded_at: SystemTime,
    pub(crate) dependencies: Vec<String>,
    pub(crate) reloadable: bool,
}

impl Plugin {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.facts.name
    }

    /// The file that it was loaded from; none if it is linked statically.
    pub fn file(&self) -> Option<&Path> {
        self.facts.file.as_deref()
    }

    /// A hash of its file's content; empty if it is linked statically.
    pub fn hash(&self) -> &str {
        &self.facts.hash
    }

    /// When it was loaded.
    pub fn loaded_at(&self) -> SystemTime {
        self.facts.loaded_at
    }

    /// The version of its crate.
    pub fn version(&self) -> &str {
        &self.facts.version
    }

    /// Its version note: that of its author, or the commit that it was built from.
    pub fn note(&self) -> &str {
        &self.facts.note
    }

    /// The plugins that it imports, sorted by name.
    pub fn dependencies(&self) -> &[String] {
        &self.facts.dependencies
    }

    /// Whether a later version may take its place.
    pub fn reloadable(&self) -> bool {
        self.facts.reloadable
    }

    /// The memory of its library, in bytes; 0 if it is linked statically.
    pub fn memory(&self) -> u64 {
        self.image.as_ref().map_or(0, |image| image.memory)
    }

    /// Calls one of its functions.
    ///
    /// # Errors
    /// [`PluginError::Hook`], with [`Failure::NoSuchFunction`] if it has none of that name.
    pub fn invoke_func(&self, name: &str, params: impl Into<Value>) -> Result<Value, PluginError> {
        let params = params.into();
        if params.is_object() {
            self.life.note(Escape::ObjectIn);
        }
        match self.instance.invoke_func(name, params) {
            Ok(value) => {
                if value.is_object() {
                    self.life.note(Escape::ObjectOut);
                }
                Ok(value)
            }
            Err(failure) => Err(self.failed(Hook::InvokeFunc, failure)),
        }
    }

    /// The function or static that the plugin marked with `#[symbol]` or `#[live]`, if it has the
    /// type `T`: `fn(…) -> …` for a function, `&'static T` for a static.
    ///
    /// # Errors
    /// If there is none, or it has another type.
    pub fn lookup<T: Copy + 'static>(&self, symbol: &str) -> Result<Live<T>, LookupError> {
        let of_functions = || self.items.iter().filter(|item| item.kind != ItemKind::Type);
        let Some(item) = of_functions().find(|item| item.name == symbol) else {
            let present = of_functions().map(|item| item.name.clone()).collect();
            return Err(LookupError::Unknown {
                kind: "symbol",
                name: symbol.to_owned(),
                present,
            });
        };
        let pointer = item.pointer::<T>("symbol")?;
        self.life.note(Escape::Symbol);
        Ok(Live::new(pointer, Arc::clone(&self.life)))
    }

    /// The object that the plugin exports, if it is a `T`.
    ///
    /// # Errors
    /// If there is none, or it has another type.
    pub fn exported<T: ?Sized + Send + Sync + 'static>(&self) -> Result<Live<Arc<T>>, LookupError> {
        let kind = "export of plugin";
        let Some(exported) = &self.exported.0 else {
            return Err(LookupError::Unknown {
                kind,
                name: self.name().to_owned(),
                present: Vec::new(),
            });
        };
        let object = exported
            .get::<T>()
            .map_err(|error| LookupError::of(kind, self.name(), error))?;
        self.life.note(Escape::Export);
        Ok(Live::new(object, Arc::clone(&self.life)))
    }

    pub(crate) fn failed(&self, hook: Hook, failure: Failure) -> PluginError {
        PluginError::Hook {
            plugin: self.facts.name.clone(),
            hook,
            failure,
        }
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.facts.fmt(f)
    }
}

/// A set of plugins. Who holds one goes on with its plugins, whatever is reloaded meanwhile.
pub struct PluginManager {
    // The vault first: what it holds may belong to the plugins.
    pub(crate) vault: Vault,
    /// In dependency order.
    pub(crate) plugins: Vec<Arc<Plugin>>,
}

impl PluginManager {
    /// The plugin of that name.
    pub fn find_plugin(&self, name: &str) -> Option<&Plugin> {
        self.plugins
            .iter()
            .find(|plugin| plugin.name() == name)
            .map(|plugin| &**plugin)
    }

    /// The plugin of that name.
    ///
    /// # Errors
    /// If there is none.
    pub fn plugin(&self, name: &str) -> Result<&Plugin, PluginError> {
        self.find_plugin(name)
            .ok_or_else(|| PluginError::UnknownPlugin {
                name: name.to_owned(),
                present: self
                    .plugins()
                    .map(|plugin| plugin.name().to_owned())
                    .collect(),
            })
    }

    /// All plugins, each after those that it imports; otherwise sorted by name.
    pub fn plugins(&self) -> impl DoubleEndedIterator<Item = &Plugin> + ExactSizeIterator {
        self.plugins.iter().map(|plugin| &**plugin)
    }

    /// The vault.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Calls a function of every plugin that has it, in dependency order. A failure is logged, and
    /// the rest go on; all results come back.
    pub fn invoke_each(
        &self,
        name: &str,
        params: impl IntoParams,
    ) -> Vec<(String, Result<Value, PluginError>)> {
        each(self.plugins(), name, &params)
    }

    /// As [`invoke_each`](Self::invoke_each), in reverse order.
    pub fn invoke_each_backward(
        &self,
        name: &str,
        params: impl IntoParams,
    ) -> Vec<(String, Result<Value, PluginError>)> {
        each(self.plugins().rev(), name, &params)
    }
}

impl fmt::Debug for PluginManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.plugins()).finish()
    }
}

/// Parameters that can be given to several plugins: plain data, or a function that makes them.
pub trait IntoParams {
    /// The parameters for one call.
    fn params(&self) -> Value;
}

impl<T: Clone + Into<super::LiveData>> IntoParams for T {
    fn params(&self) -> Value {
        self.clone().into().into()
    }
}

impl IntoParams for () {
    fn params(&self) -> Value {
        Value::none()
    }
}

fn each<'a>(
    plugins: impl Iterator<Item = &'a Plugin>,
    name: &str,
    params: &impl IntoParams,
) -> Vec<(String, Result<Value, PluginError>)> {
    let mut results = Vec::new();
    for plugin in plugins {
        let result = plugin.invoke_func(name, params.params());
        match &result {
            Err(PluginError::Hook {
                failure: Failure::NoSuchFunction(_),
                ..
            }) => continue,
            Err(error) => {
                tracing::error!(plugin = plugin.name(), function = name, %error, "plugin function failed")
            }
            Ok(_) => {}
        }
        results.push((plugin.name().to_owned(), result));
    }
    results
}
