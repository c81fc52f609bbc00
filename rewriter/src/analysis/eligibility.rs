//! Which functions get a site, and why the others don't.
//!
//! ```text
//! fn get(&self) -> u8 { … }              a site
//! async fn get(&self) -> u8 { … }        a site; its replacement returns a boxed future
//! const fn size() -> usize { … }         none: it is a const fn
//! fn any<T: Clone>(value: T) -> T { … }  none: it is generic
//! ```
//!
//! Knows nothing of the text that is inserted.

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Attribute, FnArg, GenericParam, Generics, Ident, PatIdent, Signature};

use crate::analysis::skip::is_left_out;
use crate::syntax::attributes::{has_attribute, TRACK_CALLER};
use crate::syntax::compiled_as::CompiledAs;
use crate::syntax::signature::output_type;

/// How the body of an eligible function is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The replacement returns what the function returns.
    Sync,
    /// The replacement returns a boxed future of what the function returns.
    Async,
}

/// Why a function has no site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ineligible {
    /// It has type or const parameters.
    Generic,
    /// Its impl block has type or const parameters.
    GenericImpl,
    /// It names `impl Trait`.
    ImplTrait,
    /// It returns `impl Trait`, where that alone is in the way.
    ImplTraitResult,
    /// A macro stands in the types of a function of which there are instances.
    MacroType,
    /// It is a destructor of which there are instances.
    Destructor,
    /// It is a `const fn`.
    Const,
    /// It is a trait's default method.
    TraitDefault,
    /// It is C-variadic.
    Variadic,
    /// It is naked: it has no prologue of any kind.
    Naked,
    /// It is a test or a benchmark.
    Test,
    /// It is `#[track_caller]`: its code is handed its caller's place beside its arguments.
    TrackCaller,
    /// One of its parameters stands under `#[cfg]`.
    ConditionalParameter,
    /// It stands in a body, and one of its parameters has its name: nothing there can name it.
    Hidden,
    /// It is async in a crate without the standard library: there is no box to return.
    AsyncWithoutStd,
    /// It is handed to rustc by attribute: a proc macro, a panic or allocation handler.
    Special,
    /// The compiler refused the prologue in it.
    Refused,
    /// The user wants it left alone: `soft_mock::skip`, or `skip` in the manifest.
    LeftOut,
}

impl Ineligible {
    /// Whether an edit of the body of such a function is patched by way of the functions that call
    /// it.
    pub fn is_reached_by_callers(self) -> bool {
        !matches!(self, Self::Naked | Self::Special | Self::LeftOut)
    }
}

impl std::fmt::Display for Ineligible {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Generic => "it is generic",
            Self::GenericImpl => "its impl block is generic",
            Self::ImplTrait => "it names `impl Trait`",
            Self::ImplTraitResult => "its result is `impl Trait`",
            Self::MacroType => "its type can't be written down: a macro stands in it",
            Self::Destructor => "it is a destructor of a generic type, which nothing can name",
            Self::Const => "it is a const fn",
            Self::TraitDefault => "it is a default method of a trait",
            Self::Variadic => "it is variadic",
            Self::Naked => "it is naked",
            Self::Test => "it is a test",
            Self::TrackCaller => "it is #[track_caller]",
            Self::ConditionalParameter => "one of its parameters stands under #[cfg]",
            Self::Hidden => {
                "it stands in the body of another item, and one of its parameters has its name; rename that"
            }
            Self::AsyncWithoutStd => "it is async in a no_std crate",
            Self::Special => "an attribute hands it to the compiler",
            Self::Refused => "it does not compile with a prologue",
            Self::LeftOut => "it is left out (`skip`)",
        })
    }
}

/// Where a function stands.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place<'a> {
    /// The generics of the impl block around it.
    pub impl_generics: Option<&'a Generics>,
    /// It is a default method in a trait.
    pub in_trait: bool,
    /// It stands in a body, of a function or of a constant's value, and belongs to no type.
    pub free_in_body: bool,
    /// Its impl block is one of a trait.
    pub in_trait_impl: bool,
    /// The crate has no standard library.
    pub no_std: bool,
    /// In a harness, tests are functions like others.
    pub compiled_as: CompiledAs,
}

/// Says whether a function gets a site.
pub fn classify(
    attrs: &[Attribute],
    signature: &Signature,
    place: Place<'_>,
) -> Result<Kind, Ineligible> {
    if place.free_in_body && binds_own_name(signature) {
        return Err(Ineligible::Hidden);
    }
    if is_left_out(attrs) {
        return Err(Ineligible::LeftOut);
    }
    if place.compiled_as == CompiledAs::Crate && is_test(attrs) {
        return Err(Ineligible::Test);
    }
    const SPECIAL: [&str; 6] = [
        "proc_macro",
        "proc_macro_derive",
        "proc_macro_attribute",
        "panic_handler",
        "alloc_error_handler",
        "start",
    ];
    if SPECIAL.iter().any(|name| has_attribute(attrs, name)) {
        return Err(Ineligible::Special);
    }
    if has_attribute(attrs, "naked") {
        return Err(Ineligible::Naked);
    }
    if signature.constness.is_some() {
        return Err(Ineligible::Const);
    }
    if signature.variadic.is_some() {
        return Err(Ineligible::Variadic);
    }
    if place.in_trait {
        return Err(Ineligible::TraitDefault);
    }
    if is_generic(&signature.generics) {
        return Err(Ineligible::Generic);
    }
    if place.impl_generics.is_some_and(is_generic) {
        return Err(Ineligible::GenericImpl);
    }
    if names_impl_trait(signature) && (place.in_trait_impl || !is_opaque(signature)) {
        return Err(Ineligible::ImplTrait);
    }
    if tracks_caller(attrs) {
        return Err(Ineligible::TrackCaller);
    }
    rest(signature, place)
}

