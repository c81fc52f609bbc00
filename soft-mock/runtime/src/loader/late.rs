//! Late sites: functions of the program that were compiled without a site, and have been given one
//! by a plugin; and functions that the program has from plugins alone. See `soft_mock_abi::late`.
//!
//! A site is made once for each function, and stays. Until something is installed at it, it leads
//! to the original. All of them hang in [`Shared`], since the copy of the runtime that installs a
//! patch needn't be the one that gave a function its site: a slot that leads to one already holds
//! the original's address no more.

use std::any::TypeId;
use std::collections::HashMap;
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use soft_mock_abi::late::LateCell;
use soft_mock_abi::manifest::Function;
use soft_mock_abi::site::{Crate, Site};

use super::error::Refusal;
use super::slots;
use crate::hook::SiteHook;
use crate::shared::{Shared, Turn};

/// One of them. Never freed.
#[repr(C)]
struct LateSite {
    site: Site,
    domain: usize,
    /// Those of all plugins that have brought an entry for it, the newest first.
    cells: AtomicPtr<Filled>,
    previous: *const LateSite,
    /// Of a function that plugins bring: the `fn() -> TypeId` of the first that had it.
    type_id: AtomicPtr<()>,
}

/// A cell whose entry does what the site says.
#[repr(C)]
struct Filled {
    cell: *const LateCell,
    previous: *const Filled,
}

/// The newest of them.
fn newest(shared: &Shared) -> &AtomicPtr<LateSite> {
    // SAFETY: this module alone uses the cell.
    unsafe { shared.late.of() }
}

fn all(shared: &Shared) -> impl Iterator<Item = &'static LateSite> {
    // SAFETY: null, or what `site` of this or another copy has leaked; `previous` likewise.
    let newest = unsafe { newest(shared).load(Ordering::Acquire).cast_const().as_ref() };
    // SAFETY: as above.
    std::iter::successors(newest, |late| unsafe { late.previous.as_ref() })
}

impl LateSite {
    fn cells(&self) -> impl Iterator<Item = *const LateCell> {
        // SAFETY: null, or what `fill` of this or another copy has leaked; `previous` likewise.
        let newest = unsafe { self.cells.load(Ordering::Acquire).cast_const().as_ref() };
        // SAFETY: as above.
        let all = std::iter::successors(newest, |filled: &&'static Filled| unsafe {
            filled.previous.as_ref()
        });
        all.map(|filled| filled.cell)
    }
}

/// The late sites of the functions of this name. Several crates may have an instance of one, and
/// each may have brought the site: those of the unit are preferred.
pub(super) fn named(shared: &Shared, domain: usize, unit: u64, name: &str) -> Vec<&'static Site> {
    let named = || {
        let all = all(shared).filter(move |late| late.domain == domain);
        all.map(|late| &late.site)
            .filter(move |site| site.name() == name)
    };
    let own: Vec<_> = named().filter(|site| site.unit() == unit).collect();
    match own.is_empty() {
        true => named().collect(),
        false => own,
    }
}

/// The late site of a function, made if there is none. Its signature is the path of the function,
/// with what tells crates of one name apart. That of a function which plugins bring is its own, in
/// its own crate.
pub(super) fn site(
    (shared, domain): (&Shared, usize),
    krate: &'static Crate,
    function: &Function,
) -> &'static Site {
    let is_brought = function.type_id.is_some();
    let is_it = |late: &&LateSite| {
        let is_own = late.site.unit() == krate.unit() && late.site.name() == function.name;
        late.domain == domain
            && late.site.signature() == function.signature
            && (is_own || !is_brought)
    };
    if let Some(known) = all(shared).find(is_it) {
        return &known.site;
    }
    let kept = |text: &str| -> &'static str { Box::leak(text.into()) };
    let site = Site::new(
        0,
        kept(&function.name),
        kept(&function.file),
        function.line,
        kept(&function.signature),
        None,
    );
    let newest = newest(shared);
    let late = Box::leak(Box::new(LateSite {
        site: site.of_crate(krate),
        domain,
        cells: AtomicPtr::new(ptr::null_mut()),
        previous: newest.load(Ordering::Acquire),
        type_id: AtomicPtr::new(ptr::null_mut()),
    }));
    let site = ptr::from_ref(&late.site);
    newest.store(late, Ordering::Release);
    // SAFETY: leaked just now, and what changes in it are atomics.
    unsafe { &*site }
}

