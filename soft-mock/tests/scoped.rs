//! Mocks that belong to a test, in a crate that the attribute makes mockable.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::thread;

use predicates::prelude::*;
use soft_mock::{call_original, check, mock, reset_all, returns, scope, spy, steps};

#[allow(unreachable_pub)] // It stands for a crate's module.
#[soft_mock::mockable]
mod shop {
    pub fn rate(sku: &str) -> f64 {
        sku.len() as f64
    }

    pub fn sum((a, b): (u64, u64)) -> u64 {
        a + b
    }

    pub fn busy(x: u64) -> u64 {
        x
    }

    pub struct Store(pub Vec<String>);

    impl Store {
        pub fn get(&self, at: usize) -> Option<&str> {
            self.0.get(at).map(String::as_str)
        }
    }

    impl std::fmt::Display for Store {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a store")
        }
    }

    pub async fn later(x: &u32) -> u32 {
        *x
    }

    pub async fn twice(x: u32) -> u32 {
        x * 2
    }

    pub async fn local(x: std::rc::Rc<u32>, more: &u32) -> std::rc::Rc<u32> {
        std::rc::Rc::new(*x + more)
    }

    pub const fn fixed() -> u32 {
        1
    }

    pub fn any<T>(value: T) -> T {
        value
    }
}

#[soft_mock::mockable]
fn alone(x: u32) -> u32 {
    x
}

#[test]
fn what_the_attribute_stands_on() {
    let _alone = mock!(alone, |x: u32| -> u32 { x + 1 });
    let _sum = mock!(shop::sum, |(a, b): (u64, u64)| -> u64 { a * b });
    let _get = mock!(shop::Store::get, |store: &'a shop::Store,
                                        _at: usize|
     -> Option<&'a str> {
        store.0.first().map(String::as_str)
    });
    let _fmt = mock!(
        <shop::Store as std::fmt::Display>::fmt,
        |_: &shop::Store, f: &mut std::fmt::Formatter<'_>| -> std::fmt::Result {
            f.write_str("mocked")
        }
    );
    let store = shop::Store(vec!["x".to_owned()]);
    assert_eq!(
        (alone(1), shop::sum((3, 4)), store.get(9)),
        (2, 12, Some("x"))
    );
    assert_eq!(store.to_string(), "mocked");
    drop(_fmt);
    assert_eq!(store.to_string(), "a store");
}

#[test]
#[should_panic(expected = "`scoped::shop::fixed` can't be mocked: it is a const fn")]
fn a_const_fn() {
    assert_eq!(shop::fixed(), 1);
    let _mock = mock!(shop::fixed, || -> u32 { 2 });
}

#[test]
#[should_panic(expected = "`scoped::shop::any<u8>` can't be mocked: nothing in this program calls")]
fn an_instance_that_nothing_calls() {
    assert_eq!(shop::any(1_u16), 1);
    let _mock = mock!(shop::any::<u8>, |value: u8| -> u8 { value });
}

#[test]
fn async_mocks_keep_captures() {
    use std::future::Future;
    let text = Arc::new(AtomicUsize::new(5));
    let seen = text.clone();
    let _mock = mock!(shop::later, async move |x: &u32| -> u32 {
        seen.fetch_add(1, SeqCst);
        *x + 10
    });
    let mut future = std::pin::pin!(shop::later(&1));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert_eq!(
        future.as_mut().poll(&mut context),
        std::task::Poll::Ready(11)
    );
    assert_eq!(text.load(SeqCst), 6);
    let _nothing_borrowed = mock!(shop::twice, async move |x: u32| -> u32 { x * 3 });
    let mut future = std::pin::pin!(shop::twice(2));
    assert_eq!(
        future.as_mut().poll(&mut context),
        std::task::Poll::Ready(6)
    );
}

#[test]
fn an_async_function_that_stays_on_its_thread() {
    use std::future::Future;
    use std::rc::Rc;
    let _mock = mock!(local shop::local, async move |x: Rc<u32>, more: &u32| -> Rc<u32> {
        let kept = x.clone();
        std::future::ready(()).await;
        Rc::new(*kept + more + 10)
    });
    let mut future = std::pin::pin!(shop::local(Rc::new(1), &1));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(result) = future.as_mut().poll(&mut context) else {
        panic!("it waits for nothing");
    };
    assert_eq!(*result, 12);
}

#[test]
#[should_panic(expected = "the future of this function is `Send`")]
fn a_future_that_may_be_sent_takes_no_local_mock() {
    let _mock = mock!(local shop::later, async move |x: &'a u32| -> u32 {
        let here = std::rc::Rc::new(*x);
        std::future::ready(()).await;
        *here
    });
}

