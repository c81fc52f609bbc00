//! What a plugin declares: the trait with its hooks, what it exports and imports, and the shim by
//! which the host calls it.

use std::any::{type_name, Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::border::protect;
use super::error::{Failure, HookResult, NoSuchFunction, ObjectError, OtherType};
use super::life::{Escape, Life};
use super::live::{listed, Collector, Item, Listed};
use super::object::Object;
use super::value::Value;
use super::vault::{Bag, Vault};

/// A plugin. Everything has a default; put [`#[plugin]`](super::plugin) on the impl.
///
/// Order in a load or reload: `reloadable`, `export` and `import` of all, then `on_load` of each
/// after that of what it imports, then `on_init` likewise. Then the new set becomes current.
/// `on_free` comes when nothing uses the plugin any more: of each before that of what it imports.
///
/// ```
/// use soft_mock::plugin::{HookResult, NoSuchFunction, Plugin, Value};
///
/// #[derive(Default)]
/// struct Greeter;
///
/// // #[plugin]     in a crate of its own
/// impl Plugin for Greeter {
///     fn invoke_func(&self, name: &str, params: Value) -> HookResult<Value> {
///         match name {
///             "greet" => Ok(format!("hello, {}", params.get::<String>()?).into()),
///             other => Err(NoSuchFunction(other.to_owned()).into()),
///         }
///     }
/// }
/// # let _ = Greeter.invoke_func("greet", "you".into()).unwrap().get::<String>().unwrap();
/// ```
pub trait Plugin: Send + Sync + 'static {
    /// Whether a later version may take this one's place.
    fn reloadable(&self) -> bool {
        true
    }

    /// The object that other plugins import; see [`Export::new`].
    ///
    /// # Errors
    /// Any; the load fails with it.
    fn export(&mut self) -> HookResult<Export> {
        Ok(Export::nothing())
    }

    /// Takes what the plugin needs of others; see [`Imports::get`].
    ///
    /// # Errors
    /// Any; the load fails with it.
    fn import(&mut self, imports: &mut Imports<'_>) -> HookResult {
        let _ = imports;
        Ok(())
    }

    /// The plugin is loaded; what it imports has been. `data` comes from the host.
    ///
    /// # Errors
    /// Any; the load fails with it.
    fn on_load(&mut self, data: &Value) -> HookResult {
        let _ = data;
        Ok(())
    }

    /// The vault is filled: live things of all plugins can be found in it.
    ///
    /// # Errors
    /// Any; the load fails with it.
    fn on_init(&mut self, vault: &Vault) -> HookResult {
        let _ = vault;
        Ok(())
    }

    /// Nothing uses the plugin any more; it is about to be dropped.
    ///
    /// # Errors
    /// Any; it is logged.
    fn on_free(&mut self) -> HookResult {
        Ok(())
    }

    /// Calls a function by name.
    ///
    /// # Errors
    /// [`NoSuchFunction`] for a name that it doesn't know; any other for what goes wrong.
    fn invoke_func(&self, name: &str, params: Value) -> HookResult<Value> {
        let _ = params;
        Err(NoSuchFunction(name.to_owned()).into())
    }
}

/// What a plugin gives to those that import it.
pub struct Export(pub(crate) Option<Exported>);

/// The object, as an `Arc<T>`.
pub(crate) struct Exported {
    object: Object<Box<dyn Any + Send + Sync>>,
    type_name: &'static str,
}

impl Exported {
    /// The object, if it is a `T`.
    pub(crate) fn get<T: ?Sized + Send + Sync + 'static>(&self) -> Result<Arc<T>, ObjectError> {
        match self.object.get::<Arc<T>>() {
            Ok(object) => Ok(Arc::clone(object)),
            // As it was exported, without the `Arc`.
            Err(ObjectError::Type { .. }) => Err(ObjectError::Type {
                wanted: type_name::<T>().to_owned(),
                found: self.type_name.to_owned(),
            }),
            Err(other) => Err(other),
        }
    }
}

impl Export {
    /// Nothing.
    pub fn nothing() -> Self {
        Self(None)
    }

