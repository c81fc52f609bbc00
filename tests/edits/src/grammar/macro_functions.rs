//! Macros that make functions, impls of traits, and traits; and macros that use those of others.

use super::{code, fresh, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "macro-functions",
    since: 2015,
    knobs: &[
        code("inside", &[&["1"], &["2"], &["3"]]),
        code("first", &[&["10"], &["20"]]),
        code("b", &[&["100"], &["200"]]),
        code("more", &[&["", "0"], &["make!(third, 5);", "third()"]]),
        code("name", &[&["7"], &["8"], &["9"]]),
    ],
    text: r#"
macro_rules! make { ($name:ident, $e:expr) => { fn $name() -> u32 { $e + «inside» } } }
macro_rules! imp { ($t:ty, $e:expr) => { impl Get for $t { fn get(&self) -> u32 { $e + «inside» } } } }
macro_rules! tr { ($t:ident, $m:ident) => { trait $t { fn $m(&self) -> u32 { 1000 } } } }
trait Get { fn get(&self) -> u32; }
struct A;
struct B;
make!(first, «first»);
«more»
imp!(A, 10);
imp!(B, «b»);
tr!(Named, name);
impl Named for A {}
impl Named for B { fn name(&self) -> u32 { 2000 + «name» } }
fn names() -> u32 { A.name() + B.name() + «name» }
pub fn setup() {}
pub fn tick(_: u64) -> String { format!("{}/{}/{}/{}/{}", first(), A.get(), B.get(), «more.1», names()) }
"#,
    expect: |seen| {
        let (inside, name) = (seen.number("inside"), seen.number("name"));
        let third = if seen.choice("more") == 1 {
            5 + inside
        } else {
            0
        };
        vec![
            fresh(seen.number("first") + inside),
            fresh(10 + inside),
            fresh(seen.number("b") + inside),
            fresh(third),
            fresh(3000 + 2 * name),
        ]
    },
    lives: NOTHING,
};
