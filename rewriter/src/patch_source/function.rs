//! What is generated around one changed function.
//!
//! ```text
//! fn get(&self) -> u8 { BODY }                  in impl Store
//!     pub trait __SoftMock0 { fn __soft_mock_patch_0(&self) -> u8; }
//!     impl __SoftMock0 for Store { #[export_name = "__soft_mock_patch_0"] fn __soft_mock_patch_0(&self) -> u8 { BODY } }
//! async fn get(&self) -> u8 { BODY }
//!     … async fn __soft_mock_new_0(&self) -> u8 { BODY }
//!       fn __soft_mock_patch_0(&self) -> Pin<Box<dyn Future<Output = u8> + …>> { transmute(Box::pin(Self::__soft_mock_new_0(self))) }
//! ```
//!
//! From the parameters to the end of the body it is the user's own text. A trait carries methods
//! into this crate, so that `self` and `Self` mean what they mean at home.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote, ToTokens};
use soft_mock_abi::symbol::{patch, ASYNC_BODY};
use syn::{FnArg, ItemImpl, Pat, ReturnType, Signature};

use super::request::{PatchSourceError, PatchedCrate, HOST};
use super::site;
use super::target::Target;
use crate::analysis::eligibility::Kind;
use crate::analysis::late_type::{compares, late_type};
use crate::syntax::column_calls::{calls, in_place_of, is_redefined};
use crate::syntax::columns::Place;
use crate::syntax::edition::Edition;
use crate::syntax::mentions::contains;
use crate::syntax::names::raw;
use crate::syntax::signature::{pointer_type, Spelling};

mod header;
mod stub;

pub(super) use header::Header;
use stub::Stub;

/// The text of one function.
pub(super) struct Emitted {
    /// Before the piece.
    pub(super) before: String,
    /// The user's text, from the end of the function's name to the end of its body.
    pub(super) piece: String,
    /// After the piece.
    pub(super) after: String,
    /// The symbol that compares types.
    pub(super) check: Option<String>,
}

/// Writes one function.
pub(super) fn emit(
    target: &Target<'_>,
    options: &PatchedCrate,
    borrowing: &HashSet<String>,
    around: &[String],
) -> Result<Emitted, PatchSourceError> {
    let writer = Writer::of(target, options, around)?;
    let piece = target
        .text
        .get(target.function.place.name.end..target.function.place.body.end)
        .filter(|piece| piece.ends_with('}'))
        .ok_or_else(|| PatchSourceError::Text(target.file.path.clone()))?;
    let check = writer.check(borrowing);
    let stub = writer.stub();
    let (before, mut after) = match target.function.kind {
        Ok(Kind::Async) => writer.asynchronous(stub.as_ref()),
        _ => writer.synchronous(stub.as_ref()),
    };
    after.push_str(check.as_deref().unwrap_or_default());
    after.push_str(&writer.said_type(borrowing).unwrap_or_default());
    Ok(Emitted {
        before,
        piece: with_columns(target, blank_parameter_attributes(target, piece)),
        after,
        check: check.map(|_| site::check(target.index)),
    })
}

/// Attributes of parameters belong to macros that aren't applied here.
fn blank_parameter_attributes(target: &Target<'_>, piece: &str) -> String {
    let place = &target.function.place;
    let mut edits = crate::syntax::edits::Edits::default();
    for range in &place.parameter_attributes {
        let inner =
            range.start.saturating_sub(place.name.end)..range.end.saturating_sub(place.name.end);
        let blanked = crate::syntax::edits::blank(piece.get(inner.clone()).unwrap_or_default());
        edits.replace(inner, blanked);
    }
    edits.apply(piece)
}

/// What stands before the piece may shift its first line: `column!()` there is a number.
fn with_columns(target: &Target<'_>, piece: String) -> String {
    let Some(tokens) = piece
        .contains("column")
        .then(|| piece.parse::<TokenStream>().ok())
        .flatten()
        .filter(|_| !is_redefined(target.text))
    else {
        return piece;
    };
    let (_, before) = target.function.place.name_end;
    let mut edits = crate::syntax::edits::Edits::default();
    for call in calls(tokens) {
        let place = Place::START.behind(&piece[..call.start]);
        if place.line == 1 {
            let number = in_place_of(&piece[call.clone()], before + place.column);
            edits.replace(call, number);
        }
    }
    edits.apply(&piece)
}

struct Writer<'a> {
    target: &'a Target<'a>,
    edition: Edition,
    core: &'static str,
    signature: Signature,
    header: Option<Header>,
    /// Conditions of the function and everything around it.
    conditions: String,
}

