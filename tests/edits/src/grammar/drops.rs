//! `Drop`: its body, in generic types too, and whether there is one.

use super::{code, fresh, kept, open, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "drops",
    since: 2018,
    knobs: &[
        code("body", &[&["1"], &["2"], &["3"]]),
        open("generic", &[&["10"], &["20"]]),
        open(
            "added",
            &[
                &[""],
                &["impl Drop for Bare { fn drop(&mut self) { SUM.fetch_add(1000, SeqCst); } }"],
            ],
        ),
        open("boxed", &[&["100"], &["200"]]),
    ],
    text: r#"
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::Mutex;
static SUM: AtomicU32 = AtomicU32::new(0);
struct Item(u32);
impl Drop for Item { fn drop(&mut self) { SUM.fetch_add(self.0 + «body», SeqCst); } }
struct Holder<T: Copy + Into<u32>>(T);
impl<T: Copy + Into<u32>> Drop for Holder<T> { fn drop(&mut self) { SUM.fetch_add(self.0.into() + «generic», SeqCst); } }
struct Bare(u32);
«added»
struct Boxed(u32);
impl Drop for Boxed { fn drop(&mut self) { SUM.fetch_add(self.0 + «boxed», SeqCst); } }
trait Any2 { fn n(&self) -> u32 { 1 } }
impl Any2 for Boxed {}
static ITEMS: Mutex<VecDeque<Item>> = Mutex::new(VecDeque::new());
static HOLDERS: Mutex<VecDeque<Holder<u8>>> = Mutex::new(VecDeque::new());
static BARES: Mutex<VecDeque<Bare>> = Mutex::new(VecDeque::new());
static BOXES: Mutex<Vec<Box<dyn Any2 + Send>>> = Mutex::new(Vec::new());
pub fn setup() {
    for _ in 0..3 { ITEMS.lock().unwrap().push_back(Item(4)); HOLDERS.lock().unwrap().push_back(Holder(5)); BARES.lock().unwrap().push_back(Bare(6)); }
    for _ in 0..30000 { BOXES.lock().unwrap().push(Box::new(Boxed(7))); }
}
fn during(f: impl FnOnce()) -> u32 { let before = SUM.load(SeqCst); f(); SUM.load(SeqCst) - before }
pub fn tick(_: u64) -> String {
    let items = during(|| { let mut i = ITEMS.lock().unwrap(); i.pop_front(); i.push_back(Item(4)); });
    let holders = during(|| { let mut h = HOLDERS.lock().unwrap(); h.pop_front(); h.push_back(Holder(5)); });
    let bares = during(|| { let mut b = BARES.lock().unwrap(); b.pop_front(); b.push_back(Bare(6)); });
    let boxes = during(|| { BOXES.lock().unwrap().pop(); });
    let new = during(|| { let b: Box<dyn Any2> = Box::new(Boxed(7)); b.n(); });
    format!("{}/{}/{}/{}/{}", items, holders, bares, boxes, new)
}
"#,
    expect: |seen| {
        let bares = if seen.choice("added") == 1 { 1000 } else { 0 };
        vec![
            kept(4 + seen.number("body")),
            kept(5 + seen.number("generic")),
            kept(bares),
            kept(7 + seen.number("boxed")),
            fresh(7 + seen.number("boxed")),
        ]
    },
    lives: NOTHING,
};
