//! The function-pointer type of a function, with its lifetimes bound as it declares them.
//!
//! ```text
//! impl<'a> Parser<'a> { fn next(&mut self, sep: &str) -> &'a str }
//! unsafe? fn type:  for<'a, '__s> fn(&'__s mut Parser<'a>, &str) -> &'a str
//! ```
//!
//! Its `TypeId` is what every typed installation is compared with. Where the type can't be written
//! down with certainty from the source alone there is none, and the function takes no typed mock.

use std::collections::HashSet;

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{format_ident, quote, ToTokens};
use syn::visit_mut::{self, VisitMut};
use syn::{
    FnArg, GenericParam, Generics, ItemImpl, Lifetime, PathArguments, ReturnType, Signature, Type,
};

/// The pointer type of `signature`, a function of `owner` (none: a free function).
///
/// `borrowing` names the types that are known to have lifetime parameters: where a result names one
/// of them without its lifetimes, they can't be written down.
pub(crate) fn pointer_type(
    signature: &Signature,
    owner: Option<&ItemImpl>,
    borrowing: &HashSet<String>,
) -> Option<TokenStream> {
    if signature.asyncness.is_some() || has_bounds(&signature.generics) {
        return None;
    }
    if owner.is_some_and(|owner| has_bounds(&owner.generics)) {
        return None;
    }
    let mut writer = Writer::new(owner, borrowing);
    let mut inputs = Vec::new();
    for argument in &signature.inputs {
        inputs.push(writer.input(argument)?);
    }
    let output = match &signature.output {
        ReturnType::Default => quote!(),
        ReturnType::Type(_, ty) => {
            let ty = writer.output(ty)?;
            quote!(-> #ty)
        }
    };
    let mut lifetimes: Vec<Lifetime> = lifetimes_of(&signature.generics);
    if let Some(owner) = owner {
        lifetimes.extend(lifetimes_of(&owner.generics));
    }
    lifetimes.extend(writer.fresh);
    let unsafety = &signature.unsafety;
    let abi = &signature.abi;
    Some(quote!(for<#(#lifetimes),*> #unsafety #abi fn(#(#inputs),*) #output))
}

/// What stands around a function of which there are instances.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'a> {
    /// The generics of the impl block or trait.
    pub(crate) generics: Option<&'a Generics>,
}

/// The pointer type of a function's instances, as it can be written in its body: with its own `Self` and
/// type parameters, and `_` for `impl Trait`.
pub(crate) fn instance_type(signature: &Signature, around: Around<'_>) -> Option<TokenStream> {
    let none = HashSet::new();
    let bounded = |generics: &Generics| has_lifetime_bounds(generics);
    if bounded(&signature.generics) || around.generics.is_some_and(bounded) {
        return None;
    }
    let mut writer = Writer::new(None, &none);
    writer.in_body = true;
    let inputs = signature.inputs.iter();
    let inputs: Option<Vec<_>> = inputs.map(|argument| writer.input(argument)).collect();
    let inputs = inputs?;
    let output = match &signature.output {
        ReturnType::Default => quote!(),
        ReturnType::Type(_, ty) => {
            let ty = writer.output(ty)?;
            quote!(-> #ty)
        }
    };
    let mut lifetimes: Vec<Lifetime> = lifetimes_of(&signature.generics);
    lifetimes.extend(around.generics.map(lifetimes_of).unwrap_or_default());
    lifetimes.extend(writer.fresh);
    let (unsafety, abi) = (&signature.unsafety, &signature.abi);
    let pointer = quote!(for<#(#lifetimes),*> #unsafety #abi fn(#(#inputs),*) #output);
    Some(with_own_lifetimes(pointer))
}

/// In the body, the names of the function's own lifetimes are taken.
fn with_own_lifetimes(tokens: TokenStream) -> TokenStream {
    let mut after_sign = false;
    let rename = |token: TokenTree| -> TokenTree {
        let name = std::mem::replace(&mut after_sign, false);
        match token {
            TokenTree::Group(group) => {
                let inner = with_own_lifetimes(group.stream());
                TokenTree::Group(Group::new(group.delimiter(), inner))
            }
            TokenTree::Ident(ident) if name && ident != "static" && ident != "_" => {
                TokenTree::Ident(format_ident!("__own_{ident}"))
            }
            other => {
                after_sign = matches!(&other, TokenTree::Punct(sign) if sign.as_char() == '\'');
                other
            }
        }
    };
    tokens.into_iter().map(rename).collect()
}

/// What a function returns.
pub(crate) fn output_type(signature: &Signature) -> Type {
    match &signature.output {
        ReturnType::Default => syn::parse_quote!(()),
        ReturnType::Type(_, ty) => (**ty).clone(),
    }
}

/// `'b: 'a`, in whatever place.
fn has_lifetime_bounds(generics: &Generics) -> bool {
    let predicates = generics.where_clause.iter().flat_map(|c| &c.predicates);
    let mut predicates = predicates;
    predicates.any(|one| matches!(one, syn::WherePredicate::Lifetime(_)))
        || generics.lifetimes().any(|l| !l.bounds.is_empty())
}

fn lifetimes_of(generics: &Generics) -> Vec<Lifetime> {
    generics.lifetimes().map(|l| l.lifetime.clone()).collect()
}

/// Bounds on lifetimes don't fit into `for<…>`: such a function is no instance of that type.
fn has_bounds(generics: &Generics) -> bool {
    generics.where_clause.is_some()
        || generics
            .params
            .iter()
            .any(|param| matches!(param, GenericParam::Lifetime(l) if !l.bounds.is_empty()))
}

struct Writer<'a> {
    self_type: Option<Type>,
    trait_path: Option<syn::Path>,
    borrowing: &'a HashSet<String>,
    fresh: Vec<Lifetime>,
    receiver: Option<Lifetime>,
    elided_inputs: usize,
    /// The type is written into the function's body: `Self` means something there.
    in_body: bool,
    valid: bool,
}

impl<'a> Writer<'a> {
    fn new(owner: Option<&ItemImpl>, borrowing: &'a HashSet<String>) -> Self {
        let mut writer = Self {
            self_type: None,
            trait_path: owner.and_then(|item| item.trait_.as_ref().map(|t| t.1.clone())),
            borrowing,
            fresh: Vec::new(),
            receiver: None,
            elided_inputs: 0,
            in_body: false,
            valid: true,
        };
        if let Some(owner) = owner {
            let mut ty = (*owner.self_ty).clone();
            NameElided {
                writer: &mut writer,
                all_alike: None,
            }
            .visit_type_mut(&mut ty);
            writer.self_type = Some(ty);
        }
        writer
    }

    fn fresh(&mut self) -> Lifetime {
        let name = format!("'__soft_mock_{}", self.fresh.len());
        let lifetime = Lifetime::new(&name, proc_macro2::Span::call_site());
        self.fresh.push(lifetime.clone());
        lifetime
    }

    fn input(&mut self, argument: &FnArg) -> Option<TokenStream> {
        let mut ty = match argument {
            FnArg::Typed(typed) => {
                let mut ty = (*typed.ty).clone();
                if self.in_body {
                    self.elided_inputs += leave_out_impl_trait(&mut ty);
                }
                let before = self.fresh.len();
                NameElided {
                    writer: self,
                    all_alike: None,
                }
                .visit_type_mut(&mut ty);
                self.elided_inputs += self.fresh.len() - before;
                if names_hidden_lifetime(&ty, self.borrowing) {
                    self.elided_inputs += 1;
                }
                ty
            }
            FnArg::Receiver(receiver) => {
                let mut ty = (*receiver.ty).clone();
                let lifetime = self.fresh();
                let before = self.fresh.len();
                NameElided {
                    writer: self,
                    all_alike: Some(lifetime.clone()),
                }
                .visit_type_mut(&mut ty);
                debug_assert_eq!(before, self.fresh.len());
                if mentions(&ty, &lifetime) {
                    self.receiver = Some(lifetime);
                } else {
                    self.fresh.pop();
                }
                ty
            }
        };
        self.replace_self(&mut ty);
        self.valid.then(|| ty.to_token_stream())
    }

    /// Elided lifetimes of a result are the receiver's, or those of the only borrowed parameter.
    fn output(&mut self, ty: &Type) -> Option<TokenStream> {
        let mut ty = ty.clone();
        if names_hidden_lifetime(&ty, self.borrowing) {
            return None;
        }
        let source = match (&self.receiver, self.elided_inputs, self.fresh.last()) {
            (Some(receiver), _, _) => Some(receiver.clone()),
            (None, 1, Some(only)) => Some(only.clone()),
            _ => None,
        };
        match source {
            Some(lifetime) => {
                NameElided {
                    writer: self,
                    all_alike: Some(lifetime),
                }
                .visit_type_mut(&mut ty);
            }
            None => self.valid &= !has_elided(&ty),
        }
        self.replace_self(&mut ty);
        self.valid.then(|| ty.to_token_stream())
    }

    fn replace_self(&mut self, ty: &mut Type) {
        if self.in_body {
            return;
        }
        let mut replace = ReplaceSelf {
            ty: self.self_type.clone(),
            tr: self.trait_path.clone(),
            valid: true,
        };
        replace.visit_type_mut(ty);
        self.valid &= replace.valid;
    }
}

/// Gives a name to every elided lifetime outside of nested function types, which have elision rules of their own.
struct NameElided<'w, 'a> {
    writer: &'w mut Writer<'a>,
    all_alike: Option<Lifetime>,
}

impl NameElided<'_, '_> {
    fn next(&mut self) -> Lifetime {
        match &self.all_alike {
            Some(lifetime) => lifetime.clone(),
            None => self.writer.fresh(),
        }
    }
}

impl VisitMut for NameElided<'_, '_> {
    fn visit_type_reference_mut(&mut self, ty: &mut syn::TypeReference) {
        if ty.lifetime.is_none() {
            ty.lifetime = Some(self.next());
        }
        visit_mut::visit_type_reference_mut(self, ty);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = self.next();
        }
    }

    fn visit_type_bare_fn_mut(&mut self, _: &mut syn::TypeBareFn) {}

    fn visit_parenthesized_generic_arguments_mut(
        &mut self,
        _: &mut syn::ParenthesizedGenericArguments,
    ) {
    }

    fn visit_type_macro_mut(&mut self, _: &mut syn::TypeMacro) {
        self.writer.valid = false;
    }

    fn visit_type_impl_trait_mut(&mut self, _: &mut syn::TypeImplTrait) {
        self.writer.valid = false;
    }
}

/// `_` for every `impl Trait`; how many of them leave a lifetime out.
fn leave_out_impl_trait(ty: &mut Type) -> usize {
    struct Leave(usize);
    impl VisitMut for Leave {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            if matches!(ty, Type::ImplTrait(_)) {
                self.0 += usize::from(has_elided(ty));
                *ty = syn::parse_quote!(_);
            } else {
                visit_mut::visit_type_mut(self, ty);
            }
        }
    }
    let mut leave = Leave(0);
    leave.visit_type_mut(ty);
    leave.0
}

struct ReplaceSelf {
    ty: Option<Type>,
    tr: Option<syn::Path>,
    valid: bool,
}

impl VisitMut for ReplaceSelf {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        let Type::Path(path) = &*ty else {
            return visit_mut::visit_type_mut(self, ty);
        };
        let segments = &path.path.segments;
        let is_self = path.qself.is_none() && segments.first().is_some_and(|s| s.ident == "Self");
        if !is_self {
            return visit_mut::visit_type_mut(self, ty);
        }
        let rest: Vec<_> = segments.iter().skip(1).cloned().collect();
        match (&self.ty, &self.tr, rest.is_empty()) {
            (Some(own), _, true) => *ty = own.clone(),
            (Some(own), Some(tr), false) => *ty = syn::parse_quote!(<#own as #tr>::#(#rest)::*),
            _ => self.valid = false,
        }
    }

    fn visit_expr_mut(&mut self, _: &mut syn::Expr) {
        // An array length could name `Self` too; such a type has no id.
        self.valid = false;
    }
}

fn mentions(ty: &Type, lifetime: &Lifetime) -> bool {
    let sign = lifetime.ident.to_string();
    ty.to_token_stream().to_string().contains(&sign)
}

fn has_elided(ty: &Type) -> bool {
    struct Finder(bool);
    impl<'ast> syn::visit::Visit<'ast> for Finder {
        fn visit_type_reference(&mut self, ty: &'ast syn::TypeReference) {
            self.0 |= ty.lifetime.is_none();
            syn::visit::visit_type_reference(self, ty);
        }
        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            self.0 |= lifetime.ident == "_";
        }
        fn visit_type_bare_fn(&mut self, _: &'ast syn::TypeBareFn) {}
        fn visit_parenthesized_generic_arguments(
            &mut self,
            _: &'ast syn::ParenthesizedGenericArguments,
        ) {
        }
    }
    let mut finder = Finder(false);
    syn::visit::Visit::visit_type(&mut finder, ty);
    finder.0
}

/// Types of the standard library that are often written without their lifetimes.
const BORROWING: [&str; 24] = [
    "Formatter",
    "Context",
    "Ref",
    "RefMut",
    "MutexGuard",
    "RwLockReadGuard",
    "RwLockWriteGuard",
    "Iter",
    "IterMut",
    "Chars",
    "CharIndices",
    "Lines",
    "Split",
    "Bytes",
    "Drain",
    "Keys",
    "Values",
    "Cow",
    "Arguments",
    "Components",
    "Entry",
    "Display",
    "Peekable",
    "Windows",
];

/// Whether a type names, without lifetimes, a type that is known to have some.
fn names_hidden_lifetime(ty: &Type, borrowing: &HashSet<String>) -> bool {
    struct Finder<'a>(&'a HashSet<String>, bool);
    impl<'ast> syn::visit::Visit<'ast> for Finder<'_> {
        fn visit_path_segment(&mut self, segment: &'ast syn::PathSegment) {
            let name = segment.ident.to_string();
            let known = self.0.contains(&name) || BORROWING.contains(&name.as_str());
            let written = match &segment.arguments {
                PathArguments::AngleBracketed(list) => list
                    .args
                    .iter()
                    .any(|arg| matches!(arg, syn::GenericArgument::Lifetime(_))),
                _ => false,
            };
            self.1 |= known && !written;
            syn::visit::visit_path_segment(self, segment);
        }
    }
    let mut finder = Finder(borrowing, false);
    syn::visit::Visit::visit_type(&mut finder, ty);
    finder.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::compact;

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
            Some(
                "for<'__own___soft_mock_0>fn(&'__own___soft_mock_0 T, T)->&'__own___soft_mock_0 T",
            ),
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
            Some("impl P {}"),
            "fn f(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {}",
            Some("for<'__soft_mock_0, '__soft_mock_1, '__soft_mock_2>fn(Pin<&'__soft_mock_0 mut P>, &'__soft_mock_1 mut Context<'__soft_mock_2>)->Poll<()>"),
        );
    }
}
