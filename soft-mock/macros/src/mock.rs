//! `mock!` and `mock_everywhere!`: a closure with written types becomes code of exactly the type
//! that they say, with its lifetimes bound as a function's are.
//!
//! ```text
//! mock!(store::name_of, move |user: &User| -> &str { "nobody" })
//! {
//!     fn install<F: Fn(&User) -> &str + Send + Sync + 'static>(target, closure: F) -> Mocked {
//!         fn code<F: Fn(&User) -> &str + 'static>(a: &User) -> &str { (Call::take().closure::<F>())(a) }
//!         install::<fn(&User) -> &str, …>(target, code::<F>, closure)
//!     }
//!     let _: fn(&User) -> &str = store::name_of;
//!     install(Target::item(&store::name_of), move |user| "nobody")
//! }
//! ```
//!
//! The runtime compares all types, so no `unsafe` is needed, but for async functions: that the code
//! which is written here is one for the type which is written here no function could find out,
//! since only this module knows how the lifetimes of both belong together. It works in crates that
//! forbid `unsafe`, as lints are about their own code.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned, ToTokens};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::visit_mut::VisitMut;
use syn::{
    Abi, Expr, ExprClosure, ExprLit, Lifetime, Lit, LitStr, Pat, ReturnType, Stmt, Token, Type,
};

use crate::lifetimes::{declared, has_unnamed, Rename, Written};

mod asynchronous;
mod compared;
mod inferred;
mod when;

const FORM: &str = "write it as `mock!(path::to::function, |argument: Type| -> Result { … })`";

pub(crate) fn expand(input: TokenStream, everywhere: bool) -> syn::Result<TokenStream> {
    let input: Input = syn::parse2(input)?;
    if inferred::is_meant(&input) {
        return inferred::write(&input, everywhere);
    }
    let mock = Mock::new(&input)?;
    mock.write(&input, everywhere)
}

/// What stands between the parentheses.
struct Input {
    /// `local`: the future of an async mock needn't be `Send`.
    local: Option<Span>,
    /// The closure changes what it holds.
    mutable: Option<Token![mut]>,
    unsafety: Option<Token![unsafe]>,
    abi: Option<Abi>,
    target: Target,
    /// Which calls the mock takes.
    when: Option<ExprClosure>,
    before: Vec<Stmt>,
    closure: ExprClosure,
}

pub(crate) enum Target {
    Path(Box<Expr>),
    Name(LitStr),
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let local = local(input)?;
        let mutable = input.parse::<Option<Token![mut]>>()?;
        let unsafety = input.parse::<Option<Token![unsafe]>>()?;
        let abi = input.parse()?;
        let target = target(input)?;
        if input.is_empty() {
            return Err(input.error(format!("the mock is missing: {FORM}")));
        }
        input.parse::<Token![,]>()?;
        let when = when::parse(input)?;
        let (before, closure) = closure(input.parse()?)?;
        when::check(when.as_ref(), &closure)?;
        input.parse::<Option<Token![,]>>()?;
        if !input.is_empty() {
            return Err(input.error(format!("nothing can follow the mock: {FORM}")));
        }
        if let (Some(mutable), Some(_)) = (&mutable, &closure.asyncness) {
            return Err(syn::Error::new_spanned(
                mutable,
                "calls of an async mock go on side by side, so none of them can change what it holds",
            ));
        }
        match (local, &target) {
            (Some(span), _) if closure.asyncness.is_none() => Err(syn::Error::new(
                span,
                "only the future of an async mock can be local",
            )),
            (Some(span), _) if unsafety.is_some() => Err(syn::Error::new(
                span,
                "`local` is compared with the function's own future, which can't be had of an unsafe function",
            )),
            (Some(span), Target::Name(_)) => Err(syn::Error::new(
                span,
                "`local` is compared with the function's own future: name it by its path",
            )),
            _ => Ok(Self {
                local,
                mutable,
                unsafety,
                abi,
                target,
                when,
                before,
                closure,
            }),
        }
    }
}

/// `local` before a path.
pub(crate) fn local(input: ParseStream<'_>) -> syn::Result<Option<Span>> {
    let ahead = input.fork();
    let word: Option<syn::Ident> = ahead.parse().ok();
    let is_word = word.is_some_and(|word| word == "local");
    let ends = ahead.is_empty() || ahead.peek(Token![,]) || ahead.peek(Token![::]);
    match is_word && !ends {
        true => input.parse::<syn::Ident>().map(|word| Some(word.span())),
        false => Ok(None),
    }
}

