//! Instances of generic functions, of default methods, of functions with `impl Trait` arguments:
//! which of them the program contains, and a site for each that is to be mocked.
//!
//! All instances of a function share one site of the program, whose prologue hands over the id of
//! the function's own type, `TypeId` of `any::<u8>`. Each instance that was compiled left a record
//! of itself in a section, so it is known which there are, and which types they have, before any
//! was called. An instance that is mocked gets a [`Site`] of its own, made at run time and kept for
//! ever: for all else it is a function like any other.
//!
//! # Which instances
//! The compiler forgets lifetimes before it makes instances: `any::<&'static str>` and `any::<&'a
//! str>` are one. A mock of the first would run for the second, so an instance whose types could
//! contain a lifetime is refused.

use std::any::{type_name, TypeId};
use std::borrow::Cow;
use std::collections::HashMap;
use std::mem::{self, MaybeUninit};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::OnceLock;

use parking_lot::Mutex;
use soft_mock_abi::site::{Code, Site};
use soft_mock_runtime::hook::{Layer, SiteHook, Slot};
use soft_mock_runtime::registry::{registry, RegistryError};

use super::MockError;

/// The version of records and of [`Instance`].
const VERSION: usize = 1;

/// What a record's function writes. Made by code of the program's own compiler, as this is.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instance {
    item: fn() -> TypeId,
    pointer: fn() -> TypeId,
    name: fn() -> &'static str,
    signature: fn() -> &'static str,
    site: &'static Site,
}

/// What an instance leaves in the section: two words.
#[repr(C)]
struct Record {
    version: AtomicUsize,
    describe: Option<unsafe extern "C" fn(*mut Instance)>,
}

/// Makes sure that the section exists.
#[used]
#[link_section = soft_mock_abi::section!(instances)]
static SENTINEL: Record = Record {
    version: AtomicUsize::new(VERSION),
    describe: None,
};

extern "C" {
    #[link_name = concat!("__start_", soft_mock_abi::section!(instances))]
    static START: [u8; 0];
    #[link_name = concat!("__stop_", soft_mock_abi::section!(instances))]
    static STOP: [u8; 0];
}

/// All instances of the program, by the ids of their own types.
fn all() -> &'static HashMap<TypeId, Instance> {
    static ALL: OnceLock<HashMap<TypeId, Instance>> = OnceLock::new();
    ALL.get_or_init(|| {
        // Refers to the sentinel, so that a linker that drops unused sections keeps it.
        std::hint::black_box(&SENTINEL);
        let (start, stop) = ((&raw const START).addr(), (&raw const STOP).addr());
        let count = (stop - start) / size_of::<Record>();
        // SAFETY: the linker makes both symbols as the bounds of the section, which holds only
        // records, in which nothing is ever changed.
        let records: &'static [Record] =
            unsafe { std::slice::from_raw_parts((&raw const START).cast(), count) };
        let known = records
            .iter()
            .filter(|record| record.version.load(Ordering::Relaxed) == VERSION);
        let described = known.filter_map(|record| record.describe).map(describe);
        // Only where a site is shared does a prologue ask as `RESOLVE` answers.
        described
            .filter(|instance| instance.site.has_instances())
            .map(|instance| ((instance.item)(), instance))
            .collect()
    })
}

fn describe(by: unsafe extern "C" fn(*mut Instance)) -> Instance {
    let mut instance = MaybeUninit::<Instance>::uninit();
    // SAFETY: there is room for one.
    unsafe { by(instance.as_mut_ptr()) };
    // SAFETY: the record's version says that its function writes an `Instance`.
    unsafe { instance.assume_init() }
}

/// A site that was made for an instance. Never freed.
struct Made {
    item: TypeId,
    site: Site,
    next: *const Made,
}

// SAFETY: immutable but for its site, and `next` points to another one that lives for ever.
unsafe impl Sync for Made {}

/// The newest of all that were made. Written under [`MAKING`].
static MADE: AtomicPtr<Made> = AtomicPtr::new(ptr::null_mut());
static MAKING: Mutex<()> = Mutex::new(());

fn made() -> impl Iterator<Item = &'static Made> {
    let mut at = MADE.load(Ordering::Acquire).cast_const();
    std::iter::from_fn(move || {
        // SAFETY: null, or published by `make` with Release and never freed.
        let made: &'static Made = unsafe { at.as_ref() }?;
        at = made.next;
        Some(made)
    })
}

/// The sites that were made for instances.
pub(crate) fn sites() -> impl Iterator<Item = &'static Site> {
    made().map(|made| &made.site)
}

/// The site of the instance that is given as itself; none, if there are no instances of this
/// function, or not this one.
pub(crate) fn find<F>(_item: &F) -> Result<Option<&'static Site>, MockError> {
    let item = typeid::of::<F>();
    let Some(instance) = all().get(&item) else {
        return Ok(None);
    };
    let name = type_name::<F>();
    if may_borrow(name) {
        return Err(MockError::Borrowing { name });
    }
    if !prints_lifetimes() {
        return Err(MockError::Compiler { name });
    }
    Ok(Some(make(item, instance)?))
}

