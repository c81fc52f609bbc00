//! Functions under attribute macros, which write a part of them: the variables in their bodies stay
//! the same.

use super::{code, fresh, kept, Kind, NOTHING};

const KNOBS: [&str; 7] = [
    "plain", "closure", "wrapped", "shifted", "method", "later", "both",
];

pub(super) const KIND: Kind = Kind {
    name: "attributes",
    since: 2018,
    knobs: &[
        code(KNOBS[0], &[&["1"], &["2"], &["3"]]),
        code(KNOBS[1], &[&["10"], &["20"]]),
        code(KNOBS[2], &[&["30"], &["40"]]),
        code(KNOBS[3], &[&["50"], &["60"]]),
        code(KNOBS[4], &[&["70"], &["80"]]),
        code(KNOBS[5], &[&["11"], &["21"]]),
        code(KNOBS[6], &[&["31"], &["41"]]),
    ],
    text: r#"
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};
#[around::before] fn plain() -> u32 { static N: AtomicU32 = AtomicU32::new(1000); N.fetch_add(1, SeqCst) * 100 + «plain» }
#[around::before] fn in_closure() -> u32 { let next = || { static N: AtomicU32 = AtomicU32::new(1000); N.fetch_add(1, SeqCst) }; next() * 100 + «closure» }
#[around::inside] fn wrapped() -> u32 { static N: AtomicU32 = AtomicU32::new(1000); N.fetch_add(1, SeqCst) * 100 + «wrapped» }
#[around::behind] fn shifted() -> u32 { let next = || { static N: AtomicU32 = AtomicU32::new(1000); N.fetch_add(1, SeqCst) }; next() * 100 + «shifted» }
struct S;
impl S {
    #[around::before] fn method(&self) -> u32 { static N: AtomicU32 = AtomicU32::new(1000); N.fetch_add(1, SeqCst) * 100 + «method» }
    #[around::before] async fn later(&self) -> u32 { static N: AtomicU32 = AtomicU32::new(1000); N.fetch_add(1, SeqCst) * 100 + «later» }
    #[around::before] #[around::inside] fn both(&self) -> u32 { static N: AtomicU32 = AtomicU32::new(1000); let next = || N.fetch_add(1, SeqCst); next() * 100 + «both» }
}
fn once<F: Future<Output = u32>>(future: F) -> u32 {
    match Box::pin(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) { Poll::Ready(n) => n, Poll::Pending => 0 }
}
pub fn setup() {}
pub fn tick(n: u64) -> String {
    let of = |count: u32| format!("{}/{}", i64::from(count / 100) - n as i64, count % 100);
    let all = [plain(), in_closure(), wrapped(), shifted(), S.method(), once(S.later()), S.both()];
    let all: Vec<String> = all.iter().map(|count| of(*count)).collect();
    all.join("/")
}
"#,
    expect: |seen| {
        let of = |knob: &&str| [kept(999), fresh(seen.number(knob))];
        KNOBS.iter().flat_map(of).collect()
    },
    lives: NOTHING,
};
