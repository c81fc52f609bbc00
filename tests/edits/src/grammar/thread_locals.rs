//! Thread-locals at the top, in functions, closures, generic functions and macros: the same
//! variables after any edit.

use super::{code, fresh, kept, rude, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "thread-locals",
    since: 2018,
    knobs: &[
        code("insert", &[&[""], &["let one = || 1; let _ = one();"]]),
        code("body", &[&["1"], &["2"], &["3"]]),
        code("generic", &[&["10"], &["20"]]),
        rude("type", &[&["Cell<u32>"], &["Cell<u64>"]]),
        code(
            "new",
            &[
                &["", "0"],
                &[
                    "thread_local! { static MORE: Cell<u32> = const { Cell::new(77) }; }",
                    "MORE.with(|m| m.get())",
                ],
            ],
        ),
    ],
    text: r#"
use std::cell::Cell;
thread_local! { static TOP: «type» = const { Cell::new(1000) }; static PAIR: (Cell<u32>, «type») = const { (Cell::new(1000), Cell::new(5)) }; }
«new»
fn top() -> u32 { let _ = «body»; TOP.with(|t| { t.set(t.get() + 1); t.get() as u32 }) }
fn pair() -> u32 { let _ = «body»; PAIR.with(|t| { t.0.set(t.0.get() + 1); t.0.get() }) }
fn in_closure() -> u32 {
    «insert»
    let next = || { thread_local! { static N: Cell<u32> = const { Cell::new(1000) }; } N.with(|n| { n.set(n.get() + 1); n.get() }) };
    let _ = «body»;
    next()
}
fn in_generic<T: Into<u32>>(x: T) -> u32 {
    thread_local! { static N: Cell<u32> = Cell::new(1000); }
    let _ = x.into() + «generic»;
    N.with(|n| { n.set(n.get() + 1); n.get() })
}
fn bodies() -> u32 { «body» + «generic» + «new.1» }
pub fn setup() {}
pub fn tick(n: u64) -> String {
    let of = |count: u32| i64::from(count) - n as i64;
    format!("{}/{}/{}/{}/{}", of(top()), of(pair()), of(in_closure()), of(in_generic(1u8)), bodies())
}
"#,
    expect: |seen| {
        let more = if seen.choice("new") == 1 { 77 } else { 0 };
        let mut parts: Vec<_> = (0..4).map(|_| kept(1000)).collect();
        parts.push(fresh(seen.number("body") + seen.number("generic") + more));
        parts
    },
    lives: NOTHING,
};
