//! Functions whose results are closures, iterators or objects; some of the results are kept since
//! the start.

use super::{code, fresh, kept, open, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "returned-closure",
    since: 2018,
    knobs: &[
        open("impl", &[&["1"], &["2"], &["3"]]),
        open("boxed", &[&["10"], &["20"]]),
        open("object", &[&["100"], &["200"]]),
        code("call", &[&["0"], &["1000"]]),
    ],
    text: r#"
use std::sync::Mutex;
trait Page { fn number(&self) -> u32; }
struct Sheet(u32);
impl Page for Sheet { fn number(&self) -> u32 { self.0 + «object» } }
fn add(n: u32) -> impl Fn(u32) -> u32 + Send { move |x| x + n + «impl» }
fn boxed(n: u32) -> Box<dyn Fn(u32) -> u32 + Send> { Box::new(move |x| x + n + «boxed») }
fn page() -> impl Page + Send { Sheet(5) }
static CALLS: Mutex<Vec<Box<dyn Fn(u32) -> u32 + Send>>> = Mutex::new(Vec::new());
static PAGES: Mutex<Vec<Box<dyn Page + Send>>> = Mutex::new(Vec::new());
pub fn setup() {
    CALLS.lock().unwrap().push(Box::new(add(1)));
    CALLS.lock().unwrap().push(boxed(1));
    PAGES.lock().unwrap().push(Box::new(page()));
}
fn new() -> String { format!("{}/{}/{}", add(2)(3) + «call», boxed(2)(3) + «call», page().number() + «call») }
pub fn tick(_: u64) -> String {
    let calls = CALLS.lock().unwrap();
    format!("{}/{}/{}/{}", new(), calls[0](1), calls[1](1), PAGES.lock().unwrap()[0].number())
}
"#,
    expect: |seen| {
        let call = seen.number("call");
        let living = |knob: &str, base: i64| {
            let with = |text: &str| base + super::number(text);
            kept(with(seen.now(knob)))
                .if_said(with(seen.born(knob)))
                .if_said(with(seen.before(knob)))
        };
        vec![
            fresh(5 + seen.number("impl") + call),
            fresh(5 + seen.number("boxed") + call),
            fresh(5 + seen.number("object") + call),
            living("impl", 2),
            living("boxed", 2),
            kept(5 + seen.number("object")),
        ]
    },
    lives: NOTHING,
};
