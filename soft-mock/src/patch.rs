//! Patches: sets of replacements that become active together.
//!
//! A transaction first checks everything, then loads, then switches. Whatever goes wrong before the
//! switch leaves all functions as they were; the switch itself can't fail. How threads see it is
//! written in `hook`.

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::hook::{Code, Hook};
use crate::loader::{self, Checked, LoadError, Loaded, Refusal};
use crate::registry::{registry, Registry};
use crate::shared::Shared;
use crate::site::Site;

/// Transactions of this copy of the runtime, one at a time: who comes first is installed first.
static ORDER: Mutex<()> = Mutex::new(());

/// What a patch did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The number of the patch in this process, from 1.
    pub patch: u64,
    /// The generation that it made active: of two patches, the one with the higher generation runs.
    pub generation: u64,
    /// The functions that were changed.
    pub functions: Vec<Installed>,
    /// The memory that its plugins take for as long as the process lives.
    pub bytes: u64,
    /// From the call to the switch.
    pub elapsed: Duration,
}

/// A function that was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// The function's name.
    pub name: String,
    /// The file that its code comes from, as the user knows it.
    pub file: String,
    /// The line in it.
    pub line: u32,
    /// Calls that were in progress at the switch, and go on with the old code; 0 where they aren't
    /// counted.
    pub running: usize,
    /// It has its original body back.
    #[serde(default)]
    pub restored: bool,
}

/// Installs a plugin: all of its functions, or none and why.
pub fn load_plugin(path: impl AsRef<Path>) -> Result<Report, LoadError> {
    Transaction::new().plugin(path.as_ref()).commit()
}

/// Installs several plugins together: all of their functions, or none and why.
pub fn load_plugins<P: AsRef<Path>>(paths: &[P]) -> Result<Report, LoadError> {
    let transaction = paths.iter().fold(Transaction::new(), |transaction, path| {
        transaction.plugin(path.as_ref())
    });
    transaction.commit()
}

/// A patch in the making.
///
/// ```
/// use soft_mock::patch::Transaction;
///
/// let refused = Transaction::new().plugin("no/such/plugin.so").commit();
/// assert_eq!(refused.unwrap_err().to_string(), "no/such/plugin.so: there is no such file");
/// ```
#[derive(Debug, Default)]
#[must_use = "nothing is installed before `commit`"]
pub struct Transaction {
    plugins: Vec<PathBuf>,
    restores: Vec<(String, String)>,
    copies: Option<PathBuf>,
    image: Option<Arc<Target>>,
}

/// The library of a managed plugin that a patch is for.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) sites: Registry,
    /// The file that was opened.
    pub(crate) path: PathBuf,
}

impl Transaction {
    /// A patch that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds all functions of a plugin.
    pub fn plugin(mut self, path: impl Into<PathBuf>) -> Self {
        self.plugins.push(path.into());
        self
    }

    /// Gives a function its original body back. `unit` is the crate's, in 16 hexadecimal digits.
    pub fn restore(mut self, unit: impl Into<String>, name: impl Into<String>) -> Self {
        self.restores.push((unit.into(), name.into()));
        self
    }

    /// Keeps the copies of plugins in `folder`, which is private and which somebody else removes.
    pub(crate) fn copies_in(mut self, folder: Option<&Path>) -> Self {
        self.copies = folder.map(Path::to_owned);
        self
    }

    /// Changes functions of this library, which stays where it is, and not of the program.
    pub(crate) fn in_image(mut self, image: Option<Arc<Target>>) -> Self {
        self.image = image;
        self
    }

    /// Makes all of it active at once, or nothing of it.
    pub fn commit(self) -> Result<Report, LoadError> {
        let started = Instant::now();
        let _turn = ORDER.lock();
        let sites = match &self.image {
            Some(image) => &image.sites,
            None => registry().map_err(Refusal::from)?,
        };
        let checked = self.check(sites)?;
        let restored = self.sites_to_restore(sites)?;
        nothing_twice(&checked, &restored)?;
        let loaded = self.load(checked)?;
        Ok(install(sites.shared(), loaded, restored, started))
    }

    fn check(&self, sites: &Registry) -> Result<Vec<Checked>, LoadError> {
        self.plugins
            .iter()
            .map(|path| loader::check(path, sites))
            .collect()
    }

    fn load(&self, checked: Vec<Checked>) -> Result<Vec<Loaded>, LoadError> {
        let image = self.image.as_ref().map(|image| image.path.as_path());
        checked
            .into_iter()
            .map(|plugin| plugin.load(self.copies.as_deref(), image))
            .collect()
    }

    fn sites_to_restore(&self, sites: &Registry) -> Result<Vec<&'static Site>, LoadError> {
        let found = self
            .restores
            .iter()
            .map(|(unit, name)| loader::site_to_restore(sites, unit, name));
        Ok(found.collect::<Result<_, _>>()?)
    }
}

