//! Which sites stand for a function, by the id of the function's own type: the compiler has
//! resolved the path to it, and no two functions have one.
//!
//! Each site's function leaves a record of itself in a section of the program, made by the
//! rewriter (`rewriter/src/instrument/item.rs`). Knows nothing of names, and nothing of instances,
//! which share a site.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::OnceLock;

use soft_mock_abi::item::Item;
use soft_mock_abi::site::Site;

/// Makes sure that the section exists: a record of another version, which is passed over.
#[used]
#[link_section = soft_mock_abi::section!(items)]
static SENTINEL: Item = Item::sentinel(&NOWHERE);
static NOWHERE: Site = Site::sentinel();

extern "C" {
    #[link_name = concat!("__start_", soft_mock_abi::section!(items))]
    static START: [u8; 0];
    #[link_name = concat!("__stop_", soft_mock_abi::section!(items))]
    static STOP: [u8; 0];
}

/// The sites of a function that is given as itself. Several where each crate that calls it has
/// one, as for functions of std, or where a macro has copied a body.
pub(super) fn sites<F>(_item: &F) -> &'static [&'static Site] {
    all()
        .get(&typeid::of::<F>())
        .map_or(&[], |sites| sites.as_slice())
}

/// Whether some function says that this is its site.
pub(super) fn is_known(site: &'static Site) -> bool {
    let mut known = all().values().flatten();
    known.any(|known| std::ptr::eq(*known, site))
}

fn all() -> &'static HashMap<TypeId, Vec<&'static Site>> {
    static ALL: OnceLock<HashMap<TypeId, Vec<&'static Site>>> = OnceLock::new();
    ALL.get_or_init(|| {
        // Refers to the sentinel, so that a linker that drops unused sections keeps it.
        std::hint::black_box(&SENTINEL);
        let (start, stop) = ((&raw const START).addr(), (&raw const STOP).addr());
        let count = (stop - start) / size_of::<Item>();
        // SAFETY: the linker makes both symbols as the bounds of the section, which holds only
        // records, in which nothing is ever changed.
        let records: &'static [Item] =
            unsafe { std::slice::from_raw_parts((&raw const START).cast(), count) };
        let mut all = HashMap::<_, Vec<_>>::new();
        for (item, site) in records.iter().filter_map(Item::read) {
            all.entry(item).or_default().push(site);
        }
        all
    })
}
