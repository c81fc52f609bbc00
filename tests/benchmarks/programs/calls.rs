//! Times calls of the same functions in two crates, batch by batch in turns.
//!
//! A line: `version shape nanoseconds-in-the-plain-crate nanoseconds-in-the-hot-crate`, the least of
//! many batches.

use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

const BATCHES: usize = 60;

/// Calls in a batch.
const CALLS: u64 = if cfg!(debug_assertions) {
    100_000
} else {
    400_000
};

/// The loops of one crate.
macro_rules! loops {
    ($module:ident, $krate:ident) => {
        mod $module {
            use std::hint::black_box;

            pub fn free() {
                use $krate::*;
                let mut x = black_box(1);
                for _ in 0..super::CALLS / 8 {
                    x = free_3(free_2(free_1(free_0(x))));
                    x = free_7(free_6(free_5(free_4(x))));
                }
                black_box(x);
            }

            pub fn method() {
                let mixer = black_box($krate::Mixer { key: 7 });
                let mut x = black_box(1);
                for y in 0..super::CALLS / 8 {
                    x = mixer.method_1(mixer.method_0(x, y), y);
                    x = mixer.method_3(mixer.method_2(x, y), y);
                    x = mixer.method_5(mixer.method_4(x, y), y);
                    x = mixer.method_7(mixer.method_6(x, y), y);
                }
                black_box(x);
            }

            pub fn dynamic() {
                let kinds = black_box($krate::kinds(7));
                let mut x = black_box(1);
                for _ in 0..super::CALLS / 8 {
                    for kind in &kinds {
                        x = kind.step(x);
                    }
                }
                black_box(x);
            }

            pub fn inlined() {
                let mut x = black_box(1);
                for i in 0..super::CALLS {
                    x ^= $krate::small(i);
                }
                black_box(x);
            }
        }
    };
}

loops!(plain, calls_plain);
loops!(hot, calls_hot);

/// Nanoseconds a call.
fn time(batch: fn()) -> f64 {
    let start = Instant::now();
    black_box(batch)();
    start.elapsed().as_nanos() as f64 / CALLS as f64
}

fn main() {
    let shapes: [(&str, fn(), fn()); 4] = [
        ("free", plain::free, hot::free),
        ("method", plain::method, hot::method),
        ("dyn", plain::dynamic, hot::dynamic),
        ("inlined", plain::inlined, hot::inlined),
    ];
    let start = Instant::now();
    while start.elapsed().as_secs() < 600 {
        for (name, plain, hot) in shapes {
            let version = calls_hot::version();
            let mut least = [f64::MAX; 2];
            for _ in 0..BATCHES {
                least = [least[0].min(time(plain)), least[1].min(time(hot))];
            }
            let mut out = std::io::stdout().lock();
            if writeln!(out, "{version} {name} {:.4} {:.4}", least[0], least[1]).is_err() {
                return;
            }
        }
    }
}