impl<'a> Writer<'a> {
    fn of(
        target: &'a Target<'a>,
        options: &PatchedCrate,
        around: &[String],
    ) -> Result<Self, PatchSourceError> {
        let function = target.function;
        let syntax = |error: syn::Error| PatchSourceError::Syntax {
            title: function.title(),
            path: target.file.path.clone(),
            message: error.to_string(),
        };
        let text = target
            .text
            .get(function.place.signature.clone())
            .ok_or_else(|| PatchSourceError::Text(target.file.path.clone()))?;
        let signature: Signature = syn::parse_str(text).map_err(syntax)?;
        if signature.ident != function.name && signature.ident != format!("r#{}", function.name) {
            return Err(PatchSourceError::Text(target.file.path.clone()));
        }
        let header = match target.file.header_of(function) {
            Some(header) => {
                let item: ItemImpl =
                    syn::parse_str(&format!("{} {{}}", header.text)).map_err(syntax)?;
                let members = &function.mentions.members;
                let named = header.types.iter().any(|ty| contains(members, ty));
                Some(Header::new(item, named, target.index))
            }
            None => None,
        };
        let conditions = around
            .iter()
            .chain(&function.cfgs)
            .map(|condition| format!("#[{condition}] "))
            .collect();
        Ok(Self {
            target,
            edition: options.edition,
            core: options.edition.core_path_of_plugins(),
            signature,
            header,
            conditions,
        })
    }

