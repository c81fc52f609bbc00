use std::sync::Mutex;

use soft_mock::mock;

#[soft_mock::mockable]
fn length(text: &str) -> usize {
    text.len()
}

static KEPT: Mutex<Option<&'static str>> = Mutex::new(None);
fn main() {
    // A value that lives on is copied.
    let _mock = mock!(length, |text: &str| -> usize {
        *KEPT.lock().unwrap() = Some(String::leak(text.to_owned()));
        0
    });
    length(&String::from("short-lived"));
    assert_eq!(*KEPT.lock().unwrap(), Some("short-lived"));
}
