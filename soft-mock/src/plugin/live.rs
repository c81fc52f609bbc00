//! Live functions, live types and symbols: how an image lists them, and the handles by which they
//! are used.

use std::any::{type_name, Any};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::error::LookupError;
use super::life::Life;
use super::object::Object;

/// What a listed item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ItemKind {
    Function,
    Type,
    Symbol,
}

impl ItemKind {
    /// Whether it is found in the vault.
    pub(crate) fn is_live(self) -> bool {
        self != ItemKind::Symbol
    }
}

/// One listed item of a plugin. The pointer's type is a function pointer, or a reference to a
/// static.
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) kind: ItemKind,
    pointer: Object<Box<dyn Any + Send + Sync>>,
}

impl Item {
    /// The pointer, if that is its type.
    pub(crate) fn pointer<F: Copy + 'static>(&self, kind: &'static str) -> Result<F, LookupError> {
        let pointer = self.pointer.get::<F>().copied();
        pointer.map_err(|error| LookupError::of(kind, &self.name, error))
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let type_name = self.pointer.type_name();
        write!(f, "{:?} {}: {type_name}", self.kind, self.name)
    }
}

/// Gathers the items of a plugin.
#[derive(Debug, Default)]
pub struct Collector {
    pub(crate) items: Vec<Item>,
}

impl Collector {
    /// Adds a live function.
    pub fn live_function<F: Copy + Send + Sync + 'static>(&mut self, name: &str, pointer: F) {
        self.add(name, ItemKind::Function, pointer);
    }

    /// Adds a live type by its constructor.
    pub fn live_type<T: ?Sized + 'static>(&mut self, name: &str, make: fn() -> Box<T>) {
        self.add(name, ItemKind::Type, make);
    }

    /// Adds a symbol.
    pub fn symbol<F: Copy + Send + Sync + 'static>(&mut self, name: &str, pointer: F) {
        self.add(name, ItemKind::Symbol, pointer);
    }

    fn add<F: Send + Sync + 'static>(&mut self, name: &str, kind: ItemKind, pointer: F) {
        self.items.push(Item {
            name: name.to_owned(),
            kind,
            pointer: Object::boxed(pointer),
        });
    }
}

/// An entry of the section `soft_mock_live`, made by `#[live]` and `#[symbol]`.
#[repr(C)]
#[derive(Debug)]
pub struct Listed {
    module: &'static str,
    collect: Option<fn(&mut Collector)>,
}

impl Listed {
    /// An item of `module`.
    pub const fn new(module: &'static str, collect: fn(&mut Collector)) -> Self {
        Self {
            module,
            collect: Some(collect),
        }
    }

    /// Lists the item, if it belongs to that crate: in a program that plugins are linked into, the
    /// section holds the items of all.
    pub(crate) fn collect(&self, of_crate: &str, collector: &mut Collector) {
        let own_crate = self.module.split("::").next().unwrap_or_default();
        if let (true, Some(collect)) = (own_crate == of_crate, self.collect) {
            collect(collector);
        }
    }
}

/// Without an entry there would be no section, and no symbols for its bounds.
#[used]
#[unsafe(link_section = soft_mock_abi::section!(live))]
static SENTINEL: Listed = Listed {
    module: "",
    collect: None,
};

unsafe extern "C" {
    #[link_name = concat!("__start_", soft_mock_abi::section!(live))]
    static START: [usize; 0];
    #[link_name = concat!("__stop_", soft_mock_abi::section!(live))]
    static STOP: [usize; 0];
}

/// The entries of this image.
pub(crate) fn listed() -> &'static [Listed] {
    let start = (&raw const START).cast::<Listed>();
    let length = ((&raw const STOP).addr() - start.addr()) / size_of::<Listed>();
    // SAFETY: the linker sets the symbols to the section's bounds, and only `Listed` statics lie in
    // it: same size and alignment, so without gaps.
    unsafe { std::slice::from_raw_parts(start, length) }
}

/// A live function or a symbol: keeps the version that it belongs to from being freed.
///
/// A pointer that is copied out of it keeps nothing: from then on the version's code is retained
/// for good, but its `on_free` may run while the pointer is still used.
pub struct Live<F> {
    pointer: F,
    life: Arc<Life>,
}

impl<F> Live<F> {
    pub(crate) fn new(pointer: F, life: Arc<Life>) -> Self {
        Self { pointer, life }
    }

    pub(crate) fn into_parts(self) -> (F, Arc<Life>) {
        (self.pointer, self.life)
    }

    /// The plugin that it belongs to.
    pub fn plugin(&self) -> &str {
        self.life.name()
    }
}

impl<F> Deref for Live<F> {
    type Target = F;

    fn deref(&self) -> &F {
        &self.pointer
    }
}

impl<F> fmt::Debug for Live<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Live({} of {})", type_name::<F>(), self.plugin())
    }
}

/// A value of a live type: keeps the version that it belongs to from being freed.
pub struct LiveValue<T: ?Sized> {
    // Before the life: dropped first.
    value: Box<T>,
    life: Arc<Life>,
}

impl<T: ?Sized> LiveValue<T> {
    pub(crate) fn new(value: Box<T>, life: Arc<Life>) -> Self {
        Self { value, life }
    }

    /// The plugin that it belongs to.
    pub fn plugin(&self) -> &str {
        self.life.name()
    }
}

impl<T: ?Sized> Deref for LiveValue<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized> DerefMut for LiveValue<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: ?Sized> fmt::Debug for LiveValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LiveValue({} of {})", type_name::<T>(), self.plugin())
    }
}
