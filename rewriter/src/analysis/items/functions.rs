//! Reads one function.

use std::ops::Range;
use std::path::Path;

use proc_macro2::{Span, TokenStream};
use quote::{quote, ToTokens};
use syn::spanned::Spanned;
use syn::{AttrStyle, Attribute, Block, FnArg, ItemImpl, Signature, Visibility};

use super::aspects::{attributes, cfgs, read_by_macros};
use super::declared::{DeclaredFunction, FunctionPlace, TextPlace};
use crate::analysis::eligibility::{classify, Place};
use crate::analysis::local_items::LocalItems;
use crate::syntax::compiled_as::CompiledAs;
use crate::syntax::mentions::{contains, Mentions};
use crate::syntax::names::{plain, signature_text, Owner};
use crate::syntax::normalize::{fingerprint, normalize, Fingerprint};
use crate::syntax::tree::left_out;

/// The text that spans refer to.
pub(super) struct Source<'a> {
    text: &'a str,
    /// Bytes at the start that the parser leaves out: a byte order mark and a `#!` line.
    skipped: usize,
    compiled_as: CompiledAs,
    path: &'a Path,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str, compiled_as: CompiledAs, path: &'a Path) -> Self {
        Self {
            text,
            skipped: left_out(text),
            compiled_as,
            path,
        }
    }

    /// The bytes of a span.
    pub(super) fn range(&self, span: Span) -> Range<usize> {
        let range = span.byte_range();
        range.start + self.skipped..range.end + self.skipped
    }

    /// Where an item stands.
    pub(super) fn place(&self, item: &impl Spanned) -> TextPlace {
        let span = item.span();
        let start = span.start();
        TextPlace {
            range: self.range(span),
            start: (start.line, start.column),
        }
    }

    pub(super) fn text(&self, range: Range<usize>) -> String {
        self.text.get(range).unwrap_or_default().to_owned()
    }
}

/// The macro that says in which file it is called: in another one, it is other code.
const FILE: &str = "file";

type Syntax<'a> = (&'a [Attribute], &'a Visibility, &'a Signature, &'a Block);

pub(super) fn function(
    source: &Source<'_>,
    (attrs, vis, signature, block): Syntax<'_>,
    owner: Owner,
    item_impl: Option<&ItemImpl>,
    (module, around): (&[String], &[String]),
) -> DeclaredFunction {
    let place = Place {
        impl_generics: item_impl.map(|item| &item.generics),
        in_trait_impl: item_impl.is_some_and(|item| item.trait_.is_some()),
        compiled_as: source.compiled_as,
        ..Place::default()
    };
    let patterns = signature.inputs.iter().map(|argument| match argument {
        FnArg::Receiver(receiver) => receiver.to_token_stream(),
        FnArg::Typed(typed) => typed.pat.to_token_stream(),
    });
    let [docs, parameter_attributes] = read_by_macros(attrs, signature);
    let mentions = Mentions::of(quote!(#signature #block));
    let mut body = fingerprint(quote!(#(#patterns)* #block));
    if contains(&mentions.macros, FILE) {
        let name = Fingerprint::of_bytes(source.path.as_os_str().as_encoded_bytes());
        body = Fingerprint::joined([body, name]);
    }
    DeclaredFunction {
        name: plain(&signature.ident.to_string()),
        owner,
        in_trait: None,
        module: module.to_vec(),
        header: None,
        line: signature.ident.span().start().line,
        cfgs: cfgs(around, attrs),
        attributes: attributes(attrs),
        docs,
        parameter_attributes,
        signature: signature_text(signature),
        visibility: normalize(vis.to_token_stream()),
        kind: classify(attrs, signature, place),
        place: place_of(source, attrs, signature, block),
        body,
        local_items: LocalItems::of(block),
        mentions,
        types: Mentions::of(types_of(signature)).all,
    }
}

/// What the signature says of types.
fn types_of(signature: &Signature) -> TokenStream {
    let (generics, output) = (&signature.generics, &signature.output);
    let clause = &generics.where_clause;
    let inputs = signature.inputs.iter().map(|argument| match argument {
        FnArg::Receiver(receiver) => receiver.ty.to_token_stream(),
        FnArg::Typed(typed) => typed.ty.to_token_stream(),
    });
    quote!(#generics #(#inputs),* #output #clause)
}

fn place_of(
    source: &Source<'_>,
    attrs: &[Attribute],
    signature: &Signature,
    block: &Block,
) -> FunctionPlace {
    let first = signature.to_token_stream().into_iter().next();
    let start = first.map_or(signature.ident.span(), |token| token.span());
    let brace = block.brace_token.span;
    let body = source.range(brace.open()).start..source.range(brace.close()).end;
    let point = |span: proc_macro2::LineColumn| (span.line, span.column);
    let parameter_attributes = signature.inputs.iter().flat_map(|argument| match argument {
        FnArg::Receiver(receiver) => receiver.attrs.iter(),
        FnArg::Typed(typed) => typed.attrs.iter(),
    });
    FunctionPlace {
        signature: source.range(start).start..body.start,
        name: source.range(signature.ident.span()),
        inner_attributes: attrs
            .iter()
            .filter(|attr| matches!(attr.style, AttrStyle::Inner(_)))
            .map(|attr| source.range(attr.span()))
            .collect(),
        parameter_attributes: parameter_attributes
            .map(|attr| source.range(attr.span()))
            .collect(),
        name_end: point(signature.ident.span().end()),
        brace: point(brace.open().start()),
        body,
    }
}
