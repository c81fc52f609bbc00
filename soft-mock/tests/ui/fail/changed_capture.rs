use soft_mock::mock;

#[soft_mock::mockable]
fn length(text: &str) -> usize {
    text.len()
}

fn main() {
    let mut calls = 0;
    let _mock = mock!(length, move |_text: &str| -> usize {
        calls += 1;
        calls
    });
}
