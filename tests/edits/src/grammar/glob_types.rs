//! A module hands on another's types by a glob; a static holds values of one, an array length is a
//! path to a constant.

use super::{code, kept, rude, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "glob-types",
    since: 2015,
    knobs: &[
        rude("target", &[&["a"], &["b"]]),
        rude("own", &[&[""], &["pub const SZ: usize = 6;"]]),
        code("body", &[&["1"], &["2"], &["3"]]),
    ],
    text: r#"
use std::sync::Mutex;
mod a { #[derive(Debug)] pub struct Val(pub u32); pub fn mk() -> Val { Val(7) } pub const SZ: usize = 2; }
mod b { #[derive(Debug)] pub struct Val(pub String); pub fn mk() -> Val { Val("s".to_string()) } pub const SZ: usize = 4; }
mod api { pub use super::«target»::*; «own» }
struct Buf { a: [u32; api::SZ] }
static VALS: Mutex<Vec<api::Val>> = Mutex::new(Vec::new());
static BUFS: Mutex<Vec<Buf>> = Mutex::new(Vec::new());
pub fn setup() {
    for _ in 0..2 { VALS.lock().unwrap().push(api::mk()); BUFS.lock().unwrap().push(Buf { a: [5; api::SZ] }); }
}
pub fn tick(_: u64) -> String {
    let lens: Vec<usize> = BUFS.lock().unwrap().iter().map(|buf| buf.a.iter().filter(|n| **n == 5).count() + «body»).collect();
    format!("{:?}/{:?}", VALS.lock().unwrap(), lens)
}
"#,
    expect: |seen| {
        let (val, len) = match seen.now("target") {
            "a" => ("Val(7)", 2),
            _ => ("Val(\"s\")", 4),
        };
        let len = if seen.choice("own") == 1 { 6 } else { len } + seen.number("body");
        vec![
            kept(format!("[{val}, {val}]")),
            kept(format!("[{len}, {len}]")),
        ]
    },
    lives: NOTHING,
};
