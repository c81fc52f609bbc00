//! Times the same functions, mockable by mocktopus and plain. A line: name, plain, mocktopus.

use std::hint::black_box;
use std::time::Instant;

use mocktopus::mocking::{MockResult, Mockable};

const CALLS: u32 = 20_000;
const BATCHES: u32 = 400;

type Function = fn(u64) -> u64;

fn batch(function: Function) -> f64 {
    let start = Instant::now();
    let mut value = 1;
    for _ in 0..CALLS {
        value = function(black_box(value));
    }
    black_box(value);
    start.elapsed().as_nanos() as f64 / f64::from(CALLS)
}

fn least(first: Function, second: Function) -> (f64, f64) {
    (0..BATCHES).fold((f64::MAX, f64::MAX), |(a, b), _| {
        (a.min(batch(first)), b.min(batch(second)))
    })
}

fn pairs(name: &str) {
    let all: [(Function, Function); 4] = [
        (plain::one, mockable::one),
        (plain::two, mockable::two),
        (plain::three, mockable::three),
        (plain::four, mockable::four),
    ];
    let all = all.map(|(plain, mockable)| least(plain, mockable));
    let plain: f64 = all.iter().map(|(plain, _)| plain).sum();
    let mockable: f64 = all.iter().map(|(_, mockable)| mockable).sum();
    println!("{name} {} {}", plain / 4.0, mockable / 4.0);
}

fn main() {
    pairs("unmocked");
    mockable::other.mock_safe(|x| MockResult::Return(x + 2));
    pairs("others");
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
