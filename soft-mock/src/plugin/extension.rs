//! The host's own part of the vault. Of the rest it knows only who is looking.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use super::object::Object;
use super::vault::Vault;

/// The host's own part of the vault. One is made for each set of plugins.
pub trait Extension: Any + Send + Sync {
    /// Takes over what the plugins that are `carried` unchanged into this set have put into the old
    /// one's extension: their `on_init` doesn't run again. [`Entries`] does it for what it
    /// holds.
    fn carry_over(&self, old: &Self, carried: &dyn Fn(&str) -> bool)
    where
        Self: Sized;
}

/// Things by name, each the property of a plugin: the usual content of an [`Extension`].
pub struct Entries<T>(RwLock<BTreeMap<String, (String, Arc<T>)>>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

/// Another plugin has put something there under that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the entry `{name}` of plugin `{newcomer}` is already one of plugin `{owner}`")]
pub struct EntryTaken {
    /// The entry.
    pub name: String,
    /// The plugin that has it.
    pub owner: String,
    /// The plugin that wanted it.
    pub newcomer: String,
}

impl<T: Send + Sync + 'static> Entries<T> {
    /// Adds or replaces an entry of the plugin that `vault` belongs to.
    ///
    /// # Errors
    /// If another plugin has that name.
    pub fn insert(
        &self,
        vault: &Vault,
        name: impl Into<String>,
        entry: T,
    ) -> Result<(), EntryTaken> {
        let name = name.into();
        let newcomer = vault.owner().to_owned();
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match entries.get(&name) {
            Some((owner, _)) if *owner != newcomer => Err(EntryTaken {
                name,
                owner: owner.clone(),
                newcomer,
            }),
            _ => {
                entries.insert(name, (newcomer, Arc::new(entry)));
                Ok(())
            }
        }
    }

    /// The entry of that name.
    pub fn get(&self, name: &str) -> Option<Arc<T>> {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        entries.get(name).map(|(_, entry)| Arc::clone(entry))
    }

    /// All names, with the plugins that they belong to.
    pub fn names(&self) -> Vec<(String, String)> {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        entries
            .iter()
            .map(|(name, (owner, _))| (name.clone(), owner.clone()))
            .collect()
    }
}

impl<T: Send + Sync + 'static> Extension for Entries<T> {
    fn carry_over(&self, old: &Self, carried: &dyn Fn(&str) -> bool) {
        let old = old.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (name, (owner, entry)) in old
            .iter()
            .filter(|(_, (owner, _))| owner.is_empty() || carried(owner))
        {
            entries
                .entry(name.clone())
                .or_insert_with(|| (owner.clone(), Arc::clone(entry)));
        }
    }
}

impl<T> fmt::Debug for Entries<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_map()
            .entries(entries.iter().map(|(name, (owner, _))| (name, owner)))
            .finish()
    }
}

type AnyShared = Object<Box<dyn Any + Send + Sync>>;

/// [`Extension::carry_over`], from the new value and the old one.
type CarryOver = fn(&AnyShared, &AnyShared, &dyn Fn(&str) -> bool);

/// The extension of a set, with its type forgotten.
pub(crate) struct AnyExtension {
    pub(crate) value: AnyShared,
    pub(crate) carry_over: CarryOver,
}

impl AnyExtension {
    pub(crate) fn new<E: Extension>(value: E) -> Self {
        Self {
            value: Object::boxed(value),
            carry_over: |new, old, carried| {
                if let (Ok(new), Ok(old)) = (new.get::<E>(), old.get::<E>()) {
                    new.carry_over(old, carried);
                }
            },
        }
    }
}
