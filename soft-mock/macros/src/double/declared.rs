//! What a trait's declaration says that a double has to have: read from the sources, for the
//! compiler to compare with the trait. So a namesake's declaration is an error, never another
//! double.
//!
//! Knows nothing of where sources are.

use std::collections::HashMap;

use proc_macro2::Span;
use quote::{quote, ToTokens};
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    parse_quote, Attribute, Expr, File, GenericArgument, GenericParam, ImplItem, Item, ItemTrait,
    Lifetime, Path, PathArguments, ReturnType, Signature, TraitItem, TraitItemFn, Type,
    TypeParamBound,
};

use super::crates::{self, Source};

/// What the declaration adds to what is written.
#[derive(Default)]
pub(super) struct Declared {
    pub(super) methods: Vec<TraitItemFn>,
    /// For the impl.
    pub(super) attributes: Vec<Attribute>,
}

/// A declaration, and where it stands.
struct Candidate {
    item: ItemTrait,
    /// The modules around it, as far as file and text name them.
    modules: Vec<String>,
    source: Source,
}

/// The declaration of the trait that `path` means, beside which `given` is written.
pub(super) fn find(path: &Path, given: &[ImplItem]) -> syn::Result<Declared> {
    let candidate = match choose(path) {
        // An editor that only expands macros doesn't say what the crate is made of.
        Err(_) if !crates::is_compiled() => return Ok(Declared::default()),
        found => found?,
    };
    for item in &candidate.item.items {
        let (kind, name) = match item {
            TraitItem::Type(ty) if ty.default.is_none() => {
                (format!("type {}", ty.ident), &ty.ident)
            }
            TraitItem::Const(constant) if constant.default.is_none() => {
                (format!("const {}: …", constant.ident), &constant.ident)
            }
            _ => continue,
        };
        let is_it = |item: &ImplItem| match item {
            ImplItem::Type(ty) => ty.ident == *name,
            ImplItem::Const(constant) => constant.ident == *name,
            _ => false,
        };
        if !given.iter().any(is_it) {
            let of = path.to_token_stream().to_string().replace(' ', "");
            let message = format!(
                "`{of}` leaves `{name}` to its types: say it, `double!(impl {of} for Name {{ {kind} = …; }})`"
            );
            return Err(syn::Error::new(path.span(), message));
        }
    }
    let mut fill = Fill::new(path, &candidate);
    let methods = candidate.item.items.iter().filter_map(|item| match item {
        TraitItem::Fn(method) if method.default.is_none() => Some(method.clone()),
        _ => None,
    });
    let methods = methods.map(|mut method| {
        method.attrs.retain(|attr| attr.path().is_ident("cfg"));
        fill.visit_trait_item_fn_mut(&mut method);
        as_async(&mut method.sig);
        method
    });
    Ok(Declared {
        methods: methods.collect(),
        attributes: candidate
            .item
            .attrs
            .iter()
            .filter_map(async_trait)
            .collect(),
    })
}

/// `fn fetch(&self) -> impl Future<Output = T> + Send` is what an `async fn` implements.
fn as_async(signature: &mut Signature) {
    let ReturnType::Type(_, ty) = &signature.output else {
        return;
    };
    let Type::ImplTrait(opaque) = &**ty else {
        return;
    };
    let futures = opaque.bounds.iter().filter_map(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last(),
        _ => None,
    });
    let mut futures = futures.filter(|last| last.ident == "Future");
    let Some(PathArguments::AngleBracketed(list)) = futures.next().map(|last| &last.arguments)
    else {
        return;
    };
    let output = list.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(named) if named.ident == "Output" => Some(&named.ty),
        _ => None,
    });
    if let Some(output) = output {
        let output = parse_quote!(-> #output);
        signature.asyncness = Some(parse_quote!(async));
        signature.output = output;
    }
}

