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
    FnArg, GenericParam, Generics, ItemImpl, Lifetime, ReturnType, Signature, Type, TypeParamBound,
};

use crate::syntax::elided::{has_elided, name_elided};
use crate::syntax::hidden_lifetimes::{names_hidden_lifetime, LifetimeCounts};

/// How much of a type has to be known from the source alone.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Spelling<'a> {
    /// All of it. These types are known to have lifetime parameters: where a result names one of
    /// them without its lifetimes, they can't be written down.
    Whole(&'a HashSet<String>),
    /// What the compiler fills in as it does for the function itself may be left out. Bounds of
    /// lifetimes are dropped: what stands in for the function for all lifetimes does so for those
    /// that it takes.
    ByCompiler(&'a LifetimeCounts),
}

/// The pointer type of `signature`, a function of `owner` (none: a free function).
pub(crate) fn pointer_type(
    signature: &Signature,
    owner: Option<&ItemImpl>,
    spelling: Spelling<'_>,
) -> Option<TokenStream> {
    if signature.asyncness.is_some() {
        return None;
    }
    let bounded = |generics: &Generics| has_bounds(generics);
    let is_bounded =
        bounded(&signature.generics) || owner.is_some_and(|owner| bounded(&owner.generics));
    if is_bounded && matches!(spelling, Spelling::Whole(_)) {
        return None;
    }
    Writer::new(owner, spelling).pointer(signature, owner.map(|owner| &owner.generics))
}

/// What stands around a function of which there are instances.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'a> {
    /// The generics of the impl block or trait.
    pub(crate) generics: Option<&'a Generics>,
}

/// The pointer type of a function's instances, as it can be written in its body: with its own
/// `Self` and type parameters, and `_` for `impl Trait`.
pub(crate) fn instance_type(signature: &Signature, around: Around<'_>) -> Option<TokenStream> {
    let counts = LifetimeCounts::default();
    let mut writer = Writer::new(None, Spelling::ByCompiler(&counts));
    writer.in_body = true;
    let pointer = writer.pointer(signature, around.generics)?;
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
    spelling: Spelling<'a>,
    fresh: Vec<Lifetime>,
    receiver: Option<Lifetime>,
    elided_inputs: usize,
    /// The type is written into the function's body: `Self` means something there.
    in_body: bool,
    valid: bool,
}

impl<'a> Writer<'a> {
    fn new(owner: Option<&ItemImpl>, spelling: Spelling<'a>) -> Self {
        let mut writer = Self {
            self_type: None,
            trait_path: owner.and_then(|item| item.trait_.as_ref().map(|t| t.1.clone())),
            spelling,
            fresh: Vec::new(),
            receiver: None,
            elided_inputs: 0,
            in_body: false,
            valid: true,
        };
        if let Some(owner) = owner {
            let mut ty = (*owner.self_ty).clone();
            writer.name_elided(&mut ty, None);
            bound_object(&mut ty);
            writer.self_type = Some(ty);
        }
        writer
    }

