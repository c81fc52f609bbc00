use soft_mock::mock;

#[soft_mock::mockable]
fn length(text: &str) -> usize {
    text.len()
}

fn main() {
    let _mock = mock!(length, { let one = 1; move |text: &str| -> usize { one + text.len() } });
    assert_eq!(length("abc"), 4);
}
