//! `cargo test`, with no other tool.

use soft_mock::mock;
use till::Till;

#[test]
fn the_tax_is_added() {
    let _tax = mock!(till::tax, |_article: &str| -> u64 { 20 });
    assert_eq!(Till(vec![100_u8, 200]).total("hat"), 360);
}

#[test]
fn a_method_of_a_generic_type() {
    let _tax = mock!(till::tax, |_article: &str| -> u64 { 0 });
    let _sum = mock!(Till::<u16>::sum, |_till: &Till<u16>| -> u64 { 7 });
    assert_eq!(Till(vec![1_u16]).total("hat"), 7);
    assert_eq!(Till(vec![1_u8]).total("hat"), 1);
}
