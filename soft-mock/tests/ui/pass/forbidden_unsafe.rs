//! Crates that forbid unsafe code can mock, async functions too.

#![forbid(unsafe_code)]

mod shop {
    pub(crate) fn price(name: &str) -> usize {
        name.len()
    }

    pub(crate) async fn fetch(url: &str) -> u32 {
        url.len() as u32
    }

    pub(crate) async fn longest<'a>(one: &'a str, _other: &String) -> &'a str {
        one
    }
}

fn main() {}

#[allow(dead_code)]
fn mocks() {
    let _price = soft_mock::mock!(shop::price, |name: &str| -> usize { name.len() });
    let _fetch = soft_mock::mock!(shop::fetch, async move |url: &str| -> u32 { url.len() as u32 });
    let _longest = soft_mock::mock!(shop::longest, async move |one: &'a str, _other: &String| -> &'a str { one });
    let _spy = soft_mock::spy!(shop::fetch, async |url: &str| -> u32 => |length| assert!(*length > 0));
}
