//! Times calls of the same functions in two crates, batch by batch in turns.
//!
//! A line: `version shape nanoseconds-in-the-plain-crate nanoseconds-in-the-hot-crate`, the least of
//! many batches.

use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

const BATCHES: usize = 60;

macro_rules! shape {
    ($name:literal, $calls:expr, $i:ident, $x:ident, $mixer:ident: $dyn:ty, $call:expr, $module:ident) => {{
        let start = Instant::now();
        let owned = $module::Mixer { key: black_box(7) };
        let $mixer: $dyn = &owned;
        let $mixer = black_box($mixer);
        let mut $x = black_box(1u64);
        for $i in 0..u64::from($calls) {
            $x = $call;
        }
        black_box($x);
        let _ = $mixer;
        start.elapsed().as_nanos() as f64 / f64::from($calls)
    }};
}

macro_rules! measure {
    ($name:literal, $calls:expr, |$i:ident, $x:ident, $mixer:ident: $plain_type:ty, $hot_type:ty| $plain:expr, $hot:expr) => {{
        let before = calls_hot::version();
        let mut least = [f64::MAX; 2];
        for _ in 0..BATCHES {
            let plain = shape!($name, $calls, $i, $x, $mixer: $plain_type, $plain, calls_plain);
            let hot = shape!($name, $calls, $i, $x, $mixer: $hot_type, $hot, calls_hot);
            least = [least[0].min(plain), least[1].min(hot)];
        }
        let written = writeln!(std::io::stdout(), "{before} {} {:.4} {:.4}", $name, least[0], least[1]);
        if written.is_err() {
            return;
        }
    }};
}

fn main() {
    let calls: u32 = if cfg!(debug_assertions) {
        100_000
    } else {
        500_000
    };
    let start = Instant::now();
    while start.elapsed().as_secs() < 600 {
        measure!(
            "free",
            calls,
            |_i, x, _m: &calls_plain::Mixer, &calls_hot::Mixer| calls_plain::free(x),
            calls_hot::free(x)
        );
        measure!(
            "method",
            calls,
            |_i, x, m: &calls_plain::Mixer, &calls_hot::Mixer| m.method(x, 3),
            m.method(x, 3)
        );
        measure!("dyn", calls, |_i, x, m: &dyn calls_plain::Step, &dyn calls_hot::Step|
            m.step(x), m.step(x));
        measure!(
            "inlined",
            calls,
            |i, x, _m: &calls_plain::Mixer, &calls_hot::Mixer| x ^ calls_plain::small(i),
            x ^ calls_hot::small(i)
        );
    }
}
