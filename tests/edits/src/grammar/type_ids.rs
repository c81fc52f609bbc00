//! What types are at run time: `Any` of objects that are alive, their names and sizes.

use super::{code, fresh, kept, open, Kind, NOTHING};

pub(super) const KIND: Kind = Kind {
    name: "type-ids",
    since: 2018,
    knobs: &[
        code("body", &[&["1"], &["2"], &["3"]]),
        code("generic", &[&["10"], &["20"]]),
        open("size", &[&["u32", "4"], &["u64", "8"]]),
        code(
            "derive",
            &[&["#[derive(Clone)]"], &["#[derive(Clone, PartialEq)]"]],
        ),
    ],
    text: r#"
use std::any::{type_name, Any, TypeId};
use std::sync::Mutex;
#[derive(Clone)]
struct Secret { a: u32, b: u8 }
«derive»
struct Pair<T>(T, T);
struct NotAlive { a: «size» }
static KEEP: Mutex<Vec<Box<dyn Any + Send>>> = Mutex::new(Vec::new());
static IDS: Mutex<Vec<TypeId>> = Mutex::new(Vec::new());
fn push<T: Any + Send>(value: T) { KEEP.lock().unwrap().push(Box::new(value)); IDS.lock().unwrap().push(TypeId::of::<T>()); }
pub fn setup() { push(Secret { a: 5, b: 6 }); push(Pair(7u16, 8)); push(3u8); }
fn secret() -> Option<u32> { let keep = KEEP.lock().unwrap(); keep[0].downcast_ref::<Secret>().map(|s| s.a + u32::from(s.b) + «body») }
fn pair<T: Any + Copy + Into<u32>>() -> Option<u32> { let keep = KEEP.lock().unwrap(); keep[1].downcast_ref::<Pair<T>>().map(|p| p.0.into() + p.1.into() + «generic») }
fn same() -> bool { let _ = «body»; *IDS.lock().unwrap() == [TypeId::of::<Secret>(), TypeId::of::<Pair<u16>>(), TypeId::of::<u8>()] }
fn name() -> &'static str { let _ = «body»; type_name::<Secret>().rsplit("::").next().unwrap() }
fn size() -> usize { std::mem::size_of::<NotAlive>() + «body» }
pub fn tick(_: u64) -> String { format!("{:?}/{:?}/{}/{}/{}", secret(), pair::<u16>(), same(), name(), size()) }
"#,
    expect: |seen| {
        let body = seen.number("body");
        let size = if seen.now("size") == "u32" { 4 } else { 8 };
        vec![
            kept(format!("Some({})", 11 + body)),
            kept(format!("Some({})", 15 + seen.number("generic"))),
            kept(true),
            fresh("Secret"),
            fresh(size + body),
        ]
    },
    lives: NOTHING,
};
