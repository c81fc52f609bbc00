//! The switch: all changes of a patch become active with one store, and the history takes note.
//!
//! It can't fail; whatever can was done before. What other threads see of it is written in `hook`.

use std::sync::atomic::Ordering;
use std::time::Instant;

use soft_mock_abi::report::{Installed, Report};
use soft_mock_abi::site::Code;
use soft_mock_abi::site::Site;

use crate::hook::SiteHook;
use crate::loader::Replacement;
use crate::registry::registry;
use crate::shared::{Shared, Turn};

use super::listeners;
use super::log::{self, Noted};

/// New code for a site: of the type of its function, which is why only what was checked makes one.
pub(super) struct Change {
    site: &'static Site,
    /// None: its original body.
    code: Option<Code>,
    /// The earlier patch that the code is of; none if it is of this one.
    of: Option<u64>,
    /// Where the code comes from.
    file: String,
    line: u32,
}

impl Change {
    /// Code that the loader has compared with the site.
    pub(super) fn replace(new: Replacement) -> Self {
        Self {
            site: new.site(),
            code: Some(new.code()),
            of: None,
            file: new.file,
            line: new.line,
        }
    }

    /// What ran before an earlier patch, which comes from this file and line.
    pub(super) fn again(noted: &Noted, (file, line): (String, u32)) -> Self {
        let (code, patch) = noted.before();
        Self {
            site: noted.site(),
            code,
            of: Some(patch),
            file,
            line,
        }
    }

    /// The original body again.
    pub(super) fn restore(site: &'static Site) -> Self {
        Self {
            site,
            code: None,
            of: None,
            file: site.file().to_owned(),
            line: site.line(),
        }
    }

    /// Code of the test's own.
    ///
    /// # Safety
    /// It is of the type of the site's function, and stays for ever.
    #[cfg(test)]
    pub(super) unsafe fn unchecked(site: &'static Site, code: Code) -> Self {
        Self {
            code: Some(code),
            ..Self::restore(site)
        }
    }

    pub(super) fn site(&self) -> &'static Site {
        self.site
    }

    pub(super) fn code(&self) -> Option<Code> {
        self.code
    }

    /// Where the code comes from.
    pub(super) fn source(&self) -> (&str, u32) {
        (&self.file, self.line)
    }

    fn installed(&self) -> Installed {
        Installed {
            name: self.site.name().to_owned(),
            file: self.file.clone(),
            line: self.line,
            running: self.site.running().unwrap_or(0),
            restored: self.code.is_none(),
            called: None,
        }
    }
}

/// All that is to happen at a switch.
pub(super) struct Switch {
    /// What its functions belong to; see [`Registry::domain`](crate::registry::Registry::domain).
    pub(super) domain: usize,
    pub(super) changes: Vec<Change>,
    /// What its plugins take.
    pub(super) bytes: u64,
    /// The patches that it takes back, the newest first.
    pub(super) undone: Vec<u64>,
    /// When the patch was asked for.
    pub(super) started: Instant,
}

impl Switch {
    /// Makes it active, and tells the listeners before and after.
    pub(super) fn perform(self, turn: &Turn) -> Report {
        let mut report = Report {
            patch: turn.coming_patch(),
            generation: 0,
            functions: self.changes.iter().map(Change::installed).collect(),
            bytes: self.bytes,
            elapsed: self.started.elapsed(),
            undone: self.undone,
            warnings: Vec::new(),
        };
        listeners::tell(turn, listeners::Phase::Before, &mut report);
        let facts = log::Facts {
            domain: self.domain,
            bytes: self.bytes,
            undone: report.undone.len() as u64,
        };
        let switched = switch(turn.shared(), &self.changes, facts);
        report.patch = switched.patch;
        report.generation = switched.generation;
        for (function, change) in report.functions.iter_mut().zip(&self.changes) {
            function.running = change.site.running().unwrap_or(0);
        }
        report.elapsed = self.started.elapsed();
        listeners::tell(turn, listeners::Phase::After, &mut report);
        report
    }
}

pub(super) struct Switched {
    pub(super) patch: u64,
    pub(super) generation: u64,
}

/// Makes all changes active with one store. See `hook` for what other threads see.
pub(super) fn switch(shared: &'static Shared, changes: &[Change], facts: log::Facts) -> Switched {
    let at = log::now();
    let locked = shared.lock();
    let patch = locked.next_patch();
    let generation = locked.generation() + 1;
    let mut noted = Vec::with_capacity(changes.len());
    for change in changes {
        let hook = SiteHook::of(change.site, &locked);
        let before = hook.state_at(generation - 1);
        let of = change.of.unwrap_or(patch);
        // SAFETY: a change's code is of the type of its site, and of a plugin that stays.
        unsafe { hook.push(generation, of, change.code, &locked) };
        hook.attach(&locked);
        noted.push(Noted::new(change, before));
    }
    shared.generation.store(generation, Ordering::Release);
    for change in changes {
        SiteHook::of(change.site, &locked).settle(&locked);
    }
    log::append(&locked, patch, at, facts, noted);
    Switched { patch, generation }
}

/// The patch whose code runs at a site; none while its original body does.
pub fn patch_of(site: &'static Site) -> Option<u64> {
    let shared = registry().ok()?.shared();
    let generation = shared.generation.load(Ordering::Acquire);
    SiteHook::existing(site)?.patch_at(generation)
}

/// Whether the code of a patch runs at a site, and was called.
pub fn was_called(site: &'static Site) -> bool {
    let called = || {
        let hook = SiteHook::existing(site)?;
        let generation = registry().ok()?.shared().generation.load(Ordering::Acquire);
        hook.was_called(generation, hook.patch_at(generation)?)
    };
    called().unwrap_or(false)
}
