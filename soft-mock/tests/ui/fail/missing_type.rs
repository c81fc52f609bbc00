use soft_mock::mock;

#[soft_mock::mockable]
fn length(text: &str) -> usize {
    text.len()
}

fn main() {
    let _mock = mock!("missing_type::length", |text| 0);
}
