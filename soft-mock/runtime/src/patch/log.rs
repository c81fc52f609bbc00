//! The history: what was installed when, and what ran before.
//!
//! Kept in [`Shared`], so that all copies of the runtime read one history. Written under its lock,
//! in the same critical section as the switch; an entry is never changed and never freed, so it is
//! read without a lock.

use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use soft_mock_abi::report::{Installed, PastPatch, Status};
use soft_mock_abi::site::Code;
use soft_mock_abi::site::Site;

use crate::hook::SiteHook;
use crate::registry::{registry, Registry};
use crate::shared::{Locked, Shared};

use super::switch::{patch_of, Change};

/// A patch that was installed.
#[repr(C)]
pub(super) struct Entry {
    /// What its functions belong to: the program, or a library in it.
    domain: usize,
    patch: u64,
    /// Nanoseconds since 1970.
    at: u64,
    bytes: u64,
    /// How many patches it took back; 0 for an ordinary patch.
    undone: u64,
    changes: *const Noted,
    changes_len: usize,
    previous: *const Entry,
}

/// What a patch changed at one site.
#[repr(C)]
pub(super) struct Noted {
    site: *const Site,
    code: Option<Code>,
    /// What ran before, and the patch that it is of; 0 for the original body.
    before: Option<Code>,
    before_patch: u64,
    file: *const u8,
    file_len: usize,
    line: u32,
}

/// What there is to say about a patch beside its changes.
pub(super) struct Facts {
    pub(super) domain: usize,
    pub(super) bytes: u64,
    pub(super) undone: u64,
}

impl Noted {
    pub(super) fn new(change: &Change, (before, before_patch): (Option<Code>, u64)) -> Self {
        let (file, line) = change.source();
        // Never freed, like everything in the history.
        let file: &'static str = Box::leak(file.to_owned().into_boxed_str());
        Self {
            site: change.site(),
            code: change.code(),
            before,
            before_patch,
            file: file.as_ptr(),
            file_len: file.len(),
            line,
        }
    }

    pub(super) fn site(&self) -> &'static Site {
        // SAFETY: `new` took it from a `&'static Site`.
        unsafe { &*self.site }
    }

    pub(super) fn before(&self) -> (Option<Code>, u64) {
        (self.before, self.before_patch)
    }

    pub(super) fn file(&self) -> &'static str {
        // SAFETY: `new` took both from one `&'static str`.
        let bytes = unsafe { slice::from_raw_parts(self.file, self.file_len) };
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    pub(super) fn line(&self) -> u32 {
        self.line
    }

    /// As it is told of the entry of `patch` at `generation`.
    fn installed(&self, patch: u64, generation: u64) -> Installed {
        let hook = SiteHook::existing(self.site());
        Installed {
            name: self.site().name().to_owned(),
            file: self.file().to_owned(),
            line: self.line,
            running: 0,
            restored: self.code.is_none(),
            called: hook.and_then(|hook| hook.was_called(generation, patch)),
        }
    }
}

impl Entry {
    pub(super) fn patch(&self) -> u64 {
        self.patch
    }

    pub(super) fn changes(&self) -> &'static [Noted] {
        // SAFETY: `append` leaked a slice of this length.
        unsafe { slice::from_raw_parts(self.changes, self.changes_len) }
    }
}

pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    // A clock before 1970 is as good as none.
    since.map_or(0, |since| {
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    })
}

fn head(shared: &Shared) -> &AtomicPtr<Entry> {
    // SAFETY: this module alone uses the cell.
    unsafe { shared.log.of() }
}

pub(super) fn append(locked: &Locked, patch: u64, at: u64, facts: Facts, changes: Vec<Noted>) {
    let changes: &'static [Noted] = Box::leak(changes.into_boxed_slice());
    let log = head(locked.shared());
    let entry = Box::new(Entry {
        domain: facts.domain,
        patch,
        at,
        bytes: facts.bytes,
        undone: facts.undone,
        changes: changes.as_ptr(),
        changes_len: changes.len(),
        previous: log.load(Ordering::Relaxed),
    });
    log.store(Box::into_raw(entry), Ordering::Release);
}

