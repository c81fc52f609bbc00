//! Types whose values are alive: fields added, removed, moved, of another type; `repr`; generics.

use super::{code, kept, rude, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "layouts",
    since: 2015,
    knobs: &[
        rude(
            "field",
            &[
                &["", ""],
                &["pub more: u64,", "more: 9,"],
                &["pub more: String,", "more: String::new(),"],
            ],
        ),
        rude(
            "type",
            &[&["u32", "3"], &["u64", "3"], &["(u32, u8)", "(3, 0)"]],
        ),
        rude("wrap", &[&["T"], &["(T, u8)"]]),
        code("body", &[&["1"], &["2"], &["3"]]),
        code(
            "derive",
            &[&["#[derive(Clone)]"], &["#[derive(Clone, Debug)]"]],
        ),
    ],
    text: r#"
use std::sync::Mutex;
use %low::{Item, Wrapped, make};
static ITEMS: Mutex<Vec<Item>> = Mutex::new(Vec::new());
static WRAPPED: Mutex<Vec<Wrapped<u8>>> = Mutex::new(Vec::new());
pub fn setup() { for n in 1..4 { ITEMS.lock().unwrap().push(make(n)); WRAPPED.lock().unwrap().push(Wrapped::new(n as u8)); } }
fn sum(items: &[Item]) -> u32 { items.iter().map(|item| item.last + item.first + «body»).sum() }
pub fn tick(_: u64) -> String {
    let tags: u32 = WRAPPED.lock().unwrap().iter().map(|w| w.tag).sum();
    format!("{}/{}", sum(&ITEMS.lock().unwrap()), tags + «body»)
}
//// low
«derive»
pub struct Item { pub first: u32, pub middle: «type», «field» pub last: u32 }
pub fn make(n: u32) -> Item { Item { first: n, middle: «type.1», «field.1» last: 10 * n } }
pub struct Wrapped<T> { pub value: «wrap», pub tag: u32 }
pub trait Wrap<T> { fn wrap(value: T) -> Self; }
impl<T> Wrap<T> for T { fn wrap(value: T) -> T { value } }
impl<T> Wrap<T> for (T, u8) { fn wrap(value: T) -> (T, u8) { (value, 1) } }
impl Wrapped<u8> { pub fn new(n: u8) -> Self { Wrapped { value: Wrap::wrap(n), tag: u32::from(n) } } }
"#,
    expect: |seen| {
        let body = seen.number("body");
        vec![kept(66 + 3 * body), kept(6 + body)]
    },
    lives: NOTHING,
};