/// Whether it is the site of a function that plugins bring.
pub(super) fn is_brought(shared: &Shared, site: &Site) -> bool {
    let late = all(shared).find(|late| ptr::eq(&late.site, site));
    late.is_some_and(|late| !late.type_id.load(Ordering::Acquire).is_null())
}

/// The type of a function that plugins bring; of its first plugin, `own` says it.
pub(super) fn type_id(turn: &Turn, site: &Site, own: fn() -> TypeId) -> fn() -> TypeId {
    let Some(late) = all(turn.shared()).find(|late| ptr::eq(&late.site, site)) else {
        return own;
    };
    let first = late.type_id.load(Ordering::Acquire);
    if first.is_null() {
        late.type_id.store(own as *mut (), Ordering::Release);
        return own;
    }
    // SAFETY: stored here, by this or another copy; a plugin is never unloaded.
    unsafe { std::mem::transmute::<*mut (), fn() -> TypeId>(first) }
}

/// Fills a cell, so that its entry does what the site says.
///
/// # Safety
/// The plugin says that this is a cell for the site's function, and stays.
pub(super) unsafe fn fill(shared: &Shared, cell: *const LateCell, site: &'static Site) {
    // SAFETY: the caller's promise.
    let known = unsafe { &*cell };
    known
        .site()
        .store(ptr::from_ref(site).cast_mut(), Ordering::Release);
    if let Some(late) = all(shared).find(|late| ptr::eq(&late.site, site)) {
        let filled = Box::leak(Box::new(Filled {
            cell,
            previous: late.cells.load(Ordering::Acquire),
        }));
        late.cells.store(filled, Ordering::Release);
    }
}

/// Makes a site in a plugin share the hook of a late site, so that both do the same.
///
/// # Safety
/// `own` is room for a site that stays, which the plugin's code for the late site's function asks,
/// and nobody does yet.
pub(super) unsafe fn share(shared: &'static Shared, own: *mut Site, site: &'static Site) {
    let (name, file, signature) = (site.name(), site.file(), site.signature());
    let made = Site::new(0, name, file, site.line(), signature, None).of_crate(site.krate());
    // SAFETY: the caller's promise: it is writable, and nobody else looks at it.
    unsafe { own.write(made) };
    // SAFETY: written just now; from here on only its atomics change.
    let own: &'static Site = unsafe { &*own };
    SiteHook::of(site, &shared.lock()).share(own);
}

/// Lets all slots that lead to a function with a late site lead to that, also those of what was
/// loaded since the site was made. It is one's turn: nobody else does it.
pub(super) fn lead_slots(turn: &Turn) -> Result<(), Refusal> {
    let mut entries = HashMap::new();
    let mut places: Vec<Range<usize>> = Vec::new();
    for cell in all(turn.shared()).flat_map(LateSite::cells) {
        // SAFETY: `fill` was promised that it is one, and stays.
        let (known, originals) = unsafe { (&*cell, LateCell::originals(cell)) };
        places.push(cell.addr()..originals.as_ptr_range().end.addr());
        for original in originals {
            // All entries of a function ask the same site.
            entries
                .entry(original.addr())
                .or_insert_with(|| known.entry().expose_provenance());
        }
    }
    if entries.is_empty() {
        return Ok(());
    }
    // SAFETY: an entry does what its site says, which is of the original's type, and was filled
    // before; it stays, as its plugin does. It is our turn, of all copies of the runtime.
    unsafe { slots::replace(&entries, &places) }
        .map(drop)
        .map_err(Refusal::Slots)
}
