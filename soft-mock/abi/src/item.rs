//! What a function says of itself to mocks, in a section of the program: which site is its own, by
//! the id of the function's own type. No two functions have one, whatever they are called.
//!
//! Generated code is made of [`Item::FIELDS`]. Knows nothing of what is done with it.

use std::any::TypeId;

use crate::site::Site;

/// The version of [`Item`].
pub const VERSION: usize = 1;

layout! {
    /// The record of a function.
    #[derive(Debug)]
    pub struct Item {
        version: usize,
        site: &'static Site,
        item: fn() -> TypeId,
    }
}

impl Item {
    /// The record of a function that is given as itself.
    pub const fn of<F: 'static>(_item: &F, site: &'static Site) -> Self {
        Self {
            version: VERSION,
            site,
            item: TypeId::of::<F>,
        }
    }

    /// A record that is passed over: it makes sure that the section exists.
    pub const fn sentinel(site: &'static Site) -> Self {
        Self {
            version: 0,
            site,
            item: TypeId::of::<()>,
        }
    }

    /// The id of the function's type, and its site; none, if the record is of another version.
    pub fn read(&self) -> Option<(TypeId, &'static Site)> {
        (self.version == VERSION).then(|| ((self.item)(), self.site))
    }
}
