use soft_mock::mock;

#[soft_mock::mockable]
fn length(text: &str) -> usize {
    text.len()
}

fn main() {
    let count = std::rc::Rc::new(5);
    let _mock = mock!(length, move |_text: &str| -> usize { *count });
}
