//! The check at the start of a function of which there are instances: a generic one, a method of a
//! generic impl block, a trait's default method, one with `impl Trait` arguments.
//!
//! ```text
//! fn any<T: Clone>(value: T) -> T { … }
//! fn any<T: Clone>(value: T) -> T { {
//!     static SITE: Site = …; struct Here; impl crate::__soft_mock::Here for Here { … &SITE }
//!     if SITE.is_hooked() {
//!         if let Some(code) = crate::__soft_mock::instance::<_, fn(T) -> T, Here>(self::any::<T>) { return code(value); }
//!     }
//! } … }
//! ```
//!
//! A static can't belong to an instance, so all share one site, and what tells them apart is the
//! type of the function itself. That each instance which was compiled leaves a record of itself,
//! also if it is never called, is what `support` does. Only for tests: plugins know nothing of
//! instances.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, ToTokens};
use soft_mock_abi::section::INSTANCES;
use soft_mock_abi::symbol::SITE;
use syn::{FnArg, GenericParam, Generics, Ident, ItemImpl, ItemTrait, Signature};

use crate::analysis::eligibility::{contains_impl, Ineligible};
use crate::syntax::edition::Edition;
use crate::syntax::signature::{instance_type, Around};

/// What stands around a function.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Surroundings<'a> {
    pub(crate) item_impl: Option<&'a ItemImpl>,
    pub(crate) item_trait: Option<&'a ItemTrait>,
    /// It stands in a body, where no path from a module leads.
    pub(crate) in_body: bool,
}

