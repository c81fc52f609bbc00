//! Methods of a generic type behind objects: some made at the start, one when a patch says so.

use super::{code, fresh, kept, open, Kind};

pub(super) const KIND: Kind = Kind {
    name: "generic-object",
    since: 2015,
    knobs: &[
        open("method", &[&["1000"], &["2000"], &["3000"]]),
        code(
            "make",
            &[
                &[""],
                &["if late.is_empty() { late.push(Box::new(G(3u32))); }"],
            ],
        ),
        code("other", &[&["1"], &["2"]]),
    ],
    text: r#"
use std::sync::Mutex;
static EARLY: Mutex<Vec<Box<%dyn Call + Send>>> = Mutex::new(Vec::new());
static LATE: Mutex<Vec<Box<%dyn Call + Send>>> = Mutex::new(Vec::new());
const OTHER: u32 = «other»;
struct G<T>(T);
trait Call { fn call(&self, x: u32) -> u32; }
impl<T: Copy + Into<u32>> Call for G<T> { fn call(&self, x: u32) -> u32 { x + self.0.into() + «method» } }
fn make() { let mut late = LATE.lock().unwrap(); «make» let _ = late.len(); }
pub fn setup() { EARLY.lock().unwrap().push(Box::new(G(5u8))); }
pub fn tick(_: u64) -> String {
    make();
    let early: Vec<u32> = EARLY.lock().unwrap().iter().map(|g| g.call(1)).collect();
    let late: Vec<u32> = LATE.lock().unwrap().iter().map(|g| g.call(1)).collect();
    format!("{:?}/{:?}/{}/{}", early, late, G(7u32).call(0), OTHER)
}
"#,
    expect: |seen| {
        let method = seen.number("method");
        let late = match seen.notes[0] {
            0 => "[]".to_owned(),
            _ => format!("[{}]", 4 + method),
        };
        vec![
            kept(format!("[{}]", 6 + method)),
            kept(late),
            fresh(7 + method),
            fresh(seen.number("other")),
        ]
    },
    lives: Some(|now, notes| notes[0] |= now[1]),
};
