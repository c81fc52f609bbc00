//! How a host wants its plugins handled.

use std::fmt;
use std::time::Duration;

use super::error::HookResult;
use super::extension::{AnyExtension, Extension};
use super::hooks::Declaration;
use super::set::PluginManager;

/// Called after `on_init` and before the new set becomes current, with the new set and the old one.
pub(crate) type Callback =
    Box<dyn Fn(&PluginManager, Option<&PluginManager>) -> HookResult + Send + Sync>;

/// How a host wants its plugins handled.
///
/// ```
/// use std::time::Duration;
/// use soft_mock::plugin::{Entries, Options};
///
/// let options = Options::new()
///     .free_delay(Duration::from_secs(1))
///     .whitelist(["greeter"])
///     .extension(Entries::<String>::default)
///     .on_reload(|new, old| {
///         println!("{} plugins, before {}", new.plugins().len(), old.map_or(0, |old| old.plugins().len()));
///         Ok(())
///     });
/// # let _ = options;
/// ```
pub struct Options {
    pub(crate) free_delay: Duration,
    pub(crate) on_reload: Option<Callback>,
    pub(crate) extension: Option<Box<dyn Fn() -> AnyExtension + Send + Sync>>,
    pub(crate) static_plugins: Vec<Declaration>,
    pub(crate) whitelist: Option<Vec<String>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            free_delay: Duration::from_secs(15),
            on_reload: None,
            extension: None,
            static_plugins: Vec::new(),
            whitelist: None,
        }
    }
}

impl Options {
    /// The defaults: a free delay of 15 seconds, and nothing else.
    pub fn new() -> Self {
        Self::default()
    }

    /// The time between a plugin's replacement and its `on_free`, at least.
    #[must_use]
    pub fn free_delay(mut self, delay: Duration) -> Self {
        self.free_delay = delay;
        self
    }

    /// Called for every load and reload, with the new set and the old one, just before the new one
    /// becomes current. An error or a panic undoes the reload.
    #[must_use]
    pub fn on_reload(
        mut self,
        callback: impl Fn(&PluginManager, Option<&PluginManager>) -> HookResult + Send + Sync + 'static,
    ) -> Self {
        self.on_reload = Some(Box::new(callback));
        self
    }

    /// Makes the vault's extension, once for each set.
    #[must_use]
    pub fn extension<E: Extension>(mut self, make: impl Fn() -> E + Send + Sync + 'static) -> Self {
        self.extension = Some(Box::new(move || AnyExtension::new(make())));
        self
    }

    /// Plugins that are linked into this program; the folder is then not looked at. An empty list
    /// is none.
    #[must_use]
    pub fn static_plugins(mut self, plugins: impl IntoIterator<Item = Declaration>) -> Self {
        self.static_plugins = plugins.into_iter().collect();
        self
    }

    /// Only these plugins are loaded, by the names of their files; all of them must be there.
    #[must_use]
    pub fn whitelist<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.whitelist = Some(names.into_iter().map(Into::into).collect());
        self
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("free_delay", &self.free_delay)
            .field("static_plugins", &self.static_plugins)
            .field("whitelist", &self.whitelist)
            .finish_non_exhaustive()
    }
}
