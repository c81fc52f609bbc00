//! What mocks take and demand: by arguments, numbers of calls and order.

use std::panic::{catch_unwind, AssertUnwindSafe};

use soft_mock::{mock, returns, scope, OnThread, Seen, Sequence};

#[allow(unreachable_pub)] // It stands for a crate's module.
#[soft_mock::mockable]
mod shop {
    pub fn rate(sku: &str, count: u32) -> f64 {
        sku.len() as f64 * f64::from(count)
    }

    pub fn open(name: String) -> u32 {
        name.len() as u32
    }

    pub fn write(to: u32, text: &mut Vec<u8>) -> usize {
        text.push(0);
        to as usize
    }

    pub fn longer<'a>(one: &'a str, _other: &str) -> &'a str {
        one
    }

    pub async fn fetch(page: &str) -> usize {
        page.len()
    }

    pub struct Sku(pub u8);

    impl std::fmt::Debug for Sku {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "sku {}", length(self))
        }
    }

    pub fn length(of: &Sku) -> u8 {
        of.0
    }

    pub fn shown(what: &dyn std::fmt::Display) -> String {
        what.to_string()
    }
}
use shop::{fetch, longer, open, rate, shown, write};

/// In scope for every value, mocks included.
trait Everywhere {
    fn show(&self) -> &'static str {
        "not of a mock"
    }
}
impl<T: ?Sized> Everywhere for T {}

#[test]
fn methods_that_everything_has_are_in_nobodys_way() {
    let mock = mock!(rate, |sku: &str, _count: u32| -> f64 { sku.len() as f64 }).once();
    assert_eq!(rate("hat", 2), 3.0);
    assert_eq!(mock.show(), "not of a mock");
}

/// The message of a panic.
fn panicked<R>(work: impl FnOnce() -> R) -> String {
    let panic = catch_unwind(AssertUnwindSafe(work)).err().expect("a panic");
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => (*panic.downcast::<&str>().expect("a text")).to_owned(),
    }
}

fn block_on<F: std::future::Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => panic!("nothing here waits"),
    }
}

#[test]
fn mocks_take_calls_by_their_arguments() {
    let _others = mock!(rate, |_, _| 1.0);
    let shoes = mock!(rate, when | sku, _ | sku == "shoes", |_: &str,
                                                             _: u32|
     -> f64 { 2.0 });
    let many = mock!(
        rate,
        when | sku,
        n | sku.starts_with('h') && *n > 3,
        |_, n| f64::from(n)
    );
    assert_eq!(
        (rate("shoes", 9), rate("hat", 4), rate("hat", 3)),
        (2.0, 4.0, 1.0)
    );
    assert_eq!((shoes.calls(), many.calls()), (1, 1));

    let _open = mock!(open, when | name | name == "a", |_: String| -> u32 { 7 });
    assert_eq!(open("a".to_owned()), 7);
    let _write = mock!(
        write,
        when | to,
        text | *to == 1 && text.is_empty(),
        |_, text| {
            text.push(9);
            3
        }
    );
    let mut text = Vec::new();
    assert_eq!((write(1, &mut text), text), (3, vec![9]));
    let _longer = mock!(longer, when | one, other | one > other, |one: &'a str,
                                                                  _: &str|
     -> &'a str {
        &one[1..]
    });
    assert_eq!(longer("bc", "a"), "c");
    let _shown = mock!(
        shown,
        when | what | what.to_string() == "1",
        |what: &dyn std::fmt::Display| -> String { format!("<{what}>") }
    );
    assert_eq!(shown(&1), "<1>");
}

/// What shows an argument is mocked itself.
#[test]
fn arguments_are_shown_without_mocks() {
    use shop::{length, Sku};
    let debug = mock!(
        <Sku as std::fmt::Debug>::fmt,
        |_: &Sku, f: &mut std::fmt::Formatter<'_>| -> std::fmt::Result { f.write_str("mocked") }
    );
    let (debug, length_) = (debug.once(), mock!(length, |_| 9).never());
    assert_eq!(format!("{:?}", Sku(1)), "mocked");
    let text = panicked(|| length(&Sku(2)));
    assert!(text.contains("call: length(sku 2)"), "{text}");
    debug.verify();
    let text = panicked(|| length_.verify());
    assert!(
        text.contains("actual: 1\n            length(sku 2)\n"),
        "{text}"
    );
}

#[test]
fn a_call_that_none_takes_panics_where_it_is_made() {
    let _shoes = mock!(rate, when | sku, _ | sku == "shoes", |_, _| 2.0);
    let text = panicked(|| rate("hat", 2));
    let start = "no mock of `expectations::shop::rate` takes this call\n  call: rate(\"hat\", 2)\n  mock: expectations::shop::rate at soft-mock/tests/expectations.rs:";
    assert!(text.starts_with(start), "{text}");
    assert!(text.ends_with(", when sku == \"shoes\""), "{text}");
    assert_eq!(rate("shoes", 2), 2.0, "the mock goes on");
}

#[test]
fn demanded_ones_come_first_in_their_order() {
    let one = mock!(rate, |_, _| 1.0).once();
    let two = mock!(rate, |_, _| 2.0).times(2);
    let _rest = mock!(rate, |_, _| 3.0);
    let all: Vec<f64> = (0..5).map(|_| rate("a", 1)).collect();
    assert_eq!(all, [1.0, 2.0, 2.0, 3.0, 3.0]);
    one.verify();
    two.verify();
}

