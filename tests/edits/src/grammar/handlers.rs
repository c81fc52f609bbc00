//! Handlers that a registry took at the start, by a trait over functions of several signatures, as
//! web frameworks do.

use super::{code, fresh, kept, open, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "handlers",
    since: 2018,
    knobs: &[
        open(
            "signature",
            &[
                &["n: u32", "n"],
                &["n: u32, even: bool", "n + u32::from(even)"],
            ],
        ),
        code("body", &[&["one"], &["two"], &["three"]]),
        code("other", &[&["10"], &["20"]]),
    ],
    text: r#"
use std::sync::Mutex;
trait Handler<Args> { fn run(&self, n: u32) -> String; }
impl<F: Fn(u32) -> String> Handler<(u32,)> for F { fn run(&self, n: u32) -> String { self(n) } }
impl<F: Fn(u32, bool) -> String> Handler<(u32, bool)> for F { fn run(&self, n: u32) -> String { self(n, true) } }
type Route = Box<dyn Fn(u32) -> String + Send>;
fn route<A: 'static, H: Handler<A> + Send + 'static>(handler: H) -> Route { Box::new(move |n| handler.run(n)) }
static ROUTES: Mutex<Vec<Route>> = Mutex::new(Vec::new());
fn show(«signature») -> String { format!("«body»{}", «signature.1») }
fn other(n: u32, _: bool) -> String { (n + «other»).to_string() }
pub fn setup() {
    ROUTES.lock().unwrap().push(route(show));
    ROUTES.lock().unwrap().push(route(other));
}
pub fn tick(_: u64) -> String {
    let kept: Vec<String> = ROUTES.lock().unwrap().iter().map(|route| route(7)).collect();
    format!("{}/{}", kept.join("/"), route(show)(7))
}
"#,
    expect: |seen| {
        let text = |body: &str, signature: usize| format!("{body}{}", 7 + signature);
        let (body, signature) = (seen.now("body"), seen.choice("signature"));
        let born = text(seen.born("body"), usize::from(seen.born[0]));
        let before = text(seen.before("body"), usize::from(seen.before[0]));
        vec![
            kept(text(body, signature)).if_said(born).if_said(before),
            kept(7 + seen.number("other")),
            fresh(text(body, signature)),
        ]
    },
    lives: NOTHING,
};
