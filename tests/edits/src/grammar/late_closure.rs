//! A closure that a patch stores, which leads to a generic function; then either is edited, or both
//! are undone.

use super::{code, fresh, kept, open, Kind};

pub(super) const KIND: Kind = Kind {
    name: "late-closure",
    since: 2018,
    knobs: &[
        code(
            "make",
            &[
                &[""],
                &["if calls.is_empty() { calls.push(Box::new(|x| generic(x))); }"],
            ],
        ),
        open("generic", &[&["100"], &["200"], &["300"]]),
        code("constant", &[&["1"], &["2"]]),
    ],
    text: r#"
use std::sync::Mutex;
static CALLS: Mutex<Vec<Box<dyn Fn(u32) -> u32 + Send>>> = Mutex::new(Vec::new());
const K: u32 = «constant»;
fn generic<T: Into<u32>>(x: T) -> u32 { x.into() + «generic» }
fn make() -> String { let mut calls = CALLS.lock().unwrap(); «make» format!("{}{}", calls.len(), K) }
pub fn setup() {}
pub fn tick(_: u64) -> String {
    let made = make();
    let values: Vec<u32> = CALLS.lock().unwrap().iter().map(|call| call(1)).collect();
    format!("{}/{:?}/{}", made, values, generic(7u32))
}
"#,
    expect: |seen| {
        let generic = seen.number("generic");
        let values = match seen.notes[0] {
            0 => "[]".to_owned(),
            _ => format!("[{}]", 1 + generic),
        };
        vec![
            fresh(format!("{}{}", seen.notes[0], seen.now("constant"))),
            kept(values),
            fresh(7 + generic),
        ]
    },
    lives: Some(|now, notes| notes[0] |= now[0]),
};
