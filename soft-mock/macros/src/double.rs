//! `double!`: a type that implements a trait, each method of which waits for a mock.
//!
//! ```text
//! double!(impl Store for Fake { fn get(&self, key: &str) -> Option<u64>; });
//!
//! #[derive(…)] struct Fake;
//! impl Store for Fake {
//!     fn get(&self, key: &str) -> Option<u64> { …prologue…; unexpected("Fake", "Store", "get", place, [key]) }
//! }
//! ```
//!
//! Its methods are functions like others, found and mocked as others are. Holds no rewrite rule.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, ToTokens};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{
    parse_quote, FnArg, Ident, ImplItem, ImplItemFn, ItemImpl, ItemStruct, Pat, Path, Token,
    TraitItemFn, Type,
};

use crate::mock::shown;
use crate::mockable;

mod crates;
mod declared;

const FORM: &str = "write it as `double!(impl Trait for Name)`, or with the trait's methods, \
                    `double!(impl Trait for Name { fn method(&self) -> Result; })`";

pub(crate) fn expand(input: TokenStream) -> syn::Result<TokenStream> {
    let Input { structs, impls } = syn::parse2(input)?;
    let Some(first) = impls.first() else {
        return Err(syn::Error::new(Span::call_site(), FORM));
    };
    let written = structs.iter().map(|item| item.ident.clone());
    let own = implied(&written.collect::<Vec<_>>(), first, &impls)?;
    let impls = impls.into_iter().map(Double::expand);
    let impls = impls.collect::<syn::Result<Vec<_>>>()?;
    Ok(quote!(#(#structs)* #own #(#impls)*))
}

/// What stands between the parentheses.
struct Input {
    structs: Vec<ItemStruct>,
    impls: Vec<Double>,
}

/// One trait, and what is said of it.
struct Double {
    /// Without items.
    header: ItemImpl,
    trait_: Path,
    items: Vec<ImplItem>,
    methods: Vec<TraitItemFn>,
    /// The methods are for the declaration of the trait to say.
    is_declared: bool,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (mut structs, mut impls) = (Vec::new(), Vec::new());
        while !input.is_empty() {
            let ahead = input.fork();
            ahead.call(syn::Attribute::parse_outer)?;
            ahead.parse::<syn::Visibility>()?;
            match ahead.peek(Token![struct]) {
                true => structs.push(input.parse()?),
                false => impls.push(input.parse()?),
            }
        }
        Ok(Self { structs, impls })
    }
}

impl Parse for Double {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut tokens = TokenStream::new();
        let mut body = None;
        while !input.is_empty() && body.is_none() && !input.peek(Token![;]) {
            match input.parse()? {
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    body = Some(group.stream());
                }
                token => tokens.extend([token]),
            }
        }
        input.parse::<Option<Token![;]>>()?;
        let span = tokens.span();
        let header: ItemImpl = syn::parse2(quote!(#tokens {}))
            .map_err(|error| syn::Error::new(span, format!("{error}; {FORM}")))?;
        let Some((None, trait_, _)) = header.trait_.clone() else {
            return Err(syn::Error::new(span, FORM));
        };
        let mut double = Self {
            header,
            trait_,
            items: Vec::new(),
            methods: Vec::new(),
            is_declared: body.as_ref().is_none_or(|body| !body.is_empty()),
        };
        let items = |input: ParseStream<'_>| {
            while !input.is_empty() {
                match input.parse()? {
                    ImplItem::Verbatim(tokens) => double.methods.push(syn::parse2(tokens)?),
                    item => double.items.push(item),
                }
            }
            Ok(())
        };
        items.parse2(body.unwrap_or_default())?;
        let is_method = |item: &ImplItem| matches!(item, ImplItem::Fn(_));
        double.is_declared &= double.methods.is_empty() && !double.items.iter().any(is_method);
        Ok(double)
    }
}

