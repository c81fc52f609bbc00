//! Type aliases: one that a static is declared by, one that only code uses, one behind a trait.

use super::{code, fresh, kept, open, rude, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "aliases",
    since: 2015,
    knobs: &[
        rude("num", &[&["u32"], &["u64"], &["(u8, u8)"]]),
        open("out", &[&["u32", "4"], &["u64", "8"], &["i16", "2"]]),
        code("body", &[&["1"], &["2"], &["3"]]),
    ],
    text: r#"
use std::sync::Mutex;
use %side::types;
pub trait Bits { fn bits(&self) -> u32; }
impl Bits for u32 { fn bits(&self) -> u32 { *self } }
impl Bits for u64 { fn bits(&self) -> u32 { *self as u32 } }
impl Bits for (u8, u8) { fn bits(&self) -> u32 { u32::from(self.0) } }
static KEEP: Mutex<Vec<types::Num>> = Mutex::new(Vec::new());
fn make() -> types::Out { 7 + «body» }
fn size() -> usize { std::mem::size_of::<types::Out>() }
pub fn setup() { for n in 1..4u8 { KEEP.lock().unwrap().push(types::num(n)); } }
pub fn tick(_: u64) -> String {
    let sum: u32 = KEEP.lock().unwrap().iter().map(|n| n.bits() + «body»).sum();
    format!("{}/{}/{}", make(), size(), sum)
}
//// side
pub mod types {
    pub type Num = «num»;
    pub type Out = «out»;
    pub trait From8 { fn from8(n: u8) -> Self; }
    impl From8 for u32 { fn from8(n: u8) -> u32 { u32::from(n) } }
    impl From8 for u64 { fn from8(n: u8) -> u64 { u64::from(n) } }
    impl From8 for (u8, u8) { fn from8(n: u8) -> (u8, u8) { (n, n) } }
    pub fn num(n: u8) -> Num { From8::from8(n) }
}
"#,
    expect: |seen| {
        let body = seen.number("body");
        let size = match seen.now("out") {
            "u32" => 4,
            "u64" => 8,
            _ => 2,
        };
        vec![fresh(7 + body), fresh(size), kept(6 + 3 * body)]
    },
    lives: NOTHING,
};
