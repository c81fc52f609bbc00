//! Signatures and the types of pointers to them.

use super::*;
use crate::syntax::names::compact;

fn check(owner: Option<&str>, function: &str, expected: Option<&str>) {
    let owner: Option<ItemImpl> = owner.map(|text| syn::parse_str(text).expect("impl"));
    let item: syn::ImplItemFn = syn::parse_str(function).expect("fn");
    let borrowing = HashSet::from(["Own".to_owned()]);
    let spelling = Spelling::Whole(&borrowing);
    let found = pointer_type(&item.sig, owner.as_ref(), spelling).map(compact);
    assert_eq!(found.as_deref(), expected);
}

#[test]
fn what_the_compiler_fills_in() {
    let check = |owner: &str, function: &str, expected: &str| {
        let owner: Option<ItemImpl> = match owner {
            "" => None,
            owner => Some(syn::parse_str(owner).expect("impl")),
        };
        let item: syn::ImplItemFn = syn::parse_str(function).expect("fn");
        let mut counts = LifetimeCounts::default();
        counts.declare("Own", 2);
        let spelling = Spelling::ByCompiler(&counts);
        let found = pointer_type(&item.sig, owner.as_ref(), spelling).map(compact);
        assert_eq!(found.as_deref(), Some(expected));
    };
    check(
        "",
        "fn f(a: &str) -> Cow<str> {}",
        "for<>fn(&str)->Cow<str>",
    );
    check(
        "",
        "fn f<'a>(a: &'a str, b: Context) -> Chars {}",
        "for<'a>fn(&'a str, Context)->Chars",
    );
    check(
        "impl<'a> View<'a> {}",
        "fn f(&self, how: &str) -> Pair<'a, Chars> {}",
        "for<'a, '__soft_mock_0, '__soft_mock_1>fn(&'__soft_mock_0 View<'a>, &'__soft_mock_1 str)->Pair<'a, Chars<'__soft_mock_0>>",
    );
    check(
        "impl Text {}",
        "fn f(&self, how: &str) -> Own<Ref<u8>> {}",
        "for<'__soft_mock_0, '__soft_mock_1>fn(&'__soft_mock_0 Text, &'__soft_mock_1 str)->Own<'__soft_mock_0, '__soft_mock_0, Ref<'__soft_mock_0, u8>>",
    );
    check(
        "impl Text {}",
        "fn f<'a, 'b: 'a>(&self, a: &'a str, b: &'b str) -> &'a str where Self: Sized {}",
        "for<'a, 'b, '__soft_mock_0>fn(&'__soft_mock_0 Text, &'a str, &'b str)->&'a str",
    );
}

#[test]
fn free_functions() {
    check(None, "fn f() {}", Some("for<>fn()"));
    check(
        None,
        "fn f(a: &str) -> &str {}",
        Some("for<'__soft_mock_0>fn(&'__soft_mock_0 str)->&'__soft_mock_0 str"),
    );
    check(
        None,
        "fn f<'a>(a: &'a str, b: Own) -> &'a str {}",
        Some("for<'a>fn(&'a str, Own)->&'a str"),
    );
    check(None, "fn f<'a, 'b: 'a>(a: &'a str, b: &'b str) {}", None);
    check(None, "fn f(a: &str) -> Own {}", None);
}

#[test]
fn instances() {
    let check = |around: &str, function: &str, expected: Option<&str>| {
        let around: Generics = match around {
            "" => Generics::default(),
            around => syn::parse_str(around).expect("generics"),
        };
        let item: syn::ImplItemFn = syn::parse_str(function).expect("fn");
        let around = Around {
            generics: Some(&around),
        };
        let found = instance_type(&item.sig, around).map(compact);
        assert_eq!(found.as_deref(), expected);
    };
    check(
        "",
        "fn f<T: Copy>(a: &T, b: T) -> &T where T: Ord {}",
        Some("for<>fn(&T, T)->&T"),
    );
    check(
        "<'a, T>",
        "fn f(self: &Self, a: &'a T) -> Self::Item {}",
        Some("for<'__own_a, '__own___soft_mock_0>fn(&'__own___soft_mock_0 Self, &'__own_a T)->Self::Item"),
    );
    check(
        "",
        "fn f(a: impl Into<String>, b: &str) -> usize {}",
        Some("for<>fn(_, &str)->usize"),
    );
    check(
        "",
        "fn f(a: impl Iterator<Item = &str>, b: &str) -> &str {}",
        None,
    );
    check(
        "",
        "fn f<'a, 'b: 'a, T>(a: &'a T, b: &'b T) {}",
        Some("for<'__own_a, '__own_b>fn(&'__own_a T, &'__own_b T)"),
    );
}

#[test]
fn methods() {
    check(
        Some("impl<'a> P<'a> {}"),
        "fn f(&mut self, s: &str) -> &'a str {}",
        Some("for<'a, '__soft_mock_0, '__soft_mock_1>fn(&'__soft_mock_0 mut P<'a>, &'__soft_mock_1 str)->&'a str"),
    );
    check(
        Some("impl T for P {}"),
        "fn f(self, s: &str) -> Self::Out {}",
        Some("for<'__soft_mock_0>fn(P, &'__soft_mock_0 str)-><P as T>::Out"),
    );
    check(
        Some("impl<'a> T for dyn E + 'a {}"),
        "fn f(&self) {}",
        Some("for<'a, '__soft_mock_0>fn(&'__soft_mock_0(dyn E + 'a))"),
    );
    check(
        Some("impl dyn E + Send {}"),
        "fn f(&self, other: &str) -> &Self {}",
        Some("for<'__soft_mock_0, '__soft_mock_1>fn(&'__soft_mock_0(dyn E + Send + 'static), &'__soft_mock_1 str)->&'__soft_mock_0(dyn E + Send + 'static)"),
    );
    check(
        Some("impl P {}"),
        "fn f(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {}",
        Some("for<'__soft_mock_0, '__soft_mock_1, '__soft_mock_2>fn(Pin<&'__soft_mock_0 mut P>, &'__soft_mock_1 mut Context<'__soft_mock_2>)->Poll<()>"),
    );
}
