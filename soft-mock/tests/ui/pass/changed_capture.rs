use soft_mock::mock;

#[soft_mock::mockable]
fn length(text: &str) -> usize {
    text.len()
}

fn main() {
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let _mock = mock!(length, move |_text: &str| -> usize {
        calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    });
    assert_eq!((length("abc"), length("abc")), (0, 1));
}
