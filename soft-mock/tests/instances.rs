//! Mocks of functions of which there are instances: generic ones, default methods, `impl Trait`
//! arguments.

use std::borrow::Cow;
use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use soft_mock::{call_original, get_mock_for, mock, reset, spy};

#[allow(unreachable_pub)] // It stands for a crate's module.
#[soft_mock::mockable]
mod lib {
    use std::fmt::Display;
    use std::hash::Hash;

    pub fn any<T: Clone>(value: T) -> T {
        value.clone()
    }

    pub fn make<T: Default>() -> String {
        std::any::type_name_of_val(&T::default()).to_owned()
    }

    pub fn longer<'a, T>(first: &'a T, second: &'a T, _name: &str) -> &'a str
    where
        T: AsRef<str> + Hash,
    {
        match first.as_ref().len() >= second.as_ref().len() {
            true => first.as_ref(),
            false => second.as_ref(),
        }
    }

    pub fn shown(value: impl Display, before: &str) -> String {
        format!("{before}{value}")
    }

    pub fn both<T: Display>(value: &T, other: impl Display + Clone) -> String {
        format!("{value}{other}")
    }

    pub unsafe fn raw<T: Copy>(from: *const T) -> T {
        // SAFETY: the caller gives a pointer to a value.
        unsafe { *from }
    }

    pub async fn later<T: Clone>(value: &T) -> T {
        value.clone()
    }

    pub async fn told(value: impl Display, before: &str) -> String {
        format!("{before}{value}")
    }

    pub struct Grid<T, const N: usize>(pub [T; N]);

    impl<T: Copy, const N: usize> Grid<T, N> {
        pub fn get(&self, at: usize) -> Option<T> {
            self.0.get(at).copied()
        }

        pub fn at<I: Into<usize>>(&self, at: I) -> T {
            self.0[at.into()]
        }
    }

    impl<T: Copy, const N: usize> Iterator for Grid<T, N> {
        type Item = T;
        fn next(&mut self) -> Option<T> {
            self.0.first().copied()
        }
    }

    pub trait Named {
        const NAME: &'static str;
        fn name(&self) -> String {
            Self::NAME.to_owned()
        }
        fn pair<'a>(&'a self, other: &'a Self) -> (&'a Self, &'a Self) {
            (self, other)
        }
        fn with(self, suffix: impl Display) -> String
        where
            Self: Sized,
        {
            format!("{}{suffix}", Self::NAME)
        }
        async fn slow(&self) -> usize {
            Self::NAME.len()
        }
    }

    pub struct Cat;
    pub struct Dog;

    impl Named for Cat {
        const NAME: &'static str = "cat";
    }

    impl Named for Dog {
        const NAME: &'static str = "dog";
        fn name(&self) -> String {
            "a dog".to_owned()
        }
    }

    pub fn opaque<T: Display>(value: T) -> impl Display {
        value
    }

    pub fn bounded<'a, 'b: 'a, T>(first: &'a T, second: &'b T) -> &'a T {
        let _ = first;
        second
    }
}

use lib::{Cat, Dog, Grid, Named};

fn ready<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

#[test]
fn one_instance_of_a_generic_function() {
    let mock = mock!(lib::any::<u32>, |value: u32| -> u32 { value + 1 });
    assert_eq!(
        (lib::any(1_u32), lib::any(1_u64), lib::any("x")),
        (2, 1, "x")
    );
    let original = call_original(lib::any::<u32>, || lib::any(7_u32));
    assert_eq!((original, mock.calls()), (Ok(7), 1));
    assert!(get_mock_for(lib::any::<u32>).is_ok_and(|mock| mock.is_some()));
    drop(mock);
    assert_eq!(lib::any(1_u32), 1);
}

#[test]
fn the_types_say_which_instance() {
    let _number = mock!(lib::any, |value: u8| -> u8 { value * 2 });
    let _text = mock!(lib::any, |value: String| -> String { value + "!" });
    assert_eq!(
        (lib::any(4_u8), lib::any("x".to_owned())),
        (8, "x!".to_owned())
    );
    assert!(reset(lib::any::<u8>).is_ok_and(|mocked| mocked));
    assert_eq!(lib::any(4_u8), 4);
}

#[test]
fn a_type_that_no_argument_has() {
    let _mock = mock!(lib::make::<u8>, || -> String { "mocked".to_owned() });
    assert_eq!(
        (lib::make::<u8>(), lib::make::<u16>()),
        ("mocked".to_owned(), "u16".to_owned())
    );
}

