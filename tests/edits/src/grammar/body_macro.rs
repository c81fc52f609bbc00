//! A macro declares a type and a static in the body that calls it, and a value of that type is
//! alive.

use super::{code, fresh, kept, rude, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "body-macro",
    since: 2018,
    knobs: &[
        rude(
            "type",
            &[
                &["u32, 7"],
                &["u64, 7"],
                &["(u16, u16, u16, u16, u16), (7, 0, 0, 0, 0)"],
            ],
        ),
        code("body", &[&["1"], &["2"], &["3"]]),
    ],
    text: r#"
use std::any::Any;
use std::sync::Mutex;
static KEEP: Mutex<Vec<Box<dyn Any + Send>>> = Mutex::new(Vec::new());
macro_rules! cached { ($t:ty, $e:expr) => {{
    #[derive(Clone)]
    struct Slot { value: $t }
    let mut keep = KEEP.lock().unwrap();
    if keep.is_empty() { keep.push(Box::new(Slot { value: $e })); }
    keep[0].downcast_ref::<Slot>().map(|slot| slot.value.clone())
}} }
macro_rules! once { () => {{
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1000);
    COUNT.fetch_add(1, std::sync::atomic::Ordering::SeqCst)
}} }
fn work() -> String { format!("{:?}{}", cached!(«type»).is_some(), «body») }
fn count() -> u32 { let _ = «body»; once!() }
pub fn setup() {}
pub fn tick(n: u64) -> String { format!("{}/{}", work(), i64::from(count()) - n as i64) }
"#,
    expect: |seen| vec![fresh(format!("true{}", seen.now("body"))), kept(999)],
    lives: NOTHING,
};