pub(crate) fn target(input: ParseStream<'_>) -> syn::Result<Target> {
    if input.peek(LitStr) {
        return input.parse().map(Target::Name);
    }
    let given: Expr = input.parse()?;
    match plain(&given) {
        Expr::Path(_) => Ok(Target::Path(Box::new(given))),
        Expr::Lit(ExprLit {
            lit: Lit::Str(name),
            ..
        }) => Ok(Target::Name(name.clone())),
        _ => Err(syn::Error::new_spanned(
            given,
            "name the function by its path (`store::get`, `Store::get`, `<Store as Read>::read`) or by \
             its name as a text (`\"app::store::get\"`)",
        )),
    }
}

/// What a macro was given as a whole (`$f:path`), without the group that holds it together.
fn plain(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => plain(&group.expr),
        other => other,
    }
}

/// The closure, and what stands before it in a block.
pub(crate) fn closure(expr: Expr) -> syn::Result<(Vec<Stmt>, ExprClosure)> {
    match expr {
        Expr::Closure(closure) => Ok((Vec::new(), closure)),
        Expr::Paren(paren) => closure(*paren.expr),
        Expr::Group(group) => closure(*group.expr),
        Expr::Block(block) if block.label.is_none() && block.attrs.is_empty() => {
            let mut before = block.block.stmts;
            match before.pop() {
                Some(Stmt::Expr(last, None)) => {
                    let (inner, found) = closure(last)?;
                    before.extend(inner);
                    Ok((before, found))
                }
                other => Err(syn::Error::new(
                    other.map_or(Span::call_site(), |other| other.span()),
                    format!("the block must end with the closure: {FORM}"),
                )),
            }
        }
        other => Err(syn::Error::new_spanned(
            other,
            format!("a mock is a closure with its types: {FORM}"),
        )),
    }
}

/// The signature that the closure's types spell.
struct Mock {
    lifetimes: Vec<Lifetime>,
    patterns: Vec<Pat>,
    types: Vec<Type>,
    output: ReturnType,
}

impl Mock {
    fn new(input: &Input) -> syn::Result<Self> {
        let closure = &input.closure;
        let mut patterns = Vec::new();
        let mut types = Vec::new();
        for argument in &closure.inputs {
            let Pat::Type(typed) = argument else {
                return Err(syn::Error::new_spanned(
                    argument,
                    "write the argument's type as the function declares it: `|argument: Type| -> Result { … }`",
                ));
            };
            patterns.push((*typed.pat).clone());
            types.push((*typed.ty).clone());
        }
        let mut found = Written::default();
        types.iter().for_each(|ty| found.visit_type(ty));
        found.visit_return_type(&closure.output);
        if let Some(span) = found.inferred {
            return Err(syn::Error::new(
                span,
                "the types of a mock can't be inferred: write this one as the function declares it",
            ));
        }
        let lifetimes = match &closure.lifetimes {
            Some(bound) => declared(&bound.lifetimes),
            None => found.lifetimes,
        };
        Ok(Self {
            lifetimes,
            patterns,
            types,
            output: closure.output.clone(),
        })
    }