/// The type, where it isn't written.
fn implied(written: &[Ident], first: &Double, all: &[Double]) -> syn::Result<TokenStream> {
    let ty = &first.header.self_ty;
    if let Some(other) = all.iter().find(|double| double.header.self_ty != *ty) {
        return Err(syn::Error::new(
            other.header.self_ty.span(),
            "one `double!` is about one type: write another one for this",
        ));
    }
    let name = match &**ty {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    };
    if name.is_some_and(|name| written.contains(&name.ident)) {
        return Ok(TokenStream::new());
    }
    let Some(name) = name.filter(|_| is_name(ty)) else {
        return Err(syn::Error::new(
            ty.span(),
            "`double!` makes a type without parameters by itself; write this one before the `impl`: \
             `struct Name<T>(…);`",
        ));
    };
    let own: Vec<String> = all.iter().filter_map(Double::trait_name).collect();
    let derived = DERIVED
        .iter()
        .filter(|group| !group.iter().any(|name| own.iter().any(|own| own == name)))
        .flat_map(|group| group.iter())
        .map(|name| match *name {
            "Debug" => quote!(::core::fmt::Debug),
            "Hash" => quote!(::core::hash::Hash),
            "Clone" => quote!(::core::clone::Clone),
            "Default" => quote!(::core::default::Default),
            other => {
                let name = format_ident!("{other}");
                quote!(::core::cmp::#name)
            }
        });
    Ok(quote! {
        #[derive(#(#derived),*)]
        #[allow(dead_code)] // It may be only a type.
        struct #name;
    })
}

/// What a type is beside the traits that are asked for; each group is derived as a whole.
const DERIVED: [&[&str]; 5] = [
    &["Debug"],
    &["Clone"],
    &["Default"],
    &["Hash"],
    &["PartialEq", "Eq", "PartialOrd", "Ord"],
];

fn is_name(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.get_ident().is_some())
}

impl Double {
    fn trait_name(&self) -> Option<String> {
        let last = self.trait_.segments.last()?;
        Some(last.ident.unraw().to_string())
    }

    fn expand(mut self) -> syn::Result<TokenStream> {
        if self.is_declared {
            let found = declared::find(&self.trait_, &self.items)?;
            self.methods = found.methods;
            self.header.attrs.extend(found.attributes);
        }
        let Self {
            mut header,
            trait_,
            items,
            methods,
            ..
        } = self;
        header.items = items;
        let notes = mockable::impl_block(&mut header)?;
        let around = header.clone();
        for method in methods {
            let mut method = without_body(method, &around, &trait_);
            mockable::method(&mut method, &around).map_err(|why| {
                let name = &method.sig.ident;
                let message = format!(
                    "`{name}` can't be mocked: {why}; give it a body, `fn {name}(…) {{ … }}`"
                );
                syn::Error::new_spanned(&method.sig.ident, message)
            })?;
            header.items.push(ImplItem::Fn(method));
        }
        let notes = notes.into_iter().map(ToTokens::into_token_stream);
        Ok(quote!(#header #(#notes)*))
    }
}

/// A method that fails where it is called.
fn without_body(method: TraitItemFn, around: &ItemImpl, trait_: &Path) -> ImplItemFn {
    let TraitItemFn {
        mut attrs, mut sig, ..
    } = method;
    let mut names = Vec::new();
    for (position, argument) in sig.inputs.iter_mut().enumerate() {
        let FnArg::Typed(typed) = argument else {
            continue;
        };
        let name = match &*typed.pat {
            Pat::Ident(pattern) => pattern.ident.clone(),
            _ => format_ident!("__soft_mock_{position}"),
        };
        typed.pat = parse_quote!(#name);
        names.push(name);
    }
    if sig.asyncness.is_none() && sig.abi.is_none() {
        attrs.push(parse_quote!(#[track_caller]));
    }
    let arguments = shown(&names);
    let [ty, of, name] = [
        text(&around.self_ty),
        text(trait_),
        sig.ident.unraw().to_string(),
    ];
    ImplItemFn {
        attrs,
        vis: syn::Visibility::Inherited,
        defaultness: None,
        sig,
        block: parse_quote!({
            ::soft_mock::__private::v1::mock::unexpected(
                [#ty, #of, #name],
                ::core::concat!(::core::file!(), ":", ::core::line!(), ":", ::core::column!()),
                #arguments,
            )
        }),
    }
}

/// Tokens as a person writes them.
fn text(tokens: &impl ToTokens) -> String {
    let text = tokens.to_token_stream().to_string();
    let joined = [" :: ", " < ", " >", "& "].iter();
    joined.fold(text, |text, sign| text.replace(sign, sign.trim()))
}
