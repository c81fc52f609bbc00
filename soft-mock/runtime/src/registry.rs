//! Which sites there are, and how a name finds one.
//!
//! All sites of a program lie in one linker section; its bounds are found through the symbols that
//! the linker makes for it. So every site is known before any function was called. Nothing here
//! knows what stands behind a site.

use std::collections::HashMap;
use std::fmt;
use std::ptr;
use std::sync::OnceLock;

pub use soft_mock_abi::site::{Crate, Site, LAYOUT};
use thiserror::Error;

use crate::names;
use crate::shared::Shared;

/// Makes sure that the section, and with it the start and stop symbols, exists in every program.
#[used]
#[link_section = soft_mock_abi::section!(sites)]
static SENTINEL: Site = Site::sentinel();

extern "C" {
    #[link_name = concat!("__start_", soft_mock_abi::section!(sites))]
    static START: [u8; 0];
    #[link_name = concat!("__stop_", soft_mock_abi::section!(sites))]
    static STOP: [u8; 0];
}

static REGISTRY: OnceLock<Result<Registry, RegistryError>> = OnceLock::new();

/// The program's sites can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The section doesn't consist of sites of the layout that this runtime knows.
    #[error(
        "the program's sites have layout {found}, this soft-mock reads layout {LAYOUT}: \
         build the program and its runtime with one version of soft-mock"
    )]
    Layout {
        /// What was found in place of the layout's version.
        found: u32,
    },
    /// The section's size isn't that of a number of sites, or it has no sentinel.
    #[error("the section of the program's sites is damaged ({size} bytes)")]
    Section {
        /// The section's size.
        size: usize,
    },
    /// Another copy of the runtime came first, and its state has another layout.
    #[error(
        "another soft-mock in this process keeps state of version {found}, this one of version {}: \
         build the program and its runtime with one version of soft-mock",
        crate::shared::VERSION
    )]
    Shared {
        /// The version of the state that was found.
        found: u32,
    },
    /// The bounds of the section come too late, others are in use.
    #[error("the sites of this process were already looked up elsewhere")]
    Adopted,
}

/// No site was found for a name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FindError {
    /// No function has this name.
    #[error("no function is called `{name}`{}", Suggestions(.nearest))]
    Unknown {
        /// The name that was looked for.
        name: String,
        /// Names that come near it, best first.
        nearest: Vec<String>,
    },
    /// Several functions have this name: two crates of one name, or two impl blocks.
    #[error("several functions are called `{name}`; say which: {}", .candidates.join(", "))]
    Ambiguous {
        /// The name that was looked for.
        name: String,
        /// Longer names, each of which finds one of them.
        candidates: Vec<String>,
    },
    /// What was given isn't a function's own name, but a pointer or a closure.
    #[error(
        "`{type_name}` is not a function: pass the function by its own name, not a pointer to it \
         and not a closure"
    )]
    NotAFunction {
        /// The type of what was given.
        type_name: &'static str,
    },
    /// The program's sites can't be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

struct Suggestions<'a>(&'a [String]);

impl fmt::Display for Suggestions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => Ok(()),
            names => write!(f, "; did you mean {}?", names.join(" or ")),
        }
    }
}

/// The sites of this process.
pub struct Registry {
    sites: &'static [Site],
    shared: &'static Shared,
    by_name: OnceLock<HashMap<&'static str, Vec<&'static Site>>>,
}

/// A unit of the program: one crate as one call of rustc built it.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Its crate.
    pub krate: &'static Crate,
    /// How many functions of it can be redirected.
    pub sites: usize,
}

/// All functions of the program that can be redirected. None, if the program's sites can't be used
/// (see [`check`]).
pub fn sites() -> impl Iterator<Item = &'static Site> {
    registry().into_iter().flat_map(Registry::sites)
}

/// Whether the program's sites can be used.
pub fn check() -> Result<(), RegistryError> {
    registry().map(drop)
}

/// The units of the program, those without functions too.
pub fn units() -> Vec<Unit> {
    registry().map(Registry::units).unwrap_or_default()
}

