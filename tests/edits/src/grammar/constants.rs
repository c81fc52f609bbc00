//! Constants that code uses: through other crates, floats, in patterns, in statics that are filled
//! once.

use super::{code, fresh, kept, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "constants",
    since: 2018,
    knobs: &[
        code("low", &[&["1"], &["2"], &["3"]]),
        code("float", &[&["1.5"], &["2.5"]]),
        code("pattern", &[&["4"], &["5"]]),
        code("table", &[&["70"], &["80"]]),
        code("text", &[&["a"], &["bb"]]),
        code("body", &[&["10"], &["20"]]),
    ],
    text: r#"
const K: f64 = «float»;
const CASE: u32 = «pattern»;
const TABLE: [u32; 3] = [«table», 1, 2];
const TEXT: &str = "«text»";
static LENGTH: usize = TEXT.len();
const HERE: u32 = %low::LOW * 100;
fn float() -> f64 { 2.0 * K }
fn pattern() -> &'static str { match 4u32 { CASE => "yes", _ => "no" } }
fn table(at: usize) -> u32 { TABLE[at] + «body» }
pub fn setup() {}
pub fn tick(_: u64) -> String {
    format!("{}/{}/{}/{}/{}/{}/{}", HERE, %low::double(), float(), pattern(), table(0), TEXT, LENGTH)
}
//// low
pub const LOW: u32 = «low»;
pub fn double() -> u32 { LOW * 2 }
"#,
    expect: |seen| {
        let low = seen.number("low");
        vec![
            fresh(100 * low),
            fresh(2 * low),
            fresh(if seen.now("float") == "1.5" { 3 } else { 5 }),
            fresh(if seen.now("pattern") == "4" {
                "yes"
            } else {
                "no"
            }),
            fresh(seen.number("table") + seen.number("body")),
            fresh(seen.now("text")),
            kept(seen.born("text").len()),
        ]
    },
    lives: NOTHING,
};
