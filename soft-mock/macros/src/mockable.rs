//! `#[mockable]`: the rewriter's prologue for functions of a crate that isn't rewritten.
//!
//! Tokens of the user keep their spans, so messages point at their lines. Holds no rewrite rule.

use proc_macro2::TokenStream;
use quote::{quote, ToTokens};
use soft_mock_rewriter::analysis::Ineligible;
use soft_mock_rewriter::instrument::{
    attribute_prologue, attribute_refusal, AttributePrologue, PrologueCheck, Taken, Within,
};
use syn::parse::Parser;
use syn::{
    parse_quote, Attribute, Block, Expr, FnArg, ImplItem, ImplItemFn, Item, ItemImpl, ItemTrait,
    Pat, Signature, Stmt, TraitItem,
};

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    if !arguments.is_empty() {
        return Err(syn::Error::new_spanned(
            arguments,
            "`mockable` takes no arguments",
        ));
    }
    let mut item: Item = syn::parse2(item)?;
    let notes = match &mut item {
        Item::Fn(function) => {
            on_its_own(&function.sig)?;
            insert(
                &function.attrs,
                &mut function.sig,
                &mut function.block,
                Within::Module,
            )
            .map_err(|why| refused(&function.sig, &why))?;
            Vec::new()
        }
        Item::Impl(block) => impl_block(block)?,
        Item::Trait(item) => trait_defaults(item)?,
        Item::Mod(module) => match &mut module.content {
            Some((_, items)) => items_of(items)?,
            None => {
                let message =
                    "`mockable` sees only what stands in this file: put it on items of the module";
                return Err(syn::Error::new_spanned(&module.ident, message));
            }
        },
        other => {
            let message =
                "`mockable` goes on a function, an impl block, a trait or an inline module";
            return Err(syn::Error::new_spanned(other, message));
        }
    };
    let notes = notes.into_iter().map(|note| note.into_token_stream());
    Ok(quote!(#item #(#notes)*))
}

/// Only with its impl block is it known what `Self` is.
fn on_its_own(signature: &Signature) -> syn::Result<()> {
    let method = match signature.receiver() {
        Some(receiver) => receiver,
        None => return Ok(()),
    };
    let message = "a method alone doesn't say whose it is: put `mockable` on its impl block";
    Err(syn::Error::new_spanned(method, message))
}

fn refused(signature: &Signature, why: &str) -> syn::Error {
    let message = format!("`{}` can't be mocked: {why}", signature.ident);
    syn::Error::new_spanned(&signature.ident, message)
}

/// Inserts into the functions of a module. What is left alone is noted in the module itself.
fn items_of(items: &mut Vec<Item>) -> syn::Result<Vec<Item>> {
    let mut notes: Vec<Item> = Vec::new();
    for item in items.iter_mut() {
        match item {
            Item::Fn(function) => {
                let original = function.sig.clone();
                if let Err(Refusal(why)) = try_insert(
                    &function.attrs,
                    &mut function.sig,
                    &mut function.block,
                    Within::Module,
                ) {
                    let note = attribute_refusal(&original, Within::Module, why);
                    notes.push(syn::parse_str(&note)?);
                }
            }
            Item::Impl(block) => notes.extend(impl_block(block)?),
            Item::Trait(item) => notes.extend(trait_defaults(item)?),
            Item::Mod(module) => {
                if let Some((_, items)) = &mut module.content {
                    items_of(items)?;
                }
            }
            _ => {}
        }
    }
    items.append(&mut notes);
    Ok(Vec::new())
}

/// Inserts into the methods of a block. What is left alone is noted behind it.
pub(crate) fn impl_block(block: &mut ItemImpl) -> syn::Result<Vec<Item>> {
    let header = block.clone();
    let mut notes = Vec::new();
    for item in &mut block.items {
        let ImplItem::Fn(function) = item else {
            continue;
        };
        let original = function.sig.clone();
        if let Err(Refusal(why)) = try_insert(
            &function.attrs,
            &mut function.sig,
            &mut function.block,
            Within::Impl(&header),
        ) {
            let note = attribute_refusal(&original, Within::Impl(&header), why);
            notes.push(syn::parse_str(&note)?);
        }
    }
    Ok(notes)
}

/// Inserts into a method of a block.
pub(crate) fn method(method: &mut ImplItemFn, block: &ItemImpl) -> Result<(), String> {
    let ImplItemFn {
        attrs,
        sig,
        block: body,
        ..
    } = method;
    insert(attrs, sig, body, Within::Impl(block))
}

fn trait_defaults(item: &mut ItemTrait) -> syn::Result<Vec<Item>> {
    let header = item.clone();
    let mut notes = Vec::new();
    for inner in &mut item.items {
        let TraitItem::Fn(function) = inner else {
            continue;
        };
        let Some(block) = &mut function.default else {
            continue;
        };
        let original = function.sig.clone();
        if let Err(Refusal(why)) = try_insert(
            &function.attrs,
            &mut function.sig,
            block,
            Within::Trait(&header),
        ) {
            let note = attribute_refusal(&original, Within::Trait(&header), why);
            notes.push(syn::parse_str(&note)?);
        }
    }
    Ok(notes)
}

/// The compiler that built this macro is the one that compiles what it makes.
fn check() -> PrologueCheck {
    match option_env!("SOFT_MOCK_LABELS") {
        Some(_) => PrologueCheck::ByCfg,
        None => PrologueCheck::Atomic,
    }
}

struct Refusal(Ineligible);

fn insert(
    attrs: &[Attribute],
    signature: &mut Signature,
    block: &mut Block,
    within: Within<'_>,
) -> Result<(), String> {
    try_insert(attrs, signature, block, within).map_err(|Refusal(why)| why.to_string())
}

fn try_insert(
    attrs: &[Attribute],
    signature: &mut Signature,
    block: &mut Block,
    within: Within<'_>,
) -> Result<(), Refusal> {
    let AttributePrologue {
        parameters,
        body,
        taken,
        apart,
    } = attribute_prologue(attrs, signature, block, within, check()).map_err(Refusal)?;
    for (argument, name) in signature.inputs.iter_mut().zip(parameters) {
        if let (FnArg::Typed(typed), Some(name)) = (argument, name) {
            let name = syn::Ident::new(&name, proc_macro2::Span::call_site());
            *typed.pat = parse_quote!(#name);
        }
    }
    let parsed: Block = match syn::parse_str(&format!("{{ {body} }}")) {
        Ok(parsed) => parsed,
        Err(_) => return Err(Refusal(Ineligible::Refused)),
    };
    let mut statements = parsed.stmts;
    if let Some(first) = statements.first_mut() {
        // It names the function itself.
        *first = parse_quote!(#[allow(deprecated)] #first);
    }
    match apart || !taken.is_empty() {
        true => {
            let mut rest: Expr = parse_quote!(#block);
            for Taken { name, pattern } in taken.iter().rev() {
                let parsed = (syn::parse_str(name), Pat::parse_single.parse_str(pattern));
                let (Ok::<Expr, _>(name), Ok(pattern)) = parsed else {
                    return Err(Refusal(Ineligible::Refused));
                };
                rest = parse_quote!(match #name { #pattern => #rest });
            }
            statements.push(Stmt::Expr(rest, None));
        }
        false => statements.append(&mut block.stmts),
    }
    block.stmts = statements;
    Ok(())
}
