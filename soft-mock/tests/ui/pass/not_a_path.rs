use soft_mock::mock;

mod app {
    #[soft_mock::mockable]
    pub fn length(text: &str) -> usize {
        text.len()
    }
}

fn main() {
    let name = concat!(module_path!(), "::app::length");
    assert!(soft_mock::registry::find(name).is_ok());
    let _mock = mock!(app::length, |_text: &str| -> usize { 0 });
    assert_eq!(app::length("abc"), 0);
}