    /// An object, most often an `Arc<dyn Trait>` for a trait of a shared crate.
    pub fn new<T: ?Sized + Send + Sync + 'static>(object: Arc<T>) -> Self {
        Self(Some(Exported {
            object: Object::boxed(object),
            type_name: type_name::<T>(),
        }))
    }
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(exported) => write!(f, "Export({})", exported.type_name),
            None => f.write_str("Export(nothing)"),
        }
    }
}

/// An object of another plugin, which lives at least as long as this.
pub struct Import<T: ?Sized> {
    object: Arc<T>,
    _life: Arc<Life>,
}

impl<T: ?Sized> Deref for Import<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.object
    }
}

impl<T: ?Sized> fmt::Debug for Import<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Import({})", type_name::<T>())
    }
}

/// What can be imported, by the names of the plugins.
pub struct Imports<'a> {
    pub(crate) available: &'a BTreeMap<String, Available>,
    pub(crate) taken: Vec<String>,
    pub(crate) error: Option<ImportError>,
}

/// A plugin that something can be imported from.
pub(crate) struct Available {
    pub(crate) life: Arc<Life>,
    pub(crate) exported: Arc<Export>,
}

/// Why an import failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// There is no such plugin.
    #[error("there is no plugin `{dependency}`")]
    Unknown {
        /// The name.
        dependency: String,
    },
    /// It exports another type.
    #[error("plugin `{dependency}` exports {found}, not `{wanted}`")]
    Type {
        /// The plugin.
        dependency: String,
        /// The type that was asked for.
        wanted: String,
        /// The type that it exports.
        found: String,
    },
    /// It exports a type of that name, which may be another one.
    #[error("plugin `{dependency}`: {other}")]
    Other {
        /// The plugin.
        dependency: String,
        /// Why.
        other: OtherType,
    },
}

impl Imports<'_> {
    /// The object that the plugin `dependency` exports.
    ///
    /// # Errors
    /// If there is no such plugin, or its object has another type.
    pub fn get<T: ?Sized + Send + Sync + 'static>(
        &mut self,
        dependency: &str,
    ) -> Result<Import<T>, ImportError> {
        let found = self.find(dependency);
        if let Err(error) = &found {
            self.error.get_or_insert_with(|| error.clone());
        }
        found
    }

    /// The names of all plugins.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.available.keys().map(String::as_str)
    }

    fn find<T: ?Sized + Send + Sync + 'static>(
        &mut self,
        dependency: &str,
    ) -> Result<Import<T>, ImportError> {
        let Some(available) = self.available.get(dependency) else {
            return Err(ImportError::Unknown {
                dependency: dependency.to_owned(),
            });
        };
        let wrong = |found: String| ImportError::Type {
            dependency: dependency.to_owned(),
            wanted: type_name::<T>().to_owned(),
            found,
        };
        let Some(exported) = &available.exported.0 else {
            return Err(wrong("nothing".to_owned()));
        };
        let object = exported.get::<T>().map_err(|error| match error {
            ObjectError::Other(other) => ImportError::Other {
                dependency: dependency.to_owned(),
                other,
            },
            _ => wrong(format!("`{}`", exported.type_name)),
        })?;
        if !self.taken.iter().any(|name| name == dependency) {
            self.taken.push(dependency.to_owned());
        }
        Ok(Import {
            object,
            _life: Arc::clone(&available.life),
        })
    }
}

impl fmt::Debug for Imports<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// What a plugin's crate says of its plugin; made by [`#[plugin]`](super::plugin).
#[derive(Debug, Clone, Copy)]
pub struct Declaration {
    // First, and compared before anything else is looked at.
    types: TypeId,
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) note: &'static str,
    module: &'static str,
    make: fn() -> Result<Box<dyn Instance>, Failure>,
    collect: fn(&mut Collector),
    listed: fn() -> &'static [Listed],
}

impl Declaration {
    /// Declares the plugin `P`.
    pub fn new<P: Plugin + Default>(
        name: &'static str,
        version: &'static str,
        note: &'static str,
        module: &'static str,
        collect: fn(&mut Collector),
    ) -> Self {
        Self {
            types: crossing_types(),
            name,
            version,
            note,
            module,
            make: || protect(|| Ok(Box::new(Shim(P::default())) as Box<dyn Instance>)),
            collect,
            listed,
        }
    }

