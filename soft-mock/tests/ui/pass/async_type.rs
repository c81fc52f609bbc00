//! The types of an async mock are those of the function.

#[soft_mock::mockable]
async fn fetch(url: &str) -> u32 {
    url.len() as u32
}

fn main() {
    let _mock = soft_mock::mock!(fetch, async move |url: &str| -> u32 { url.len() as u32 });
}
