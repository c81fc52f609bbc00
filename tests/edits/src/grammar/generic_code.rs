//! Generic functions, `const fn`, `impl Trait` as argument and result, in a crate below, used here.

use super::{code, fresh, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "generic-code",
    since: 2018,
    knobs: &[
        code("generic", &[&["1"], &["2"], &["3"]]),
        code("fixed", &[&["10"], &["20"]]),
        code("argument", &[&["100"], &["200"]]),
        code("result", &[&["1000"], &["2000"]]),
        code("user", &[&["0"], &["5"]]),
    ],
    text: r#"
use %low as low;
fn generic() -> u32 { low::generic(4u8) + low::generic(5u16) + «user» }
fn fixed() -> u32 { const AT: u32 = low::fixed(1); low::fixed(2) + AT + «user» }
fn argument() -> u32 { low::argument(vec![1u32, 2].into_iter()) + «user» }
fn result() -> u32 { low::result(2).map(|n| n + «user»).sum() }
pub fn setup() {}
pub fn tick(_: u64) -> String { format!("{}/{}/{}/{}", generic(), fixed(), argument(), result()) }
//// low
pub fn generic<T: Into<u32>>(x: T) -> u32 { x.into() + «generic» }
pub const fn fixed(x: u32) -> u32 { x + «fixed» }
pub fn argument(items: impl Iterator<Item = u32>) -> u32 { items.map(|n| n + «argument»).sum() }
pub fn result(count: u32) -> impl Iterator<Item = u32> { (0..count).map(move |n| n + count + «result») }
"#,
    expect: |seen| {
        let user = seen.number("user");
        vec![
            fresh(9 + 2 * seen.number("generic") + user),
            fresh(3 + 2 * seen.number("fixed") + user),
            fresh(3 + 2 * seen.number("argument") + user),
            fresh(5 + 2 * seen.number("result") + 2 * user),
        ]
    },
    lives: NOTHING,
};
