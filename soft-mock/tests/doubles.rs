//! Doubles of traits: for `dyn` and for generic parameters, of this crate's traits and of std's.
#![deny(deprecated)]

use std::fmt::{Debug, Display};
use std::future::Future;
use std::io::{self, Read};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::Arc;

use soft_mock::{call_original, double, mock, Sequence};

mod shop {
    use super::{Debug, Display};

    pub(crate) type Result<T> = std::result::Result<T, String>;

    pub(crate) trait Store: Debug + Send + Sync {
        fn get(&self, key: &str) -> crate::shop::Result<u64>;
        fn put(&mut self, key: String, value: u64);
        fn longer<'a>(&'a self, one: &'a str, other: &str) -> &'a str;
        fn first(&self, rest: &[u8]) -> &u64;
        fn close(self: Box<Self>) -> u32;

        fn twice(&self, key: &str) -> u64 {
            2 * self.get(key).unwrap_or(1)
        }
    }

    pub(crate) trait Convert<From, const N: usize = 2>: Clone + PartialEq + Default {
        const NAME: &'static str;
        type Into: Display;
        fn convert(&self, from: [From; N]) -> Self::Into;
        fn consume(self) -> Self;
        fn made() -> Self
        where
            Self: Sized;
    }

    pub(crate) trait Visit {
        fn visit<T: Debug>(&self, value: T) -> usize;
        fn each(&self, what: &mut dyn FnMut(&str) -> bool);
        /// # Safety
        /// None.
        unsafe fn raw(&self, at: *const u8) -> u8;
        #[deprecated]
        fn old(&self);
    }

    pub(crate) trait Remote {
        async fn fetch(&self, page: &str) -> Result<usize>;
        fn sent(&self, page: &str) -> impl std::future::Future<Output = usize> + Send;
    }
}
use shop::{Convert, Remote, Store, Visit};

fn total(store: &dyn Store, keys: &[&str]) -> u64 {
    keys.iter()
        .map(|key| store.get(key).unwrap_or_default())
        .sum()
}

/// The message of a panic.
fn panicked<R>(work: impl FnOnce() -> R) -> String {
    let panic = catch_unwind(AssertUnwindSafe(work)).err().expect("a panic");
    *panic.downcast::<String>().expect("a text")
}

#[test]
fn a_declared_trait_is_one_line() {
    double!(impl Store for Fake);
    let order = Sequence::new();
    let _hat = mock!(
        <Fake as Store>::get,
        when | _,
        key | key == "hat",
        |_, _| Ok(7)
    )
    .in_sequence(&order);
    let _shoe = mock!(<Fake as Store>::get, |_, _| Err("none".to_owned())).in_sequence(&order);
    assert_eq!(total(&Fake, &["hat", "shoe"]), 7);
    let shared: Arc<dyn Store> = Arc::new(Fake);
    let far = std::thread::spawn(move || format!("{shared:?}"));
    assert_eq!(far.join().expect("a thread"), "Fake");
}