#[test]
fn the_original_of_an_async_function() {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    let _mock = mock!(shop::later, async move |x: &u32| -> u32 {
        match soft_mock::call_original_async(shop::later, || shop::later(x)).await {
            Ok(original) => original + 100,
            Err(error) => panic!("{error}"),
        }
    });
    let mut context = Context::from_waker(Waker::noop());
    let mut future = pin!(shop::later(&1));
    assert_eq!(future.as_mut().poll(&mut context), Poll::Ready(101));
    let mut without = pin!(soft_mock::call_original_async(shop::later, || async { 1 }));
    let Poll::Ready(result) = without.as_mut().poll(&mut context) else {
        panic!("it waits for nothing");
    };
    assert!(result.unwrap_err().to_string().contains("was not called"));
    let refused = call_original(shop::later, || ());
    assert!(refused
        .unwrap_err()
        .to_string()
        .contains("call_original_async"));
}

#[test]
fn spies_of_async_functions() {
    use std::future::Future;
    use std::pin::pin;
    use std::rc::Rc;
    use std::task::{Context, Poll, Waker};
    let mut context = Context::from_waker(Waker::noop());
    let seen = Arc::new(AtomicUsize::new(0));
    let spy = spy!(shop::later, async |x: &u32| -> u32 => {
        let seen = seen.clone();
        move |result| { seen.fetch_add(*result as usize, SeqCst); }
    });
    for round in 1..=2 {
        let mut future = pin!(shop::later(&1));
        let without = pin!(async { shop::later(&1).await }).poll(&mut context);
        assert_eq!(future.as_mut().poll(&mut context), without);
        assert_eq!((spy.calls(), seen.load(SeqCst)), (2 * round, 2 * round));
    }
    drop(spy);
    assert_eq!(pin!(shop::later(&1)).poll(&mut context), Poll::Ready(1));
    assert_eq!(seen.load(SeqCst), 4);
    let own = spy!(local shop::local, async |x: Rc<u32>, more: &u32| -> Rc<u32>).times(1);
    let result = pin!(shop::local(Rc::new(1), &2)).poll(&mut context);
    assert!(matches!(result, Poll::Ready(_)));
    own.verify();
}

#[test]
fn the_newest_mock_counts_and_an_older_one_comes_back() {
    let first = mock!(shop::rate, |_: &str| -> f64 { 1.0 });
    assert_eq!(shop::rate("abc"), 1.0);
    let second = mock!(shop::rate, |_: &str| -> f64 { 2.0 });
    assert_eq!(shop::rate("abc"), 2.0);
    drop(first);
    assert_eq!(shop::rate("abc"), 2.0);
    drop(second);
    assert_eq!(shop::rate("abc"), 3.0);
}

#[test]
fn reset_takes_only_the_own_mocks_away() {
    let (to, from) = std::sync::mpsc::channel();
    let (done, wait) = std::sync::mpsc::channel::<()>();
    let other = thread::spawn(move || {
        let _mock = mock!(shop::rate, |_: &str| -> f64 { 7.0 });
        to.send(()).expect("sent");
        wait.recv().expect("told");
        shop::rate("abc")
    });
    from.recv().expect("told");
    let mock = mock!(shop::rate, |_: &str| -> f64 { 1.0 });
    reset_all().expect("a reset");
    assert_eq!(shop::rate("abc"), 3.0);
    done.send(()).expect("sent");
    assert_eq!(other.join().expect("a thread"), 7.0);
    drop(mock); // Gone already.
    assert_eq!(shop::rate("abc"), 3.0);
}

#[test]
fn a_handle_takes_the_scope_along() {
    let _mock = mock!(shop::rate, |_: &str| -> f64 { 1.0 });
    let scope = scope();
    let inside = thread::spawn(scope.wrap(|| shop::rate("abc")));
    let outside = thread::spawn(|| shop::rate("abc"));
    assert_eq!(
        (
            inside.join().expect("a thread"),
            outside.join().expect("a thread")
        ),
        (1.0, 3.0)
    );
}

#[test]
fn a_mock_that_runs_elsewhere_outlives_its_guard() {
    struct Dropped(Arc<AtomicBool>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.store(true, SeqCst);
        }
    }
    let gone = Arc::new(AtomicBool::new(false));
    let (inside, leave) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let mock = mock!(shop::rate, {
        let (contents, inside, leave) = (Dropped(gone.clone()), inside.clone(), leave.clone());
        move |_: &str| -> f64 {
            inside.wait();
            leave.wait();
            if contents.0.load(SeqCst) {
                0.0
            } else {
                5.0
            }
        }
    });
    let caller = thread::spawn(scope().wrap(|| shop::rate("abc")));
    inside.wait();
    drop(mock);
    assert!(!gone.load(SeqCst), "the call still runs");
    assert_eq!(shop::rate("abc"), 3.0);
    leave.wait();
    assert_eq!(caller.join().expect("a thread"), 5.0);
    assert!(gone.load(SeqCst));
}

