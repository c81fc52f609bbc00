//! Functions, a constant, an import, a method: what most edits are about. Everything can be
//! patched.

use super::{code, fresh, kept, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "plain",
    since: 2015,
    knobs: &[
        code("body", &[&["1"], &["2"], &["3"]]),
        code("constant", &[&["10"], &["20"], &["30"]]),
        code(
            "helper",
            &[
                &["", "n"],
                &["fn helper(n: u32) -> u32 { n + 5 }\n", "helper(n)"],
            ],
        ),
        code(
            "signature",
            &[
                &["(n: u32)", "(7)"],
                &["(n: u32, more: bool)", "(7, true)"],
                &["(n: u16)", "(7)"],
            ],
        ),
        code("import", &[&["one"], &["two"]]),
    ],
    text: r#"
use std::sync::Mutex;
use self::«import»::pick;
mod one { pub fn pick() -> u32 { 100 } }
mod two { pub fn pick() -> u32 { 200 } }
const K: u32 = «constant»;
struct Rec { a: u32 }
impl Rec {
    fn get(&self) -> u32 {
        self.a + «body»
    }
}
«helper»fn sum«signature» -> u32 {
    let n = u32::from(n);
    «helper.1» + K
}
static KEEP: Mutex<Vec<Rec>> = Mutex::new(Vec::new());
pub fn setup() { KEEP.lock().unwrap().push(Rec { a: 40 }); }
pub fn tick(_: u64) -> String {
    format!("{}/{}/{}", sum«signature.1», pick(), KEEP.lock().unwrap()[0].get())
}
"#,
    expect: |seen| {
        let helper = if seen.choice("helper") == 1 { 5 } else { 0 };
        vec![
            fresh(7 + helper + seen.number("constant")),
            fresh(if seen.now("import") == "one" {
                100
            } else {
                200
            }),
            kept(40 + seen.number("body")),
        ]
    },
    lives: NOTHING,
};
