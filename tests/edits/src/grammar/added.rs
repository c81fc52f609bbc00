//! A function, a method and an async function that edits bring, which are edited then, and go
//! again.

use super::{code, fresh, kept, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "added",
    since: 2018,
    knobs: &[
        code(
            "function",
            &[
                &["", "n"],
                &["fn helper(n: u32) -> u32 { n + 5 }\n", "helper(n)"],
                &["fn helper(n: u32) -> u32 { n + 6 }\n", "helper(n)"],
                &["fn helper(n: u32) -> u32 { n + K }\n", "helper(n)"],
            ],
        ),
        code(
            "method",
            &[
                &["", "self.0"],
                &["    fn more(&self) -> u32 { self.0 + 1 }\n", "self.more()"],
                &["    fn more(&self) -> u32 { self.0 + 2 }\n", "self.more()"],
            ],
        ),
        code(
            "async",
            &[
                &["", "n"],
                &[
                    "async fn later(n: u32) -> u32 { n + 10 }\n",
                    "later(n).await",
                ],
                &[
                    "async fn later(n: u32) -> u32 { n + 20 }\n",
                    "later(n).await",
                ],
                &[
                    "async fn later(n: u32) -> u32 { step(n).await + 30 }\n",
                    "later(n).await",
                ],
            ],
        ),
        code("constant", &[&["100"], &["200"]]),
        code("generic", &[&["1000"], &["2000"]]),
    ],
    text: r#"
use std::future::Future;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
const K: u32 = «constant»;
struct Rec(u32);
impl Rec {
    fn get(&self) -> u32 { «method.1» }
«method»}
static KEEP: Mutex<Vec<Rec>> = Mutex::new(Vec::new());
«function»fn generic<T: Into<u32>>(n: T) -> u32 { n.into() + «generic» }
fn sum(n: u32) -> u32 { «function.1» }
«async»async fn step(n: u32) -> u32 { n + 3 }
async fn all(n: u32) -> u32 { «async.1» }
fn run(future: impl Future<Output = u32>) -> u32 {
    let mut future = Box::pin(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) { return value; }
    }
}
pub fn setup() { KEEP.lock().unwrap().push(Rec(40)); }
pub fn tick(_: u64) -> String {
    format!("{}/{}/{}/{}", sum(7), KEEP.lock().unwrap()[0].get(), run(all(8)), generic(9u8))
}
"#,
    expect: |seen| {
        let function = match seen.choice("function") {
            0 => 0,
            3 => seen.number("constant"),
            other => 4 + other as i64,
        };
        let later = [0, 10, 20, 33][seen.choice("async")];
        vec![
            fresh(7 + function),
            kept(40 + seen.choice("method")),
            fresh(8 + later),
            fresh(9 + seen.number("generic")),
        ]
    },
    lives: NOTHING,
};
