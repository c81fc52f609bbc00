struct Store;
fn main() {
}

impl Store {
    #[soft_mock::mockable]
    fn get(&self) -> u8 {
        1
    }
}
