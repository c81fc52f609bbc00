//! Associated constants: defaults and own ones, in bodies and in the length of an array that is
//! alive.

use super::{code, fresh, kept, open, rude, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "consts-of-traits",
    since: 2018,
    knobs: &[
        rude("length", &[&["3"], &["6"]]),
        open("default", &[&["10"], &["20"]]),
        open("own", &[&[""], &["const WEIGHT: u32 = 50;"]]),
        code("body", &[&["1"], &["2"], &["3"]]),
    ],
    text: r#"
use std::sync::Mutex;
use %low::Shape;
struct A;
struct B;
impl Shape for A { const LENGTH: usize = «length»; «own» }
impl Shape for B { const LENGTH: usize = 2; }
struct Holder { items: [u32; A::LENGTH], tail: u32 }
static KEEP: Mutex<Vec<Holder>> = Mutex::new(Vec::new());
pub fn setup() { for tail in 0..2 { KEEP.lock().unwrap().push(Holder { items: [1; A::LENGTH], tail }); } }
fn weight<S: Shape>() -> u32 { S::WEIGHT + «body» }
pub fn tick(_: u64) -> String {
    let sums: Vec<u32> = KEEP.lock().unwrap().iter().map(|h| h.items.iter().sum::<u32>() + h.tail).collect();
    format!("{}/{}/{:?}", weight::<A>(), weight::<B>(), sums)
}
//// low
pub trait Shape { const LENGTH: usize; const WEIGHT: u32 = «default»; }
"#,
    expect: |seen| {
        let (default, body, length) = (
            seen.number("default"),
            seen.number("body"),
            seen.number("length"),
        );
        let own = if seen.choice("own") == 1 { 50 } else { default };
        vec![
            fresh(own + body),
            fresh(default + body),
            kept(format!("[{length}, {}]", length + 1)),
        ]
    },
    lives: NOTHING,
};