/// Whether lifetimes can be part of the types in the name of an instance. The function's own, which
/// come first among its arguments, are bound in its type as those of any function are.
fn may_borrow(name: &str) -> bool {
    // The last bracket that opens outside of others, if the name ends with its list.
    let mut depth = 0;
    let signs = name.rmatch_indices(['<', '>']);
    let mut opening = signs.skip_while(|(_, sign)| {
        depth += if *sign == ">" { 1 } else { -1 };
        depth > 0
    });
    let (before, mut arguments) = match opening.next() {
        Some((open, _)) if name.ends_with('>') => name.split_at(open + 1),
        _ => (name, ""),
    };
    while arguments.starts_with('\'') {
        arguments = arguments.split_once(", ").map_or("", |(_, rest)| rest);
    }
    let borrows = |text: &str| text.contains(['&', '\'']) || text.contains("dyn ");
    borrows(before) || borrows(arguments)
}

/// Compilers before 1.91 leave out the lifetimes of types in their names.
fn prints_lifetimes() -> bool {
    type_name::<Cow<'static, str>>().contains('\'')
}

fn make(item: TypeId, instance: &Instance) -> Result<&'static Site, RegistryError> {
    let _making = MAKING.lock();
    if let Some(known) = made().find(|made| made.item == item) {
        return Ok(&known.site);
    }
    let shared = registry()?.shared();
    let site = instance
        .site
        .instance((instance.name)(), (instance.signature)(), instance.pointer);
    let made: &'static Made = Box::leak(Box::new(Made {
        item,
        site,
        next: MADE.load(Ordering::Relaxed),
    }));
    MADE.store(ptr::from_ref(made).cast_mut(), Ordering::Release);
    let locked = shared.lock();
    let hook = SiteHook::of(instance.site, &locked);
    // SAFETY: `all` has only sites that instances share, whose prologues take what stands behind
    // them for what `resolver` answers.
    unsafe { hook.set_slot(Layer::Thread, Some(&RESOLVE), &locked) };
    hook.attach(&locked);
    Ok(&made.site)
}

/// What stands behind a site that instances share.
// SAFETY: `resolver` does nothing but answer.
static RESOLVE: Slot = unsafe { Slot::new(resolver, ptr::null()) };

#[allow(improper_ctypes_definitions)] // As for `HookHead`.
unsafe extern "C" fn resolver(_site: *const Site, _data: *const ()) -> Option<Code> {
    // SAFETY: function pointers of all types have one size; prologues of instances turn it back
    // into this very type.
    Some(unsafe {
        mem::transmute::<unsafe extern "C" fn(*const TypeId) -> Option<Code>, Code>(code_of)
    })
}

/// What runs in place of an instance. Bound by the rules of a slot.
///
/// # Safety
/// `item` points to a `TypeId`.
#[allow(improper_ctypes_definitions)] // As for `HookHead`.
unsafe extern "C" fn code_of(item: *const TypeId) -> Option<Code> {
    // SAFETY: the caller's promise.
    let item = unsafe { *item };
    made().find(|made| made.item == item)?.site.code()
}

/// What the prologues of `mockable` refer to: the other half of what the rewriter puts into crates.
pub(crate) mod support {
    use super::{Code, Instance, TypeId};
    use soft_mock_abi::site::Site;
    use std::any::type_name;

    /// Where the site of a function stands.
    pub trait Here {
        /// The site.
        fn site() -> &'static Site;
    }

    /// # Safety
    /// There is room for one.
    unsafe extern "C" fn describe<F, I, H: Here>(into: *mut Instance) {
        let instance = Instance {
            // Lifetimes forgotten.
            item: typeid::of::<F>,
            pointer: typeid::of::<I>,
            name: type_name::<F>,
            signature: type_name::<I>,
            site: H::site(),
        };
        // SAFETY: the caller's promise.
        unsafe { into.write(instance) }
    }

    /// What runs in place of the instance `F`. The assembler puts a record of it into the program.
    #[cold]
    #[inline(never)]
    pub fn instance<F, I, H: Here>(_item: F) -> Option<Code> {
        // SAFETY: no instruction, only a record in a section of its own.
        unsafe {
            std::arch::asm!(
                concat!(".pushsection ", soft_mock_abi::section!(instances), ",\"awR\",@progbits"),
                ".balign 8",
                ".quad 1",
                ".quad {0}",
                ".popsection",
                sym describe::<F, I, H>,
                options(nomem, nostack, preserves_flags)
            );
        }
        let site = H::site();
        if !site.has_instances() {
            return None;
        }
        let resolve = site.code()?;
        let item = typeid::of::<F>();
        // SAFETY: what stands behind a site that instances share is a function of this type, since
        // `make` alone sets something there; `item` is a `TypeId`.
        unsafe {
            std::mem::transmute::<Code, unsafe extern "C" fn(*const TypeId) -> Option<Code>>(
                resolve,
            )(&item)
        }
    }

    /// [`instance`], where the pointer's type is that of a value.
    #[cold]
    #[inline(never)]
    pub fn instance_like<F, I, H: Here>(item: F, _pointer: Option<I>) -> Option<Code> {
        instance::<F, I, H>(item)
    }
}

#[cfg(test)]
mod tests {
    use super::may_borrow;

    #[test]
    fn types_that_may_borrow() {
        for name in [
            "app::any<&str>",
            "app::any<'_, alloc::borrow::Cow<'_, str>>",
            "app::Grid<'_, u8>::get",
            "<app::Grid<'_, u8> as app::Get<u8>>::get",
            "app::any<std::borrow::Cow<'_, str>>",
            "app::any<alloc::boxed::Box<dyn app::Tr>>",
        ] {
            assert!(may_borrow(name), "{name}");
        }
        for name in [
            "app::any<u8>",
            "app::any<'_, '_, u8>",
            "app::Grid<u8>::get",
            "<app::Smtp as app::Mail>::close<'_>",
        ] {
            assert!(!may_borrow(name), "{name}");
        }
    }
}
