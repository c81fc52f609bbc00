//! A trait for everything that has another, in a crate below; objects of it are alive.

use super::{code, fresh, kept, open, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "blanket",
    since: 2015,
    knobs: &[
        open("blanket", &[&["1"], &["2"], &["3"]]),
        code("own", &[&["10"], &["20"]]),
        code("user", &[&["100"], &["200"]]),
    ],
    text: r#"
use std::sync::Mutex;
use %low::{Label, Size};
struct Thing(u32);
impl Size for Thing { fn size(&self) -> u32 { self.0 + «own» } }
static KEEP: Mutex<Vec<Box<%dyn Label + Send>>> = Mutex::new(Vec::new());
fn call() -> u32 { Thing(1000).label() + «user» }
pub fn setup() { KEEP.lock().unwrap().push(Box::new(Thing(2000))); KEEP.lock().unwrap().push(Box::new(7u8)); }
pub fn tick(_: u64) -> String {
    let labels: Vec<String> = KEEP.lock().unwrap().iter().map(|l| l.label().to_string()).collect();
    format!("{}/{}", call(), labels.join(","))
}
//// low
pub trait Size { fn size(&self) -> u32; }
pub trait Label { fn label(&self) -> u32; }
impl<T: Size> Label for T { fn label(&self) -> u32 { self.size() + «blanket» } }
impl Size for u8 { fn size(&self) -> u32 { u32::from(*self) } }
"#,
    expect: |seen| {
        let (blanket, own) = (seen.number("blanket"), seen.number("own"));
        vec![
            fresh(1000 + own + blanket + seen.number("user")),
            kept(format!("{},{}", 2000 + own + blanket, 7 + blanket)),
        ]
    },
    lives: NOTHING,
};
