//! Impl blocks and functions that move to another module or file, mostly together with an edit of
//! their bodies.

use super::{code, fresh, kept, open, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "impl-elsewhere",
    since: 2018,
    knobs: &[
        code("own", &[&["impl %here::A { pub fn f(&self) -> u32 { self.0 + «body» } }", ""], &["", "impl %here::A { pub fn f(&self) -> u32 { self.0 + «body» } }"]]),
        open("trait", &[&["impl %here::Get for %here::A { fn get(&self) -> u32 { self.0 + 10 * «body» } }", ""], &["", "impl %here::Get for %here::A { fn get(&self) -> u32 { self.0 + 10 * «body» } }"]]),
        code("function", &[&["pub fn free() -> u32 { 5 + «body» }", "pub use super::one::free;"], &["pub use super::two::free;", "pub fn free() -> u32 { 5 + «body» }"]]),
        code("file", &[&["pub fn moved() -> u32 { 7 + «body» }", ""], &["pub use %side::moved;", "pub fn moved() -> u32 { 7 + «body» }"]]),
        code("body", &[&["1"], &["2"], &["3"]]),
    ],
    text: r#"
use std::sync::Mutex;
pub struct A(pub u32);
pub trait Get { fn get(&self) -> u32; }
pub mod one { «own» «trait» «function» }
pub mod two { «own.1» «trait.1» «function.1» }
«file»
static KEEP: Mutex<Vec<Box<dyn Get + Send>>> = Mutex::new(Vec::new());
pub fn setup() { KEEP.lock().unwrap().push(Box::new(A(3))); }
pub fn tick(_: u64) -> String {
    format!("{}/{}/{}/{}", A(1).f(), KEEP.lock().unwrap()[0].get(), two::free(), moved())
}
//// side
«file.1»
"#,
    expect: |seen| {
        let body = seen.number("body");
        vec![fresh(1 + body), kept(3 + 10 * body), fresh(5 + body), fresh(7 + body)]
    },
    lives: NOTHING,
};