/// The attribute that changes what methods are, for the impl.
fn async_trait(attribute: &Attribute) -> Option<Attribute> {
    let last = attribute.path().segments.last()?;
    if last.ident != "async_trait" {
        return None;
    }
    let mut attribute = attribute.clone();
    if attribute.path().get_ident().is_some() {
        let arguments = match &attribute.meta {
            syn::Meta::List(list) => {
                let tokens = &list.tokens;
                quote!((#tokens))
            }
            _ => quote!(),
        };
        attribute = parse_quote!(#[::async_trait::async_trait #arguments]);
    }
    Some(attribute)
}

fn choose(path: &Path) -> syn::Result<Candidate> {
    let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
    let Some((name, before)) = names.split_last() else {
        return Err(syn::Error::new(path.span(), "a trait has a name"));
    };
    let mut all = candidates(name, before.first().map(String::as_str));
    if all.is_empty() && !before.is_empty() {
        // A crate may hand on another one's trait.
        all = candidates(name, None);
    }
    if let Some(module) = before.last() {
        if all
            .iter()
            .any(|one: &Candidate| one.modules.contains(module))
        {
            all.retain(|one| one.modules.contains(module));
        }
    }
    let texts: Vec<String> = all
        .iter()
        .map(|one| one.item.to_token_stream().to_string())
        .collect();
    match all.into_iter().next() {
        Some(candidate) if texts.iter().all(|text| *text == texts[0]) => Ok(candidate),
        Some(_) => Err(refused(path, &format!(
            "several traits are called `{name}` in the sources of this program's crates"
        ))),
        None => Err(refused(path, &format!(
            "no declaration of `{name}` is in the sources of this crate and of those it depends on (std's aren't \
             at hand, and a macro's can't be read)"
        ))),
    }
}

fn candidates(name: &str, krate: Option<&str>) -> Vec<Candidate> {
    let mut all = Vec::new();
    for source in crates::sources(krate) {
        if let Some(file) = source.read(&format!("trait {name}")) {
            collect(name, file, &source, &mut all);
        }
    }
    all
}

fn refused(path: &Path, why: &str) -> syn::Error {
    let message = format!("{why}: write its methods, `{{ fn method(&self) -> Result; }}`");
    syn::Error::new(path.span(), message)
}

fn collect(name: &str, file: File, source: &Source, all: &mut Vec<Candidate>) {
    let mut open = vec![(file.items, source.modules())];
    while let Some((items, modules)) = open.pop() {
        for item in items {
            match item {
                Item::Trait(item) if item.ident == name => all.push(Candidate {
                    item,
                    modules: modules.clone(),
                    source: source.clone(),
                }),
                Item::Mod(module) => {
                    let inner = [modules.clone(), vec![module.ident.to_string()]].concat();
                    let (_, items) = module.content.unwrap_or_default();
                    open.push((items, inner));
                }
                _ => {}
            }
        }
    }
}

/// Puts into a signature what the parameters of the trait stand for, and the name of its crate.
struct Fill {
    types: HashMap<String, Type>,
    constants: HashMap<String, Expr>,
    lifetimes: HashMap<Lifetime, Lifetime>,
    krate: Option<String>,
}

impl Fill {
    fn new(path: &Path, candidate: &Candidate) -> Self {
        let mut fill = Self {
            types: HashMap::new(),
            constants: HashMap::new(),
            lifetimes: HashMap::new(),
            krate: candidate.source.krate().map(str::to_owned),
        };
        let arguments = match path.segments.last().map(|last| &last.arguments) {
            Some(PathArguments::AngleBracketed(list)) => list.args.iter().cloned().collect(),
            _ => Vec::new(),
        };
        let mut arguments = arguments.into_iter();
        for parameter in &candidate.item.generics.params {
            let given = arguments.next();
            match (parameter, given) {
                (GenericParam::Lifetime(own), Some(GenericArgument::Lifetime(given))) => {
                    fill.lifetimes.insert(own.lifetime.clone(), given);
                }
                (GenericParam::Type(own), Some(GenericArgument::Type(given))) => {
                    fill.types.insert(own.ident.to_string(), given);
                }
                // A constant that is given by its name alone is read as a type.
                (GenericParam::Const(own), Some(GenericArgument::Type(given))) => {
                    fill.constants
                        .insert(own.ident.to_string(), parse_quote!(#given));
                }
                (GenericParam::Const(own), Some(GenericArgument::Const(given))) => {
                    fill.constants.insert(own.ident.to_string(), given);
                }
                (GenericParam::Type(own), None) => {
                    if let Some(default) = own.default.clone() {
                        fill.types.insert(own.ident.to_string(), default);
                    }
                }
                (GenericParam::Const(own), None) => {
                    if let Some(default) = own.default.clone() {
                        fill.constants.insert(own.ident.to_string(), default);
                    }
                }
                _ => {}
            }
        }
        fill
    }
}

impl VisitMut for Fill {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        let name = match ty {
            Type::Path(path) if path.qself.is_none() => path.path.get_ident(),
            _ => None,
        };
        match name.and_then(|name| self.types.get(&name.to_string())) {
            Some(given) => *ty = given.clone(),
            None => visit_mut::visit_type_mut(self, ty),
        }
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        let name = match expr {
            Expr::Path(path) => path.path.get_ident(),
            _ => None,
        };
        match name.and_then(|name| self.constants.get(&name.to_string())) {
            Some(given) => *expr = given.clone(),
            None => visit_mut::visit_expr_mut(self, expr),
        }
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if let Some(given) = self.lifetimes.get(lifetime) {
            *lifetime = given.clone();
        }
    }

    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        let is_root = path
            .segments
            .first()
            .is_some_and(|first| first.ident == "crate");
        if let (true, Some(name)) = (is_root, &self.krate) {
            path.leading_colon = Some(parse_quote!(::));
            path.segments[0].ident = syn::Ident::new(name, Span::call_site());
        }
    }
}
