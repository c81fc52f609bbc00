//! Items inside of bodies: functions, types, constants, statics, impls of outer traits, and new
//! ones before them.

use super::{code, fresh, kept, open, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "inner-items",
    since: 2018,
    knobs: &[
        code("inner", &[&["1"], &["2"], &["3"]]),
        open("method", &[&["10"], &["20"]]),
        open("constant", &[&["100"], &["200"]]),
        open(
            "extra",
            &[
                &[""],
                &["static D: AtomicU32 = AtomicU32::new(5); let _ = D.fetch_add(1, SeqCst);"],
                &["let one = || 1; one();"],
                &["fn early() -> u32 { 3 } let _ = early();"],
            ],
        ),
    ],
    text: r#"
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::Mutex;
trait Show { fn show(&self) -> u32; }
static KEEP: Mutex<Vec<Box<dyn Show + Send>>> = Mutex::new(Vec::new());
fn outer(n: u64) -> String {
    «extra»
    const N: u32 = «constant»;
    static C: AtomicU32 = AtomicU32::new(1000);
    struct P { a: u32 }
    impl P { fn get(&self) -> u32 { self.a + «method» } }
    impl Show for P { fn show(&self) -> u32 { self.a + «method» } }
    fn inner(x: u32) -> u32 { x + «inner» }
    let mut keep = KEEP.lock().unwrap();
    if keep.is_empty() { keep.push(Box::new(P { a: 3 })); }
    format!("{}/{}/{}/{}", inner(1), P { a: 2 }.get() + N, keep[0].show(), i64::from(C.fetch_add(1, SeqCst)) - n as i64)
}
pub fn setup() {}
pub fn tick(n: u64) -> String { outer(n) }
"#,
    expect: |seen| {
        let method = seen.number("method");
        vec![
            fresh(1 + seen.number("inner")),
            fresh(2 + method + seen.number("constant")),
            kept(3 + method),
            kept(999),
        ]
    },
    lives: NOTHING,
};
