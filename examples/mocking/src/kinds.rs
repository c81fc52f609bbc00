//! One function of each kind.

// Every signature stands for its kind here, also where a shorter one would do.
#![allow(clippy::needless_lifetimes, clippy::boxed_local)]

use std::pin::Pin;

/// Fetches a page.
pub async fn fetch(url: &str) -> String {
    format!("{url} from the network")
}

/// The first of two, and several lifetimes.
pub async fn first<'a, 'b>(a: &'a str, b: &'b str) -> &'a str {
    let _ = b;
    a
}

/// Something that measures a temperature.
pub trait Celsius {
    /// The temperature now.
    fn read(&mut self) -> f64;
}

/// A thermometer.
#[derive(Debug)]
pub struct Meter(pub f64);

impl Celsius for Meter {
    fn read(&mut self) -> f64 {
        self.0
    }
}

impl Meter {
    /// A pinned receiver.
    pub fn pinned(self: Pin<&mut Self>) -> f64 {
        self.0
    }

    /// A boxed receiver.
    pub fn boxed(self: Box<Self>) -> f64 {
        self.0
    }

    /// A receiver by value.
    pub fn consumed(self) -> f64 {
        self.0
    }
}

/// A parameter that is a pattern.
pub fn pattern((a, b): (u8, u8)) -> u8 {
    a + b
}

/// Adds, for callers in C.
///
/// # Safety
/// Always safe; it is here to be called as C is.
pub unsafe extern "C" fn add(a: i32, b: i32) -> i32 {
    a + b
}

/// A const fn: the compiler may compute it.
#[allow(non_snake_case)]
pub const fn SIZE_OF() -> usize {
    8
}

/// Calls itself.
pub fn factorial(n: u64) -> u64 {
    if n == 0 {
        1
    } else {
        n * factorial(n - 1)
    }
}

/// Called by one test only.
pub fn rarely() -> u8 {
    1
}

/// A generic function: each instance is mocked by itself.
pub fn largest<T: Ord + Copy>(all: &[T]) -> Option<T> {
    all.iter().max().copied()
}

/// An async function with an argument that is `impl Trait`.
pub async fn send(text: impl Into<String>) -> usize {
    text.into().len()
}

/// An argument that is `impl Trait`.
pub fn shout(text: impl Into<String>) -> String {
    text.into().to_uppercase()
}

/// A method of a generic type.
#[derive(Debug)]
pub struct Stack<T>(pub Vec<T>);

impl<T> Stack<T> {
    /// Takes the last one.
    pub fn pop(&mut self) -> Option<T> {
        self.0.pop()
    }
}

/// A trait with a default method.
pub trait Greet {
    /// A name.
    fn name(&self) -> String;
    /// A greeting.
    fn greet(&self) -> String {
        format!("hello {}", self.name())
    }
}

impl Greet for Meter {
    fn name(&self) -> String {
        "meter".to_owned()
    }
}
