//! Which functions a test enters, as its process has told.
//!
//! Knows nothing of what is edited. What isn't known for sure is not known: a process that crashed,
//! was killed, started others, or didn't tell.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use anyhow::Result;
use soft_mock_abi::reach::{Ended, PRELOAD_BEFORE, SITES};
use soft_mock_abi::template::TEMPLATE;

use super::launch::Launch;
use crate::rustc::unit::Unit;
use crate::session::write_agent;

/// A function with a site: the folder of its unit, which the next build of it has too, and the
/// name of the site.
pub(super) type SiteName = (PathBuf, String);

/// Has processes tell.
#[derive(Debug)]
pub(super) struct Recorder {
    folder: PathBuf,
    /// The library that is loaded before the program. None: its path can't be given to the dynamic
    /// linker.
    library: Option<PathBuf>,
    number: AtomicU64,
}

/// The sites of a binary, in the order of the bits.
#[derive(Debug)]
pub(super) struct Sites {
    names: Vec<Option<SiteName>>,
    /// Where each name stands. Several functions may have one.
    places: HashMap<SiteName, Vec<usize>>,
}

/// What a test has entered.
#[derive(Debug)]
pub(super) struct Reach {
    sites: Arc<Sites>,
    bits: Vec<u8>,
}

/// Where a process tells it.
pub(super) struct Place {
    pub(super) variables: Vec<(OsString, OsString)>,
    pub(super) file: PathBuf,
}

impl Recorder {
    /// `folder` is a private one of ours.
    pub(super) fn new(folder: &Path) -> Result<Self> {
        write_agent(folder)?;
        let library = folder.join("agent.so");
        let separates = |byte: &u8| byte.is_ascii_whitespace() || *byte == b':';
        let can_be_given = !library.as_os_str().as_bytes().iter().any(separates);
        Ok(Self {
            folder: folder.to_owned(),
            library: can_be_given.then_some(library),
            number: AtomicU64::new(0),
        })
    }

    /// For a process that lists all sites.
    pub(super) fn sites(&self, launch: &Launch) -> Option<Place> {
        let mut variables = self.preload(launch)?;
        let place = self.reach();
        variables.push((SITES.into(), place.file.clone().into()));
        Some(Place { variables, ..place })
    }

    /// For a template: variables of ours.
    pub(super) fn template(&self, launch: &Launch) -> Option<Vec<(OsString, OsString)>> {
        let mut variables = self.preload(launch)?;
        variables.push((TEMPLATE.into(), "1".into()));
        Some(variables)
    }

    /// For a test that a template runs.
    pub(super) fn reach(&self) -> Place {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        Place {
            variables: Vec::new(),
            file: self.folder.join(format!("told-{number}")),
        }
    }

    /// What is private and ours.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Has the library loaded before the program.
    fn preload(&self, launch: &Launch) -> Option<Vec<(OsString, OsString)>> {
        let mut preload = self.library.clone()?.into_os_string();
        let before = launch.env.get(OsStr::new("LD_PRELOAD")).cloned();
        let before = before.unwrap_or_default();
        if !before.is_empty() {
            preload.push(":");
            preload.push(&before);
        }
        Some(vec![
            ("LD_PRELOAD".into(), preload),
            (PRELOAD_BEFORE.into(), before),
        ])
    }
}

impl Place {
    /// What was told, once. None: nothing was.
    fn told(&self) -> Option<Vec<u8>> {
        let told = std::fs::read(&self.file).ok();
        let _ = std::fs::remove_file(&self.file);
        told
    }

    pub(super) fn sites(&self, units: &[(PathBuf, Unit)]) -> Option<Sites> {
        Sites::read(&String::from_utf8(self.told()?).ok()?, &|id| {
            let (folder, _) = units.iter().find(|(_, unit)| unit.id == id)?;
            Some(folder.clone())
        })
    }

    pub(super) fn reach(&self, sites: Option<&Arc<Sites>>) -> Option<Reach> {
        let told = self.told();
        Reach::read(told?, sites?)
    }
}

impl Sites {
    /// None if a site is of a unit that isn't known.
    fn read(text: &str, folder: &dyn Fn(u64) -> Option<PathBuf>) -> Option<Self> {
        let site = |line: &str| {
            let Some((unit, name)) = line.split_once(' ') else {
                return Some(None);
            };
            let unit = u64::from_str_radix(unit, 16).ok()?;
            Some(Some((folder(unit)?, name.to_owned())))
        };
        let names: Option<Vec<Option<SiteName>>> = text.lines().map(site).collect();
        names.map(Self::of)
    }

