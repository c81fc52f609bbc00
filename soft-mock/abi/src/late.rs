//! Late sites: for code of the program that was compiled without one, and that only slots of
//! vtables lead to.
//!
//! ```text
//! slot ─► original        becomes        slot ─► entry ─► what the site says, or the original
//! ```
//!
//! A plugin brings the entry, a piece of machine code, and a [`LateCell`] for it. The runtime fills
//! in the site before it puts the entry's address into a slot. Nothing here writes to either.
//!
//! So has a function that is new: each plugin that brings it has a cell, without entry or
//! originals, which the function asks itself. All of these get one site. Where whole crates were
//! compiled, the function asks a site in the plugin, which shares the hook of that one.

use std::sync::atomic::AtomicPtr;

use crate::site::Site;

/// What the entry of a late site reads.
#[repr(C)]
pub struct LateCell {
    site: AtomicPtr<Site>,
    entry: *const (),
    count: usize,
    first: *const (),
}

/// Where the fields are, for the entry's machine code and for who writes the object.
pub mod offset {
    use super::LateCell;
    use std::mem::offset_of;

    /// Null until the runtime fills it in.
    pub const SITE: usize = offset_of!(LateCell, site);
    /// The address of the entry.
    pub const ENTRY: usize = offset_of!(LateCell, entry);
    /// How many originals there are.
    pub const COUNT: usize = offset_of!(LateCell, count);
    /// The first of them; the others follow. All are the same code.
    pub const ORIGINALS: usize = offset_of!(LateCell, first);
}

/// How many words a cell has, all of them zero where there are no originals.
pub const WORDS: usize = size_of::<LateCell>() / size_of::<usize>();

const _: () = assert!(offset::SITE == 0 && WORDS == 4);

/// What the names of cells begin with; a number follows.
pub const CELL: &str = "__soft_mock_late_";

/// What the names of entries begin with; a number follows.
pub const ENTRY: &str = "__soft_mock_entry_";

/// The name of the site in a plugin of its function at this position.
pub fn sharing(position: usize) -> String {
    format!("__soft_mock_sharing_{position}")
}

impl LateCell {
    /// The cell of the site, which the entry asks.
    pub fn site(&self) -> &AtomicPtr<Site> {
        &self.site
    }

    /// The address of the entry.
    pub fn entry(&self) -> *const () {
        self.entry
    }

    /// The addresses of the code that the site is for.
    ///
    /// # Safety
    /// `cell` lives for ever, and holds as many as it says.
    pub unsafe fn originals(cell: *const Self) -> &'static [*const ()] {
        // SAFETY: the caller's promise; nobody changes them.
        unsafe { std::slice::from_raw_parts(&raw const (*cell).first, (*cell).count) }
    }
}
