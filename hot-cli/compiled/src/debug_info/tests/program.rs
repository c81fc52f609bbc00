//! A program with every kind of type that can live on.
#![allow(dead_code, bare_trait_objects, static_mut_refs)]

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::ready;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::Mutex;

pub mod a {
    #[derive(Debug, Clone)]
    pub struct Val {
        pub x: u32,
        pub y: u64,
    }
}
pub mod b {
    #[derive(Debug, Clone)]
    pub struct Val {
        pub x: u32,
        pub y: u64,
    }
}
pub mod glob {
    pub use crate::a::*;
}
pub mod sizes {
    pub const LEN: usize = 4;
}
pub mod own {
    use crate::sizes::*;
    /*constant*/
    pub struct Table {
        pub rows: [u32; LEN],
    }
}

// Statics, thread-locals, and what they are made of.
pub static VALUES: Mutex<Vec<glob::Val>> = Mutex::new(Vec::new());
pub static OBJECTS: Mutex<Vec<Box<Any + Send>>> = Mutex::new(Vec::new());
pub static mut RAW: Option<own::Table> = None;
thread_local! {
    static LAZY: RefCell<Vec<glob::Val>> = RefCell::new(Vec::new());
    static EAGER: Cell<Number> = const { Cell::new(1) };
}
pub type Number = u8;
macro_rules! lazy {
    ($name:ident : $ty:ty) => {
        pub fn $name() -> u32 {
            static HIDDEN: Mutex<Option<$ty>> = Mutex::new(None);
            HIDDEN.lock().map_or(0, |found| found.is_some().into())
        }
    };
}
lazy!(hidden: u32);

// Associated types: no text of an impl changes.
pub trait Marked {}
pub trait Kind {
    type Out: Send;
    fn make() -> Self::Out;
}
impl<T: Marked> Kind for T {
    type Out = u32;
    fn make() -> u32 {
        7
    }
}
pub struct Chosen;
impl Marked for Chosen {}
pub static KEPT: Mutex<Vec<<Chosen as Kind>::Out>> = Mutex::new(Vec::new());
pub struct Holds<T: Kind> {
    pub out: T::Out,
}

// Made by macros.
macro_rules! made {
    ($name:ident, $ty:ty) => {
        pub struct $name {
            pub value: $ty,
        }
    };
}
made!(Made, u32);
/*drop*/

// Enums and unions.
pub enum Event {
    Start,
    Key(u8),
    Move { by: i32 },
}
pub enum Switch {
    Off,
    On(u8),
}
#[repr(u8)]
#[derive(Clone, Copy)]
pub enum Level {
    Low = 1,
    High = 2,
}
pub enum Niche {
    None,
    Some(Box<u8>),
}
pub union Bits {
    pub word: u32,
    pub bytes: [u8; 4],
}
#[repr(C)]
pub struct Ordered {
    pub first: u32,
    pub second: u32,
}
#[repr(C)]
pub struct Packed(u8, u32);
pub struct Generic<T>(T);
impl<T> Generic<T> {
    pub fn put(value: T) -> Self {
        Generic(value)
    }
}

/*generic drop*/
pub struct Quiet(u8);
impl Drop for Quiet {
    fn drop(&mut self) {
        keep(self.0);
    }
}

// Objects.
pub trait Greet {
    /*method*/
    fn hello(&self) -> u8;
    fn other(&self) -> u8;
}
pub struct Loud(u8);
impl Greet for Loud {
    fn hello(&self) -> u8 {
        self.0
    }
    fn other(&self) -> u8 {
        self.0 + 5
    }
}
pub trait Moves {
    fn up(&self) -> u8;
    fn down(&self) -> u8;
}
impl Moves for Loud {
    fn up(&self) -> u8 {
        self.0 + 1
    }
    fn down(&self) -> u8 {
        self.0 - 1
    }
}
pub fn moves(n: u8) -> Box<Moves> {
    Box::new(Loud(n))
}
pub fn greeter(n: u8) -> Box<Greet> {
    Box::new(Loud(n))
}
pub fn greets(objects: &[Box<Greet>]) -> u8 {
    objects.iter().map(|object| object.hello() + object.other()).sum()
}
pub struct Callbacks {
    pub on_key: fn(u8) -> u8,
    pub all: Vec<Box<Fn(u8) -> u8>>,
}

