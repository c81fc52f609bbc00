//! Kinds of functions, in a crate that the attribute makes mockable: found by what the compiler
//! resolves, whatever their lifetimes are, with closures that leave types out.
#![allow(mismatched_lifetime_syntaxes)]

use std::borrow::Cow;

use soft_mock::{mock, spy};

use shop::{Cart, Text, View};

#[allow(unreachable_pub)] // It stands for a crate's module.
#[soft_mock::mockable]
mod shop {
    use std::borrow::Cow;
    use std::str::Chars;

    pub mod a {
        pub trait Get {
            fn get(&self) -> u32;
        }
    }
    pub mod b {
        pub trait Get {
            fn get(&self) -> u32;
        }
    }
    use self::a::Get;

    pub struct Cart(pub u32);

    impl Get for Cart {
        fn get(&self) -> u32 {
            self.0
        }
    }

    // The name of the impl block's trait means another one in its body.
    impl b::Get for Cart {
        fn get(&self) -> u32 {
            use self::a::Get;
            Get::get(self) + 1
        }
    }

    impl Cart {
        pub fn find(&self, name: &str, at: &mut u32) -> Option<u32> {
            *at += 1;
            name.parse().ok()
        }
    }

    pub fn price(sku: &str, count: u32, by: Vec<u8>) -> f64 {
        f64::from(count) * (sku.len() + by.len()) as f64
    }

    pub fn now() -> u64 {
        1
    }

    pub struct Text(pub String);

    impl Text {
        pub fn letters(&self, _how: &str) -> Chars {
            self.0.chars()
        }
    }

    pub fn borrowed(text: &str) -> Cow<str> {
        text.into()
    }

    pub struct View<'a> {
        pub text: &'a str,
    }

    impl<'a> View<'a> {
        pub fn text(&self) -> &'a str {
            self.text
        }
    }

    impl View<'_> {
        pub fn len(&self) -> usize {
            self.text.len()
        }
    }

    pub fn longer<'a, 'b: 'a>(a: &'a str, b: &'b str) -> &'a str
    where
        String: Clone,
    {
        if a.len() > b.len() {
            a
        } else {
            b
        }
    }

    impl dyn Get {
        pub fn or<'a>(&'a self, _other: &'a u32) -> &'a Self {
            self
        }
    }

    impl a::Get for u32 {
        fn get(&self) -> u32 {
            *self
        }
    }

    pub fn quit(code: i32) -> ! {
        std::process::exit(code)
    }
}

#[test]
fn traits_of_one_name() {
    let _mock = mock!(<Cart as shop::a::Get>::get, |_: &Cart| -> u32 { 9 });
    assert_eq!(shop::a::Get::get(&Cart(1)), 9);
    assert_eq!(shop::b::Get::get(&Cart(1)), 10);
    drop(_mock);
    let _mock = mock!(<Cart as shop::b::Get>::get, |_: &Cart| -> u32 { 9 });
    assert_eq!(shop::a::Get::get(&Cart(1)), 1);
    assert_eq!(shop::b::Get::get(&Cart(1)), 9);
}

#[test]
fn a_function_by_another_path() {
    use shop::price as cost;
    let _mock = mock!(cost, |_: &str, _: u32, _: Vec<u8>| -> f64 { 0.5 });
    assert!((shop::price("x", 1, Vec::new()) - 0.5).abs() < 1e-9);
}

#[test]
fn types_that_the_function_says() {
    let mock = mock!(shop::price, |sku, count, by| {
        let more: usize = by.len();
        f64::from(count) + (sku.len() + more) as f64
    })
    .times(1);
    assert!((shop::price("xyz", 2, vec![1]) - 6.0).abs() < 1e-9);
    drop(mock);
    let _now = mock!(shop::now, || 7);
    assert_eq!(shop::now(), 7);
    let _find = mock!(Cart::find, |cart, name: &str, at| {
        *at += 10;
        Some(cart.0 + name.len() as u32)
    });
    let mut at = 1;
    assert_eq!((Cart(3).find("x", &mut at), at), (Some(4), 11));
}

#[test]
#[should_panic(expected = "price(\"xyz\", 2, [1])")]
fn arguments_of_left_out_types_are_shown() {
    let _mock = mock!(shop::price, |_, _, _| 1.0).times(2);
    let _ = shop::price("xyz", 2, vec![1]);
}

#[test]
fn lifetimes_that_are_left_out() {
    let _letters = mock!(Text::letters, |_: &'a Text,
                                         _how: &str|
     -> std::str::Chars<'a> { "m".chars() });
    assert_eq!(Text("real".into()).letters("x").count(), 1);
    let _borrowed = mock!(shop::borrowed, |_: &'a str| -> Cow<'a, str> {
        "mocked".into()
    });
    assert_eq!(shop::borrowed("real"), "mocked");
}

#[test]
fn methods_of_types_with_lifetimes() {
    let _text = mock!(View::text, |_: &View<'a>| -> &'a str { "mocked" });
    let _len = mock!(View::len, |view: &View<'_>| -> usize {
        view.text.len() + 1
    });
    let view = View { text: "real" };
    assert_eq!((view.text(), view.len()), ("mocked", 5));
}

#[test]
#[should_panic(expected = "has the signature `fn(&self) -> usize`, the mock is")]
fn what_a_method_borrows_can_not_be_kept() {
    let _len = mock!(View::len, |view: &View<'static>| -> usize {
        view.text.len()
    });
}

#[test]
fn bounded_lifetimes() {
    let _mock = mock!(shop::longer, for<'a, 'b: 'a> |a: &'a str,
                                                     b: &'b str|
                     -> &'a str {
        &a[..b.len()]
    });
    assert_eq!(shop::longer("xyz", "yy"), "xy");
}

#[test]
#[should_panic(expected = "exit 3")]
fn a_function_that_never_returns() {
    let _mock = mock!(shop::quit, |code: i32| -> ! { panic!("exit {code}") });
    shop::quit(3)
}

#[test]
fn spies_with_lifetimes() {
    let seen = spy!(View::text, |view: &View<'a>| -> &'a str => |text| assert_eq!(*text, "real"));
    assert_eq!(View { text: "real" }.text(), "real");
    assert_eq!(seen.calls(), 1);
}

#[test]
fn methods_of_trait_objects() {
    let _or = mock!(
        <dyn shop::a::Get>::or,
        |_: &'a (dyn shop::a::Get + 'static), _: &'a u32| -> &'a (dyn shop::a::Get + 'static) {
            &7
        }
    );
    let one: &dyn shop::a::Get = &1;
    assert_eq!(one.or(&2).get(), 7);
}

/// What `or` returns is `'static` inside; what this one returns is not.
#[test]
#[should_panic(expected = "has the signature `fn<'a>(&'a self, &'a u32) -> &'a Self`, the mock is")]
fn a_trait_object_that_borrows_is_another_type() {
    let _or = mock!("kinds::shop::dyn Get::or", |_: &'a dyn shop::a::Get,
                                                 _: &'a u32|
     -> &'a dyn shop::a::Get {
        &7
    });
}
