//! Lengths of arrays that are alive: by a constant, a `const fn`, a const generic, a constant of
//! another crate; and constants of the same name that only code uses.

use super::{code, fresh, kept, open, rude, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "array-length",
    since: 2018,
    knobs: &[
        rude("constant", &[&["3"], &["4"]]),
        rude("function", &[&["2"], &["5"]]),
        rude("generic", &[&["6"], &["7"]]),
        rude("low", &[&["1"], &["8"]]),
        open("elsewhere", &[&["30"], &["40"]]),
        code("body", &[&["100"], &["200"]]),
    ],
    text: r#"
use std::sync::Mutex;
const N: usize = «constant»;
const fn length(x: usize) -> usize { x + «function» }
struct Ring<const L: usize> { items: [u8; L] }
struct Holder { head: u16, by_constant: [u8; N], by_function: [u8; length(1)], by_generic: Ring<«generic»>, by_low: [u8; %low::N], tail: u16 }
static KEEP: Mutex<Vec<Holder>> = Mutex::new(Vec::new());
mod other { pub const N: u32 = «elsewhere»; pub fn n() -> u32 { N + «body» } }
pub fn setup() {
    for n in 0..3 {
        KEEP.lock().unwrap().push(Holder { head: n, by_constant: [1; N], by_function: [1; length(1)], by_generic: Ring { items: [1; «generic»] }, by_low: [1; %low::N], tail: n });
    }
}
fn sum(h: &Holder) -> u32 {
    let all = h.by_constant.iter().chain(&h.by_function).chain(&h.by_generic.items).chain(&h.by_low);
    all.map(|n| u32::from(*n)).sum::<u32>() + «body»
}
pub fn tick(_: u64) -> String {
    let keep = KEEP.lock().unwrap();
    let sums: Vec<u32> = keep.iter().map(sum).collect();
    let ends: Vec<u16> = keep.iter().map(|h| h.head + h.tail).collect();
    format!("{:?}/{:?}/{}", sums, ends, other::n())
}
//// low
pub const N: usize = «low»;
"#,
    expect: |seen| {
        let body = seen.number("body");
        let lengths = ["constant", "function", "generic", "low"].map(|knob| seen.number(knob));
        let sum = lengths.iter().sum::<i64>() + 1 + body;
        vec![
            kept(format!("{:?}", [sum; 3])),
            kept("[0, 2, 4]"),
            fresh(seen.number("elsewhere") + body),
        ]
    },
    lives: NOTHING,
};