/// Finds the site of a function by its name; `name@unit`, `name@file` or `name@file:line` where
/// several functions share the name.
pub fn find(name: &str) -> Result<&'static Site, FindError> {
    registry()?.find(name)
}

/// Uses the sites between these bounds, in place of those that this copy of the runtime would find.
///
/// For a copy that doesn't stand in the program itself: the symbols that it would use are those of
/// its own library.
///
/// # Safety
/// Between the bounds lie the sites of the program, for ever.
pub unsafe fn adopt(start: *const Site, stop: *const Site) -> Result<(), RegistryError> {
    let mut first = false;
    let found = REGISTRY.get_or_init(|| {
        first = true;
        // SAFETY: the caller's promise.
        unsafe { Registry::between(start, stop) }
    });
    match found {
        Err(error) => Err(error.clone()),
        Ok(registry) if first || ptr::eq(registry.sites.as_ptr(), start) => Ok(()),
        Ok(_) => Err(RegistryError::Adopted),
    }
}

/// Uses these sites, of a program in which nobody else uses them: nothing is shared with another
/// copy of the runtime.
pub fn adopt_alone(sites: &'static [Site]) -> Result<(), RegistryError> {
    let alone = || {
        let shared = Shared::of(&SENTINEL).map_err(|found| RegistryError::Shared { found })?;
        Ok(Registry {
            sites,
            shared,
            by_name: OnceLock::new(),
        })
    };
    match REGISTRY.get_or_init(alone) {
        Err(error) => Err(error.clone()),
        Ok(registry) if ptr::eq(registry.sites, sites) => Ok(()),
        Ok(_) => Err(RegistryError::Adopted),
    }
}

/// The sites beside which this copy of the runtime stands, without use of the state that copies
/// share: so they can be asked for before everything else, and by a copy that adopts other sites
/// later. None, if they aren't of the layout that it knows.
pub fn own_sites() -> Option<&'static [Site]> {
    let (start, stop) = ((&raw const START).cast(), (&raw const STOP).cast());
    // SAFETY: the linker makes both symbols as the bounds of the section, which holds only sites.
    let (sites, _) = unsafe { section(start, stop) }.ok()?;
    Some(sites)
}

/// The sites of this process, and what all copies of the runtime know of them.
pub fn registry() -> Result<&'static Registry, RegistryError> {
    let own = || {
        // Refers to the sentinel, so that a linker that drops unused sections keeps it.
        std::hint::black_box(&SENTINEL);
        // SAFETY: the linker makes both symbols as the bounds of the section, which holds only
        // sites, each of the layout that `Registry::between` checks.
        unsafe { Registry::between((&raw const START).cast(), (&raw const STOP).cast()) }
    };
    REGISTRY.get_or_init(own).as_ref().map_err(Clone::clone)
}

impl Registry {
    /// # Safety
    /// Between the bounds lie sites, of whatever layout version, for as long as anything of the
    /// result is used.
    pub(crate) unsafe fn between(
        start: *const Site,
        stop: *const Site,
    ) -> Result<Self, RegistryError> {
        // SAFETY: the caller's promise.
        let (sites, sentinel) = unsafe { section(start, stop) }?;
        let shared = Shared::of(sentinel).map_err(|found| RegistryError::Shared { found })?;
        Ok(Self {
            sites,
            shared,
            by_name: OnceLock::new(),
        })
    }

    /// Gives the sites of another image the state of this process.
    ///
    /// # Safety
    /// As for [`Registry::between`].
    pub(crate) unsafe fn share(
        start: *const Site,
        stop: *const Site,
        shared: &'static Shared,
    ) -> Result<(), RegistryError> {
        // SAFETY: the caller's promise.
        let (_, sentinel) = unsafe { section(start, stop) }?;
        match shared.give(sentinel) {
            true => Ok(()),
            false => Err(RegistryError::Adopted),
        }
    }

    /// Tells the program from a library in it that has sites of its own: patches belong to one of
    /// them.
    pub(crate) fn domain(&self) -> usize {
        self.sites.as_ptr().addr()
    }

