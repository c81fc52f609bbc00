
fn main() {
    let _ = size();
}

#[soft_mock::mockable]
fn size() -> usize {
    8
}
