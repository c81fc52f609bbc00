//! A macro that another crate exports: it makes a type, a static and functions here, and is used in
//! bodies.

use super::{code, fresh, kept, rude, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "foreign-macro",
    since: 2018,
    knobs: &[
        rude("field", &[&["u32"], &["u64"], &["[u32; 3]"]]),
        code("inside", &[&["1"], &["2"], &["3"]]),
        code("expr", &[&["10"], &["20"]]),
        code("body", &[&["100"], &["200"]]),
    ],
    text: r#"
%root::declare_@!(Rec, KEEP);
fn value() -> u32 { %root::value_@!() + «body» }
pub fn setup() { for n in 0..3 { KEEP.lock().unwrap().push(Rec { tail: n + 1, head: Default::default() }); } }
pub fn tick(n: u64) -> String {
    let sum: u32 = KEEP.lock().unwrap().iter().map(|rec| rec.get()).sum();
    format!("{}/{}/{}", value(), sum, counted() as i64 - n as i64)
}
//// low
#[macro_export]
macro_rules! declare_@ {
    ($name:ident, $keep:ident) => {
        pub struct $name { head: «field», tail: u32 }
        impl $name { fn get(&self) -> u32 { self.tail + «inside» } }
        static $keep: std::sync::Mutex<Vec<$name>> = std::sync::Mutex::new(Vec::new());
        fn counted() -> u32 {
            static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1000);
            let _ = «inside»;
            COUNT.fetch_add(1, std::sync::atomic::Ordering::SeqCst)
        }
    };
}
#[macro_export]
macro_rules! value_@ { () => { «expr» } }
"#,
    expect: |seen| {
        let inside = seen.number("inside");
        vec![
            fresh(seen.number("expr") + seen.number("body")),
            kept(6 + 3 * inside),
            kept(999),
        ]
    },
    lives: NOTHING,
};