#[test]
fn too_many_calls_panic_and_are_told_again() {
    let queued = returns([5.0, 6.0]);
    let mock = mock!(rate, move |_, _| queued.next()).times(2);
    assert_eq!((rate("a", 1), rate("b", 2)), (5.0, 6.0));
    let text = panicked(|| rate("c", 3));
    assert!(text.contains("  call: rate(\"c\", 3)\n"), "{text}");
    assert!(text.ends_with(", 2 calls demanded, 2 made"), "{text}");
    let end = panicked(|| mock.verify());
    assert!(end.contains("expected: 2 calls\n    actual: 3\n            rate(\"a\", 1)\n            rate(\"b\", 2)"), "{end}");
    let never = mock!(rate, when | sku, _ | sku.is_empty(), |_, _| 0.0).never();
    let _others = mock!(rate, when | sku, _ | !sku.is_empty(), |_, _| 1.0);
    assert_eq!(rate("a", 1), 1.0);
    assert!(panicked(|| rate("", 1)).contains("no call demanded, 0 made"));
    assert!(panicked(|| drop(never)).contains("expected: no call\n    actual: 1"));
}

/// Other threads of the test take from the same, and none takes more than there is.
#[test]
fn no_call_is_taken_twice() {
    let _once = mock!(open, |_: String| -> u32 { 1 }).times(50);
    let _rest = mock!(open, |_: String| -> u32 { 0 });
    let scope = scope();
    let taken: u32 = std::thread::scope(|threads| {
        let work = || (0..25).map(|_| open(String::new())).sum::<u32>();
        let all: Vec<_> = (0..4).map(|_| threads.spawn(scope.wrap(work))).collect();
        all.into_iter()
            .map(|thread| thread.join().expect("a thread"))
            .sum()
    });
    assert_eq!(taken, 50);
}

#[test]
fn an_order_over_several_functions() {
    let order = Sequence::new();
    let _open = mock!(open, |_: String| -> u32 { 4 }).in_sequence(&order);
    let _write = mock!(write, |_, _| 1).times(1..).in_sequence(&order);
    let close = mock!(open, when | name | name == "close", |_: String| -> u32 {
        5
    })
    .in_sequence(&order);
    let early = panicked(|| write(1, &mut Vec::new()));
    let start =
        "`expectations::shop::write` was called out of order\n  call: write(1, [])\n  mock: ";
    assert!(early.starts_with(start), "{early}");
    assert!(
        early.contains("\n  due:  expectations::shop::open at "),
        "{early}"
    );
    assert_eq!(open("a".to_owned()), 4);
    assert_eq!(
        (write(1, &mut Vec::new()), write(2, &mut Vec::new())),
        (1, 1)
    );
    assert_eq!(open("close".to_owned()), 5);
    let late = panicked(|| write(3, &mut Vec::new()));
    assert!(
        late.contains("\n  late: expectations::shop::open at "),
        "{late}"
    );
    assert_eq!(close.calls(), 1);
}

#[test]
fn async_functions_have_the_same() {
    let _rest = mock!(fetch, async move |page: &str| -> usize { page.len() * 10 });
    let once = mock!(
        fetch,
        when | page | page == "a",
        async move |_: &str| -> usize { 1 }
    )
    .once();
    assert_eq!(
        (
            block_on(fetch("a")),
            block_on(fetch("a")),
            block_on(fetch("bc"))
        ),
        (1, 10, 20)
    );
    once.verify();
}

#[test]
fn closures_that_change_what_they_hold() {
    let _counts = mock!(mut rate, {
        let mut calls = 0.0;
        move |_, _| {
            calls += 1.0;
            calls
        }
    });
    assert_eq!((rate("a", 1), rate("a", 1)), (1.0, 2.0));
    let mut once = Some("given away".to_owned());
    let _once = mock!(
        mut longer,
        when | one,
        _ | one == "x",
        move |_: &'a str, _: &str| -> &'a str { once.take().expect("one call").leak() }
    )
    .once();
    assert_eq!(longer("x", "y"), "given away");
    let _inside = mock!(mut open, |name: String| -> u32 {
        if name.is_empty() {
            1
        } else {
            open(String::new())
        }
    });
    assert!(panicked(|| open("a".to_owned())).contains("was called by what it calls itself"));
    assert_eq!(open(String::new()), 1);
}

#[test]
fn values_of_the_tests_thread_and_arguments_that_are_kept() {
    let calls = std::rc::Rc::new(std::cell::Cell::new(0));
    let (inside, seen) = (OnThread::new(calls.clone()), Seen::new());
    let _rate = mock!(rate, {
        let seen = seen.clone();
        move |sku, n| {
            inside.get().set(inside.get().get() + 1);
            seen.push((sku.to_owned(), n));
            0.5
        }
    });
    assert_eq!(rate("hat", 2), 0.5);
    assert_eq!(calls.get(), 1);
    assert_eq!(seen.take(), [("hat".to_owned(), 2)]);
    assert!(seen.list().is_empty());
    let scope = scope();
    let other = std::thread::scope(|threads| threads.spawn(scope.wrap(|| rate("hat", 2))).join());
    assert!(other.is_err(), "another thread");
}