impl Surroundings<'_> {
    fn around(&self) -> Around<'_> {
        Around {
            generics: match (self.item_impl, self.item_trait) {
                (Some(item), _) => Some(&item.generics),
                (None, item) => item.map(|item| &item.generics),
            },
        }
    }

    /// The function as an expression in its own body.
    fn item(&self, signature: &Signature) -> TokenStream {
        let name = &signature.ident;
        let own = match (self.item_impl, self.item_trait) {
            (Some(item), _) => match &item.trait_ {
                Some((_, path, _)) => quote!(<Self as #path>::#name),
                None => quote!(Self::#name),
            },
            (None, Some(item)) => {
                let (name_of, arguments) = (&item.ident, own_arguments(&item.generics, true));
                quote!(<Self as #name_of #arguments>::#name)
            }
            (None, None) => free(name, self.in_body),
        };
        let arguments = own_arguments(&signature.generics, false);
        match arguments.is_empty() {
            true => own,
            false => quote!(#own::#arguments),
        }
    }
}

/// A free function as an expression in its own body: parameters of its name are in the way of the
/// name alone.
pub(crate) fn free(name: &Ident, in_body: bool) -> TokenStream {
    match in_body {
        true => quote!(#name),
        false => quote!(self::#name),
    }
}

/// `<T, N>`: lifetimes of a function can be left out, and those that are bound late have to be.
fn own_arguments(generics: &Generics, lifetimes: bool) -> TokenStream {
    let names: Vec<TokenStream> = generics
        .params
        .iter()
        .filter_map(|param| match param {
            GenericParam::Type(param) => Some(param.ident.to_token_stream()),
            GenericParam::Const(param) => Some(param.ident.to_token_stream()),
            GenericParam::Lifetime(param) => lifetimes.then(|| param.lifetime.to_token_stream()),
        })
        .collect();
    match names.is_empty() {
        true => TokenStream::new(),
        false => quote!(<#(#names),*>),
    }
}

/// Why the instances of the function can't be told apart in its body.
pub(crate) fn hindrance(
    signature: &Signature,
    surroundings: Surroundings<'_>,
) -> Option<Ineligible> {
    if is_destructor(signature, surroundings) {
        return Some(Ineligible::Destructor);
    }
    let ty = type_of(signature, surroundings);
    ty.is_none().then_some(Ineligible::MacroType)
}

/// Whether it is what the compiler lets nobody name.
pub(crate) fn is_destructor(signature: &Signature, surroundings: Surroundings<'_>) -> bool {
    let of = surroundings.item_impl.and_then(|item| item.trait_.as_ref());
    let of = of.map(|(_, path, _)| path.to_token_stream().to_string().replace(' ', ""));
    let of = of.as_deref().map(|path| path.trim_start_matches("::"));
    signature.ident == "drop" && matches!(of, Some("Drop" | "std::ops::Drop" | "core::ops::Drop"))
}

fn type_of(signature: &Signature, surroundings: Surroundings<'_>) -> Option<TokenStream> {
    let mut signature = signature.clone();
    if signature.asyncness.take().is_some() {
        let output = crate::syntax::signature::output_type(&signature);
        signature.output = syn::parse_quote!(-> ::core::future::Pending<#output>);
    }
    instance_type(&signature, surroundings.around())
}

/// The items that the check of a function with instances needs, and what it does once the site is
/// used.
///
/// `taken` is what is done with `__soft_mock_code`; `arguments` are the names of all parameters.
pub(crate) fn taken(
    signature: &Signature,
    surroundings: Surroundings<'_>,
    core: &str,
    arguments: &[String],
    taken: &str,
) -> (String, String) {
    let Some(pointer) = type_of(signature, surroundings) else {
        return Default::default(); // Never: who has no type isn't eligible.
    };
    let item = surroundings.item(signature);
    let code = match ties(signature, core, arguments) {
        None => format!("crate::__soft_mock::instance::<_, {pointer}, __SoftMockHere>({item})"),
        // The types of `impl Trait` have no names: the arguments tell them.
        Some(Ties { functions, values }) => {
            let option = format!("{core}::option::Option");
            // What identifies an async function is no pointer to it: its item is tied for itself.
            let (none_or_item, also) = match signature.asyncness {
                Some(_) => (
                    format!("{option}::None"),
                    format!("__soft_mock_tie_item(&__soft_mock_item, {values});"),
                ),
                None => (format!("{option}::Some(__soft_mock_item)"), String::new()),
            };
            format!(
                "{{ {functions} let __soft_mock_item = {item}; \
                 let __soft_mock_pointer: {option}<{pointer}> = {none_or_item}; \
                 __soft_mock_tie(__soft_mock_pointer, {values}); {also} \
                 crate::__soft_mock::instance_like::<_, _, __SoftMockHere>(__soft_mock_item, __soft_mock_pointer) }}"
            )
        }
    };
    let items = format!(
        "struct __SoftMockHere; impl crate::__soft_mock::Here for __SoftMockHere {{ \
         fn site() -> &'static crate::__soft_mock::Site {{ &{SITE} }} }} "
    );
    let used =
        format!("if let {core}::option::Option::Some(__soft_mock_code) = {code} {{ {taken} }}");
    (items, used)
}

/// Functions that say that arguments have the types of a pointer's or an item's parameters.
struct Ties {
    functions: TokenStream,
    /// What they are given.
    values: String,
}

fn ties(signature: &Signature, core: &str, arguments: &[String]) -> Option<Ties> {
    let is_impl =
        |argument: &FnArg| matches!(argument, FnArg::Typed(typed) if contains_impl(&typed.ty));
    if !signature.inputs.iter().any(is_impl) {
        return None;
    }
    let all: Vec<_> = (0..arguments.len())
        .map(|at| format_ident!("__A{at}"))
        .collect();
    let tied: Vec<_> = signature.inputs.iter().map(is_impl).collect();
    let types = all.iter().zip(&tied).filter(|(_, tied)| **tied);
    let types: Vec<_> = types.map(|(ty, _)| quote!(_: &#ty)).collect();
    let values = arguments.iter().zip(&tied).filter(|(_, tied)| **tied);
    let values: Vec<String> = values.map(|(name, _)| format!("&{name}")).collect();
    let (unsafety, abi) = (&signature.unsafety, &signature.abi);
    let core: TokenStream = core.parse().unwrap_or_default();
    let mut functions = quote! {
        fn __soft_mock_tie<#(#all,)* __R>(_: #core::option::Option<#unsafety #abi fn(#(#all),*) -> __R>, #(#types),*) {}
    };
    if signature.asyncness.is_some() {
        functions.extend(quote! {
            fn __soft_mock_tie_item<__F: #core::ops::Fn(#(#all),*) -> __R, #(#all,)* __R>(_: &__F, #(#types),*) {}
        });
    }
    Some(Ties {
        functions,
        values: values.join(", "),
    })
}

/// What the checks call; stands in the support module.
///
/// `instance` holds no code for its record: the assembler puts it into a section of the program,
/// once for every instance that is compiled. The linker keeps it (`R`), although nothing refers to
/// it.
pub(crate) fn support(edition: Edition) -> String {
    SUPPORT
        .replace("$core", edition.core_path())
        .replace("$section", INSTANCES)
}

const SUPPORT: &str = r#"
    #[repr(C)] pub struct Instance { item: fn() -> $core::any::TypeId, pointer: fn() -> $core::any::TypeId, name: fn() -> &'static str, signature: fn() -> &'static str, site: &'static Site }
    pub trait Here { fn site() -> &'static Site; }
    impl Site { #[inline(always)] pub fn is_hooked(&'static self) -> bool { !self.hook.load(Ordering::Acquire).is_null() } }
    fn erased<T: ?Sized>() -> $core::any::TypeId {
        trait Id { fn id(&self) -> $core::any::TypeId where Self: 'static; }
        impl<T: ?Sized> Id for $core::marker::PhantomData<T> { fn id(&self) -> $core::any::TypeId where Self: 'static { $core::any::TypeId::of::<T>() } }
        let of = $core::marker::PhantomData::<T>;
        unsafe { $core::mem::transmute::<&dyn Id, &(dyn Id + 'static)>(&of) }.id()
    }
    extern "C" fn describe<F, I, H: Here>(into: *mut Instance) {
        let instance = Instance { item: erased::<F>, pointer: erased::<I>, name: $core::any::type_name::<F>, signature: $core::any::type_name::<I>, site: H::site() };
        unsafe { into.write(instance) }
    }
    #[cold] #[inline(never)] pub fn instance<F, I, H: Here>(_item: F) -> Option<unsafe fn()> {
        unsafe { $core::arch::asm!(".pushsection $section,\"awR\",@progbits", ".balign 8", ".quad 1", ".quad {0}", ".popsection", sym describe::<F, I, H>, options(nomem, nostack, preserves_flags)) };
        let resolve = match H::site().code() { Option::Some(code) => code, Option::None => return Option::None };
        let item = erased::<F>();
        unsafe { $core::mem::transmute::<unsafe fn(), unsafe extern "C" fn(*const $core::any::TypeId) -> Option<unsafe fn()>>(resolve)(&item) }
    }
    #[cold] #[inline(never)] pub fn instance_like<F, I, H: Here>(item: F, _pointer: Option<I>) -> Option<unsafe fn()> { instance::<F, I, H>(item) }
"#;
