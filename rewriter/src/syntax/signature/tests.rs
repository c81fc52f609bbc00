//! Signatures and the types of pointers to them.

use super::*;
use crate::syntax::names::compact;

fn check(owner: Option<&str>, function: &str, expected: Option<&str>) {
    let owner: Option<ItemImpl> = owner.map(|text| syn::parse_str(text).expect("impl"));
    let item: syn::ImplItemFn = syn::parse_str(function).expect("fn");
    let borrowing = HashSet::from(["Own".to_owned()]);
    let found = pointer_type(&item.sig, owner.as_ref(), &borrowing).map(compact);
    assert_eq!(found.as_deref(), expected);
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
        Some("for<'__own___soft_mock_0>fn(&'__own___soft_mock_0 T, T)->&'__own___soft_mock_0 T"),
    );
    check(
        "<'a, T>",
        "fn f(self: &Self, a: &'a T) -> Self::Item {}",
        Some("for<'__own_a, '__own___soft_mock_0>fn(&'__own___soft_mock_0 Self, &'__own_a T)->Self::Item"),
    );
    check(
        "",
        "fn f(a: impl Into<String>, b: &str) -> usize {}",
        Some("for<'__own___soft_mock_0>fn(_, &'__own___soft_mock_0 str)->usize"),
    );
    check(
        "",
        "fn f(a: impl Iterator<Item = &str>, b: &str) -> &str {}",
        None,
    );
    check("", "fn f<'a, 'b: 'a, T>(a: &'a T, b: &'b T) {}", None);
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
        Some("impl P {}"),
        "fn f(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {}",
        Some("for<'__soft_mock_0, '__soft_mock_1, '__soft_mock_2>fn(Pin<&'__soft_mock_0 mut P>, &'__soft_mock_1 mut Context<'__soft_mock_2>)->Poll<()>"),
    );
}
