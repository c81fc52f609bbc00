//! `Display` and `Debug` of generic and plain types: called by `format!`, through objects, and
//! through a pointer that is kept.

use super::{code, fresh, kept, open, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "display",
    since: 2018,
    knobs: &[
        open("generic", &[&["G"], &["H"], &["I"]]),
        code("plain", &[&["p"], &["q"], &["r"]]),
        open("debug", &[&["d"], &["e"]]),
        code("constant", &[&["1"], &["2"]]),
        code("inner", &[&["<{}>"], &["({})"]]),
    ],
    text: r#"
use std::fmt;
use std::sync::Mutex;
struct G<T>(T);
impl<T: fmt::Display> fmt::Display for G<T> { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "«generic»<{}>", self.0) } }
struct P(u32);
impl fmt::Display for P { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "«plain»{}", self.0) } }
impl fmt::Debug for P { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("«debug»") } }
const K: u32 = «constant»;
fn k() -> u32 { K + 1 }
type Fmt = fn(&G<u32>, &mut fmt::Formatter<'_>) -> fmt::Result;
static POINTER: Mutex<Option<Fmt>> = Mutex::new(None);
static OBJECTS: Mutex<Vec<Box<dyn fmt::Debug + Send>>> = Mutex::new(Vec::new());
struct By<'a>(&'a G<u32>);
impl fmt::Display for By<'_> { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { let by = POINTER.lock().unwrap().unwrap(); by(self.0, f) } }
fn nested() -> String { format!("«inner»", P(3)) }
pub fn setup() { *POINTER.lock().unwrap() = Some(<G<u32> as fmt::Display>::fmt); OBJECTS.lock().unwrap().push(Box::new(P(1))); }
pub fn tick(_: u64) -> String {
    format!("{}/{}/{}/{}/{:?}/{}/{:?}", G("x"), By(&G(1)), P(2), k(), P(2), nested(), OBJECTS.lock().unwrap())
}
"#,
    expect: |seen| {
        let (generic, plain, debug) = (seen.now("generic"), seen.now("plain"), seen.now("debug"));
        vec![
            fresh(format!("{generic}<x>")),
            kept(format!("{generic}<1>")),
            fresh(format!("{plain}2")),
            fresh(1 + seen.number("constant")),
            fresh(debug),
            fresh(seen.now("inner").replace("{}", &format!("{plain}3"))),
            kept(format!("[{debug}]")),
        ]
    },
    lives: NOTHING,
};
