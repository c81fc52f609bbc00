//! The seed of the generators comes from the clock and the thread, in a private function.

use soft_mock::mock;

#[test]
fn added_each_thread_asks_for_its_seed_once() {
    let seed = mock!("fastrand::global_rng::random_seed", || -> Option<u64> {
        None
    })
    .times(1);
    let _ = (fastrand::u64(..), fastrand::Rng::new());
    assert_eq!(seed.calls(), 1);
}

#[test]
fn added_a_known_seed_gives_known_numbers() {
    let number = || {
        let _seed = mock!("fastrand::global_rng::random_seed", || -> Option<u64> {
            Some(7)
        })
        .times(1);
        let thread = std::thread::spawn(soft_mock::scope().wrap(|| fastrand::u64(..)));
        thread.join().expect("a number")
    };
    assert_eq!(number(), number());
}
