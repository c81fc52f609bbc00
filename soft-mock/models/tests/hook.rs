//! All interleavings of calls with patches of two functions.

use loom::thread;
use soft_mock_models::site::{switch, Site};

fn sites() -> (&'static Site, [&'static Site; 2]) {
    (Site::sentinel(), [Site::leaked(), Site::leaked()])
}

#[test]
fn nobody_sees_an_old_function_after_a_new_one() {
    loom::model(|| {
        let (sentinel, sites) = sites();
        let reader = thread::spawn(move || [sites[0].call(), sites[1].call(), sites[0].call()]);
        switch(sentinel, &sites, 1);
        let seen = reader.join().expect("a caller");
        assert!(seen.is_sorted() && seen[2] <= 1, "{seen:?}");
        assert_eq!(sites.map(Site::call), [1, 1]);
    });
}

#[test]
fn a_second_patch_replaces_both_at_once() {
    loom::model(|| {
        let (sentinel, sites) = sites();
        switch(sentinel, &sites, 1);
        let reader = thread::spawn(move || [sites[1].call(), sites[0].call()]);
        switch(sentinel, &sites, 2);
        let seen = reader.join().expect("a caller");
        assert!(seen.is_sorted() && seen[0] >= 1 && seen[1] <= 2, "{seen:?}");
    });
}

#[test]
fn a_restore_is_seen_at_both_or_at_none() {
    loom::model(|| {
        let (sentinel, sites) = sites();
        switch(sentinel, &sites, 2);
        let reader = thread::spawn(move || [sites[0].call(), sites[1].call()]);
        switch(sentinel, &sites, 0);
        let seen = reader.join().expect("a caller");
        assert!([[2, 2], [2, 0], [0, 0]].contains(&seen), "{seen:?}");
        assert!(sites.iter().all(|site| site.is_free()));
    });
}

#[test]
fn what_one_thread_saw_the_next_one_sees() {
    loom::model(|| {
        let (sentinel, sites) = sites();
        let first = thread::spawn(move || {
            let seen = sites[0].call();
            let second = thread::spawn(move || sites[1].call());
            (seen, second.join().expect("a caller"))
        });
        switch(sentinel, &sites, 1);
        let (earlier, later) = first.join().expect("a caller");
        assert!(earlier <= later, "{earlier} {later}");
    });
}
