//! The function-pointer type of a function, as far as it can be written without naming its types.
//!
//! ```text
//! fn live_add(a: i32, b: &str) -> u64      →   fn(_, &_) -> _
//! ```
//!
//! References are written out, so that their lifetimes are bound as declared (`for<'a> fn(&'a T)`
//! is not the type `fn(&'static T)`); what they point to is inferred. Nothing has to be in scope.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{FnArg, Ident, ReturnType, Signature, Type};

/// The parts of a function's guarded stand-in.
pub(crate) struct Pointer {
    /// `fn(_, &_) -> _`
    pub(crate) skeleton: TokenStream,
    /// One name for each argument.
    pub(crate) arguments: Vec<Ident>,
}

/// The pointer type of `signature`.
///
/// # Errors
/// Generic, async, unsafe and foreign functions and methods have none that could be called by name.
pub(crate) fn pointer(signature: &Signature) -> syn::Result<Pointer> {
    let refuse = |what: &str| {
        let text = format!("`{}` can't be found by name: {what}", signature.ident);
        Err(syn::Error::new(signature.ident.span(), text))
    };
    let has_types = signature.generics.type_params().next().is_some()
        || signature.generics.const_params().next().is_some();
    if has_types {
        return refuse("it is generic, and has no one type");
    }
    if signature.asyncness.is_some() {
        return refuse("it is async; give a function that returns a boxed future");
    }
    if signature.unsafety.is_some() || signature.abi.is_some() || signature.variadic.is_some() {
        return refuse("it is not a safe Rust function");
    }
    let mut arguments = Vec::new();
    let mut types = Vec::new();
    for (index, input) in signature.inputs.iter().enumerate() {
        let FnArg::Typed(input) = input else {
            return refuse("it is a method");
        };
        arguments.push(format_ident!("argument_{index}"));
        types.push(skeleton(&input.ty));
    }
    let output = match &signature.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => skeleton(ty),
    };
    Ok(Pointer {
        skeleton: quote!(fn(#(#types),*) -> #output),
        arguments,
    })
}

/// The type with everything but its references left to inference.
fn skeleton(ty: &Type) -> TokenStream {
    match ty {
        Type::Reference(reference) => {
            let inner = skeleton(&reference.elem);
            let is_static = reference
                .lifetime
                .as_ref()
                .is_some_and(|lifetime| lifetime.ident == "static");
            match (is_static, reference.mutability.is_some()) {
                (true, false) => quote!(&'static #inner),
                (true, true) => quote!(&'static mut #inner),
                (false, false) => quote!(&#inner),
                (false, true) => quote!(&mut #inner),
            }
        }
        Type::Tuple(tuple) => {
            let inner = tuple.elems.iter().map(skeleton);
            quote!((#(#inner,)*))
        }
        Type::Paren(paren) => skeleton(&paren.elem),
        Type::Slice(slice) => {
            let inner = skeleton(&slice.elem);
            quote!([#inner])
        }
        Type::Never(_) => quote!(!),
        _ => quote!(_),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(function: &str, expected: &str) {
        let item: syn::ItemFn = syn::parse_str(function).expect("a function");
        let text = pointer(&item.sig).map(|pointer| pointer.skeleton.to_string().replace(' ', ""));
        assert_eq!(text.unwrap_or_else(|error| error.to_string()), expected);
    }

    #[test]
    fn types_are_inferred_and_references_are_not() {
        check("fn f() {}", "fn()->()");
        check("fn f(a: i32, b: &str) -> Vec<u8> {}", "fn(_,&_)->_");
        check(
            "fn f(a: &'static str, b: &mut [u8]) -> &'static str {}",
            "fn(&'static_,&mut[_])->&'static_",
        );
        check("fn f(a: (u8, &str)) {}", "fn((_,&_,))->()");
    }

    #[test]
    fn what_has_no_one_type_is_refused() {
        check(
            "fn f<T>(a: T) {}",
            "`f` can't be found by name: it is generic, and has no one type",
        );
        check(
            "async fn f() {}",
            "`f` can't be found by name: it is async; give a function that returns a boxed future",
        );
        check(
            "unsafe fn f() {}",
            "`f` can't be found by name: it is not a safe Rust function",
        );
    }
}