#[test]
fn kinds_of_receivers_and_lifetimes() {
    double!(impl Store for Fake);
    let _put = mock!(mut <Fake as Store>::put, { let mut sum = 0; move |_, key, value| { sum += value; assert!(key.len() < 4 && sum < 9) } }).times(2);
    let _longer = mock!(<Fake as Store>::longer, |_: &'a Fake,
                                                  one: &'a str,
                                                  _: &str|
     -> &'a str { one });
    let _first = mock!(<Fake as Store>::first, |_: &'a Fake, _: &[u8]| -> &'a u64 {
        &5
    });
    let _close = mock!(<Fake as Store>::close, |_: Box<Fake>| -> u32 { 3 });
    let mut store: Box<dyn Store> = Box::new(Fake);
    store.put("hat".to_owned(), 4);
    store.put("cap".to_owned(), 4);
    assert_eq!(store.longer("a", "b"), "a");
    assert_eq!((*store.first(&[]), store.close()), (5, 3));
}

#[test]
fn a_call_that_nothing_expects_fails_where_it_is_made() {
    const MADE: u32 = line!() + 2;
    fn fake() -> impl Store {
        double! { impl Store for Other {
            fn get(&self, key: &str) -> shop::Result<u64>;
            fn put(&mut self, _: String, _: u64);
            fn longer<'a>(&'a self, one: &'a str, _: &str) -> &'a str { one }
            fn first(&self, _: &[u8]) -> &u64 { &1 }
            fn close(self: Box<Self>) -> u32;
        } }
        Other
    }
    let text = panicked(|| total(&fake(), &["hat"]));
    let expected = "nothing is expected of `<Other as Store>::get`, and it was called\n    call: get(\"hat\")\n  \
                    double: ";
    let place = text.strip_prefix(expected).expect(&text);
    assert!(
        place.starts_with(&format!("{}:{MADE}:9\n", file!())),
        "{text}"
    );
    assert_eq!(fake().longer("a", "b"), "a");
}

#[test]
fn defaults_and_bodies_are_originals() {
    double!(impl Store for Fake {
        fn get(&self, key: &str) -> shop::Result<u64> { Ok(key.len() as u64) }
        fn put(&mut self, key: String, value: u64);
        fn longer<'a>(&'a self, one: &'a str, other: &str) -> &'a str;
        fn first(&self, rest: &[u8]) -> &u64;
        fn close(self: Box<Self>) -> u32;
    });
    assert_eq!(Fake.twice("hat"), 6);
    let _get = mock!(<Fake as Store>::get, |fake, key| {
        let length = call_original(<Fake as Store>::get, || fake.get(key)).expect("a call");
        length.map(|length| length + 1)
    });
    assert_eq!(Fake.twice("hat"), 8);
}

#[test]
fn parameters_types_and_constants() {
    double!(impl Convert<u8> for Fake { type Into = String; const NAME: &'static str = "fake"; });
    let _convert = mock!(<Fake as Convert<u8>>::convert, |_: &Fake,
                                                          [a, b]: [u8; 2]|
     -> String {
        format!("{a}{b}")
    });
    let _made = mock!(<Fake as Convert<u8>>::made, || Fake);
    let _consume = mock!(<Fake as Convert<u8>>::consume, |_: Fake| -> Fake { Fake });
    fn all<C: Convert<u8>>(converter: C) -> String {
        let same = converter.clone() == converter && C::default() == C::made();
        format!("{} {} {same}", C::NAME, converter.consume().convert([1, 2]))
    }
    assert_eq!(all(Fake), "fake 12 true");

    double! {
        #[derive(Clone, PartialEq, Default)]
        struct Wide<T>(T);
        impl<T: Clone + PartialEq + Default + 'static> Convert<T, 3> for Wide<T> {
            type Into = u32;
            const NAME: &'static str = "wide";
        }
    }
    let _wide = mock!(<Wide<u8> as Convert<u8, 3>>::convert, |wide: &Wide<u8>,
                                                              from: [u8; 3]|
     -> u32 {
        u32::from(wide.0 + from[2])
    });
    assert_eq!(Wide(4_u8).convert([1, 2, 3]), 7);
}

#[test]
fn generic_methods_and_unsafe_ones() {
    double!(impl Visit for Fake);
    fn visit<V: Visit>(visitor: &V) -> usize {
        visitor.each(&mut |name| name == "x");
        visitor.visit(7_u8)
    }
    let _visit = mock!(<Fake as Visit>::visit::<u8>, |_: &Fake,
                                                      value: u8|
     -> usize { value.into() });
    let _each = mock!(<Fake as Visit>::each, |_: &Fake,
                                              what: &mut dyn FnMut(
        &str,
    )
        -> bool| {
        assert!(what("x"));
    });
    assert_eq!(visit(&Fake), 7);
    let text = panicked(|| Fake.visit("a"));
    assert!(text.contains("call: visit(\"a\")"), "{text}");
    let _raw = mock!(unsafe <Fake as Visit>::raw, |_: &Fake, at: *const u8| -> u8 { u8::from(at.is_null()) });
    // SAFETY: nothing is asked.
    assert_eq!(unsafe { Fake.raw(std::ptr::null()) }, 1);
}

#[test]
fn async_methods() {
    use shop::Result; // What the declaration names has to mean the same here.
    double!(impl Remote for Fake);
    let _fetch = mock!(<Fake as Remote>::fetch, async move |_: &Fake,
                                                            page: &str|
                -> Result<usize> {
        Ok(page.len())
    });
    let _sent = mock!(<Fake as Remote>::sent, async move |_: &Fake,
                                                          _: &str|
                -> usize { 1 });
    fn is_send<F: Future + Send>(future: F) -> F {
        future
    }
    async fn double_of<R: Remote>(remote: &R) -> usize {
        2 * remote.fetch("abc").await.unwrap_or_default() + is_send(remote.sent("a")).await
    }
    let mut future = std::pin::pin!(double_of(&Fake));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert_eq!(
        future.as_mut().poll(&mut context),
        std::task::Poll::Ready(7)
    );
}

#[test]
fn traits_of_std_are_written() {
    double!(impl Read for Fake { fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>; });
    let _read = mock!(<Fake as Read>::read, |_, buffer| {
        buffer[0] = b'x';
        Ok(1)
    })
    .once();
    let mut one = [0];
    Fake.read_exact(&mut one).expect("a byte");
    assert_eq!(&one, b"x");

    double!(impl Iterator for Numbers { type Item = u32; fn next(&mut self) -> Option<Self::Item>; });
    let numbers = soft_mock::returns([Some(3), Some(4), None]);
    let _next = mock!(
        <Numbers as Iterator>::next,
        move |_: &mut Numbers| -> Option<u32> { numbers.next() }
    );
    assert_eq!(Numbers.sum::<u32>(), 7);
}

#[test]
fn several_traits_and_those_below() {
    double! {
        impl std::error::Error for Broken {}
        impl Display for Broken { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result; }
        impl Future for Broken { type Output = u8; fn poll(self: Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<u8>; }
    }
    let _fmt = mock!(<Broken as Display>::fmt, |_: &Broken,
                                                f: &mut std::fmt::Formatter<
        '_,
    >|
     -> std::fmt::Result {
        f.write_str("broken")
    });
    let error: Box<dyn std::error::Error + Send + Sync> = Box::new(Broken);
    assert_eq!(error.to_string(), "broken");
    let _poll = mock!(<Broken as Future>::poll, |_: Pin<&mut Broken>,
                                                 _: &mut std::task::Context<
        '_,
    >|
     -> std::task::Poll<u8> {
        std::task::Poll::Ready(4)
    });
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert_eq!(
        Pin::new(&mut Broken).poll(&mut context),
        std::task::Poll::Ready(4)
    );
}

#[test]
fn values_of_one_double_are_told_apart() {
    double! {
        #[derive(Debug)]
        struct Fake(u32);
        impl Store for Fake;
    }
    let _others = mock!(<Fake as Store>::get, |fake, _| Ok(u64::from(fake.0)));
    let first = mock!(
        <Fake as Store>::get,
        when | fake,
        _ | fake.0 == 1,
        |_, _| Ok(9)
    )
    .once();
    assert_eq!(total(&Fake(2), &["hat"]) + total(&Fake(1), &["hat"]), 11);
    assert_eq!(first.calls(), 1);
}

#[test]
fn results_are_borrowed_from_what_a_double_owns() {
    trait Named {
        fn name(&self) -> &str;
        fn parts(&mut self) -> &mut Vec<u32>;
    }
    double! {
        struct Fake { name: String, parts: Vec<u32> }
        impl Named for Fake { fn name(&self) -> &str; fn parts(&mut self) -> &mut Vec<u32>; }
    }
    let mut fake = Fake {
        name: "hat".to_owned(),
        parts: Vec::new(),
    };
    let name = mock!(<Fake as Named>::name, |fake: &'a Fake| -> &'a str {
        &fake.name
    });
    let kept = fake.name();
    drop(name);
    assert_eq!(kept, "hat");
    let _parts = mock!(
        <Fake as Named>::parts,
        |fake: &'a mut Fake| -> &'a mut Vec<u32> { &mut fake.parts }
    );
    fake.parts().push(1);
    fake.parts().push(2);
    assert_eq!(fake.parts, [1, 2]);
}
