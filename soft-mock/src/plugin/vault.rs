//! The vault: what a set of plugins shares. Live functions and types by name, a bag of data, and
//! the host's own extension.
//!
//! A plugin that is carried over to the next set keeps its bag (it *is* the same bag) and its
//! entries in the extension (see [`Extension::carry_over`]). Its vault follows: a [`Vault`] that a
//! plugin keeps looks into the newest set that the plugin belongs to.

use std::any::{type_name, Any};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use super::error::{LookupError, ObjectError};
use super::extension::{AnyExtension, Extension};
use super::life::{Escape, Escapes, Life};
use super::live::{Item, ItemKind, Live, LiveValue};
use super::live_data::LiveData;
use super::object::Object;

/// What a set's vault holds.
pub(crate) struct Content {
    // Before what keeps the plugins: its entries may belong to them.
    pub(crate) extension: Option<AnyExtension>,
    pub(crate) bags: Vec<(String, Arc<Bag>)>,
    pub(crate) live: BTreeMap<String, LiveEntry>,
}

impl Content {
    /// The host's own part of the data bag, which goes from set to set.
    pub(crate) fn host_bag(&self) -> Arc<Bag> {
        let own = self.bags.iter().find(|(owner, _)| owner.is_empty());
        own.map(|(_, bag)| Arc::clone(bag)).unwrap_or_default()
    }
}

/// Where a live thing is.
pub(crate) struct LiveEntry {
    pub(crate) items: Arc<Vec<Item>>,
    pub(crate) index: usize,
    pub(crate) life: Arc<Life>,
}

/// One plugin's part of the data bag.
#[derive(Default)]
pub(crate) struct Bag(RwLock<BTreeMap<String, Bagged>>);

#[derive(Clone)]
enum Bagged {
    Data(LiveData),
    Object(Object<Arc<dyn Any + Send + Sync>>),
}

/// A view of the vault.
#[derive(Clone)]
pub struct Vault {
    link: Link,
    owner: Option<Arc<Escapes>>,
    name: String,
}

/// How a view finds the content.
#[derive(Clone)]
enum Link {
    /// That of one set.
    Set(Arc<Content>),
    /// That of the newest set of a plugin.
    Following(Arc<Newest>),
}

/// The vault of the newest set that a plugin belongs to.
#[derive(Default)]
pub(crate) struct Newest(RwLock<Weak<Content>>);

impl Newest {
    pub(crate) fn set(&self, content: &Arc<Content>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(content);
    }
}

impl Vault {
    /// The host's view of one set.
    pub(crate) fn of_set(content: Arc<Content>) -> Self {
        Self {
            link: Link::Set(content),
            owner: None,
            name: String::new(),
        }
    }

    /// A plugin's view.
    pub(crate) fn of_plugin(newest: Arc<Newest>, life: &Life) -> Self {
        // Not the life itself: the plugin keeps this view, and would keep itself in use.
        Self {
            link: Link::Following(newest),
            owner: Some(life.escapes()),
            name: life.name().to_owned(),
        }
    }

    /// The content, if this is the host's view of a set.
    pub(crate) fn set_content(&self) -> Option<Arc<Content>> {
        match &self.link {
            Link::Set(content) => Some(Arc::clone(content)),
            Link::Following(_) => None,
        }
    }

    /// The plugin that this view belongs to; empty for the host's.
    pub fn owner(&self) -> &str {
        &self.name
    }

    /// The live function of that name, such as `live_func::<fn(&str) -> bool>("live_send")`.
    ///
    /// # Errors
    /// If there is none, or it has another type.
    pub fn live_func<F: Copy + 'static>(&self, name: &str) -> Result<Live<F>, LookupError> {
        self.live(name, ItemKind::Function, "live function")
    }

    /// A new value of the live type of that name, such as `live_type::<dyn Job>("Mail")`.
    ///
    /// # Errors
    /// If there is none, or it makes values of another type.
    pub fn live_type<T: ?Sized + 'static>(&self, name: &str) -> Result<LiveValue<T>, LookupError> {
        let make = self.live::<fn() -> Box<T>>(name, ItemKind::Type, "live type")?;
        let (make, life) = make.into_parts();
        Ok(LiveValue::new(make(), life))
    }

    /// The names of all live functions and types.
    ///
    /// # Errors
    /// If the set is gone.
    pub fn live_names(&self) -> Result<Vec<String>, LookupError> {
        Ok(self.content()?.live.keys().cloned().collect())
    }

    /// The data bag.
    ///
    /// # Errors
    /// If the set is gone.
    pub fn data_bag(&self) -> Result<DataBag, LookupError> {
        Ok(DataBag {
            content: self.content()?,
            vault: self.clone(),
        })
    }

    /// The host's extension.
    ///
    /// # Errors
    /// If there is none, or it has another type.
    pub fn extension<E: Extension>(&self) -> Result<ExtensionRef<E>, LookupError> {
        let content = self.content()?;
        let Some(extension) = &content.extension else {
            return Err(LookupError::Unknown {
                kind: "extension",
                name: type_name::<E>().to_owned(),
                present: Vec::new(),
            });
        };
        let found = extension.value.get::<E>();
        found.map_err(|error| LookupError::of("extension", "of the host", error))?;
        self.note(Escape::Extension);
        Ok(ExtensionRef {
            content,
            _type: PhantomData,
        })
    }

    fn live<F: Copy + 'static>(
        &self,
        name: &str,
        kind: ItemKind,
        word: &'static str,
    ) -> Result<Live<F>, LookupError> {
        let content = self.content()?;
        let item_of = |entry: &LiveEntry| {
            entry
                .items
                .get(entry.index)
                .is_some_and(|item| item.kind == kind)
        };
        let Some(entry) = content.live.get(name).filter(|entry| item_of(entry)) else {
            let names = content.live.iter().filter(|(_, entry)| item_of(entry));
            let present = names.map(|(name, _)| name.clone()).collect();
            return Err(LookupError::Unknown {
                kind: word,
                name: name.to_owned(),
                present,
            });
        };
        let pointer = entry.items[entry.index].pointer::<F>(word)?;
        entry.life.note(Escape::Live);
        self.note(Escape::Live);
        Ok(Live::new(pointer, Arc::clone(&entry.life)))
    }

    fn note(&self, escape: Escape) {
        if let Some(owner) = &self.owner {
            owner.note(escape);
        }
    }

    fn content(&self) -> Result<Arc<Content>, LookupError> {
        match &self.link {
            Link::Set(content) => Ok(Arc::clone(content)),
            Link::Following(newest) => {
                let newest = newest.0.read().unwrap_or_else(PoisonError::into_inner);
                newest.upgrade().ok_or(LookupError::Gone)
            }
        }
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Vault({})",
            if self.name.is_empty() {
                "host"
            } else {
                &self.name
            }
        )
    }
}

