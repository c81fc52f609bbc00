//! A function that an edit brings and a table keeps, called through the table ever after: it is
//! edited, goes, and comes back.

use super::{code, fresh, kept, open, Kind};

pub(super) const KIND: Kind = Kind {
    name: "late-pointer",
    since: 2015,
    knobs: &[
        open(
            "function",
            &[
                &["", ""],
                &["fn late(n: u32) -> u32 { n + 10 }\n", KEEP],
                &["fn late(n: u32) -> u32 { n + 20 }\n", KEEP],
                &["fn late(n: u32) -> u32 { n + K }\n", KEEP],
            ],
        ),
        code("constant", &[&["30"], &["40"]]),
        open("generic", &[&["100"], &["200"]]),
    ],
    text: r#"
use std::sync::Mutex;
static CALLS: Mutex<Vec<fn(u32) -> u32>> = Mutex::new(Vec::new());
const K: u32 = «constant»;
«function»fn generic<T: Into<u32>>(n: T) -> u32 { n.into() + «generic» }
fn fill() { let mut calls = CALLS.lock().unwrap(); «function.1» }
pub fn setup() {}
pub fn tick(_: u64) -> String {
    fill();
    let values: Vec<u32> = CALLS.lock().unwrap().iter().map(|call| call(1)).collect();
    format!("{:?}/{}/{}", values, K, generic(7u8))
}
"#,
    expect: |seen| {
        let of = |choice: usize, constant: i64| [0, 10, 20, constant][choice];
        // What is gone from the sources stays in the table as it was last.
        let [last, constant] = seen.notes.map(usize::from);
        let values = match last {
            0 => "[]".to_owned(),
            _ => format!("[{}]", 1 + of(last, [30, 40][constant])),
        };
        let mut calls = kept(values);
        if last > 0 {
            for choice in 1..4 {
                for constant in [30, 40] {
                    calls = calls.if_said(format!("[{}]", 1 + of(choice, constant)));
                }
            }
        }
        vec![
            calls,
            fresh(seen.now("constant")),
            fresh(7 + seen.number("generic")),
        ]
    },
    lives: Some(|now, notes| {
        if now[0] > 0 {
            notes.copy_from_slice(&now[..2]);
        }
    }),
};

const KEEP: &str = "if calls.is_empty() { calls.push(late); }";
