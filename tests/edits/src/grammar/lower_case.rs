//! Traits, types and constants whose names don't follow the conventions, and imports that a macro
//! makes.

use super::{code, fresh, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "lower-case",
    since: 2018,
    knobs: &[
        code("body", &[&["<{}>"], &["({})"], &["{}!"]]),
        code("trait", &[&["trait"], &["method"]]),
        code("import", &[&["named"], &["other"]]),
        code("constant", &[&["10"], &["20"]]),
    ],
    text: r#"
pub struct D(Target);
pub struct Target;
impl Target { pub fn name(&self) -> &'static str { "target" } }
impl std::ops::Deref for D { type Target = Target; fn deref(&self) -> &Target { &self.0 } }
mod ext {
    pub trait named { fn name(&self) -> &'static str { "of the «trait»" } }
    impl named for super::D {}
    pub trait other { fn name(&self) -> &'static str { "other" } }
    impl other for super::D {}
    pub const size: u32 = «constant»;
    pub struct point { pub x: u32 }
    impl point { pub fn new(x: u32) -> point { point { x: x + 1 } } }
}
mod user { use super::ext::«import»; pub fn show(d: &super::D) -> String { format!("«body»", d.name()) } }
mod by_macro {
    macro_rules! bring { ($t:ident) => { use super::ext::$t; } }
    bring!(«import»);
    pub fn show(d: &super::D) -> String { format!("«body»", d.name()) }
}
mod numbers { use super::ext::{point, size}; pub fn sum() -> String { let size2 = size; format!("«body»", point::new(size2).x) } }
pub fn setup() {}
pub fn tick(_: u64) -> String { format!("{}/{}/{}", user::show(&D(Target)), by_macro::show(&D(Target)), numbers::sum()) }
"#,
    expect: |seen| {
        let name = match seen.now("import") {
            "named" => format!("of the {}", seen.now("trait")),
            _ => "other".to_owned(),
        };
        let shown = |text: String| seen.now("body").replace("{}", &text);
        vec![
            fresh(shown(name.clone())),
            fresh(shown(name)),
            fresh(shown((seen.number("constant") + 1).to_string())),
        ]
    },
    lives: NOTHING,
};
