//! What stands under the name of a new function in each plugin that has it: it asks the site that
//! the program has for it since the first of them, and runs the plugin's own body where that says
//! so.
//!
//! ```text
//! fn hello() -> u8 { { static CELL …; if let Some(site) = CELL[0] { if let Some(code) = site.code() { return code(); } } } __soft_mock_patch_0() }
//! ```
//!
//! So whatever leads to it, in whichever plugin, gets what was patched last.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote, ToTokens};
use soft_mock_abi::late::WORDS;
use soft_mock_abi::symbol::patch;
use syn::Signature;

use super::{Header, Writer};
use crate::analysis::eligibility::Kind;
use crate::analysis::late_type::{late_type, says};
use crate::analysis::redirected::redirected;
use crate::patch_source::request::HOST;
use crate::patch_source::site;
use crate::syntax::names::raw;

/// Its text, and what says its type.
pub(super) struct Stub {
    signature: Signature,
    pub(super) text: String,
}

impl Stub {
    /// What the trait that carries a method declares of it, and what stands in its impl block.
    pub(super) fn in_trait<'s>(
        stub: Option<&'s Self>,
        header: &Header,
    ) -> (Option<TokenStream>, &'s str) {
        let declared = stub.map(|stub| {
            let declared = header.declare(stub.signature.clone());
            quote!(#declared;)
        });
        (declared, stub.map_or("", |stub| &stub.text))
    }
}

impl Writer<'_> {
    /// None: the function isn't new.
    pub(super) fn stub(&self) -> Option<Stub> {
        if !self.target.request.added {
            return None;
        }
        let function = self.target.function;
        let is_async = function.kind == Ok(Kind::Async);
        let kind = if is_async { Kind::Async } else { Kind::Sync };
        let (mut signature, names) = self.plain_parameters();
        signature.ident = format_ident!("{}", raw(&function.name));
        let own = match is_async {
            true => self.new_name(),
            false => patch(self.target.index),
        };
        let own = format_ident!("{own}");
        let callee = match &self.header {
            Some(_) => quote!(Self::#own),
            None => quote!(#own),
        };
        let awaited = is_async.then(|| quote!(.await));
        let call = quote!(#callee(#(#names),*) #awaited);
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let redirected = redirected(kind, &signature, self.core, &names);
        let visibility = match self.header {
            Some(_) => "",
            None => &function.visibility,
        };
        let (core, cell) = (self.core, site::cell(self.target.index));
        let word = format!("{core}::sync::atomic::AtomicPtr");
        let empty = format!("{word}::new({core}::ptr::null_mut())");
        let text = format!(
            " {}#[inline(never)] {visibility} {} {{ {{ {} static __SOFT_MOCK_CELL: [{word}<::{HOST}::__soft_mock::Site>; \
             {WORDS}] = [{}]; let __soft_mock_site = __SOFT_MOCK_CELL[0].load({core}::sync::atomic::Ordering::Acquire); \
             if let {core}::option::Option::Some(__soft_mock_site) = unsafe {{ __soft_mock_site.as_ref() }} {{ \
             if let {core}::option::Option::Some(__soft_mock_code) = __soft_mock_site.code() {{ {redirected} }} }} }} \
             {call} }}",
            self.conditions,
            signature.to_token_stream(),
            self.export(&cell),
            vec![empty; WORDS].join(", "),
        );
        Some(Stub { signature, text })
    }

    /// The function that says the type which the site has, if this plugin is the first.
    pub(super) fn said_type(&self, borrowing: &HashSet<String>) -> Option<String> {
        if !self.target.request.added {
            return None;
        }
        let item = self.header.as_ref().map(Header::item);
        let ty = late_type(&self.signature, item, borrowing)?;
        let name = site::type_id(self.target.index);
        Some(format!(
            " {}{} pub {}",
            self.conditions,
            self.export(&name),
            says(&name, self.core, &ty)
        ))
    }
}
