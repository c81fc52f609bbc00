//! Where code stands in its file: `column!()`, the place of a caller, of a panic that is caught.

use super::{code, fresh, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "positions",
    since: 2018,
    knobs: &[
        code("column", &[&[""], &["let _ = 10; "], &["let _ = 1; "]]),
        code("caller", &[&[""], &["let _ = 2; "]]),
        code("value", &[&["1"], &["2"]]),
        code("below", &[&[""], &["fn below() {}"]]),
    ],
    text: r#"
fn column() -> u32 { «column»column!() }
#[track_caller] fn here() -> u32 { std::panic::Location::caller().column() + 1000 * «value» }
fn caller() -> u32 { «caller»here() }
fn catch() -> String {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = std::panic::catch_unwind(|| { let n: u32 = «value»; if n > 0 { panic!("p{}", n); } });
    std::panic::set_hook(hook);
    result.unwrap_err().downcast_ref::<String>().unwrap().clone()
}
fn path() -> &'static str { module_path!().rsplit("::").next().unwrap() }
pub fn setup() {}
pub fn tick(_: u64) -> String { format!("{}/{}/{}/{}", column(), caller(), catch(), path() == "@") }
«below»
"#,
    expect: |seen| {
        let at = |text: &str, knob: &str| (text.len() + 1 + seen.now(knob).len()) as i64;
        let value = seen.number("value");
        vec![
            fresh(at("fn column() -> u32 { ", "column")),
            fresh(at("fn caller() -> u32 { ", "caller") + 1000 * value),
            fresh(format!("p{value}")),
            fresh(true),
        ]
    },
    lives: NOTHING,
};