/// The host's extension, which lives as long as this.
pub struct ExtensionRef<E> {
    content: Arc<Content>,
    _type: PhantomData<fn() -> E>,
}

impl<E: Extension> Deref for ExtensionRef<E> {
    type Target = E;

    fn deref(&self) -> &E {
        match self
            .content
            .extension
            .as_ref()
            .map(|extension| extension.value.get())
        {
            Some(Ok(extension)) => extension,
            _ => unreachable!("the type was compared when this was made"),
        }
    }
}

impl<E> fmt::Debug for ExtensionRef<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExtensionRef({})", type_name::<E>())
    }
}

/// Data by name. Every plugin (and the host) writes its own part and reads all; its own comes
/// first.
pub struct DataBag {
    content: Arc<Content>,
    vault: Vault,
}

impl DataBag {
    /// Puts plain data in.
    pub fn set(&self, key: impl Into<String>, data: impl Into<LiveData>) {
        self.put(key.into(), Bagged::Data(data.into()));
    }

    /// Puts an object in. The plugin whose object it is can't be unloaded from then on.
    pub fn set_object<T: Any + Send + Sync>(&self, key: impl Into<String>, object: Arc<T>) {
        self.vault.note(Escape::ObjectOut);
        self.put(key.into(), Bagged::Object(Object::shared(object)));
    }

    /// The plain data of that name.
    pub fn get(&self, key: &str) -> Option<LiveData> {
        match self.find(key)? {
            Bagged::Data(data) => Some(data),
            Bagged::Object(_) => None,
        }
    }

    /// The object of that name, if it is a `T`.
    ///
    /// # Errors
    /// If there is none, or it has another type.
    pub fn object<T: Any + Send + Sync>(&self, key: &str) -> Result<Arc<T>, LookupError> {
        let kind = "object in the data bag";
        let object = match self.find(key) {
            Some(Bagged::Object(object)) => object,
            Some(Bagged::Data(_)) => {
                let wanted = type_name::<T>().to_owned();
                return Err(LookupError::of(kind, key, ObjectError::Plain { wanted }));
            }
            None => {
                return Err(LookupError::Unknown {
                    kind,
                    name: key.to_owned(),
                    present: self.keys(),
                })
            }
        };
        self.vault.note(Escape::ObjectIn);
        object
            .share()
            .map_err(|error| LookupError::of(kind, key, error))
    }

    /// Takes one's own entry out; says whether there was one.
    pub fn remove(&self, key: &str) -> bool {
        self.own().is_some_and(|bag| {
            bag.0
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(key)
                .is_some()
        })
    }

    /// The names of all entries.
    pub fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        for (_, bag) in &self.content.bags {
            keys.extend(
                bag.0
                    .read()
                    .unwrap_or_else(PoisonError::into_inner)
                    .keys()
                    .cloned(),
            );
        }
        keys.sort();
        keys.dedup();
        keys
    }

    fn own(&self) -> Option<&Bag> {
        let own = self
            .content
            .bags
            .iter()
            .find(|(owner, _)| *owner == self.vault.name);
        own.map(|(_, bag)| &**bag)
    }

    fn put(&self, key: String, entry: Bagged) {
        if let Some(bag) = self.own() {
            bag.0
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(key, entry);
        }
    }

    fn find(&self, key: &str) -> Option<Bagged> {
        let others = self.content.bags.iter().map(|(_, bag)| &**bag);
        self.own().into_iter().chain(others).find_map(|bag| {
            bag.0
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .get(key)
                .cloned()
        })
    }
}

impl fmt::Debug for DataBag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.keys()).finish()
    }
}
