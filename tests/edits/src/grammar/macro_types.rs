//! Macros that make types: their fields, their lengths, which macro it is, and whether the types
//! have `Drop`.

use super::{code, fresh, kept, open, rude, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "macro-types",
    since: 2018,
    knobs: &[
        rude("length", &[&["3"], &["5"]]),
        rude("macro", &[&["one"], &["two"]]),
        code("show", &[&["1"], &["2"], &["3"]]),
        open(
            "drop",
            &[
                &[""],
                &["impl Drop for Boxed { fn drop(&mut self) { DROPS.fetch_add(1, SeqCst); } }"],
            ],
        ),
    ],
    text: r#"
use std::any::Any;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::Mutex;
const N: usize = «length»;
mod one { macro_rules! mk { ($n:ident) => { pub struct $n { pub a: u32 } impl $n { fn new() -> Self { $n { a: 7 } } fn show(&self) -> String { (self.a + «show»).to_string() } } } } pub(crate) use mk; }
mod two { macro_rules! mk { ($n:ident) => { pub struct $n { pub a: String } impl $n { fn new() -> Self { $n { a: "s".to_string() } } fn show(&self) -> String { format!("{}{}", self.a, «show») } } } } pub(crate) use mk; }
use «macro»::mk;
mk!(Made);
macro_rules! buf { ($n:ident, $keep:ident) => { struct $n { a: [u32; N] } static $keep: Mutex<Vec<$n>> = Mutex::new(Vec::new()); } }
buf!(Buf, BUFS);
macro_rules! boxed { ($n:ident) => { pub struct $n { pub a: u32 } } }
boxed!(Boxed);
«drop»
static MADE: Mutex<Vec<Made>> = Mutex::new(Vec::new());
static DROPS: AtomicU32 = AtomicU32::new(0);
static POOL: Mutex<VecDeque<Box<dyn Any + Send>>> = Mutex::new(VecDeque::new());
static OLD: Mutex<Vec<Box<dyn Any + Send>>> = Mutex::new(Vec::new());
pub fn setup() {
    MADE.lock().unwrap().push(Made::new());
    BUFS.lock().unwrap().push(Buf { a: [7; N] });
    BUFS.lock().unwrap().push(Buf { a: [8; N] });
    for a in 0..30000 { OLD.lock().unwrap().push(Box::new(Boxed { a })); }
}
pub fn tick(_: u64) -> String {
    let made = MADE.lock().unwrap()[0].show();
    let bufs: Vec<usize> = BUFS.lock().unwrap().iter().map(|b| b.a.iter().filter(|n| **n > 6 && **n < 9).count()).collect();
    let before = DROPS.load(SeqCst);
    drop(Box::new(Boxed { a: 1 }));
    let new = DROPS.load(SeqCst) - before;
    OLD.lock().unwrap().pop();
    let old = DROPS.load(SeqCst) - before - new;
    format!("{}/{:?}/{}/{}", made, bufs, new, old)
}
"#,
    expect: |seen| {
        let (show, len) = (seen.number("show"), seen.number("length"));
        let made = match seen.now("macro") {
            "one" => (7 + show).to_string(),
            _ => format!("s{show}"),
        };
        let drops = seen.choice("drop");
        vec![
            kept(made),
            kept(format!("[{len}, {len}]")),
            fresh(drops),
            kept(drops),
        ]
    },
    lives: NOTHING,
};
