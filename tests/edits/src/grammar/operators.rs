//! Impls of std's traits: operators, iterators, indexing, conversions, ordering in a map that is
//! alive.

use super::{code, fresh, kept, open, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "operators",
    since: 2018,
    knobs: &[
        code("add", &[&["1"], &["2"], &["3"]]),
        open("next", &[&["10"], &["20"]]),
        code("index", &[&["100"], &["200"]]),
        code("from", &[&["5"], &["6"]]),
        code(
            "eq",
            &[&["self.0 == other.0"], &["self.0 % 10 == other.0 % 10"]],
        ),
        code("default", &[&["50"], &["60"]]),
    ],
    text: r#"
use std::collections::BTreeMap;
use std::ops::{Add, Index};
use std::sync::Mutex;
#[derive(Clone, Copy)]
struct N(u32);
impl Add for N { type Output = N; fn add(self, other: N) -> N { N(self.0 + other.0 + «add») } }
impl PartialEq for N { fn eq(&self, other: &N) -> bool { «eq» } }
impl From<u8> for N { fn from(n: u8) -> N { N(u32::from(n) + «from») } }
impl Default for N { fn default() -> N { N(«default») } }
struct Steps(u32);
impl Iterator for Steps { type Item = u32; fn next(&mut self) -> Option<u32> { self.0 += 1; if self.0 < 3 { Some(self.0 + «next») } else { None } } }
struct Rows(Vec<u32>);
impl Index<usize> for Rows { type Output = u32; fn index(&self, at: usize) -> &u32 { static FAR: u32 = «index»; if at < 2 { &self.0[at] } else { &FAR } } }
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key(u32);
static MAP: Mutex<BTreeMap<Key, u32>> = Mutex::new(BTreeMap::new());
fn any() -> u32 { let it: Box<dyn Iterator<Item = u32>> = Box::new(Steps(0)); it.sum() }
pub fn setup() { for n in 0..9 { MAP.lock().unwrap().insert(Key(n), n * 2); } }
pub fn tick(_: u64) -> String {
    let map = MAP.lock().unwrap();
    let default: N = Default::default();
    format!("{}/{}/{}/{}/{}/{}/{:?}", (N(1) + N(2)).0, Steps(0).sum::<u32>(), any(), N::from(3).0, N(5) == N(15), default.0, (map.get(&Key(4)), map.len()))
}
"#,
    expect: |seen| {
        let next = 3 + 2 * seen.number("next");
        vec![
            fresh(3 + seen.number("add")),
            fresh(next),
            fresh(next),
            fresh(3 + seen.number("from")),
            fresh(seen.choice("eq") == 1),
            fresh(seen.number("default")),
            kept("(Some(8), 9)"),
        ]
    },
    lives: NOTHING,
};
