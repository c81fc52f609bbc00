use soft_mock::mock;

#[soft_mock::mockable]
fn length(text: &str) -> usize {
    text.len()
}

fn main() {
    let mock = mock!(length, |_text: &str| -> usize { 0 });
    std::thread::spawn(move || drop(mock));
}