    /// The state that all copies of the runtime share.
    pub fn shared(&self) -> &'static Shared {
        self.shared
    }

    /// All functions that can be redirected.
    pub fn sites(&self) -> impl Iterator<Item = &'static Site> {
        self.sites.iter().filter(|site| site.is_function())
    }

    /// All sites, those that stand for no function too.
    pub fn all(&self) -> &'static [Site] {
        self.sites
    }

    pub(crate) fn units(&self) -> Vec<Unit> {
        let mut units: Vec<Unit> = Vec::new();
        let mut position: HashMap<u64, usize> = HashMap::new();
        for site in self.sites {
            let krate = site.krate();
            if krate.unit() == 0 {
                continue; // The runtime's own sentinel.
            }
            let at = *position.entry(krate.unit()).or_insert_with(|| {
                units.push(Unit { krate, sites: 0 });
                units.len() - 1
            });
            units[at].sites += usize::from(site.is_function());
        }
        units
    }

    /// All functions of one name.
    pub(crate) fn named(&self, name: &str) -> &[&'static Site] {
        let index = self.by_name.get_or_init(|| {
            let mut index: HashMap<_, Vec<_>> = HashMap::new();
            for site in self.sites() {
                index.entry(site.name()).or_default().push(site);
            }
            index
        });
        index.get(name).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn find(&self, name: &str) -> Result<&'static Site, FindError> {
        let (plain, which) = match name.rsplit_once('@') {
            Some((plain, which)) => (plain, Some(which)),
            None => (name, None),
        };
        let found = self.named(plain).iter().copied();
        let found = found.filter(|site| which.is_none_or(|which| is_meant(site, which)));
        self.the_only(name, found.collect())
    }

    fn the_only(&self, name: &str, found: Vec<&'static Site>) -> Result<&'static Site, FindError> {
        match found.as_slice() {
            [] => Err(FindError::Unknown {
                name: name.to_owned(),
                nearest: self.nearest(name),
            }),
            [only] => Ok(only),
            several => Err(self.ambiguous(name, several)),
        }
    }

    /// That several functions are meant by `name`, with a longer name of each.
    pub fn ambiguous(&self, name: &str, several: &[&'static Site]) -> FindError {
        let candidates = several.iter().map(|site| longer_name(site, several));
        FindError::Ambiguous {
            name: name.to_owned(),
            candidates: candidates.collect(),
        }
    }

    /// Names that come near `name`, best first.
    pub fn nearest(&self, name: &str) -> Vec<String> {
        let unnamed = self.all().iter().flat_map(Site::unnamed);
        names::nearest(name, self.sites().map(Site::name).chain(unnamed))
    }
}

/// The sites of a section, and its first sentinel.
///
/// # Safety
/// Between the bounds lie sites, of whatever layout version, for as long as anything of the result
/// is used.
unsafe fn section(
    start: *const Site,
    stop: *const Site,
) -> Result<(&'static [Site], &'static Site), RegistryError> {
    let size = stop.addr().saturating_sub(start.addr());
    let stride = size_of::<Site>();
    if size == 0 || size % stride != 0 || !start.is_aligned() {
        return Err(RegistryError::Section { size });
    }
    // SAFETY: the caller's promise, and the size fits. A layout of another version is not
    // looked into further than its version, which stands at the same place in all of them.
    let sites: &'static [Site] = unsafe { std::slice::from_raw_parts(start, size / stride) };
    if let Some(other) = sites.iter().find(|site| site.version() != LAYOUT) {
        let found = other.version();
        return Err(RegistryError::Layout { found });
    }
    let sentinel = sites.iter().find(|site| site.is_sentinel());
    let sentinel = sentinel.ok_or(RegistryError::Section { size })?;
    Ok((sites, sentinel))
}

fn is_meant(site: &Site, which: &str) -> bool {
    which == format!("{:016x}", site.unit()) || which == site.file() || which == site.place()
}

/// A name that finds `site` alone among `several` of one plain name.
fn longer_name(site: &Site, several: &[&'static Site]) -> String {
    let alike = several.iter().filter(|other| other.unit() == site.unit());
    match alike.count() {
        1 => format!("{}@{:016x} ({})", site.name(), site.unit(), site.place()),
        _ => format!("{}@{}", site.name(), site.place()),
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("sites", &self.sites.len())
            .finish_non_exhaustive()
    }
}
