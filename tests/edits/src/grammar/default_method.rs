//! Objects of a trait with default methods, alive since the start.

use super::{code, fresh, kept, open, rude, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "default-method",
    since: 2015,
    knobs: &[
        open("default", &[&["x"], &["y"], &["z"]]),
        code("body", &[&["a"], &["b"], &["c"]]),
        open(
            "over",
            &[
                &[""],
                &["fn hi(&self) -> String { String::from(\"over\") }"],
            ],
        ),
        rude("first", &[&[""], &["fn first(&self) -> u64 { 7 } "]]),
        rude(
            "above",
            &[
                &["", ""],
                &[": Above", "impl Above for A {} impl Above for B {}"],
            ],
        ),
        open("free", &[&["1"], &["2"]]),
    ],
    text: r#"
use std::sync::Mutex;
trait Above { fn above(&self) -> u64 { 9 } }
trait Greet«above» { «first»fn name(&self) -> String; fn hi(&self) -> String { format!("«default»{}", self.name()) } }
trait Free { fn free(&self) -> u32 { 50 + «free» } }
struct A(u32);
struct B;
«above.1»
impl Greet for A { fn name(&self) -> String { format!("«body»{}", self.0) } «over» }
impl Greet for B { fn name(&self) -> String { String::from("B") } }
impl Free for B {}
static KEEP: Mutex<Vec<Box<%dyn Greet + Send>>> = Mutex::new(Vec::new());
pub fn setup() { KEEP.lock().unwrap().push(Box::new(A(1))); KEEP.lock().unwrap().push(Box::new(B)); }
pub fn tick(_: u64) -> String {
    let kept: Vec<String> = KEEP.lock().unwrap().iter().map(|g| g.hi()).collect();
    let names: Vec<String> = KEEP.lock().unwrap().iter().map(|g| g.name()).collect();
    format!("{}/{}/{}/{}", kept.join(","), names.join(","), A(2).hi(), B.free())
}
"#,
    expect: |seen| {
        let (default, body) = (seen.now("default"), seen.now("body"));
        let hi = |n: u32| match seen.choice("over") {
            0 => format!("{default}{body}{n}"),
            _ => "over".to_owned(),
        };
        vec![
            kept(format!("{},{default}B", hi(1))),
            kept(format!("{body}1,B")),
            fresh(hi(2)),
            fresh(50 + seen.number("free")),
        ]
    },
    lives: NOTHING,
};
