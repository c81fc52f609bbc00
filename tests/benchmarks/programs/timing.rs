//! Times calls of two functions in turns.

use std::hint::black_box;
use std::time::Instant;

const CALLS: u32 = 20_000;
const BATCHES: u32 = 400;

pub type Function = fn(u64) -> u64;

fn batch(function: Function) -> f64 {
    let start = Instant::now();
    let mut value = 1;
    for _ in 0..CALLS {
        value = function(black_box(value));
    }
    black_box(value);
    start.elapsed().as_nanos() as f64 / f64::from(CALLS)
}

/// The least of both, measured in turns.
pub fn least(first: Function, second: Function) -> (f64, f64) {
    (0..BATCHES).fold((f64::MAX, f64::MAX), |(a, b), _| {
        (a.min(batch(first)), b.min(batch(second)))
    })
}

/// Prints the means of four pairs.
pub fn pairs(name: &str, all: [(Function, Function); 4]) {
    let all = all.map(|(first, second)| least(first, second));
    let first: f64 = all.iter().map(|(first, _)| first).sum();
    let second: f64 = all.iter().map(|(_, second)| second).sum();
    println!("{name} {} {}", first / 4.0, second / 4.0);
}