/// Whether a parameter has the function's name.
fn binds_own_name(signature: &Signature) -> bool {
    struct Finder<'a>(&'a Ident, bool);
    impl<'ast> Visit<'ast> for Finder<'_> {
        fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
            self.1 |= pattern.ident == *self.0;
            visit::visit_pat_ident(self, pattern);
        }
    }
    let mut finder = Finder(&signature.ident, false);
    let inputs = signature.inputs.iter();
    inputs.for_each(|argument| finder.visit_fn_arg(argument));
    finder.1
}

/// Whether it is there for a harness alone.
fn is_test(attrs: &[Attribute]) -> bool {
    let mut names = ["test", "bench", "rstest", "test_case"].iter();
    names.any(|name| has_attribute(attrs, name))
}

/// Whether it has `#[track_caller]`, or may have under some condition.
fn tracks_caller(attrs: &[Attribute]) -> bool {
    let conditional = |attr: &Attribute| {
        attr.path().is_ident("cfg_attr")
            && attr
                .meta
                .to_token_stream()
                .to_string()
                .contains(TRACK_CALLER)
    };
    has_attribute(attrs, TRACK_CALLER) || attrs.iter().any(conditional)
}

/// As [`classify`], for tests: there, functions of which there are instances get a site as well.
/// The second is whether this is one.
pub(crate) fn classify_for_tests(
    attrs: &[Attribute],
    signature: &Signature,
    place: Place<'_>,
) -> Result<(Kind, bool), Ineligible> {
    let result = output_type(signature);
    match classify(attrs, signature, place) {
        Ok(_) if contains_impl(&result) => {}
        Err(
            Ineligible::Generic
            | Ineligible::GenericImpl
            | Ineligible::ImplTrait
            | Ineligible::TraitDefault,
        ) => {}
        // A mock has no use for its caller's place.
        Err(Ineligible::TrackCaller) => return rest(signature, place).map(|kind| (kind, false)),
        other => return other.map(|kind| (kind, false)),
    }
    if contains_impl(&result) {
        return Err(Ineligible::ImplTraitResult);
    }
    let is_unsafe = signature.unsafety.is_some();
    if signature.asyncness.is_some() && is_unsafe && names_impl_trait(signature) {
        // Nothing but `Fn`, which unsafe functions don't implement, can tie its arguments to their
        // types.
        return Err(Ineligible::ImplTrait);
    }
    rest(signature, place).map(|kind| (kind, true))
}

fn rest(signature: &Signature, place: Place<'_>) -> Result<Kind, Ineligible> {
    if signature.inputs.iter().any(is_conditional) {
        return Err(Ineligible::ConditionalParameter);
    }
    match (signature.asyncness.is_some(), place.no_std) {
        (true, true) => Err(Ineligible::AsyncWithoutStd),
        (true, false) => Ok(Kind::Async),
        (false, _) => Ok(Kind::Sync),
    }
}

pub(crate) fn is_generic(generics: &Generics) -> bool {
    generics
        .params
        .iter()
        .any(|param| !matches!(param, GenericParam::Lifetime(_)))
}

fn is_conditional(argument: &FnArg) -> bool {
    let attrs = match argument {
        FnArg::Receiver(receiver) => &receiver.attrs,
        FnArg::Typed(typed) => &typed.attrs,
    };
    attrs
        .iter()
        .any(|attr| attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr"))
}

/// Whether it is async and only its result is `impl Trait`: the compiler finds out what that is,
/// and whoever replaces it makes sure that it stays the same (see
/// `soft_mock_abi::site::has_opaque_result`).
fn is_opaque(signature: &Signature) -> bool {
    let mut arguments = ImplTraitFinder(false);
    for argument in &signature.inputs {
        arguments.visit_fn_arg(argument);
    }
    signature.asyncness.is_some() && !arguments.0
}

fn names_impl_trait(signature: &Signature) -> bool {
    let mut finder = ImplTraitFinder(false);
    finder.visit_signature(signature);
    finder.0
}

pub(crate) fn contains_impl(ty: &syn::Type) -> bool {
    let mut finder = ImplTraitFinder(false);
    finder.visit_type(ty);
    finder.0
}

struct ImplTraitFinder(bool);

impl<'ast> Visit<'ast> for ImplTraitFinder {
    fn visit_type_impl_trait(&mut self, _: &'ast syn::TypeImplTrait) {
        self.0 = true;
    }
}
