//! Async functions on a hand-made executor: run anew each time, and one future that is kept and
//! polled for ever.

use super::{code, fresh, kept, open, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "async",
    since: 2018,
    knobs: &[
        code("step", &[&["1"], &["2"], &["3"]]),
        code("fresh", &[&["10"], &["20"]]),
        open("task", &[&["100"], &["200"]]),
        open(
            "local",
            &[&["", "0"], &["let more = [5u32; 4];", "more[0]"]],
        ),
        code("called", &[&["1000"], &["2000"]]),
        open("block", &[&["7"], &["8"]]),
        code("impl", &[&["50"], &["60"]]),
        code(
            "off",
            &[
                &[""],
                &["#[allow(dead_code)] async fn not_used() -> u32 { 9 }"],
            ],
        ),
    ],
    text: r#"
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
static TASKS: Mutex<Vec<Task>> = Mutex::new(Vec::new());
static OUT: AtomicU32 = AtomicU32::new(0);
static BLOCK: AtomicU32 = AtomicU32::new(0);
struct Once(bool);
impl Future for Once {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.0 { return Poll::Ready(()); }
        self.0 = true;
        Poll::Pending
    }
}
fn poll(task: &mut Task) { let _ = task.as_mut().poll(&mut Context::from_waker(Waker::noop())); }
fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) { return value; }
    }
}
#[cfg(unix)]
#[allow(dead_code)]
async fn mode() -> u32 { 1 }
#[cfg(not(unix))]
async fn mode() -> u32 { 2 }
«off»
fn step() -> u32 { 30 + «step» }
async fn called(n: u32) -> u32 { Once(false).await; n + «called» }
async fn fresh() -> u32 { «local» Once(false).await; called(3).await + «fresh» + «local.1» }
async fn forever() { loop { OUT.store(step() + «task», SeqCst); Once(false).await; } }
fn hidden(n: u32) -> impl Future<Output = u32> { async move { Once(false).await; n + «impl» } }
pub fn setup() {
    let mut tasks = TASKS.lock().unwrap();
    tasks.push(Box::pin(forever()));
    tasks.push(Box::pin(async { loop { BLOCK.store(step() + «block», SeqCst); Once(false).await; } }));
}
pub fn tick(_: u64) -> String {
    for task in TASKS.lock().unwrap().iter_mut() { poll(task); }
    format!("{}/{}/{}/{}", OUT.load(SeqCst), BLOCK.load(SeqCst), run(fresh()), run(hidden(4)))
}
"#,
    expect: |seen| {
        let sum = |step: &str, own: &str| 30 + super::number(step) + super::number(own);
        // An optimised build may have `step` inlined into the future.
        let living = |knob: &str| {
            kept(sum(seen.now("step"), seen.now(knob)))
                .if_said(sum(seen.now("step"), seen.born(knob)))
                .if_said(sum(seen.now("step"), seen.before(knob)))
                .if_said(sum(seen.born("step"), seen.born(knob)))
                .if_said(sum(seen.before("step"), seen.before(knob)))
        };
        let local = if seen.choice("local") == 1 { 5 } else { 0 };
        vec![
            living("task"),
            living("block"),
            fresh(3 + seen.number("called") + seen.number("fresh") + local),
            fresh(4 + seen.number("impl")),
        ]
    },
    lives: NOTHING,
};
