//! The types of an async mock are compared with the function's.

#[soft_mock::mockable]
async fn fetch(url: &str) -> u32 {
    url.len() as u32
}

fn main() {
    let _mock = soft_mock::mock!(fetch, async move |url: String| -> u32 { url.len() as u32 });
}
