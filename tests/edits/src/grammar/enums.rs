//! Enums whose values are alive: variants added and moved, discriminants; matches on them.

use super::{code, fresh, kept, open, rude, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "enums",
    since: 2018,
    knobs: &[
        rude("variant", &[&["", ""], &["Zero,", "State::Zero => 0,"]]),
        rude("payload", &[&["u32", "n"], &["u64", "n as u32"]]),
        rude("discriminant", &[&["3"], &["4"]]),
        code("arm", &[&["10"], &["20"]]),
        code("body", &[&["1"], &["2"], &["3"]]),
        open("unused", &[&[""], &["enum Later { A, B(u32) } impl Later { fn all() -> u32 { match Later::B(1) { Later::A => 0, Later::B(n) => n } } }"]]),
    ],
    text: r#"
use std::sync::Mutex;
enum State { «variant» Idle, Busy(«payload»), Named(String) }
#[derive(Clone, Copy)]
enum Level { Low = 1, Mid = «discriminant», High = 9 }
«unused»
static STATES: Mutex<Vec<State>> = Mutex::new(Vec::new());
static LEVELS: Mutex<Vec<Level>> = Mutex::new(Vec::new());
pub fn setup() {
    let mut states = STATES.lock().unwrap();
    states.push(State::Idle);
    states.push(State::Busy(7));
    states.push(State::Named("abc".to_string()));
    LEVELS.lock().unwrap().push(Level::Mid);
    LEVELS.lock().unwrap().push(Level::High);
}
fn value(state: &State) -> u32 {
    match state { «variant.1» State::Idle => «arm», State::Busy(n) => { let n = *n; «payload.1» + «body» } State::Named(s) => s.len() as u32 + «body» }
}
fn new() -> u32 { value(&State::Busy(1)) + Level::Low as u32 }
fn name(level: Level) -> &'static str { match level { Level::Low => "low", Level::Mid => "mid", Level::High => "high" } }
pub fn tick(_: u64) -> String {
    let states: Vec<u32> = STATES.lock().unwrap().iter().map(value).collect();
    let levels: Vec<&str> = LEVELS.lock().unwrap().iter().map(|l| name(*l)).collect();
    format!("{:?}/{:?}/{}", states, levels, new())
}
"#,
    expect: |seen| {
        let (arm, body) = (seen.number("arm"), seen.number("body"));
        vec![
            kept(format!("[{arm}, {}, {}]", 7 + body, 3 + body)),
            kept("[\"mid\", \"high\"]"),
            fresh(2 + body),
        ]
    },
    lives: NOTHING,
};