fn nothing_twice(checked: &[Checked], restored: &[&'static Site]) -> Result<(), LoadError> {
    let mut seen = HashSet::new();
    let twice = |site: &Site| Refusal::Twice {
        name: site.name().to_owned(),
    };
    for plugin in checked {
        if let Some(site) = plugin
            .sites()
            .find(|site| !seen.insert(std::ptr::from_ref(*site)))
        {
            return Err(twice(site).of(plugin.path()));
        }
    }
    match restored
        .iter()
        .find(|site| !seen.insert(std::ptr::from_ref(**site)))
    {
        Some(site) => Err(twice(site).into()),
        None => Ok(()),
    }
}

fn install(
    shared: &'static Shared,
    loaded: Vec<Loaded>,
    restored: Vec<&'static Site>,
    started: Instant,
) -> Report {
    let bytes = loaded.iter().map(|plugin| plugin.memory).sum();
    let mut changes = Vec::new();
    let mut functions = Vec::new();
    for new in loaded.into_iter().flat_map(|plugin| plugin.replacements) {
        changes.push(Change {
            site: new.site,
            code: Some(new.code),
        });
        functions.push(Installed {
            file: new.file,
            line: new.line,
            ..installed(new.site, false)
        });
    }
    for site in restored {
        changes.push(Change { site, code: None });
        functions.push(installed(site, true));
    }
    let switched = switch(shared, &changes);
    for (function, change) in functions.iter_mut().zip(&changes) {
        function.running = change.site.running().unwrap_or(0);
    }
    Report {
        patch: switched.patch,
        generation: switched.generation,
        functions,
        bytes,
        elapsed: started.elapsed(),
    }
}

fn installed(site: &Site, restored: bool) -> Installed {
    Installed {
        name: site.name().to_owned(),
        file: site.file().to_owned(),
        line: site.line(),
        running: 0,
        restored,
    }
}

/// New code for a site; none: its original body.
struct Change {
    site: &'static Site,
    code: Option<Code>,
}

struct Switched {
    patch: u64,
    generation: u64,
}

/// Makes all changes active with one store. See `hook` for what other threads see.
fn switch(shared: &'static Shared, changes: &[Change]) -> Switched {
    use std::sync::atomic::Ordering::Release;

    let locked = shared.lock();
    let switched = Switched {
        patch: locked.next_patch(),
        generation: locked.generation() + 1,
    };
    for change in changes {
        let hook = Hook::of(change.site, &locked);
        hook.push(switched.generation, switched.patch, change.code, &locked);
        hook.attach(change.site, &locked);
    }
    shared.generation.store(switched.generation, Release);
    for change in changes {
        Hook::of(change.site, &locked).settle(change.site, &locked);
    }
    switched
}

/// The patch that runs at a site; none while its original body does.
pub(crate) fn patch_of(site: &'static Site) -> Option<u64> {
    let shared = registry().ok()?.shared();
    let generation = shared.generation.load(std::sync::atomic::Ordering::Acquire);
    Hook::existing(site)?.patch_at(generation)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.functions.len();
        let plural = if count == 1 { "" } else { "s" };
        write!(f, "patch {}: {count} function{plural}", self.patch)?;
        let mut separator = ": ";
        for function in &self.functions {
            write!(f, "{separator}{function}")?;
            separator = ", ";
        }
        Ok(())
    }
}

