
fn main() {
    let _ = size();
}

#[soft_mock::mockable]
const fn size() -> usize {
    8
}
