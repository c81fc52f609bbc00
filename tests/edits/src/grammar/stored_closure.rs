//! Closures that are kept since the start: their bodies, what they capture, and what they call.

use super::{code, kept, open, Kind, Part, Seen};

/// The positions of knobs.
const BODY: usize = 0;
const CAPTURE: usize = 1;

pub(super) const KIND: Kind = Kind {
    name: "stored-closure",
    since: 2018,
    knobs: &[
        open("body", &[&["a"], &["b"], &["c"]]),
        open(
            "capture",
            &[
                &["", ""],
                &["let more = String::from(\"m\");", "let _ = more.len();"],
            ],
        ),
        code("called", &[&["1"], &["2"], &["3"]]),
        open("generic", &[&["10"], &["20"]]),
    ],
    text: r#"
use std::sync::Mutex;
type Call = Box<dyn Fn(u32) -> String + Send>;
static CALLS: Mutex<Vec<Call>> = Mutex::new(Vec::new());
fn called(n: u32) -> u32 { n + «called» }
fn generic<T: Into<u32>>(n: T) -> u32 { n.into() + «generic» }
pub fn setup() {
    let start = std::env::args().count() as u32 - 1;
    «capture»
    CALLS.lock().unwrap().push(Box::new(move |n| { «capture.1» format!("«body»{}", n + start) }));
    CALLS.lock().unwrap().push(Box::new(move |n| called(n + start).to_string()));
    CALLS.lock().unwrap().push(Box::new(|n| generic(n).to_string()));
}
pub fn tick(_: u64) -> String {
    let all: Vec<String> = CALLS.lock().unwrap().iter().map(|call| call(7)).collect();
    all.join("/")
}
"#,
    expect: |seen| {
        vec![
            closure(seen),
            kept(7 + seen.number("called")),
            kept(7 + seen.number("generic")),
        ]
    },
    // The last body under each of the captures, counted from one.
    lives: Some(|now, notes| notes[usize::from(now[CAPTURE])] = now[BODY] + 1),
};

/// The body may change under what is captured, but not what is captured: then it keeps the last
/// that it had before.
fn closure(seen: &Seen<'_>) -> Part {
    let body = |text: &str| format!("{text}7");
    let captured = usize::from(seen.born[CAPTURE]);
    let last = seen.notes[captured].saturating_sub(1);
    let last = KIND.knobs[BODY].choices[usize::from(last)][0];
    kept(body(seen.now("body")))
        .if_said(body(seen.born("body")))
        .if_said(body(seen.before("body")))
        .if_said(body(last))
}