#[test]
fn borrowed_arguments() {
    let _mock = mock!(lib::longer::<String>, |first: &'a String,
                                              _: &'a String,
                                              _: &str|
     -> &'a str { first });
    let (short, long) = ("a".to_owned(), "abc".to_owned());
    assert_eq!(lib::longer(&short, &long, ""), "a");
}

#[test]
#[should_panic(expected = "has the signature")]
fn lifetimes_are_compared() {
    assert_eq!(lib::longer(&String::new(), &String::new(), ""), "");
    let _mock = mock!(lib::longer::<String>, |first: &'a String,
                                              _: &'a String,
                                              _: &'static str|
     -> &'a str { first });
}

#[test]
fn arguments_that_are_impl_trait() {
    let _mock = mock!(lib::shown, |value: u8, before: &str| -> String {
        format!("{before}:{value}")
    });
    let _both = mock!(lib::both::<u8>, |_: &u8, other: char| -> String {
        other.to_string()
    });
    assert_eq!(lib::shown(1_u8, "a"), "a:1");
    assert_eq!(lib::shown(1_u16, "a"), "a1");
    assert_eq!(
        (lib::both(&1_u8, 'x'), lib::both(&1_u8, "x")),
        ("x".to_owned(), "1x".to_owned())
    );
}

#[test]
fn unsafe_and_async_ones() {
    let _raw = mock!(unsafe lib::raw::<u8>, |_: *const u8| -> u8 { 9 });
    // SAFETY: it points to a number.
    assert_eq!(unsafe { lib::raw(&1_u8) }, 9);
    let _later = mock!(lib::later::<u8>, async move |value: &u8| -> u8 {
        *value + 1
    });
    assert_eq!(
        (ready(lib::later(&1_u8)), ready(lib::later(&1_u16))),
        (2, 1)
    );
}

#[test]
fn async_ones_with_impl_arguments() {
    let _told = mock!(lib::told, async move |value: u8, before: &str| -> String {
        format!("{before}, {value}")
    });
    assert_eq!(ready(lib::told(1_u8, "a")), "a, 1");
    assert_eq!(ready(lib::told(1_u16, "a")), "a1");
    let spy = spy!(lib::told, async |value: u16, before: &str| -> String => |text| {
        assert_eq!(text, "b2");
    });
    assert_eq!(ready(lib::told(2_u16, "b")), "b2");
    assert_eq!(spy.calls(), 1);
}

#[test]
fn methods_of_generic_types() {
    let _get = mock!(Grid::<u8, 2>::get, |_: &Grid<u8, 2>,
                                          at: usize|
     -> Option<u8> { Some(at as u8) });
    let _at = mock!(Grid::<u8, 2>::at::<u16>, |_: &Grid<u8, 2>, at: u16| -> u8 {
        at as u8
    });
    let _next = mock!(
        <Grid<u8, 2> as Iterator>::next,
        |_: &mut Grid<u8, 2>| -> Option<u8> { None }
    );
    let (mut two, mut three) = (Grid([1_u8, 2]), Grid([1_u8, 2, 3]));
    assert_eq!((two.get(9), three.get(9)), (Some(9), None));
    assert_eq!((two.at(5_u16), three.at(2_u16)), (5, 3));
    assert_eq!((two.next(), three.next()), (None, Some(1)));
}

#[test]
fn default_methods() {
    let _name = mock!(Cat::name, |_: &Cat| -> String { "a mock".to_owned() });
    assert_eq!(
        (Cat.name(), Dog.name()),
        ("a mock".to_owned(), "a dog".to_owned())
    );
    let _dog = mock!(<Dog as Named>::name, |_: &Dog| -> String {
        "a mocked dog".to_owned()
    });
    assert_eq!(Dog.name(), "a mocked dog");
    let _pair = mock!(<Cat as Named>::pair, |cat: &'a Cat,
                                             _: &'a Cat|
     -> (&'a Cat, &'a Cat) {
        (cat, cat)
    });
    let (first, second) = (Cat, Cat);
    assert!(std::ptr::eq(first.pair(&second).0, &raw const first));
    let _with = mock!(<Cat as Named>::with, |_: Cat, suffix: u8| -> String {
        suffix.to_string()
    });
    assert_eq!(
        (Cat.with(3_u8), Dog.with(3_u8)),
        ("3".to_owned(), "dog3".to_owned())
    );
    let _slow = mock!(<Cat as Named>::slow, async move |_: &Cat| -> usize { 30 });
    assert_eq!((ready(Cat.slow()), ready(Dog.slow())), (30, 3));
}

#[test]
fn a_spy() {
    let spy = spy!(lib::any::<i8>, |value: i8| -> i8 => |value| assert_eq!(*value, 3)).times(1);
    assert_eq!(lib::any(3_i8), 3);
    spy.verify();
}

#[test]
fn what_may_borrow_is_refused() {
    let refused = |text: &str, make: fn()| {
        let payload = std::panic::catch_unwind(make).expect_err("it is refused");
        let message = payload.downcast::<String>().expect("a text");
        assert!(message.contains(text), "{message}");
    };
    let (_, _) = (lib::any("x"), lib::any(Cow::Borrowed("x")));
    let map: HashMap<u8, Box<dyn Fn()>> = HashMap::new();
    assert_eq!(lib::any(std::rc::Rc::new(map)).len(), 0);
    refused(
        "`instances::lib::any<&str>` can't be mocked: the compiler makes one",
        || {
            drop(mock!(
                lib::any::<&'static str>,
                |value: &'static str| -> &'static str { value }
            ));
        },
    );
    refused("can't be mocked: the compiler makes one", || {
        drop(mock!(lib::any::<Cow<'static, str>>, |value: Cow<
            'static,
            str,
        >|
         -> Cow<
            'static,
            str,
        > { value }));
    });
    type Map = std::rc::Rc<HashMap<u8, Box<dyn Fn()>>>;
    refused("can't be mocked: the compiler makes one", || {
        drop(mock!(lib::any::<Map>, |value: Map| -> Map { value }));
    });
}

#[test]
#[should_panic(expected = "`instances::lib::opaque` can't be mocked: its result is `impl Trait`")]
fn an_opaque_result() {
    assert_eq!(lib::opaque(1).to_string(), "1");
    let _mock = mock!("instances::lib::opaque", |value: u8| -> u8 { value });
}

#[test]
fn bounded_lifetimes() {
    let _mock = mock!(lib::bounded, for<'a, 'b: 'a> |first: &'a u8,
                                                     _: &'b u8|
                     -> &'a u8 { first });
    assert_eq!(*lib::bounded(&1_u8, &2), 1);
}

#[test]
#[should_panic(expected = "there are several instances of `instances::lib::any`")]
fn by_its_name() {
    let _mock = mock!("instances::lib::any", |value: u8| -> u8 { value });
}
