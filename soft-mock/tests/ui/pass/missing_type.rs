use soft_mock::mock;

#[soft_mock::mockable]
fn length(text: &str) -> usize {
    text.len()
}

fn main() {
    let _mock = mock!(length, |_text| 0);
    assert_eq!(length("abc"), 0);
}
