//! Associated types and constants that come from a blanket impl or from an own one; a static holds
//! what they name.

use super::{code, fresh, kept, rude, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "associated",
    since: 2018,
    knobs: &[
        rude(
            "impl",
            &[
                &["impl Mk for Sel {}"],
                &["impl Tr for Sel { type O = String; const W: u32 = 6; fn mk() -> String { \"s\".to_string() } }"],
            ],
        ),
        code("width", &[&["4"], &["5"]]),
        code("body", &[&["1"], &["2"], &["3"]]),
    ],
    text: r#"
use std::fmt::Debug;
use std::sync::Mutex;
trait Mk {}
trait Tr { type O: Debug + Send; const W: u32; fn mk() -> Self::O; }
impl<T: Mk> Tr for T { type O = u32; const W: u32 = «width»; fn mk() -> u32 { 7 } }
struct Sel;
struct Other;
impl Mk for Other {}
«impl»
static KEEP: Mutex<Vec<<Sel as Tr>::O>> = Mutex::new(Vec::new());
pub fn setup() { for _ in 0..2 { KEEP.lock().unwrap().push(<Sel as Tr>::mk()); } }
pub fn tick(_: u64) -> String {
    format!("{:?}/{}/{}", KEEP.lock().unwrap(), Sel::W + «body», Other::W + «body»)
}
"#,
    expect: |seen| {
        let (width, body) = (seen.number("width"), seen.number("body"));
        let (values, own) = match seen.choice("impl") {
            0 => ("[7, 7]", width),
            _ => ("[\"s\", \"s\"]", 6),
        };
        vec![kept(values), fresh(own + body), fresh(width + body)]
    },
    lives: NOTHING,
};
