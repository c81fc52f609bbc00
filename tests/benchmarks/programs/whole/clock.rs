//! Does the work as often as the first argument says, and tells the least time and what came out.

use std::time::Instant;

pub fn run(mut work: impl FnMut() -> u64) {
    let times = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1);
    let (mut least, mut answer) = (u128::MAX, 0);
    for _ in 0..times {
        let start = Instant::now();
        answer = work();
        least = least.min(start.elapsed().as_nanos());
    }
    println!("least {least} answer {answer}");
}
