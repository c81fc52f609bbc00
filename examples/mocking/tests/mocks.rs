//! A recipe per kind of mock.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::Arc;

use shop::checkout::{total, total_in_threads, Cart};
use shop::pricing;
use soft_mock::{call_original, mock};

fn cart() -> Cart {
    let mut cart = Cart::default();
    cart.add("shoes", 80.0);
    cart.add("hat", 20.0);
    cart
}

#[test]
fn a_discount_is_applied() {
    let seen = Arc::new(AtomicUsize::new(0));
    let _mock = mock!(pricing::rate_for, {
        let seen = seen.clone();
        move |sku: &str| -> f64 {
            seen.fetch_add(sku.len(), SeqCst);
            0.5
        }
    });
    assert_eq!(total(&cart()), 50.0);
    assert_eq!(seen.load(SeqCst), 8);
}

#[test]
fn a_private_function_by_name() {
    let _mock = mock!("shop::pricing::lookup", |sku: &str| -> Option<f64> {
        (sku == "hat").then_some(0.25)
    });
    assert_eq!(total(&cart()), 85.0);
}

#[test]
fn methods_and_lifetimes() {
    let _len = mock!(Cart::len, |_cart: &Cart| -> usize { 7 });
    assert_eq!(cart().len(), 7);
    assert!(!Cart::default().is_empty());
    let _shorter = mock!(pricing::shorter, |first: &'a str,
                                            second: &'a str|
     -> &'a str {
        if first.is_empty() {
            second
        } else {
            first
        }
    });
    assert_eq!(pricing::shorter("abc", "d"), "abc");
}

#[test]
fn the_original_from_inside() {
    let _rate = mock!("shop::pricing::lookup", |_sku: &str| -> Option<f64> {
        Some(0.5)
    });
    let _mock = mock!(pricing::rate_for, |sku: &str| -> f64 {
        let rate = call_original(pricing::rate_for, || pricing::rate_for(sku)).expect("called");
        rate / 2.0
    })
    .times(2);
    assert_eq!(total(&cart()), 25.0);
}

#[test]
fn threads_of_the_code_under_test_see_the_mock() {
    let _mock = mock!(pricing::rate_for, |_sku: &str| -> f64 { 0.1 }).times(2);
    assert_eq!(total_in_threads(&cart()), 10.0);
}

#[test]
#[should_panic(
    expected = "shop::pricing::rate_for` was not called as the mock demands\n  expected: 3 calls\n    actual: 2\n            rate_for(\"shoes\")\n            rate_for(\"hat\")"
)]
fn too_few_calls_are_reported() {
    let _mock = mock!(pricing::rate_for, |_sku: &str| -> f64 { 1.0 }).times(3);
    total(&cart());
}

#[test]
#[should_panic(expected = "they differ in their lifetimes")]
fn an_argument_cannot_be_kept() {
    let _mock = mock!(pricing::rate_for, |_sku: &'static str| -> f64 { 1.0 });
}
