//! A thread that runs for ever and calls functions, and one that is started anew each time.

use super::{code, fresh, kept, open, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "threads",
    since: 2018,
    knobs: &[
        code("step", &[&["1"], &["2"], &["3"]]),
        open("loop", &[&["100"], &["200"]]),
        open("spawned", &[&["10"], &["20"]]),
        code("message", &[&["1000"], &["2000"]]),
    ],
    text: r#"
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::mpsc::{channel, Sender};
use std::sync::Mutex;
static OUT: AtomicU32 = AtomicU32::new(0);
static SENDER: Mutex<Option<Sender<Sender<u32>>>> = Mutex::new(None);
fn step() -> u32 { 30 + «step» }
fn answer() -> u32 { 4 + «message» }
fn work() { loop { OUT.store(step() + «loop», SeqCst); std::thread::sleep(std::time::Duration::from_millis(3)); } }
pub fn setup() {
    std::thread::spawn(work);
    let (sender, receiver) = channel::<Sender<u32>>();
    *SENDER.lock().unwrap() = Some(sender);
    std::thread::spawn(move || { for back in receiver { let _ = back.send(answer()); } });
    while OUT.load(SeqCst) == 0 { std::thread::yield_now(); }
}
fn ask() -> u32 {
    let (back, answers) = channel();
    SENDER.lock().unwrap().as_ref().unwrap().send(back).unwrap();
    answers.recv().unwrap()
}
pub fn tick(_: u64) -> String {
    let spawned = std::thread::spawn(|| 5 + «spawned»).join().unwrap();
    format!("{}/{}/{}", OUT.load(SeqCst), spawned, ask())
}
"#,
    expect: |seen| {
        let sum = |step: &str, own: &str| 30 + super::number(step) + super::number(own);
        // An optimised build may have `step` inlined into the loop.
        vec![
            kept(sum(seen.now("step"), seen.now("loop")))
                .if_said(sum(seen.now("step"), seen.born("loop")))
                .if_said(sum(seen.now("step"), seen.before("loop")))
                .if_said(sum(seen.born("step"), seen.born("loop")))
                .if_said(sum(seen.before("step"), seen.before("loop"))),
            fresh(5 + seen.number("spawned")),
            fresh(4 + seen.number("message")),
        ]
    },
    lives: NOTHING,
};
