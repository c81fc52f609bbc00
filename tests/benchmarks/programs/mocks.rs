//! Times calls of the same functions in a crate that `hot` rewrites and in one that it leaves alone.

mod timing;

use std::time::Instant;

use injectorpp::interface::injector::*;
use soft_mock::{mock, scope};
use timing::{least, pairs, Function};

const FUNCTIONS: [(Function, Function); 4] = [
    (plain::one, rewritten::one),
    (plain::two, rewritten::two),
    (plain::three, rewritten::three),
    (plain::four, rewritten::four),
];

/// One test, since others would be measured as well.
#[test]
fn figures() {
    pairs("unmocked", FUNCTIONS);
    let other = mock!(rewritten::other, |x: u64| -> u64 { x + 2 });
    pairs("others", FUNCTIONS);
    drop(other);
    {
        let _mock = mock!(rewritten::one, |x: u64| -> u64 { x + 2 });
        let (plain, mocked) = least(plain::one, rewritten::one);
        println!("mocked {plain} {mocked}");
        let scope = scope();
        let elsewhere = || scope.run(|| least(plain::one, rewritten::one));
        let (plain, mocked) =
            std::thread::scope(|threads| threads.spawn(elsewhere).join()).unwrap();
        println!("elsewhere {plain} {mocked}");
    }
    {
        let _mock = mock!(rewritten::generic::<u64>, |x: u64| -> u64 { x + 2 });
        let (plain, mocked) = least(plain::generic::<u64>, rewritten::generic::<u64>);
        println!("generic {plain} {mocked}");
    }
    let install = || {
        let start = Instant::now();
        for _ in 0..1000 {
            drop(mock!(rewritten::one, |x: u64| -> u64 { x + 2 }));
        }
        start.elapsed().as_nanos() as f64 / 1000.0
    };
    let fake = || {
        let start = Instant::now();
        for _ in 0..1000 {
            let mut injector = InjectorPP::new();
            injector
                .when_called(injectorpp::func!(fn (plain::one)(u64) -> u64))
                .will_execute(injectorpp::fake!(func_type: fn(x: u64) -> u64, returns: x + 2));
        }
        start.elapsed().as_nanos() as f64 / 1000.0
    };
    let times = (0..20).fold((f64::MAX, f64::MAX), |(a, b), _| {
        (a.min(fake()), b.min(install()))
    });
    println!("install {} {}", times.0, times.1);
    let mut injector = InjectorPP::new();
    injector
        .when_called(injectorpp::func!(fn (plain::two)(u64) -> u64))
        .will_execute(injectorpp::fake!(func_type: fn(x: u64) -> u64, returns: x + 2));
    let (_, faked) = least(plain::one, plain::two);
    println!("injectorpp 0 {faked}");
}