/// All entries of a domain, the oldest first.
pub(super) fn entries(shared: &'static Shared, domain: usize) -> Vec<&'static Entry> {
    let mut entries = Vec::new();
    let mut next = head(shared).load(Ordering::Acquire).cast_const();
    // SAFETY: null, or an entry that `append` published with Release; never changed, never freed.
    while let Some(entry) = unsafe { next.as_ref() } {
        if entry.domain == domain {
            entries.push(entry);
        }
        next = entry.previous;
    }
    entries.reverse();
    entries
}

/// The patches that nobody took back, the oldest first, and for each that was taken back by whom.
pub(super) fn in_effect(entries: &[&'static Entry]) -> (Vec<&'static Entry>, Vec<(u64, u64)>) {
    let mut standing: Vec<&'static Entry> = Vec::new();
    let mut undone = Vec::new();
    for entry in entries {
        match usize::try_from(entry.undone).unwrap_or(usize::MAX) {
            0 => standing.push(entry),
            count => {
                let kept = standing.len().saturating_sub(count);
                let gone = standing.drain(kept..);
                undone.extend(gone.map(|gone| (gone.patch, entry.patch)));
            }
        }
    }
    (standing, undone)
}

/// All patches of this program, the oldest first; rollbacks are patches too.
pub fn history() -> Vec<PastPatch> {
    registry().map(history_of).unwrap_or_default()
}

/// The patches of a program, or of a library with sites of its own.
pub(crate) fn history_of(registry: &Registry) -> Vec<PastPatch> {
    let entries = entries(registry.shared(), registry.domain());
    let (_, undone) = in_effect(&entries);
    let generation = registry.shared().generation.load(Ordering::Acquire);
    let past = |entry: &&'static Entry| PastPatch {
        patch: entry.patch,
        at: UNIX_EPOCH + Duration::from_nanos(entry.at),
        functions: (entry.changes().iter())
            .map(|noted| noted.installed(entry.patch, generation))
            .collect(),
        bytes: entry.bytes,
        undone: pairs(&undone, |(gone, by)| (*by == entry.patch).then_some(*gone)),
        undone_by: pairs(&undone, |(gone, by)| (*gone == entry.patch).then_some(*by)).pop(),
    };
    entries.iter().map(past).collect()
}

/// What a patch changed, as it is now; nothing if there is no such patch.
pub(crate) fn installed_by(registry: &Registry, patch: u64) -> Vec<Installed> {
    let generation = registry.shared().generation.load(Ordering::Acquire);
    let entries = entries(registry.shared(), registry.domain());
    let entry = entries.iter().find(|entry| entry.patch == patch);
    let changes = entry.map_or(&[][..], |entry| entry.changes());
    let installed = |noted: &Noted| noted.installed(patch, generation);
    changes.iter().map(installed).collect()
}

fn pairs(undone: &[(u64, u64)], pick: impl Fn(&(u64, u64)) -> Option<u64>) -> Vec<u64> {
    undone.iter().filter_map(pick).collect()
}

/// What this program runs.
pub fn status() -> Status {
    registry().map(status_of).unwrap_or_default()
}

/// What a program runs, or a library with sites of its own.
pub(crate) fn status_of(registry: &Registry) -> Status {
    let shared = registry.shared();
    let entries = entries(shared, registry.domain());
    let generation = shared.generation.load(Ordering::Acquire);
    let patched: Vec<&'static Site> = registry
        .sites()
        .filter(|site| patch_of(site).is_some())
        .collect();
    let waits = |site: &&'static Site| {
        let hook = SiteHook::existing(site);
        let patch = patch_of(site);
        let called = hook
            .zip(patch)
            .and_then(|(hook, patch)| hook.was_called(generation, patch));
        called == Some(false)
    };
    let not_called = patched.iter().filter(|site| waits(site));
    Status {
        sites: registry.sites().count(),
        not_called: not_called.map(|site| site.name().to_owned()).collect(),
        patched: patched.len(),
        patches: entries.len(),
        in_effect: in_effect(&entries).0.len(),
        waiting: shared.waiting.load(Ordering::Relaxed) as usize,
        bytes: entries.iter().map(|entry| entry.bytes).sum(),
    }
}

/// Where the code of `patch` for `site` comes from.
pub(super) fn source_of(
    entries: &[&'static Entry],
    patch: u64,
    site: &'static Site,
) -> (String, u32) {
    let noted = entries
        .iter()
        .filter(|entry| entry.patch == patch)
        .flat_map(|entry| entry.changes())
        .find(|noted| ptr::eq(noted.site, site));
    match noted {
        Some(noted) => (noted.file().to_owned(), noted.line()),
        None => (site.file().to_owned(), site.line()),
    }
}
