//! What stands in impl blocks and traits.

use quote::{quote, ToTokens};
use syn::spanned::Spanned;
use syn::{ImplItem, ItemImpl, TraitItem, Visibility};

use super::{Reader, Scope};
use crate::analysis::eligibility::{is_generic, Ineligible};
use crate::analysis::items::aspects::{
    attributes, cfgs, has_layout_attributes, trait_aspects, trait_attributes,
};
use crate::analysis::items::declared::{ImplHeader, PrivateKind};
use crate::analysis::items::functions::function;
use crate::analysis::items::modules::name_of;
use crate::analysis::items::types::ItemKind;
use crate::analysis::local_items::LocalItems;
use crate::syntax::attributes::is_test_only;
use crate::syntax::mentions::Mentions;
use crate::syntax::names::{compact, Owner};
use crate::syntax::normalize::normalize;

impl Reader<'_> {
    pub(super) fn impl_block(&mut self, item: &ItemImpl, at: &Scope<'_>) {
        let around = cfgs(at.cfgs, &item.attrs);
        let (defaultness, unsafety, generics) = (&item.defaultness, &item.unsafety, &item.generics);
        let (ty, clause) = (&item.self_ty, &item.generics.where_clause);
        let tr = item
            .trait_
            .as_ref()
            .map(|(not, path, _)| quote!(#not #path for));
        let header = quote!(#defaultness #unsafety impl #generics #tr #ty #clause);
        let (place, owner) = (self.source.place(item), Owner::of_impl(item));
        self.out.impls.push(ImplHeader {
            place: place.clone(),
            module: at.path.to_vec(),
            cfgs: around.clone(),
            owner: owner.clone(),
            text: normalize(header.clone()),
            types: associated_types(item),
            attributes: attributes(&item.attrs),
            generic: is_generic(&item.generics),
            mentions: Mentions::of(header.clone()).all,
        });
        let index = self.out.impls.len() - 1;
        if item.trait_.is_some() || has_layout_attributes(&item.attrs) {
            let (name, mentions) = (compact(header.clone()), Mentions::of(header));
            let pushed = self.push(ItemKind::Impl, name, item.span(), &item.attrs, at);
            pushed.owner = Some(owner.clone());
            pushed.place = place;
            (pushed.mentions, pushed.macros) = (mentions.all, mentions.macros);
        }
        let first = self.out.private.len();
        for inner in &item.items {
            self.impl_item(inner, &owner, (item, index), (at, &around));
        }
        for private in &mut self.out.private[first..] {
            private.owner = last_name(&item.self_ty);
        }
    }

    fn impl_item(
        &mut self,
        inner: &ImplItem,
        owner: &Owner,
        (item, index): (&ItemImpl, usize),
        (at, around): (&Scope<'_>, &[String]),
    ) {
        let at = &Scope {
            cfgs: around,
            ..*at
        };
        let prefix = match owner {
            Owner::Free => String::new(),
            Owner::Inherent { ty } => format!("{ty}::"),
            Owner::Trait { ty, tr } => format!("<{ty} as {tr}>::"),
        };
        match inner {
            ImplItem::Fn(inner) if is_test_only(&inner.attrs) => {}
            ImplItem::Fn(inner) => {
                if item.trait_.is_none() {
                    let name = name_of(&inner.sig.ident);
                    self.private(name, PrivateKind::Member, &inner.vis, at.path);
                }
                let mut function = function(
                    &self.source,
                    (&inner.attrs, &inner.vis, &inner.sig, &inner.block),
                    owner.clone(),
                    Some(item),
                    (at.path, around),
                );
                function.header = Some(index);
                self.out.functions.push(function);
            }
            ImplItem::Const(inner) => {
                if item.trait_.is_none() {
                    let name = name_of(&inner.ident);
                    self.private(name, PrivateKind::Member, &inner.vis, at.path);
                }
                let name = format!("{prefix}{}", inner.ident);
                self.plain(ItemKind::Const, name, &inner.attrs, inner, at)
                    .local_items = LocalItems::of_value(&inner.expr);
            }
            // In an impl of a trait it might make what a vtable holds.
            ImplItem::Macro(inner) if item.trait_.is_none() => {
                let name = format!("{prefix}{}!", compact(inner.mac.path.to_token_stream()));
                self.plain(ItemKind::MacroCall, name, &inner.attrs, inner, at);
            }
            ImplItem::Type(inner) => {
                let name = format!("{prefix}{}", inner.ident);
                self.plain(ItemKind::Type, name, &inner.attrs, inner, at);
            }
            other => {
                let name = format!("in {prefix}");
                self.plain(ItemKind::Other, name, &[], other, at);
            }
        }
    }

    pub(super) fn trait_item(&mut self, item: &syn::ItemTrait, at: &Scope<'_>) {
        self.local(&item.ident, &item.attrs, at);
        self.mark_trait(at);
        self.private(name_of(&item.ident), PrivateKind::Item, &item.vis, at.path);
        let name = name_of(&item.ident);
        let aspects = trait_aspects(item);
        let (generics, above) = (&item.generics, &item.supertraits);
        let lasting = item.items.iter().filter_map(|inner| match inner {
            TraitItem::Fn(inner) => Some(inner.sig.to_token_stream()),
            TraitItem::Type(inner) => Some(inner.to_token_stream()),
            _ => None,
        });
        let mentions = Mentions::of(quote!(#generics #above #(#lasting)*));
        let place = self.source.place(item);
        let pushed = self.push(
            ItemKind::Trait,
            name.clone(),
            item.ident.span(),
            &trait_attributes(item),
            at,
        );
        pushed.place = place;
        pushed.aspects.extend(aspects);
        (pushed.mentions, pushed.macros) = (mentions.all, mentions.macros);
        pushed.supertraits = Mentions::of(above.to_token_stream()).all;
        let around = cfgs(at.cfgs, &item.attrs);
        for inner in &item.items {
            let inner = match inner {
                TraitItem::Fn(inner) => inner,
                TraitItem::Const(inner) => {
                    let name = format!("{name}::{}", inner.ident);
                    let value = inner.default.as_ref().map(|(_, value)| value);
                    self.plain(ItemKind::Const, name, &inner.attrs, inner, at)
                        .local_items = value.map(LocalItems::of_value).unwrap_or_default();
                    continue;
                }
                _ => continue,
            };
            let Some(block) = &inner.default else {
                continue;
            };
            let mut function = function(
                &self.source,
                (&inner.attrs, &Visibility::Inherited, &inner.sig, block),
                Owner::Free,
                None,
                (at.path, &around),
            );
            function.kind = Err(Ineligible::TraitDefault);
            function.in_trait = Some(name.clone());
            self.out.functions.push(function);
        }
    }
}

fn associated_types(item: &ItemImpl) -> Vec<String> {
    item.items
        .iter()
        .filter_map(|inner| match inner {
            ImplItem::Type(inner) => Some(inner.ident.to_string()),
            _ => None,
        })
        .collect()
}

/// The last name of a type's path.
fn last_name(ty: &syn::Type) -> Option<String> {
    match ty {
        syn::Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
        _ => None,
    }
}
