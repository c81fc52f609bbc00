//! The seed of the generators comes from the clock and the thread; both are fastrand's own business.

use std::time::Instant;

use soft_mock::mock;

#[test]
fn added_the_clock_is_asked_for_the_seed() {
    let then = Instant::now();
    let clock = mock!(Instant::now, move || -> Instant { then }).times(1..);
    let _ = fastrand::u64(..);
    let _ = fastrand::Rng::new();
    assert!(clock.calls() >= 1);
}

#[test]
fn added_a_known_seed_gives_known_numbers() {
    let seed = || {
        let _seed = mock!("fastrand::global_rng::random_seed", || -> Option<u64> {
            Some(7)
        })
        .times(1);
        std::thread::spawn(soft_mock::scope().wrap(|| fastrand::u64(..)))
            .join()
            .expect("a number")
    };
    assert_eq!(seed(), seed());
}
