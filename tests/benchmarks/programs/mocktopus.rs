//! Times the same functions, mockable by mocktopus and plain. A line: name, plain, mocktopus.

mod timing;

use std::time::Instant;

use mocktopus::mocking::{MockResult, Mockable};
use timing::{least, pairs, Function};

const FUNCTIONS: [(Function, Function); 4] = [
    (plain::one, mockable::one),
    (plain::two, mockable::two),
    (plain::three, mockable::three),
    (plain::four, mockable::four),
];

fn main() {
    pairs("unmocked", FUNCTIONS);
    mockable::other.mock_safe(|x| MockResult::Return(x + 2));
    pairs("others", FUNCTIONS);
    mockable::other.clear_mock();
    mockable::one.mock_safe(|x| MockResult::Return(x + 2));
    assert_eq!(mockable::one(1), 3);
    let (plain, mocked) = least(plain::one, mockable::one);
    println!("mocked {plain} {mocked}");
    mockable::one.clear_mock();
    mockable::generic::<u64>.mock_safe(|x| MockResult::Return(x + 2));
    let (plain, mocked) = least(plain::generic::<u64>, mockable::generic::<u64>);
    println!("generic {plain} {mocked}");
    let install = (0..20).fold(f64::MAX, |least, _| {
        let start = Instant::now();
        for _ in 0..1000 {
            mockable::one.mock_safe(|x| MockResult::Return(x + 2));
            mockable::one.clear_mock();
        }
        least.min(start.elapsed().as_nanos() as f64 / 1000.0)
    });
    println!("install 0 {install}");
}
