//! A macro that declares a function and a type, used several times in a body: uses change places,
//! and become what others are.

use super::{code, fresh, Kind, Seen, NOTHING};

const CALLED: &[&[&str]] = &[&["plus"], &["times"], &["less"]];

pub(super) const KIND: Kind = Kind {
    name: "namesakes",
    since: 2018,
    knobs: &[
        code("first", CALLED),
        code("second", CALLED),
        code("third", CALLED),
        code("inside", &[&["1"], &["2"]]),
    ],
    text: r#"
fn plus(n: u32) -> u32 { n + 1 }
fn times(n: u32) -> u32 { n * 100 }
fn less(n: u32) -> u32 { n - 5 }
macro_rules! through { ($f:ident, $n:expr) => {{
    fn nested(n: u32) -> u32 { $f(n) * «inside» }
    struct Nested(u32);
    impl Nested { fn get(&self) -> u32 { Some(self.0).map(|n| $f(n)).unwrap_or(0) } }
    nested($n) + Nested($n).get()
}} }
macro_rules! all { () => { [through!(«first», 10), through!(«second», 10), through!(«third», 10)] } }
fn by_macro() -> String { format!("{:?}", all!()) }
fn by_body() -> String { format!("{:?}", [through!(«third», 10), through!(«first», 10)]) }
pub fn setup() {}
pub fn tick(_: u64) -> String { format!("{}/{}", by_macro(), by_body()) }
"#,
    expect: |seen| {
        let said = |knobs: &[&str]| {
            let all: Vec<i64> = knobs.iter().map(|knob| value(seen, knob)).collect();
            fresh(format!("{all:?}"))
        };
        vec![
            said(&["first", "second", "third"]),
            said(&["third", "first"]),
        ]
    },
    lives: NOTHING,
};

fn value(seen: &Seen<'_>, knob: &str) -> i64 {
    let called = match seen.now(knob) {
        "plus" => 11,
        "times" => 1000,
        _ => 5,
    };
    called * seen.number("inside") + called
}
