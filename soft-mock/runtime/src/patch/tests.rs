//! What threads see of a switch, and what is left behind.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use super::switch::{switch, Switched};
use super::*;
use crate::registry::find;
use soft_mock_abi::site::Code;

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
    }
}

fn site(name: &str) -> &'static Site {
    find(&format!("soft_mock_runtime::patch::tests::app::{name}")).expect("a site of this module")
}

fn code(function: fn() -> u32) -> Code {
    // SAFETY: both are function pointers; the prologue turns it back into the former.
    unsafe { std::mem::transmute::<fn() -> u32, Code>(function) }
}

fn switch_both(sites: [&'static Site; 2], to: Option<fn() -> u32>) -> Switched {
    let shared = registry().expect("sites").shared();
    let changes = sites.map(|site| match to {
        // SAFETY: the sites of this module are all of this type, and its functions stay.
        Some(function) => unsafe { Change::unchecked(site, code(function)) },
        None => Change::restore(site),
    });
    let facts = log::Facts {
        domain: 0,
        bytes: 0,
        undone: 0,
    };
    switch(shared, &changes, facts)
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

/// One by one: that a scope waits for its threads is nothing that ThreadSanitizer sees.
fn join(threads: Vec<thread::ScopedJoinHandle<'_, ()>>) {
    for thread in threads {
        thread.join().expect("what it saw was right");
    }
}

#[test]
fn nobody_sees_an_old_function_after_a_new_one() {
    let sites = [site("rising_a"), site("rising_b")];
    let ended = AtomicBool::new(false);
    let newest = AtomicU32::new(0);
    thread::scope(|scope| {
        let look_on = || {
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
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(look_on)).collect();
        for version in versions() {
            switch_both(sites, Some(version));
            assert_eq!(app::rising_b(), version());
            thread::yield_now();
        }
        ended.store(true, Ordering::Relaxed);
        join(threads);
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
        let look_on = || {
            while !ended.load(Ordering::Relaxed) {
                look();
            }
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(look_on)).collect();
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
        join(threads);
    });
    assert_eq!(wrong.into_inner(), 0);
}

#[test]
fn the_fast_path_is_free_after_a_restore() {
    let site = site("quiet");
    let is_free = || !site.is_hooked();
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