#[test]
fn installing_while_others_call() {
    const ROUNDS: usize = if cfg!(debug_assertions) {
        2_000
    } else {
        20_000
    };
    let stop = AtomicBool::new(false);
    let live = Arc::new(());
    thread::scope(|threads| {
        let scope = scope();
        for follows in [true, true, true, true, false, false, false, false] {
            let stop = &stop;
            threads.spawn(move || {
                let _entered = follows.then(|| scope.enter());
                while !stop.load(SeqCst) {
                    let result = shop::busy(3);
                    assert!(result == 3 || follows && result >= 100, "{result}");
                }
            });
        }
        for round in 0..ROUNDS as u64 {
            let live = live.clone();
            let mock = mock!(shop::busy, move |x: u64| -> u64 {
                assert!(Arc::strong_count(&live) > 1);
                100 + round + x
            });
            assert_eq!(shop::busy(1), 101 + round);
            drop(mock);
            assert_eq!(shop::busy(1), 1);
        }
        stop.store(true, SeqCst);
    });
    assert_eq!(Arc::strong_count(&live), 1, "every closure was freed");
}

#[test]
fn eight_tests_at_once() {
    thread::scope(|threads| {
        for own in 0..8_u64 {
            threads.spawn(move || {
                for _ in 0..500 {
                    assert_eq!(shop::busy(1), 1);
                    let _mock = mock!(shop::busy, move |x: u64| -> u64 { x + own * 10 });
                    assert_eq!(shop::busy(1), 1 + own * 10);
                    assert_eq!(call_original(shop::busy, || shop::busy(2)), Ok(2));
                }
            });
        }
    });
}

#[test]
fn results_arguments_and_order() {
    let order = steps(["rate", "sum"]);
    let results = returns([0.5, 0.25]);
    let _rate = mock!(shop::rate, {
        let (order, results) = (order.clone(), results.clone());
        let expected = predicate::str::starts_with("s");
        move |sku: &str| -> f64 {
            check(&expected, sku);
            if results.left() == 2 {
                order.reached("rate");
            }
            results.next()
        }
    });
    let _sum = mock!(shop::sum, {
        let order = order.clone();
        move |_: (u64, u64)| -> u64 {
            order.reached("sum");
            0
        }
    });
    assert_eq!(
        (shop::rate("shoe"), shop::rate("sock"), shop::sum((1, 1))),
        (0.5, 0.25, 0)
    );
    order.finish();
    let text = |work: fn() -> f64| {
        *std::panic::catch_unwind(work)
            .expect_err("a panic")
            .downcast::<String>()
            .expect("a text")
    };
    assert_eq!(text(|| shop::rate("hat")), "a mock was called with another argument\n  expected: var.starts_with(\"s\")\n    actual: \"hat\"");
    assert!(text(|| shop::rate("s")).starts_with("the mock was called more than 2 time(s)"));
}

#[test]
fn calls_are_verified() {
    let text = |work: fn()| {
        *std::panic::catch_unwind(work)
            .expect_err("a panic")
            .downcast::<String>()
            .expect("a text")
    };
    let few = text(|| {
        mock!(shop::sum, |_: (u64, u64)| -> u64 { 0 })
            .times(1..)
            .verify()
    });
    let demanded = "`scoped::shop::sum` was not called as the mock demands\n  expected: at least 1 call(s)\n    actual: 0\n      mock: soft-mock/tests/scoped.rs:";
    assert!(few.starts_with(demanded), "{few}");
    let many = text(|| {
        let _mock = mock!(shop::sum, |_: (u64, u64)| -> u64 { 0 }).times(0);
        shop::sum((1, 2));
    });
    let call = "no mock of `scoped::shop::sum` takes this call\n  call: sum((1, 2))\n  mock: ";
    assert!(many.starts_with(call), "{many}");
    assert!(many.ends_with(", no call demanded, 0 made"), "{many}");
    let swallowed = text(|| {
        let _mock = mock!(shop::sum, |_: (u64, u64)| -> u64 { 0 }).times(2);
        panic!("{}", "the test's own message");
    });
    assert_eq!(swallowed, "the test's own message");
}

#[test]
fn wrong_types_show_both() {
    let text = |work: fn()| {
        *std::panic::catch_unwind(work)
            .expect_err("a panic")
            .downcast::<String>()
            .expect("a text")
    };
    let wrong = text(|| drop(mock!("scoped::shop::sum", |_: u8| -> u64 { 0 })));
    assert_eq!(wrong, "`scoped::shop::sum` has the signature `fn((u64, u64)) -> u64`, the mock is `fn(u8) -> u64`");
    let unknown = text(|| drop(mock!("scoped::shop::smu", || {})));
    assert_eq!(
        unknown,
        "no function is called `scoped::shop::smu`; did you mean scoped::shop::sum?"
    );
    let lifetimes = text(|| drop(mock!(shop::rate, |_: &'static str| -> f64 { 0.0 })));
    assert!(
        lifetimes.contains("they differ in their lifetimes"),
        "{lifetimes}"
    );
    let asyncness = text(|| drop(mock!("scoped::shop::later", |_: &u32| -> u32 { 0 })));
    assert!(
        asyncness.starts_with("`scoped::shop::later` is async, its mock has to be"),
        "{asyncness}"
    );
}