    pub(super) fn of(names: Vec<Option<SiteName>>) -> Self {
        let mut places: HashMap<SiteName, Vec<usize>> = HashMap::new();
        for (place, name) in names.iter().enumerate() {
            if let Some(name) = name {
                places.entry(name.clone()).or_default().push(place);
            }
        }
        Self { names, places }
    }

    pub(super) fn names(&self) -> &[Option<SiteName>] {
        &self.names
    }

    /// Whether it is known when these are entered.
    pub(super) fn have(&self, sites: &BTreeSet<SiteName>) -> bool {
        sites.iter().all(|site| self.has(site))
    }

    pub(super) fn has(&self, site: &SiteName) -> bool {
        self.places.contains_key(site)
    }
}

impl Reach {
    fn read(mut bits: Vec<u8>, sites: &Arc<Sites>) -> Option<Self> {
        let is_complete = bits.pop() == Some(Ended::Complete as u8);
        is_complete.then(|| Self::of(bits, sites)).flatten()
    }

    /// None: it is that of another binary.
    pub(super) fn of(bits: Vec<u8>, sites: &Arc<Sites>) -> Option<Self> {
        let fits = bits.len() == sites.names.len().div_ceil(8);
        fits.then(|| Self {
            sites: Arc::clone(sites),
            bits,
        })
    }

    pub(super) fn bits(&self) -> &[u8] {
        &self.bits
    }

    /// Whether one of these is entered.
    pub(super) fn has(&self, sites: &BTreeSet<SiteName>) -> bool {
        self.entered().any(|name| sites.contains(name))
    }

    /// The same for another build of the binary, as far as it has the functions.
    pub(super) fn among(&self, sites: &Arc<Sites>) -> Self {
        let mut bits = vec![0; sites.names.len().div_ceil(8)];
        let places = self.entered().filter_map(|name| sites.places.get(name));
        for place in places.flatten() {
            bits[place / 8] |= 1 << (place % 8);
        }
        Self {
            sites: Arc::clone(sites),
            bits,
        }
    }

    /// What is entered in one of two runs of the same binary: chance may have decided.
    pub(super) fn or(mut self, earlier: &Self) -> Self {
        for (bits, earlier) in self.bits.iter_mut().zip(&earlier.bits) {
            *bits |= earlier;
        }
        self
    }

    fn entered(&self) -> impl Iterator<Item = &SiteName> {
        let names = self.sites.names.iter().enumerate();
        let is_entered = |place: usize| self.bits[place / 8] & (1 << (place % 8)) != 0;
        let entered = names.filter(move |(place, _)| is_entered(*place));
        entered.filter_map(|(_, name)| name.as_ref())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::test) fn site(name: &str) -> SiteName {
        ("/t/.hot/a-1".into(), name.to_owned())
    }

    pub(in crate::test) fn sites() -> Arc<Sites> {
        let text = "00000000000000ff a::f\n\n00000000000000ff a::g\n";
        let known = |id: u64| (id == 255).then(|| site("").0);
        Arc::new(Sites::read(text, &known).expect("known units"))
    }

    pub(in crate::test) fn reach(bits: u8) -> Option<Reach> {
        Reach::read(vec![bits, Ended::Complete as u8], &sites())
    }

    #[test]
    fn a_bit_stands_for_a_function() {
        let of = |name: &str| BTreeSet::from([site(name)]);
        let both = reach(0b101).expect("complete");
        assert!(both.has(&of("a::f")) && both.has(&of("a::g")) && !both.has(&of("a::h")));
        let first = reach(0b001).expect("complete");
        assert!(first.has(&of("a::f")) && !first.has(&of("a::g")));
        assert!(sites().have(&of("a::g")) && !sites().have(&of("a::h")));
    }

    #[test]
    fn what_was_once_entered_counts_in_later_builds() {
        let of = |name: &str| BTreeSet::from([site(name)]);
        let text = "00000000000000ff a::g\n00000000000000ff a::new\n00000000000000ff a::f\n";
        let other = Arc::new(Sites::read(text, &|_| Some(site("").0)).expect("known units"));
        let first = reach(0b001).expect("complete").among(&other);
        assert!(first.has(&of("a::f")) && !first.has(&of("a::g")));
        let second = Reach::read(vec![0b010, Ended::Complete as u8], &other).expect("complete");
        let both = second.or(&first);
        assert!(both.has(&of("a::f")) && both.has(&of("a::new")) && !both.has(&of("a::g")));
    }

    #[test]
    fn what_is_not_all_is_nothing() {
        assert!(Reach::read(vec![1, Ended::HadChildren as u8], &sites()).is_none());
        assert!(Reach::read(vec![1, 1, Ended::Complete as u8], &sites()).is_none());
        assert!(Reach::read(vec![], &sites()).is_none());
        assert!(Sites::read("0000000000000001 x::f\n", &|_| None).is_none());
    }
}
