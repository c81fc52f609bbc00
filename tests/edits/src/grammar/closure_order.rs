//! Closures are named by their number in a function: one is inserted before those that are alive,
//! which stay what they are.

use super::{kept, open, Kind, Part, Seen, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "closure-order",
    since: 2018,
    knobs: &[
        open(
            "before",
            &[
                &[""],
                &["let one = |n: u32| n + 50; let _ = one(1);"],
                &["let text = String::from(\"t\"); let one = move |n: u32| text.len() as u32 + n; let _ = one(1);"],
            ],
        ),
        open("first", &[&["100"], &["200"]]),
        open("second", &[&["1000"], &["2000"]]),
    ],
    text: r#"
use std::sync::Mutex;
static CALLS: Mutex<Vec<Box<dyn Fn(u32) -> u32 + Send>>> = Mutex::new(Vec::new());
fn make(into: &mut Vec<Box<dyn Fn(u32) -> u32 + Send>>) {
    let start = std::env::args().count() as u32 - 1;
    let name = "x".repeat(into.len() + 3);
    «before»
    into.push(Box::new(move |n| n + start + «first»));
    into.push(Box::new(move |n| n + name.len() as u32 + «second»));
}
pub fn setup() { make(&mut CALLS.lock().unwrap()); }
pub fn tick(_: u64) -> String {
    let mut new = Vec::new();
    make(&mut new);
    let kept: Vec<String> = CALLS.lock().unwrap().iter().map(|call| call(7).to_string()).collect();
    let new: Vec<String> = new.iter().map(|call| call(7).to_string()).collect();
    format!("{}/{}", kept.join("/"), new.join(","))
}
"#,
    expect: |seen| {
        let new = format!("{},{}", 7 + seen.number("first"), 10 + seen.number("second"));
        vec![living(seen, "first", 7), living(seen, "second", 10), super::fresh(new)]
    },
    lives: NOTHING,
};

/// What is said to keep its body keeps any that it had.
fn living(seen: &Seen<'_>, knob: &str, base: i64) -> Part {
    let with = |text: &str| base + super::number(text);
    let mut knobs = KIND.knobs.iter();
    let choices = knobs.find(|it| it.name == knob).map(|it| it.choices);
    let bodies = choices.into_iter().flatten().map(|choice| with(choice[0]));
    bodies.fold(kept(with(seen.now(knob))), Part::if_said)
}
