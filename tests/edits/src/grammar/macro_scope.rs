//! Macros by textual scope: a name that is defined twice, and own macros with the names of std's.

use super::{code, fresh, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "macro-scope",
    since: 2015,
    knobs: &[
        code("one", &[&["1"], &["2"]]),
        code("two", &[&["50"], &["60"]]),
        code("body", &[&["100"], &["200"], &["300"]]),
        code("tail", &[&["a"], &["b"], &["c"]]),
        code("format", &[&["own"], &["mine"]]),
    ],
    text: r#"
macro_rules! mm { () => { «one» } }
fn a() -> u32 { mm!() + «body» }
macro_rules! mm { () => { «two» } }
fn b() -> u32 { mm!() + «body» }
mod inner {
    macro_rules! format { ($($t:tt)*) => { String::from("«format»") } }
    macro_rules! vec { ($e:expr) => { $e + 5000 } }
    pub fn text() -> String { let s = format!("x{}", 1); s + "«tail»" }
    pub fn number() -> u32 { let n = vec!(«body»); n + 1 }
}
mod outer {
    pub fn text() -> String { let s = format!("x{}", 1); s + "«tail»" }
    macro_rules! format { ($($t:tt)*) => { String::from("late") } }
    pub fn late() -> String { let s = format!("x{}", 1); s + "«tail»" }
}
pub fn setup() {}
pub fn tick(_: u64) -> String {
    format!("{}/{}/{}/{}/{}/{}", a(), b(), inner::text(), inner::number(), outer::text(), outer::late())
}
"#,
    expect: |seen| {
        let (body, tail) = (seen.number("body"), seen.now("tail"));
        vec![
            fresh(seen.number("one") + body),
            fresh(seen.number("two") + body),
            fresh(format!("{}{tail}", seen.now("format"))),
            fresh(body + 5001),
            fresh(format!("x1{tail}")),
            fresh(format!("late{tail}")),
        ]
    },
    lives: NOTHING,
};
