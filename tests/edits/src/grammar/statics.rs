//! Counters in functions, closures, generic functions, default methods and macros: the same
//! variables after any edit around them.

use super::{code, fresh, kept, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "statics",
    since: 2018,
    knobs: &[
        code("insert", &[&[""], &["let one = || 1; let _ = one();"]]),
        code("body", &[&["1"], &["2"], &["3"]]),
        code("generic", &[&["10"], &["20"]]),
        code("method", &[&["100"], &["200"]]),
        code("macro", &[&["0"], &["5"]]),
        code("initial", &[&["1000"], &["1500"]]),
        code(
            "static",
            &[
                &["", "0"],
                &[
                    "static MORE: AtomicU32 = AtomicU32::new(77);",
                    "MORE.load(SeqCst)",
                ],
            ],
        ),
    ],
    text: r#"
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
static TOP: AtomicU32 = AtomicU32::new(«initial»);
«static»
macro_rules! next { () => {{ static N: AtomicU32 = AtomicU32::new(1000); let _ = «macro»; N.fetch_add(1, SeqCst) }} }
trait Count { fn count(&self) -> u32 { static N: AtomicU32 = AtomicU32::new(1000); let _ = «method»; N.fetch_add(1, SeqCst) } }
struct A;
impl Count for A {}
fn in_closure() -> u32 { «insert» let next = || { static N: AtomicU32 = AtomicU32::new(1000); N.fetch_add(1, SeqCst) }; let _ = «body»; next() }
fn in_generic<T: Into<u32>>(x: T) -> u32 { static N: AtomicU32 = AtomicU32::new(1000); let _ = x.into() + «generic»; N.fetch_add(1, SeqCst) }
fn in_macro() -> u32 { «insert» let _ = «body»; next!() }
fn plain() -> u32 { static N: AtomicU32 = AtomicU32::new(1000); let _ = «body»; N.fetch_add(1, SeqCst) }
fn bodies() -> u32 { «body» + «generic» + «method» + «macro» + «static.1» }
pub fn setup() {}
pub fn tick(n: u64) -> String {
    let of = |count: u32| i64::from(count) - n as i64;
    let kept = [of(TOP.fetch_add(1, SeqCst)), of(in_closure()), of(in_generic(1u8)), of(in_macro()), of(plain()), of(A.count())];
    let kept: Vec<String> = kept.iter().map(|count| count.to_string()).collect();
    format!("{}/{}", kept.join("/"), bodies())
}
"#,
    expect: |seen| {
        let top = super::number(seen.born("initial")) - 1;
        let more = if seen.choice("static") == 1 { 77 } else { 0 };
        let bodies = ["body", "generic", "method", "macro"].map(|knob| seen.number(knob));
        let mut parts = vec![kept(top)];
        parts.extend((0..5).map(|_| kept(999)));
        parts.push(fresh(bodies.iter().sum::<i64>() + more));
        parts
    },
    lives: NOTHING,
};
