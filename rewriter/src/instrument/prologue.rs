//! The check at the start of an eligible function.
//!
//! ```text
//! fn get(&self, (a, b): (u8, u8)) -> u8 { self.n + a + b }
//! fn get(&self, __soft_mock_1: (u8, u8)) -> u8 { { static …; if let Some(f) = SITE.code() { return f(self, __soft_mock_1); } } match __soft_mock_1 { (a, b) => { self.n + a + b }} }
//! ```
//!
//! Everything is inserted on the line of the opening brace; parameters that are patterns get a name
//! and are taken apart after the check, around the body: what its last expression borrows of them
//! is given back before they are dropped, as where they are parameters. Not under an attribute
//! that may be a macro and look at them (`#[instrument(skip(state))]`): what a pattern has taken
//! apart is put together again for the call.

use std::collections::HashSet;

use quote::{quote, ToTokens};
use soft_mock_abi::site::flag;
use soft_mock_abi::symbol::SITE;
use syn::spanned::Spanned;
use syn::{Attribute, Block, FnArg, Pat, PatType, Signature, Type};

use crate::analysis::eligibility::Kind;
use crate::analysis::known_attributes::is_plain;
use crate::analysis::redirected::redirected;
use crate::instrument::instance;
use crate::instrument::instance::Surroundings;
use crate::instrument::item;
use crate::instrument::prologue_check::{when_used, PrologueCheck};
use crate::instrument::support::SECTION;
use crate::syntax::attributes::body_start;
use crate::syntax::edition::Edition;
use crate::syntax::edits::{blank, Edits};
use crate::syntax::hidden_lifetimes::LifetimeCounts;
use crate::syntax::names::{plain, signature_text, Owner, PRIMITIVE_TYPES};
use crate::syntax::patterns;
use crate::syntax::signature::{output_type, pointer_type, Spelling};

/// A function that gets a prologue.
pub(crate) struct PrologueTarget<'a> {
    pub(crate) attrs: &'a [Attribute],
    pub(crate) signature: &'a Signature,
    pub(crate) block: &'a Block,
    pub(crate) owner: &'a Owner,
    /// Its module, if it has to be written down: `module_path!` would leave raw names raw.
    pub(crate) module: Option<&'a str>,
    pub(crate) around: Surroundings<'a>,
    /// There are instances of it.
    pub(crate) instances: bool,
    pub(crate) kind: Kind,
    /// Calls in progress are counted.
    pub(crate) counted: bool,
    /// It is the program's main function.
    pub(crate) main: bool,
    /// It stands in a macro: where, is known when that is expanded.
    pub(crate) expanded: bool,
}

/// What the text depends on beside the function.
pub(crate) struct Dialect<'a> {
    pub(crate) edition: Edition,
    pub(crate) borrowing: &'a HashSet<String>,
    pub(crate) lifetimes: &'a LifetimeCounts,
    /// Sites carry the id of the function's type.
    pub(crate) type_ids: bool,
    /// Those of async functions too, for mocks.
    pub(crate) mocks: bool,
    /// How it is found out that a site is used.
    pub(crate) check: PrologueCheck,
}

/// Inserts the prologue of one function.
pub(crate) fn insert(
    source: &str,
    function: &PrologueTarget<'_>,
    dialect: &Dialect<'_>,
    edits: &mut Edits,
) {
    let keeps_patterns = !is_plain(function.attrs) && !function.instances;
    let (parameters, taken) = parameters(function.signature, keeps_patterns);
    let typed = function.signature.inputs.iter();
    for (argument, parameter) in typed.zip(&parameters) {
        if let (FnArg::Typed(typed), Some(name)) = (argument, &parameter.in_place) {
            let range = typed.pat.span().byte_range();
            let text = &source[range.clone()];
            edits.replace(range, in_place_of(text, name));
        }
    }
    let arguments: Vec<String> = parameters.into_iter().map(|one| one.given).collect();
    let site = site(function, dialect);
    let check = check(function, dialect, &arguments);
    let running = match function.counted {
        true => format!("let __soft_mock_running = {SITE}.running();"),
        false => String::new(),
    };
    let text = match function.counted {
        true => format!(" {site} {check} {running} "),
        false => format!(" {{ {site} {check} }} "),
    };
    let (mut open, mut close) = (String::new(), String::new());
    for Taken { name, pattern } in &taken {
        open += &format!("match {name} {{ {pattern} => {{");
        close += "}}";
    }
    if taken.is_empty() && dialect.mocks && item::declares(function.block) {
        open.push('{');
        close.push('}');
    }
    edits.insert_before_code(body_start(function.attrs, function.block), text + &open);
    if !close.is_empty() {
        let end = function.block.brace_token.span.close().byte_range().start;
        edits.insert(end, close);
    }
}

