//! Values that are made once and stay: `OnceLock`, `LazyLock`, a `Once`, values that code computed
//! at the start.

use super::{code, fresh, kept, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "lazy",
    since: 2018,
    knobs: &[
        code("once", &[&["1"], &["2"], &["3"]]),
        code("after", &[&["10"], &["20"]]),
        code("used", &[&["100"], &["200"]]),
    ],
    text: r#"
use std::sync::{LazyLock, Mutex, OnceLock};
static ONCE: OnceLock<u32> = OnceLock::new();
static LAZY: LazyLock<Vec<u32>> = LazyLock::new(|| vec![value(), 6]);
static AT_START: Mutex<u32> = Mutex::new(0);
fn value() -> u32 { 40 + «once» }
fn get() -> u32 { *ONCE.get_or_init(|| value()) + «after» }
fn table() -> u32 { LAZY.iter().sum::<u32>() + «after» }
fn start() -> u32 { *AT_START.lock().unwrap() + «used» }
pub fn setup() { *AT_START.lock().unwrap() = value(); get(); table(); }
pub fn tick(_: u64) -> String { format!("{}/{}/{}/{}", get(), table(), start(), value()) }
"#,
    expect: |seen| {
        let (then, after) = (40 + super::number(seen.born("once")), seen.number("after"));
        vec![
            kept(then + after),
            kept(then + 6 + after),
            kept(then + seen.number("used")),
            fresh(40 + seen.number("once")),
        ]
    },
    lives: NOTHING,
};