    fn write(&self, input: &Input, everywhere: bool) -> syn::Result<TokenStream> {
        let form = form(input, everywhere);
        let identity = self.pointer(input, &self.output);
        let (install, call) = match input.closure.asyncness {
            Some(_) => (
                self.install_async(input, &identity, &form)?,
                self.async_closure(input),
            ),
            None => (self.install(input, &identity, &form), self.closure(input)),
        };
        let before = &input.before;
        let when = when::closure(input);
        let target = match &input.target {
            Target::Path(path) => self.target(input, path),
            Target::Name(name) => quote!(::soft_mock::__private::v1::mock::Target::name(#name)),
        };
        let span = Span::mixed_site().located_at(input.closure.or1_token.span());
        Ok(quote_spanned! {span=> {
            #install
            let __soft_mock_target = #target;
            #(#before)*
            __soft_mock_install(__soft_mock_target, #call, #when)
        }})
    }

    /// The type of a pointer to the function.
    fn pointer(&self, input: &Input, output: &impl ToTokens) -> TokenStream {
        let Self {
            lifetimes, types, ..
        } = self;
        let (unsafety, abi) = (&input.unsafety, &input.abi);
        let output = match input.closure.asyncness {
            Some(_) => {
                let ty = self.output_type();
                quote!(-> ::core::future::Pending<#ty>)
            }
            None => quote!(#output),
        };
        quote!(for<#(#lifetimes),*> #unsafety #abi fn(#(#types),*) #output)
    }

    fn output_type(&self) -> TokenStream {
        match &self.output {
            ReturnType::Default => quote!(()),
            ReturnType::Type(_, ty) => quote!(#ty),
        }
    }

    /// The function as a target. On the way the compiler compares the closure's types with the
    /// function's, for the sake of its message: what this can't tell, how lifetimes are bound, is
    /// compared when the mock is installed. The types also say which instance of a generic function
    /// is meant: so the path stands here once.
    fn target(&self, input: &Input, path: &Expr) -> TokenStream {
        let function = syn::Ident::new("__soft_mock_function", path.span());
        let target = quote!(::soft_mock::__private::v1::mock::Target::item(&#function));
        if input.closure.asyncness.is_some() {
            // Unsafe functions don't implement `Fn`; what they are is compared when the mock is
            // installed.
            let check = match input.unsafety {
                None => self.check_async(input, &function),
                Some(_) => quote!(),
            };
            return quote_spanned!(path.span()=> { let #function = #path; #check #target });
        }
        let names_lifetimes = !self.lifetimes.is_empty() || self.types.iter().any(has_unnamed);
        if names_lifetimes {
            let pointer = compared::Pointer {
                bounds: input.closure.lifetimes.as_ref(),
                lifetimes: &self.lifetimes,
                types: &self.types,
                output: &self.output,
                words: [
                    input.unsafety.to_token_stream(),
                    input.abi.to_token_stream(),
                ],
            };
            return pointer.target(path, &function, &target);
        }
        let Self { types, output, .. } = self;
        let (unsafety, abi) = (&input.unsafety, &input.abi);
        quote_spanned! {path.span()=> {
            let #function = #path;
            let __soft_mock_target = #target;
            #[allow(clippy::type_complexity)] // It is the function's type.
            let _: #unsafety #abi fn(#(#types),*) #output = #function;
            __soft_mock_target
        }}
    }

    fn names(&self) -> Vec<syn::Ident> {
        (0..self.types.len())
            .map(|position| format_ident!("__soft_mock_{position}"))
            .collect()
    }

    fn install(&self, input: &Input, identity: &TokenStream, form: &TokenStream) -> TokenStream {
        let Self {
            lifetimes,
            types,
            output,
            ..
        } = self;
        let names = self.names();
        let abi = &input.abi;
        // The code's own lifetimes can't have the names of those in the bound.
        let mut rename = Rename;
        let (mut own, mut own_types, mut own_output) =
            (lifetimes.clone(), types.clone(), output.clone());
        own.iter_mut()
            .for_each(|lifetime| rename.visit_lifetime_mut(lifetime));
        own_types
            .iter_mut()
            .for_each(|ty| rename.visit_type_mut(ty));
        rename.visit_return_type_mut(&mut own_output);
        let result = match output {
            // What never comes can be written as a result, but not as a type of its own.
            ReturnType::Type(_, ty) if matches!(when::unwrapped(ty), Type::Never(_)) => {
                quote!(-> <fn() -> ! as ::soft_mock::__private::v1::mock::Returns>::Of)
            }
            // More bounds follow.
            ReturnType::Type(_, ty) if ends_with_bounds(ty) => quote!(-> (#ty)),
            output => quote!(#output),
        };
        let turns = Turns::of(input);
        let (kind, more, held) = (&turns.kind, &turns.more, &turns.held);
        let bound = quote!(for<#(#lifetimes),*> #kind(#(#types),*) #result);
        let run = turns.run(&quote!(call.closure::<(#held, __W)>().0), &names);
        let hold = turns.hold();
        let (when_bound, looks) = (when::bound(lifetimes, types), when::looks(&names, types));
        let arguments = shown(&names);
        let next = match input.unsafety {
            // SAFETY: who calls the function has kept to what it asks.
            Some(_) => quote!(unsafe { next(#(#names),*) }),
            None => quote!(next(#(#names),*)),
        };
        quote! {
            #[track_caller]
            fn __soft_mock_install<__F: #bound #more, __W: #when_bound + ::core::marker::Send + ::core::marker::Sync + 'static>(
                target: ::core::result::Result<::soft_mock::__private::v1::mock::Target, ::soft_mock::MockError>,
                closure: __F,
                when: __W,
            ) -> ::soft_mock::Mocked {
                #[allow(unreachable_code, clippy::diverging_sub_expression)] // Behind what never returns.
                #abi fn __soft_mock_code<#(#own,)* __F: #bound + 'static, __W: #when_bound + 'static>(#(#names: #own_types),*) #own_output {
                    let mut call = ::soft_mock::__private::v1::mock::Call::take();
                    if call.is_recorded() {
                        let fits = (call.closure::<(#held, __W)>().1)(#(#looks),*);
                        call = match ::soft_mock::__private::v1::mock::admit::<#identity>(call, fits, #arguments) {
                            ::core::result::Result::Ok(call) => call,
                            ::core::result::Result::Err(next) => return #next,
                        };
                    }
                    #run
                }
                ::soft_mock::__private::v1::mock::install::<#identity, (#held, __W)>(target, #form, __soft_mock_code::<__F, __W>, (#hold, when))
            }
        }
    }

    /// The closure without its types: the bound says them, lifetimes included.
    fn closure(&self, input: &Input) -> TokenStream {
        let (capture, body) = (&input.closure.capture, &input.closure.body);
        let patterns = &self.patterns;
        quote!(#capture |#(#patterns),*| #body)
    }
}

/// Whether a `+` behind the type would be one of its own: `&dyn Shape`.
fn ends_with_bounds(ty: &Type) -> bool {
    match ty {
        Type::Group(group) => ends_with_bounds(&group.elem),
        Type::Reference(reference) => ends_with_bounds(&reference.elem),
        Type::Ptr(pointer) => ends_with_bounds(&pointer.elem),
        Type::BareFn(function) => match &function.output {
            ReturnType::Type(_, ty) => ends_with_bounds(ty),
            ReturnType::Default => false,
        },
        Type::TraitObject(_) => true,
        _ => false,
    }
}

fn form(input: &Input, everywhere: bool) -> TokenStream {
    let (is_unsafe, is_async) = (input.unsafety.is_some(), input.closure.asyncness.is_some());
    let when = when::text(input);
    quote! {
        ::soft_mock::__private::v1::mock::Form { is_unsafe: #is_unsafe, is_async: #is_async, everywhere: #everywhere, when: #when }
    }
}

/// How the closure is held: as it is, or to be called by one thread at a time.
struct Turns {
    mutable: bool,
    kind: TokenStream,
    /// Further bounds.
    more: TokenStream,
    held: TokenStream,
}

impl Turns {
    fn of(input: &Input) -> Self {
        match input.mutable {
            Some(_) => Self {
                mutable: true,
                kind: quote!(::core::ops::FnMut),
                more: quote!(+ ::core::marker::Send + 'static),
                held: quote!(::soft_mock::__private::v1::mock::Turns<__F>),
            },
            None => Self {
                mutable: false,
                kind: quote!(::core::ops::Fn),
                more: quote!(+ ::core::marker::Send + ::core::marker::Sync + 'static),
                held: quote!(__F),
            },
        }
    }

    /// What is held of `closure`.
    fn hold(&self) -> TokenStream {
        match self.mutable {
            true => quote!(::soft_mock::__private::v1::mock::Turns::new(closure)),
            false => quote!(closure),
        }
    }

    /// A call of what is held.
    fn run(&self, held: &TokenStream, arguments: &[syn::Ident]) -> TokenStream {
        match self.mutable {
            true => quote! {
                let turn = #held.wait();
                let mut closure = ::soft_mock::__private::v1::mock::Turns::closure(&turn);
                let result = (*closure)(#(#arguments),*);
                result
            },
            false => quote!((#held)(#(#arguments),*)),
        }
    }
}

/// A closure that shows the arguments of a call.
pub(crate) fn shown(names: &[syn::Ident]) -> TokenStream {
    quote! {
        || {
            #[allow(unused_imports)]
            use ::soft_mock::__private::v1::mock::{AsDebug as _, AsUnknown as _};
            ::std::vec![#((&::soft_mock::__private::v1::mock::Shown(&#names)).__soft_mock_shown()),*]
        }
    }
}