/// A parameter that is taken apart around the body, or bound once more.
#[derive(Debug, Clone)]
pub struct Taken {
    /// Its name.
    pub name: String,
    /// The pattern.
    pub pattern: String,
}

/// A parameter of a function that is called through its site.
#[derive(Debug, Clone)]
struct Parameter {
    /// What the call is given.
    given: String,
    /// The name that it gets in place of its pattern.
    in_place: Option<String>,
}

/// The prologue's text for a function that is given as tokens: the names that parameters get in
/// place of their patterns, those that are to be taken apart, and what stands at the start of the
/// body.
pub(crate) fn text(
    function: &PrologueTarget<'_>,
    dialect: &Dialect<'_>,
) -> (Vec<Option<String>>, Vec<Taken>, String) {
    let (parameters, taken) = parameters(function.signature, false);
    let (given, names): (Vec<_>, Vec<_>) = parameters
        .into_iter()
        .map(|one| (one.given, one.in_place))
        .unzip();
    let (site, check) = (site(function, dialect), check(function, dialect, &given));
    (names, taken, format!("{{ {site} {check} }}"))
}

/// All parameters, and what is bound around the body, the first outermost. Values are dropped as
/// those of parameters are: what follows one that is taken apart is bound once more behind it, to
/// be dropped before what that one holds.
fn parameters(signature: &Signature, keeps_patterns: bool) -> (Vec<Parameter>, Vec<Taken>) {
    let mut all = Vec::new();
    let mut taken: Vec<Taken> = Vec::new();
    for (position, argument) in signature.inputs.iter().enumerate() {
        let FnArg::Typed(typed) = argument else {
            all.push(Parameter {
                given: "self".to_owned(),
                in_place: None,
            });
            continue;
        };
        let is_behind = !taken.is_empty() && may_drop(&typed.ty);
        let own = own_name(&typed.pat);
        if let Some(again) = put_together(typed).filter(|_| keeps_patterns && own.is_none()) {
            all.push(Parameter {
                given: again,
                in_place: None,
            });
            continue;
        }
        let is_own = own.is_some();
        let name = own.unwrap_or_else(|| format!("__soft_mock_{position}"));
        let bind = |pattern: String| Taken {
            name: name.clone(),
            pattern,
        };
        match &*typed.pat {
            _ if is_own && !is_behind => {}
            pattern if is_own => taken.push(bind(one_line(pattern))),
            pattern => {
                taken.extend(is_behind.then(|| bind(name.clone())));
                let is_any = matches!(pattern, Pat::Wild(_));
                taken.extend((!is_any).then(|| bind(one_line(pattern))));
            }
        }
        all.push(Parameter {
            in_place: (!is_own || is_behind).then(|| name.clone()),
            given: name,
        });
    }
    (all, taken)
}

/// Whether it can be told when a value of this type is dropped.
fn may_drop(ty: &Type) -> bool {
    match ty {
        Type::Reference(_) | Type::Ptr(_) | Type::BareFn(_) | Type::Never(_) => false,
        Type::Array(array) => may_drop(&array.elem),
        Type::Group(group) => may_drop(&group.elem),
        Type::Paren(paren) => may_drop(&paren.elem),
        Type::Tuple(tuple) => tuple.elems.iter().any(may_drop),
        Type::Path(path) => !PRIMITIVE_TYPES.iter().any(|name| path.path.is_ident(name)),
        _ => true,
    }
}

/// The name of a parameter that has one.
fn own_name(pattern: &Pat) -> Option<String> {
    match pattern {
        Pat::Ident(ident) if ident.by_ref.is_none() && ident.subpat.is_none() => {
            Some(ident.ident.to_string())
        }
        _ => None,
    }
}

