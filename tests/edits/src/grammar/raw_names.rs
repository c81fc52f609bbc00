//! Modules, functions, fields and types with raw names.

use super::{code, fresh, kept, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "raw-names",
    since: 2018,
    knobs: &[
        code("module", &[&["1"], &["2"], &["3"]]),
        code("function", &[&["10"], &["20"]]),
        code("method", &[&["100"], &["200"]]),
        code("nested", &[&["1000"], &["2000"]]),
    ],
    text: r#"
use std::sync::Mutex;
mod r#mod {
    pub fn f() -> u32 { 4 + «module» }
    pub mod r#type { pub fn r#fn() -> u32 { 5 + «nested» } }
}
fn r#match(r#in: u32) -> u32 { r#in + «function» }
struct r#struct { r#ref: u32 }
impl r#struct { fn r#loop(&self) -> u32 { self.r#ref + «method» } }
static KEEP: Mutex<Vec<r#struct>> = Mutex::new(Vec::new());
pub fn setup() { KEEP.lock().unwrap().push(r#struct { r#ref: 6 }); }
pub fn tick(_: u64) -> String {
    format!("{}/{}/{}/{}", r#mod::f(), r#match(7), KEEP.lock().unwrap()[0].r#loop(), r#mod::r#type::r#fn())
}
"#,
    expect: |seen| {
        vec![
            fresh(4 + seen.number("module")),
            fresh(7 + seen.number("function")),
            kept(6 + seen.number("method")),
            fresh(5 + seen.number("nested")),
        ]
    },
    lives: NOTHING,
};
