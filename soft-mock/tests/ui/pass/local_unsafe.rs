//! The future of an unsafe function's mock is `Send`.

#[soft_mock::mockable]
async unsafe fn fetch(url: &str) -> u32 {
    url.len() as u32
}

fn main() {
    let _mock = soft_mock::mock!(unsafe fetch, async move |url: &str| -> u32 { url.len() as u32 });
}