fn site(function: &PrologueTarget<'_>, dialect: &Dialect<'_>) -> String {
    let core = dialect.edition.core_path();
    let section = dialect
        .edition
        .unsafe_attribute(&format!("link_section = {SECTION:?}"));
    let (before, after) = function
        .owner
        .affixes(&plain(&function.signature.ident.to_string()));
    let flags = [
        (function.kind == Kind::Async, flag::ASYNC),
        (function.counted, flag::COUNTED),
        (function.main, flag::MAIN),
        (function.instances, flag::INSTANCES),
    ];
    let flags: u32 = flags.iter().filter(|(on, _)| *on).map(|(_, bit)| bit).sum();
    let line = match function.expanded {
        true => format!("{core}::line!()"),
        false => function.signature.ident.span().start().line.to_string(),
    };
    let signature = signature_text(function.signature);
    let module = match function.module {
        Some(module) => format!("{module:?}"),
        None => format!("{core}::module_path!()"),
    };
    let has_type = dialect.type_ids && !function.instances;
    let item = match has_type && dialect.mocks {
        true => item::record(dialect.edition, function.signature, function.around),
        false => String::new(),
    };
    let type_id = has_type
        .then(|| identity(function, dialect))
        .flatten()
        .map_or(format!("{core}::option::Option::None"), |ty| {
            format!("{core}::option::Option::Some({core}::any::TypeId::of::<{ty}>)")
        });
    format!(
        "#[used] {section} static {SITE}: crate::__soft_mock::Site = crate::__soft_mock::Site::new({flags}, \
         {core}::concat!({before:?}, {module}, {after:?}), {core}::file!(), {line}, {signature:?}, {type_id});{item}"
    )
}

/// The type whose id the site carries. That of an async function, which no pointer to it has, is
/// `fn(…) -> Pending<Output>`: only mocks are compared with it.
fn identity(
    function: &PrologueTarget<'_>,
    dialect: &Dialect<'_>,
) -> Option<proc_macro2::TokenStream> {
    let spelling = match dialect.mocks {
        true => Spelling::ByCompiler(dialect.lifetimes),
        false => Spelling::Whole(dialect.borrowing),
    };
    if !(dialect.mocks && function.kind == Kind::Async) {
        return pointer_type(function.signature, function.around.item_impl, spelling);
    }
    let mut signature = function.signature.clone();
    signature.asyncness = None;
    let output = output_type(&signature);
    signature.output = syn::parse_quote!(-> ::core::future::Pending<#output>);
    pointer_type(&signature, function.around.item_impl, spelling)
}

/// Whether a macro may make its future a boxed one. Such macros rename `self`, but not where it
/// stands in a macro call with the word `fn`, as the assembly is.
fn is_boxed(function: &PrologueTarget<'_>) -> bool {
    let Surroundings {
        item_impl,
        item_trait,
        ..
    } = function.around;
    let of_trait = item_trait.is_some() || item_impl.is_some_and(|item| item.trait_.is_some());
    of_trait && function.kind == Kind::Async && function.signature.receiver().is_some()
}

fn check(function: &PrologueTarget<'_>, dialect: &Dialect<'_>, arguments: &[String]) -> String {
    let core = dialect.edition.core_path();
    let body = redirected(function.kind, function.signature, core, arguments);
    let how = match is_boxed(function) {
        true => PrologueCheck::Atomic,
        false => dialect.check,
    };
    if function.instances {
        let (signature, around) = (function.signature, function.around);
        let (items, used) = instance::taken(signature, around, core, arguments, &body);
        let atomic = format!("if {SITE}.is_hooked() {{ {used} }}");
        return items + &when_used(how, core, &atomic, &used);
    }
    let used = format!(
        "if let {core}::option::Option::Some(__soft_mock_code) = {SITE}.code() {{ {body} }}"
    );
    when_used(how, core, &used, &used)
}

/// What a parameter's pattern has taken apart, as a value of the parameter's type: a pattern may
/// also match a reference.
fn put_together(parameter: &PatType) -> Option<String> {
    let (value, ty) = (patterns::value(&parameter.pat)?, &parameter.ty);
    let again = quote!({ let __soft_mock_again: #ty = #value; __soft_mock_again });
    Some(again.to_string().replace('\n', " "))
}

/// `name`, with the line ends of the text that it replaces.
fn in_place_of(text: &str, name: &str) -> String {
    let ends: String = blank(text).chars().filter(|c| *c == '\n').collect();
    format!("{name}{ends}")
}

fn one_line(pattern: &Pat) -> String {
    pattern.to_token_stream().to_string().replace('\n', " ")
}