impl fmt::Display for Installed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}:{})", self.name, self.file, self.line)?;
        if self.restored {
            f.write_str(", original restored")?;
        }
        match self.running {
            0 => Ok(()),
            running => write!(f, ", {running} running with the old code"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use std::thread;

    use super::*;
    use crate::registry::find;

    #[allow(unreachable_pub)]
    mod app {
        crate::sites! {
            as fn() -> u32, "fn() -> u32";
            pub fn rising_a() -> u32 { 0 }

            as fn() -> u32, "fn() -> u32";
            pub fn rising_b() -> u32 { 0 }

            as fn() -> u32, "fn() -> u32";
            pub fn turning_a() -> u32 { 0 }

            as fn() -> u32, "fn() -> u32";
            pub fn turning_b() -> u32 { 0 }

            as fn() -> u32, "fn() -> u32";
            pub fn quiet() -> u32 { 0 }

            as fn() -> u32, "fn() -> u32";
            pub fn mocked() -> u32 { 0 }
        }
    }

    fn site(name: &str) -> &'static Site {
        find(&format!("soft_mock::patch::tests::app::{name}")).expect("a site of this module")
    }

    fn code(function: fn() -> u32) -> Code {
        // SAFETY: both are function pointers; the prologue turns it back into the former.
        unsafe { std::mem::transmute::<fn() -> u32, Code>(function) }
    }

    fn switch_both(sites: [&'static Site; 2], to: Option<fn() -> u32>) -> Switched {
        let shared = registry().expect("sites").shared();
        let changes = sites.map(|site| Change {
            site,
            code: to.map(code),
        });
        switch(shared, &changes)
    }

    fn version<const N: u32>() -> u32 {
        N
    }

    fn versions() -> Vec<fn() -> u32> {
        macro_rules! versions {
            ($($digit:literal)*) => { vec![$(
                version::<{ $digit * 8 + 1 }>, version::<{ $digit * 8 + 2 }>, version::<{ $digit * 8 + 3 }>,
                version::<{ $digit * 8 + 4 }>, version::<{ $digit * 8 + 5 }>, version::<{ $digit * 8 + 6 }>,
                version::<{ $digit * 8 + 7 }>, version::<{ $digit * 8 + 8 }>,
            )*] };
        }
        versions!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    }

    #[test]
    fn nobody_sees_an_old_function_after_a_new_one() {
        let sites = [site("rising_a"), site("rising_b")];
        let ended = AtomicBool::new(false);
        let newest = AtomicU32::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    while !ended.load(Ordering::Relaxed) {
                        // What another thread saw counts as well.
                        let known = newest.load(Ordering::Acquire);
                        let seen = [
                            app::rising_a(),
                            app::rising_b(),
                            app::rising_a(),
                            app::rising_b(),
                        ];
                        assert!(known <= seen[0] && seen.is_sorted(), "{known} {seen:?}");
                        newest.fetch_max(seen[3], Ordering::AcqRel);
                    }
                });
            }
            for version in versions() {
                switch_both(sites, Some(version));
                assert_eq!(app::rising_b(), version());
                thread::yield_now();
            }
            ended.store(true, Ordering::Relaxed);
        });
    }

    #[test]
    fn restores_are_seen_together_too() {
        let sites = [site("turning_a"), site("turning_b")];
        // Odd while a switch is under way.
        let epoch = AtomicU32::new(0);
        let [checked, wrong] = [const { AtomicU32::new(0) }; 2];
        let ended = AtomicBool::new(false);
        let look = || {
            let before = epoch.load(Ordering::SeqCst);
            let seen = [app::turning_a(), app::turning_b()];
            if before % 2 == 0 && epoch.load(Ordering::SeqCst) == before {
                let is_right = seen == [before / 2 % 2; 2];
                wrong.fetch_add(u32::from(!is_right), Ordering::Relaxed);
                checked.fetch_add(1, Ordering::Relaxed);
            }
        };
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    while !ended.load(Ordering::Relaxed) {
                        look();
                    }
                });
            }
            for round in 0..200 {
                epoch.fetch_add(1, Ordering::SeqCst);
                switch_both(sites, (round % 2 == 0).then_some(version::<1>));
                epoch.fetch_add(1, Ordering::SeqCst);
                // Every state is looked at by somebody.
                let before = checked.load(Ordering::Relaxed);
                while checked.load(Ordering::Relaxed) == before {
                    thread::yield_now();
                }
            }
            ended.store(true, Ordering::Relaxed);
        });
        assert_eq!(wrong.into_inner(), 0);
    }

    #[test]
    fn the_fast_path_is_free_after_a_restore() {
        let site = site("quiet");
        let is_free = || site.hook.load(Ordering::Relaxed).is_null();
        assert!(is_free());
        let first = switch_both([site, site], Some(version::<7>));
        assert!(!is_free());
        assert_eq!((app::quiet(), patch_of(site)), (7, Some(first.patch)));
        let second = switch_both([site, site], None);
        assert!(is_free());
        assert_eq!((app::quiet(), patch_of(site)), (0, None));
        assert!(second.generation > first.generation && second.patch > first.patch);
        switch_both([site, site], Some(version::<8>));
        assert_eq!(app::quiet(), 8);
    }

    #[test]
    fn a_mock_comes_before_a_patch_and_leaves_it() {
        let name = "soft_mock::patch::tests::app::mocked";
        let site = find(name).expect("a site");
        switch_both([site, site], Some(version::<3>));
        crate::mock_by_name(name, version::<4> as fn() -> u32).expect("a mock");
        assert_eq!(app::mocked(), 4);
        assert_eq!(crate::call_original_by_name(name, app::mocked), Ok(3));
        switch_both([site, site], Some(version::<5>));
        assert_eq!(app::mocked(), 4);
        crate::reset_by_name(name).expect("a reset");
        assert_eq!(app::mocked(), 5);
        switch_both([site, site], None);
        crate::mock_by_name(name, version::<6> as fn() -> u32).expect("a mock");
        assert_eq!(app::mocked(), 6);
        crate::reset_by_name(name).expect("a reset");
        assert_eq!(app::mocked(), 0);
        assert!(site.hook.load(Ordering::Relaxed).is_null());
    }

    #[test]
    fn reports_read_well() {
        let mut report = Report {
            patch: 3,
            generation: 3,
            functions: vec![Installed {
                name: "app::f".into(),
                file: "src/main.rs".into(),
                line: 7,
                running: 1,
                restored: false,
            }],
            bytes: 0,
            elapsed: Duration::ZERO,
        };
        let text = "patch 3: 1 function: app::f (src/main.rs:7), 1 running with the old code";
        assert_eq!(report.to_string(), text);
        report.functions.push(Installed {
            running: 0,
            restored: true,
            ..report.functions[0].clone()
        });
        assert!(report.to_string().starts_with("patch 3: 2 functions: "));
        assert!(report
            .to_string()
            .ends_with("app::f (src/main.rs:7), original restored"));
    }
}
