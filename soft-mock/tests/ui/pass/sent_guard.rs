use soft_mock::mock;

#[soft_mock::mockable]
fn length(text: &str) -> usize {
    text.len()
}

fn main() {
    let mock = mock!(length, |_text: &str| -> usize { 0 });
    let scope = soft_mock::scope();
    let inside = std::thread::spawn(move || scope.run(|| length("abc")));
    assert_eq!(inside.join().unwrap(), 0);
    drop(mock);
}
