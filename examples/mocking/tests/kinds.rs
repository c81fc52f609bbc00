//! Kinds of functions: async, unsafe, foreign ABI, trait impls, refused ones.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use shop::kinds::{self, Celsius, Meter};
use soft_mock::{call_original, mock, mock_everywhere, scope, spy};

fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future waits"),
    }
}

#[test]
fn async_functions() {
    assert_eq!(ready(kinds::fetch("abc")), "abc from the network");
    let prefix = String::from("mock of ");
    let _fetch = mock!(kinds::fetch, async move |url: &str| -> String {
        format!("{prefix}{url}")
    })
    .times(2);
    assert_eq!(ready(kinds::fetch("abc")), "mock of abc");
    assert_eq!(ready(kinds::fetch("d")), "mock of d");
    let _first = mock!(kinds::first, async |a: &'a str, b: &'b str| -> &'a str {
        if b.is_empty() {
            "none"
        } else {
            &a[1..]
        }
    });
    assert_eq!(ready(kinds::first("xyz", "b")), "yz");
    let _send = mock!(kinds::send, async move |text: String| -> usize {
        text.len() + 100
    });
    assert_eq!(ready(kinds::send("abc".to_owned())), 103);
    assert_eq!(ready(kinds::send("abc")), 3);
}

#[test]
fn spies_of_async_functions() {
    let spy = spy!(kinds::fetch, async |url: &str| -> String => |page| {
        assert!(page.ends_with("from the network"));
    });
    assert_eq!(ready(kinds::fetch("abc")), "abc from the network");
    assert_eq!(spy.calls(), 1);
}

#[test]
fn methods_of_trait_impls() {
    let _mock = mock!(<Meter as Celsius>::read, |meter: &mut Meter| -> f64 {
        meter.0 += 1.0;
        meter.0
    });
    let mut meter = Meter(1.5);
    assert_eq!(meter.read(), 2.5);
    let meter: &mut dyn Celsius = &mut meter;
    assert_eq!(meter.read(), 3.5);
}

#[test]
fn pinned_boxed_and_by_value() {
    let _pinned = mock!(Meter::pinned, |meter: std::pin::Pin<&mut Meter>| -> f64 {
        -meter.0
    });
    let _boxed = mock!(Meter::boxed, |meter: Box<Meter>| -> f64 { meter.0 * 2.0 });
    let _consumed = mock!(Meter::consumed, |meter: Meter| -> f64 { meter.0 * 3.0 });
    let _pattern = mock!(kinds::pattern, |(a, b): (u8, u8)| -> u8 { a * b });
    assert_eq!(std::pin::Pin::new(&mut Meter(1.0)).pinned(), -1.0);
    assert_eq!(Box::new(Meter(1.0)).boxed(), 2.0);
    assert_eq!(Meter(1.0).consumed(), 3.0);
    assert_eq!(kinds::pattern((3, 4)), 12);
}

#[test]
fn unsafe_and_foreign() {
    let _mock = mock!(unsafe extern "C" kinds::add, |a: i32, b: i32| -> i32 { a - b });
    // SAFETY: the function asks nothing of its callers.
    assert_eq!(unsafe { kinds::add(5, 3) }, 2);
}

#[test]
#[should_panic(expected = "`shop::kinds::add` is unsafe: say that its mock may stand in for it")]
fn unsafe_has_to_be_said() {
    let _mock = mock!("shop::kinds::add", |a: i32, _b: i32| -> i32 { a });
}

#[test]
#[should_panic(expected = "`shop::kinds::SIZE_OF` can't be mocked: it is a const fn")]
#[allow(non_snake_case)]
fn refused_with_a_reason() {
    let _mock = mock!("shop::kinds::SIZE_OF", || -> usize { 1 });
}

#[test]
fn recursion_goes_through_the_mock() {
    let _mock = mock!(kinds::factorial, |n: u64| -> u64 {
        call_original(kinds::factorial, || kinds::factorial(n)).expect("called") + 1
    })
    .times(4);
    assert_eq!(kinds::factorial(3), ((1 + 1) + 1) * 2 * 3 + 3 + 1);
}

#[test]
fn spies() {
    let mock = spy!(kinds::factorial, |n: u64| -> u64 => |result| assert!(*result >= 1)).times(3);
    assert_eq!(kinds::factorial(2), 2);
    assert_eq!(mock.calls(), 3);
}

#[test]
fn scoped_threads_and_a_handle() {
    let _mock = mock!(kinds::factorial, |_n: u64| -> u64 { 99 });
    let scope = scope();
    let (with, without) = std::thread::scope(|threads| {
        let with = threads.spawn(scope.wrap(|| kinds::factorial(2)));
        let without = threads.spawn(|| kinds::factorial(2));
        (
            with.join().expect("a thread"),
            without.join().expect("a thread"),
        )
    });
    assert_eq!(
        (with, without),
        (99, 99),
        "the closure is the test's anyway"
    );
}

#[test]
fn for_the_whole_process() {
    let _mock = mock_everywhere!(kinds::rarely, || -> u8 { 9 });
    let seen = std::thread::scope(|threads| threads.spawn(kinds::rarely).join());
    assert_eq!(seen.expect("a thread"), 9);
}

#[test]
fn a_panic_unwinds_and_the_original_is_back() {
    let caught = std::panic::catch_unwind(|| {
        let _mock = mock!(kinds::factorial, |_n: u64| -> u64 {
            panic!("from the mock")
        });
        kinds::factorial(3)
    });
    let message = caught
        .expect_err("a panic")
        .downcast::<&str>()
        .expect("a text");
    assert_eq!(*message, "from the mock");
    assert_eq!(kinds::factorial(3), 6);
}

#[test]
fn instances_of_generic_functions() {
    let _mock = mock!(kinds::largest::<u8>, |_all: &[u8]| -> Option<u8> {
        Some(9)
    });
    assert_eq!(kinds::largest(&[1_u8, 2]), Some(9));
    assert_eq!(kinds::largest(&[1_u16, 2]), Some(2));
    let _pop = mock!(
        kinds::Stack::<u8>::pop,
        |_: &mut kinds::Stack<u8>| -> Option<u8> { None }
    );
    assert_eq!(kinds::Stack(vec![1_u8]).pop(), None);
    assert_eq!(kinds::Stack(vec!["x"]).pop(), Some("x"));
}

#[test]
fn arguments_that_are_impl_trait() {
    let _mock = mock!(kinds::shout, |text: String| -> String { text + "?" });
    assert_eq!(kinds::shout("a".to_owned()), "a?");
    assert_eq!(kinds::shout("a"), "A");
}

#[test]
fn default_methods_of_traits() {
    use kinds::Greet;
    let _mock = mock!(<Meter as Greet>::greet, |meter: &Meter| -> String {
        format!("hi {}", meter.name())
    });
    assert_eq!(Meter(1.0).greet(), "hi meter");
}

#[test]
#[should_panic(expected = "nothing in this program calls this instance")]
fn an_instance_that_nothing_calls() {
    let _mock = mock!(kinds::largest::<i64>, |_all: &[i64]| -> Option<i64> {
        None
    });
}
