use soft_mock::mock;

#[soft_mock::mockable]
fn first<'a, 'b>(a: &'a str, b: &'b str) -> &'a str {
    let _ = b;
    a
}

fn main() {
    let _mock = mock!(first, |a: &'a str, b: &'b str| -> &'a str {
        let _ = a;
        b
    });
}
