//! Whether the future of an unsafe function is `Send` can't be told.

#[soft_mock::mockable]
async unsafe fn fetch(url: &str) -> u32 {
    url.len() as u32
}

fn main() {
    let _mock = soft_mock::mock!(local unsafe fetch, async move |url: &str| -> u32 { url.len() as u32 });
}
