//! Function pointers in tables, statics and structs: to functions with and without a site, inner
//! ones, closures.

use super::{code, fresh, kept, open, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "pointers",
    since: 2015,
    knobs: &[
        code("plain", &[&["1"], &["2"], &["3"]]),
        open("fixed", &[&["10"], &["20"]]),
        open("generic", &[&["100"], &["200"]]),
        open("inner", &[&["1000"], &["2000"]]),
        open("closure", &[&["5"], &["6"]]),
        open("method", &[&["7"], &["8"]]),
    ],
    text: r#"
use std::sync::Mutex;
use %low::{fixed, generic};
struct Op { name: &'static str, call: fn(u32) -> u32 }
static TABLE: [Op; 2] = [Op { name: "plain", call: plain }, Op { name: "fixed", call: fixed }];
static KEEP: Mutex<Vec<fn(u32) -> u32>> = Mutex::new(Vec::new());
fn plain(x: u32) -> u32 { x + «plain» }
struct M<T>(T);
impl<T> M<T> { fn method(x: u32) -> u32 { x + «method» } }
fn handler() -> fn(u32) -> u32 { fn inner(x: u32) -> u32 { x + «inner» } inner }
pub fn setup() {
    let mut keep = KEEP.lock().unwrap();
    keep.push(generic::<u32>);
    keep.push(handler());
    keep.push(|x| x + «closure»);
    keep.push(M::<u8>::method);
}
pub fn tick(_: u64) -> String {
    let kept: Vec<String> = KEEP.lock().unwrap().iter().map(|call| call(1).to_string()).collect();
    let table: Vec<String> = TABLE.iter().map(|op| (op.call)(1).to_string()).collect();
    let new = [fixed(2), generic(2u8), handler()(2), M::<u8>::method(2)];
    format!("{}/{}/{:?}", table.join("/"), kept.join("/"), new)
}
//// low
pub const fn fixed(x: u32) -> u32 { x + «fixed» }
pub fn generic<T: Into<u32>>(x: T) -> u32 { x.into() + «generic» }
"#,
    expect: |seen| {
        let of = |knob: &str, base: i64| base + seen.number(knob);
        let living = |knob: &str| {
            let with = |text: &str| 1 + super::number(text);
            kept(with(seen.now(knob)))
                .if_said(with(seen.born(knob)))
                .if_said(with(seen.before(knob)))
        };
        let new = [
            of("fixed", 2),
            of("generic", 2),
            of("inner", 2),
            of("method", 2),
        ];
        vec![
            kept(of("plain", 1)),
            kept(of("fixed", 1)),
            kept(of("generic", 1)),
            living("inner"),
            living("closure"),
            kept(of("method", 1)),
            fresh(format!("{new:?}")),
        ]
    },
    lives: NOTHING,
};
