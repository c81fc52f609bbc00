struct Store;
fn main() {
    let _mock = soft_mock::mock!(Store::get, |_: &Store| -> u8 { 2 });
    assert_eq!(Store.get(), 2);
}

#[soft_mock::mockable]
impl Store {
    fn get(&self) -> u8 {
        1
    }
}
