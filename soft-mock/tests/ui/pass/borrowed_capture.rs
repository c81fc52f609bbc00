use soft_mock::mock;

#[soft_mock::mockable]
fn length(text: &str) -> usize {
    text.len()
}

fn main() {
    let count = 5;
    let _mock = mock!(length, move |_text: &str| -> usize { count });
    assert_eq!(length("abc"), 5);
}
