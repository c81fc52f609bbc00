use std::sync::Mutex;

use soft_mock::mock;

#[soft_mock::mockable]
fn length(text: &str) -> usize {
    text.len()
}

static KEPT: Mutex<Option<&'static str>> = Mutex::new(None);
fn main() {
    // What is borrowed for one call would be read after it.
    let _mock = mock!(length, |text: &str| -> usize {
        *KEPT.lock().unwrap() = Some(text);
        0
    });
    length(&String::from("short-lived"));
}
