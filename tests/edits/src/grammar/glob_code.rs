//! Functions, constants and methods of traits that come through globs, and own ones that win over
//! them.

use super::{code, fresh, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "glob-code",
    since: 2015,
    knobs: &[
        code("target", &[&["a"], &["b"]]),
        code(
            "own",
            &[
                &[""],
                &["pub fn f() -> u32 { 3 }"],
                &["pub const K: u32 = 30;"],
            ],
        ),
        code("body", &[&["1"], &["2"], &["3"]]),
        code("new", &[&[""], &["fn f() -> u32 { 4 }"]]),
    ],
    text: r#"
mod a { pub fn f() -> u32 { 1 } pub const K: u32 = 10; pub trait Say { fn say(&self) -> u32 { 100 } } impl Say for u8 {} }
mod b { pub fn f() -> u32 { 2 } pub const K: u32 = 20; pub trait Say { fn say(&self) -> u32 { 200 } } impl Say for u8 {} }
mod api { pub use super::«target»::*; «own» }
use self::api::*;
«new»
fn direct() -> u32 { f() * 1000 + «body» }
fn constant() -> u32 { K + «body» }
fn method() -> u32 { 1u8.say() + «body» }
pub fn setup() {}
pub fn tick(_: u64) -> String { format!("{}/{}/{}", direct(), constant(), method()) }
"#,
    expect: |seen| {
        let base = if seen.now("target") == "a" { 1 } else { 2 };
        let body = seen.number("body");
        let f = match (seen.choice("new"), seen.choice("own")) {
            (1, _) => 4,
            (_, 1) => 3,
            _ => base,
        };
        let k = if seen.choice("own") == 2 {
            30
        } else {
            base * 10
        };
        vec![
            fresh(f * 1000 + body),
            fresh(k + body),
            fresh(base * 100 + body),
        ]
    },
    lives: NOTHING,
};