pub fn keep<T: Send + 'static>(value: T) {
    OBJECTS.lock().unwrap().push(Box::new(value));
}

// Bodies.
pub fn local() -> String {
    struct Local {
        n: u8,
    }
    {
        struct Local {
            n: u16,
        }
        keep(Local { n: 2 });
    }
    keep(Local { n: 1 });
    String::new()
}
pub fn one() {
    struct One(u8);
    /*block*/
    keep(One(1));
}
macro_rules! cached {
    ($ty:ty, $value:expr) => {{
        struct Slot {
            value: $ty,
        }
        keep(Slot { value: $value });
    }};
}
pub fn caches() {
    cached!(u32, 7);
}
pub fn ids() -> u32 {
    /*closure*/
    let take = || {
        static IDS: AtomicU32 = AtomicU32::new(1000);
        IDS.fetch_add(1, SeqCst)
    };
    take()
}
pub fn adder(n: u32) -> Box<Fn(u32) -> u32> {
    let m = n as u8;
    Box::new(move |x| x + n)
}
pub async fn waits(value: &a::Val) -> u32 {
    let x = value.x;
    let first = {
        mod util {
            pub enum Out<T> {
                First(T),
                Disabled,
            }
        }
        let out = if x > 1 { util::Out::First(x) } else { util::Out::Disabled };
        match out {
            util::Out::First(x) => x,
            _ => 0,
        }
    };
    /*await*/
    ready(()).await;
    x + value.x + first
}
pub fn keeps(x: u32) {
    keep(async move {
        /*kept future*/
        ready(()).await;
        x
    });
}
impl Loud {
    pub fn in_method(&self) -> usize {
        struct Inside(u8);
        let inside = Inside(self.0);
        keep(Inside(1));
        std::mem::size_of_val(&inside)
    }
}
// As derives do it.
const _: () = {
    #[derive(Debug)]
    pub enum Field {
        First,
        Other,
    }
    impl Loud {
        pub fn field(&self) -> String {
            let field = if self.0 > 1 { Field::First } else { Field::Other };
            (field as u8 + self.0).to_string()
        }
    }
};
const _: () = {
    pub struct Visitor {
        marker: u8,
    }
    impl Visitor {
        pub fn visit(&self) -> u8 {
            keep(Visitor { marker: 1 });
            self.marker
        }
    }
    impl Loud {
        pub fn visits(&self) -> u64 {
            Visitor { marker: 2 }.visit() as u64
        }
    }
};

pub fn uses(event: &Event, switch: &Switch, level: Level, niche: &Niche, bits: &Bits, packed: &Packed, ordered: &Ordered) -> u32 {
    let drawn = match event {
        Event::Start => 1,
        Event::Key(key) => *key as u32,
        _ => 2,
    };
    let on = matches!(switch, Switch::On(_)) as u32;
    let niche = matches!(niche, Niche::Some(_)) as u32;
    LAZY.with(|lazy| lazy.borrow().len() as u32)
        + drawn + niche + on + level as u32 + EAGER.get() as u32 + packed.1
        + unsafe { bits.word } + ordered.first
}
pub fn fills(callbacks: &Callbacks) -> u8 {
    keep(Made { value: 1 });
    keep(Generic::put(Made { value: 1 }));
    keep(Quiet(1));
    KEPT.lock().unwrap().push(Chosen::make());
    let _ = Holds::<Chosen> { out: Chosen::make() };
    callbacks.all.iter().map(|f| f(1)).sum::<u8>() + (callbacks.on_key)(1)
}