    /// Whether the types that cross the border are the same there and here.
    pub(crate) fn fits(&self) -> bool {
        self.types == crossing_types()
    }

    pub(crate) fn make(&self) -> Result<Box<dyn Instance>, Failure> {
        (self.make)()
    }

    /// The plugin's live things and symbols.
    pub(crate) fn items(&self) -> Vec<Item> {
        let mut collector = Collector::default();
        (self.collect)(&mut collector);
        for listed in (self.listed)() {
            listed.collect(self.own_crate(), &mut collector);
        }
        collector.items
    }

    /// The crate that the plugin is.
    pub(crate) fn own_crate(&self) -> &'static str {
        self.module.split("::").next().unwrap_or_default()
    }
}

fn crossing_types() -> TypeId {
    TypeId::of::<(
        Declaration,
        Value,
        Vault,
        Export,
        Life,
        Escape,
        Collector,
        Box<dyn Instance>,
    )>()
}

/// A plugin's value, as the host calls it: failures come as text, panics as failures.
pub(crate) trait Instance: Send + Sync {
    fn reloadable(&self) -> Result<bool, Failure>;
    fn export(&mut self) -> Result<Export, Failure>;
    fn import(&mut self, imports: &mut Imports<'_>) -> Result<(), Failure>;
    fn on_load(&mut self, data: &Value) -> Result<(), Failure>;
    fn items(&self, declaration: &Declaration) -> Result<Vec<Item>, Failure>;
    fn on_init(&mut self, vault: &Vault) -> Result<(), Failure>;
    fn on_free(&mut self) -> Result<(), Failure>;
    fn invoke_func(&self, name: &str, params: Value) -> Result<Value, Failure>;
    /// Drops the value, what it exported, and its part of the data bag.
    fn dispose(self: Box<Self>, exported: Arc<Export>, bag: Arc<Bag>) -> Result<(), Failure>;
}

/// Compiled in the plugin's crate, so that what it catches are that image's panics.
struct Shim<P>(P);

impl<P: Plugin> Instance for Shim<P> {
    fn reloadable(&self) -> Result<bool, Failure> {
        protect(|| Ok(self.0.reloadable()))
    }

    fn export(&mut self) -> Result<Export, Failure> {
        protect(|| self.0.export())
    }

    fn import(&mut self, imports: &mut Imports<'_>) -> Result<(), Failure> {
        protect(|| self.0.import(imports))
    }

    fn on_load(&mut self, data: &Value) -> Result<(), Failure> {
        protect(|| self.0.on_load(data))
    }

    fn items(&self, declaration: &Declaration) -> Result<Vec<Item>, Failure> {
        protect(|| Ok(declaration.items()))
    }

    fn on_init(&mut self, vault: &Vault) -> Result<(), Failure> {
        protect(|| self.0.on_init(vault))
    }

    fn on_free(&mut self) -> Result<(), Failure> {
        protect(|| self.0.on_free())
    }

    fn invoke_func(&self, name: &str, params: Value) -> Result<Value, Failure> {
        protect(|| self.0.invoke_func(name, params))
    }

    fn dispose(self: Box<Self>, exported: Arc<Export>, bag: Arc<Bag>) -> Result<(), Failure> {
        protect(|| {
            drop(self);
            drop(exported);
            drop(bag);
            Ok(())
        })
    }
}

/// Fails to compile where a plugin is declared in a module below the crate root, or in a crate
/// whose types would be taken for those of the standard library.
pub const fn assert_in_crate_root(module: &str) {
    let bytes = module.as_bytes();
    assert!(
        !matches!(bytes, b"core" | b"alloc" | b"std"),
        "a plugin's crate can't have the name of a part of the standard library"
    );
    let mut index = 0;
    while index < bytes.len() {
        assert!(
            bytes[index] != b':',
            "`#[plugin]` belongs in the crate root (lib.rs)"
        );
        index += 1;
    }
}