    fn pointer(mut self, signature: &Signature, around: Option<&Generics>) -> Option<TokenStream> {
        let (inputs, output) = match self.as_written(signature) {
            Some(types) => types?,
            None => {
                let inputs = signature.inputs.iter();
                let inputs: Option<Vec<_>> = inputs.map(|argument| self.input(argument)).collect();
                (inputs?, self.output(&output_type(signature))?)
            }
        };
        let mut lifetimes: Vec<Lifetime> = lifetimes_of(&signature.generics);
        lifetimes.extend(around.map(lifetimes_of).unwrap_or_default());
        lifetimes.extend(self.fresh);
        let (unsafety, abi) = (&signature.unsafety, &signature.abi);
        let output = match &signature.output {
            ReturnType::Default => quote!(),
            ReturnType::Type(..) => quote!(-> #output),
        };
        Some(quote!(for<#(#lifetimes),*> #unsafety #abi fn(#(#inputs),*) #output))
    }

    /// The types as they stand, where the compiler fills in what they leave out just as it does for
    /// the function itself. That is so without a receiver; and where no lifetimes come in with
    /// `Self` or are left out with `impl Trait`, which would be counted.
    #[allow(clippy::type_complexity)]
    fn as_written(
        &mut self,
        signature: &Signature,
    ) -> Option<Option<(Vec<TokenStream>, TokenStream)>> {
        let output = output_type(signature);
        let own = self.self_type.as_ref().filter(|_| !self.in_body);
        let counted = own.is_some_and(|ty| ty.to_token_stream().to_string().contains('\''));
        let returns = matches!(signature.output, ReturnType::Type(..));
        if matches!(self.spelling, Spelling::Whole(_)) || !returns || counted {
            return None;
        }
        let mut inputs = Vec::new();
        for argument in &signature.inputs {
            let FnArg::Typed(typed) = argument else {
                return None;
            };
            let mut ty = (*typed.ty).clone();
            if self.in_body && leave_out_impl_trait(&mut ty) > 0 {
                return None;
            }
            self.valid &= is_spelled_out(&ty);
            self.replace_self(&mut ty);
            inputs.push(ty.to_token_stream());
        }
        let mut output = output;
        self.valid &= is_spelled_out(&output);
        self.replace_self(&mut output);
        Some(self.valid.then(|| (inputs, output.to_token_stream())))
    }

    /// Whether a type is known to leave out lifetimes of its own.
    fn hides(&self, ty: &Type) -> bool {
        match self.spelling {
            Spelling::Whole(borrowing) => names_hidden_lifetime(ty, borrowing),
            Spelling::ByCompiler(_) => false,
        }
    }

    /// Names what `ty` leaves out, each lifetime for itself or all alike.
    fn name_elided(&mut self, ty: &mut Type, all_alike: Option<&Lifetime>) {
        self.valid &= is_spelled_out(ty);
        name_elided(ty, || match all_alike {
            Some(lifetime) => lifetime.clone(),
            None => self.fresh(),
        });
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
                self.name_elided(&mut ty, None);
                self.elided_inputs += self.fresh.len() - before;
                if self.hides(&ty) {
                    self.elided_inputs += 1;
                }
                ty
            }
            FnArg::Receiver(receiver) => {
                let mut ty = (*receiver.ty).clone();
                let lifetime = self.fresh();
                let before = self.fresh.len();
                self.name_elided(&mut ty, Some(&lifetime));
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
        if self.hides(&ty) {
            return None;
        }
        let source = match (&self.receiver, self.elided_inputs, self.fresh.last()) {
            (Some(receiver), _, _) => Some(receiver.clone()),
            (None, 1, Some(only)) => Some(only.clone()),
            _ => None,
        };
        match source {
            Some(lifetime) => {
                if let Spelling::ByCompiler(counts) = self.spelling {
                    counts.fill_in(&mut ty, &lifetime);
                }
                self.name_elided(&mut ty, Some(&lifetime));
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
            lengths: matches!(self.spelling, Spelling::ByCompiler(_)),
            valid: true,
        };
        replace.visit_type_mut(ty);
        self.valid &= replace.valid;
    }
}

/// `dyn Shape` of `impl dyn Shape` is `dyn Shape + 'static`, and stays that where it is put behind
/// `&'a` in place of `Self`; written there, it would be `dyn Shape + 'a`.
fn bound_object(ty: &mut Type) {
    match ty {
        Type::Paren(paren) => bound_object(&mut paren.elem),
        Type::Group(group) => bound_object(&mut group.elem),
        Type::TraitObject(object) => {
            let is_lifetime = |bound: &TypeParamBound| matches!(bound, TypeParamBound::Lifetime(_));
            if !object.bounds.iter().any(is_lifetime) {
                object.bounds.push(syn::parse_quote!('static));
            }
        }
        _ => {}
    }
}

/// Whether nothing in a type hides what it is: a macro, `impl Trait`.
fn is_spelled_out(ty: &Type) -> bool {
    struct Finder(bool);
    impl<'ast> syn::visit::Visit<'ast> for Finder {
        fn visit_type_macro(&mut self, _: &'ast syn::TypeMacro) {
            self.0 = false;
        }
        fn visit_type_impl_trait(&mut self, _: &'ast syn::TypeImplTrait) {
            self.0 = false;
        }
        // Lifetimes aren't named in there.
        fn visit_type_bare_fn(&mut self, _: &'ast syn::TypeBareFn) {}
        fn visit_parenthesized_generic_arguments(
            &mut self,
            _: &'ast syn::ParenthesizedGenericArguments,
        ) {
        }
    }
    let mut finder = Finder(true);
    syn::visit::Visit::visit_type(&mut finder, ty);
    finder.0
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
    /// Lengths of arrays mean the same where the type is written.
    lengths: bool,
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
            // `&dyn A + B` isn't a type.
            (Some(own @ Type::TraitObject(_)), _, true) => *ty = syn::parse_quote!((#own)),
            (Some(own), _, true) => *ty = own.clone(),
            (Some(own), Some(tr), false) => *ty = syn::parse_quote!(<#own as #tr>::#(#rest)::*),
            _ => self.valid = false,
        }
    }

    fn visit_expr_mut(&mut self, length: &mut syn::Expr) {
        self.valid &= self.lengths && !names_self(length.to_token_stream());
    }
}

fn names_self(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => names_self(group.stream()),
        TokenTree::Ident(name) => name == "Self",
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

fn mentions(ty: &Type, lifetime: &Lifetime) -> bool {
    let sign = lifetime.ident.to_string();
    ty.to_token_stream().to_string().contains(&sign)
}

#[cfg(test)]
mod tests;