    fn synchronous(&self, stub: Option<&Stub>) -> (String, String) {
        let name = patch(self.target.index);
        let visibility = if self.header.is_none() { "pub" } else { "" };
        let start = format!(
            "{}{} {visibility}{} fn {name}",
            self.attributes(),
            self.export(&name),
            self.qualifiers()
        );
        match &self.header {
            None => (
                format!("{}{start}", self.conditions),
                stub.map_or(String::new(), |stub| stub.text.clone()),
            ),
            Some(header) => {
                let mut declaration = self.signature.clone();
                declaration.ident = format_ident!("{name}");
                let declared = header.declare(declaration);
                let (stub_declared, stub) = Stub::in_trait(stub, header);
                let open = self.open(header, &quote!(#declared; #stub_declared));
                (format!("{open}{start}"), format!("{stub} }}"))
            }
        }
    }

    fn asynchronous(&self, stub: Option<&Stub>) -> (String, String) {
        let new = self.new_name();
        let start = format!("{}{} fn {new}", self.attributes(), self.qualifiers());
        let (wrapper, wrapper_body) = self.wrapper();
        let export = self.export(&patch(self.target.index));
        let wrapper_text = wrapper.to_token_stream();
        let not_send = self.not_send();
        match &self.header {
            None => {
                let conditions = &self.conditions;
                let not_send =
                    not_send.map_or(String::new(), |(_, text)| format!("{conditions}{text}"));
                (
                    format!("{conditions}{start}"),
                    format!(
                        " {conditions}{export} pub {wrapper_text} {wrapper_body} {not_send}{}",
                        stub.map_or("", |stub| &stub.text)
                    ),
                )
            }
            Some(header) => {
                let mut declaration = self.signature.clone();
                declaration.ident = format_ident!("{new}");
                let declared = header.declare(declaration);
                let wrapped = header.declare(wrapper);
                let checked = not_send.as_ref().map(|(signature, _)| {
                    let declared = header.declare(signature.clone());
                    quote!(#declared;)
                });
                let (stub_declared, stub) = Stub::in_trait(stub, header);
                let open = self.open(
                    header,
                    &quote!(#declared; #wrapped; #checked #stub_declared),
                );
                let not_send = not_send.map_or(String::new(), |(_, text)| text);
                (
                    format!("{open}{start}"),
                    format!(" {export} {wrapper_text} {wrapper_body} {not_send}{stub} }}"),
                )
            }
        }
    }

    /// The trait, and the impl block up to the function.
    fn open(&self, header: &Header, declarations: &TokenStream) -> String {
        let import = header.import(self.edition).map_or(String::new(), |path| {
            format!("{}use {path} as _; ", self.conditions)
        });
        format!(
            "{import}{c}{} {c}{} {{ ",
            header.trait_item(declarations),
            header.impl_start(),
            c = self.conditions
        )
    }

    /// Attributes that mean something for the body alone.
    fn attributes(&self) -> String {
        const KEPT: [&str; 5] = ["allow", "warn", "target_feature", "cold", "optimize"];
        let kept = |attribute: &&String| {
            let mut words = attribute.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            match words.next() {
                Some("cfg_attr") => {
                    KEPT.iter().any(|name| attribute.contains(name))
                        && !attribute.contains("inline")
                }
                first => first.is_some_and(|first| KEPT.contains(&first)),
            }
        };
        let attributes = self.target.function.attributes.iter().filter(kept);
        attributes
            .map(|attribute| format!("#[{attribute}] "))
            .collect()
    }

    fn export(&self, name: &str) -> String {
        self.edition
            .unsafe_attribute(&format!("export_name = {name:?}"))
    }

    /// `async unsafe extern "C"`.
    fn qualifiers(&self) -> String {
        let asyncness = &self.signature.asyncness;
        let (unsafety, abi) = (&self.signature.unsafety, &self.signature.abi);
        format!(" {}", quote!(#asyncness #unsafety #abi))
    }

    fn new_name(&self) -> String {
        format!("{ASYNC_BODY}{}", self.target.index)
    }

    /// The function's signature with plain parameter names, and the names.
    fn plain_parameters(&self) -> (Signature, Vec<TokenStream>) {
        let mut signature = self.signature.clone();
        let mut names = Vec::new();
        for (position, argument) in signature.inputs.iter_mut().enumerate() {
            match argument {
                FnArg::Receiver(receiver) => {
                    receiver.attrs.clear();
                    if receiver.reference.is_none() {
                        receiver.mutability = None;
                    }
                    names.push(quote!(self));
                }
                FnArg::Typed(typed) => {
                    typed.attrs.clear();
                    let name = format_ident!("__soft_mock_{position}");
                    *typed.pat = Pat::Verbatim(quote!(#name));
                    names.push(quote!(#name));
                }
            }
        }
        (signature, names)
    }

    /// The exported function of an async one: its signature and its body.
    fn wrapper(&self) -> (Signature, TokenStream) {
        let (mut signature, names) = self.plain_parameters();
        let new = format_ident!("{}", self.new_name());
        let (output, never) = match &self.signature.output {
            ReturnType::Default => (quote!(()), false),
            ReturnType::Type(_, ty) if matches!(**ty, syn::Type::Never(_)) => {
                (quote!(::core::convert::Infallible), true)
            }
            ReturnType::Type(_, ty) => (ty.to_token_stream(), false),
        };
        let callee = match &self.header {
            Some(_) => quote!(Self::#new),
            None => quote!(#new),
        };
        let call = match self.signature.unsafety {
            Some(_) => quote!(unsafe { #callee(#(#names),*) }),
            None => quote!(#callee(#(#names),*)),
        };
        let future = match never {
            // The type `!` can't be written as an argument.
            true => {
                quote!(async move { let never: ::core::convert::Infallible = #call.await; never })
            }
            false => call,
        };
        let send = (!self.target.request.not_send).then(|| quote!(+ ::core::marker::Send));
        signature.asyncness = None;
        signature.ident = format_ident!("{}", patch(self.target.index));
        signature.output = syn::parse_quote!(-> ::core::pin::Pin<::std::boxed::Box<
            dyn ::core::future::Future<Output = #output> + ::core::marker::Send + ::core::marker::Sync
                + ::std::panic::UnwindSafe + ::std::panic::RefUnwindSafe + 'static
        >>);
        let body = quote!({
            let future: ::core::pin::Pin<::std::boxed::Box<dyn ::core::future::Future<Output = #output> #send + '_>> =
                ::std::boxed::Box::pin(#future);
            unsafe { ::core::mem::transmute(future) }
        });
        (signature, body)
    }

    /// A function that compiles only if the host's own future is not `Send`.
    fn not_send(&self) -> Option<(Signature, String)> {
        if !self.target.request.not_send {
            return None;
        }
        let (mut signature, names) = self.plain_parameters();
        signature.asyncness = None;
        signature.output = ReturnType::Default;
        signature.ident = format_ident!("__soft_mock_not_send_{}", self.target.index);
        let name = &self.signature.ident;
        let callee = match &self.header {
            Some(header) => header.original(name),
            None => {
                let module = self
                    .target
                    .function
                    .module
                    .iter()
                    .map(|m| format_ident!("{}", raw(m)));
                let host = format_ident!("{HOST}");
                quote!(::#host #(::#module)* ::#name)
            }
        };
        let call = match self.signature.unsafety {
            Some(_) => quote!(unsafe { #callee(#(#names),*) }),
            None => quote!(#callee(#(#names),*)),
        };
        let text = format!(
            "{} {{ let future = {call}; <_ as crate::__SoftMockNotSend<_>>::check(&future); }}",
            signature.to_token_stream()
        );
        Some((signature, text))
    }

    /// The function that compares the type of the site with that of the new code.
    fn check(&self, borrowing: &HashSet<String>) -> Option<String> {
        let request = self.target.request;
        if !request.typed && !request.added {
            return None;
        }
        let item = self.header.as_ref().map(Header::item);
        let ty = match request.added {
            true => late_type(&self.signature, item, borrowing)?,
            false => pointer_type(&self.signature, item, Spelling::Whole(borrowing))?,
        };
        let name = site::check(self.target.index);
        Some(format!(
            " {}{} pub {}",
            self.conditions,
            self.export(&name),
            compares(&name, self.core, &ty)
        ))
    }
}
