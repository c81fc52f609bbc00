//! What is generated around something that is new beside the changed functions.
//!
//! ```text
//! const LIMIT: u32 = 3;                  as it is
//! fn helper(&self) -> u8 { BODY }        in impl Store
//!     pub trait __SoftMock4 { fn helper(&self) -> u8; }  impl __SoftMock4 for Store { fn helper(&self) -> u8 { BODY } }
//! ```
//!
//! It stands in the mirrored module, where it stands in the user's. Knows nothing of who mentions
//! it.

use std::collections::{BTreeSet, HashMap};

use quote::{format_ident, quote};
use syn::{ItemImpl, Signature};

use super::crate_modules::{CrateModules, Group};
use super::function::{Emitted, Header};
use super::request::{PatchRequest, PatchSourceError};
use super::target::Target;
use crate::analysis::declaration::Declaration;
use crate::analysis::items::{DeclaredFunction, FileItems, ItemKind};
use crate::syntax::edition::Edition;
use crate::syntax::mentions::Mentions;
use crate::syntax::names::{is_variable, plain, raw, Owner};

/// Something new, with the text that carries it.
pub(super) struct Added<'a> {
    /// The position of its file.
    pub(super) file: usize,
    pub(super) items: &'a FileItems,
    pub(super) module: &'a [String],
    /// Where it begins.
    pub(super) start: usize,
    /// Line and column of the user's text in it.
    pub(super) point: (usize, usize),
    /// None: it is written as a changed function.
    pub(super) emitted: Option<Emitted>,
    pub(super) mentions: Mentions,
    /// The item of this name isn't the host's.
    pub(super) item: Option<&'a str>,
    /// The trait that carries a method.
    carrier: Option<String>,
}

/// Text by the module that it is put into.
pub(super) type Carriers = HashMap<Group, String>;

/// Writes everything that is new, but for what is among the changed functions.
pub(super) fn added<'a>(
    request: &PatchRequest<'a>,
    modules: &CrateModules<'_>,
    targets: &[Target<'a>],
) -> Result<Vec<Added<'a>>, PatchSourceError> {
    let mut found = Vec::new();
    for (position, (file, declaration)) in request.additions.iter().enumerate() {
        let items: &FileItems =
            request
                .files
                .get(*file)
                .ok_or_else(|| PatchSourceError::NoSuchFunction {
                    crate_name: request.options.crate_name.clone(),
                    file: *file,
                    function: position,
                })?;
        if let Declaration::Function(at) = declaration {
            let is_it = |target: &&Target<'_>| {
                target.request.file == *file && target.request.function == *at
            };
            if let Some(target) = targets.iter().find(is_it) {
                found.push(among_functions(target));
                continue;
            }
        }
        let text = (request.text)(&items.path)
            .ok_or_else(|| PatchSourceError::Text(items.path.clone()))?;
        let writer = Writer {
            file: *file,
            items,
            text,
            around: modules.file_conditions(*file),
            edition: request.options.edition,
            index: targets.len() + position,
        };
        found.extend(writer.write(*declaration)?);
    }
    Ok(found)
}

fn among_functions<'a>(target: &Target<'a>) -> Added<'a> {
    let function = target.function;
    let is_method = target.file.header_of(function).is_some();
    let free = function.owner == Owner::Free;
    Added {
        file: target.request.file,
        items: target.file,
        module: &function.module,
        start: function.place.signature.start,
        point: function.place.name_end,
        emitted: None,
        mentions: function.mentions.clone(),
        item: free.then_some(function.name.as_str()),
        carrier: is_method.then(|| Header::name_of(target.index)),
    }
}

/// Asks the compiler whether what a new import brings stands for a value in patterns: macros of
/// other crates may have variables of its name.
pub(super) fn probes(request: &PatchRequest<'_>, modules: &CrateModules<'_>) -> Carriers {
    let mut found = Carriers::new();
    for (file, declaration) in request.additions {
        let (Declaration::Import { module, import }, Some(items)) =
            (declaration, request.files.get(*file))
        else {
            continue;
        };
        let module = &items.modules[*module];
        let import = &module.uses[*import];
        let bound = import.bound().filter(|bound| is_variable(&plain(bound)));
        let (Some(bound), Some(group)) = (bound, modules.find(&module.path)) else {
            continue;
        };
        let text = import.path_text();
        found.entry(group).or_default().push_str(&format!(
            "const _: fn() = || {{ use {text}; struct __SoftMockValue; let {bound} = __SoftMockValue; }}; "
        ));
    }
    found
}

/// The imports of traits that carry methods, for all modules of functions but their own.
pub(super) fn carriers(
    added: &[Added<'_>],
    modules: &CrateModules<'_>,
    own: &BTreeSet<Group>,
) -> Carriers {
    let mut found = Carriers::new();
    for added in added {
        let Some(name) = &added.carrier else { continue };
        let home = modules.find(added.module);
        let path: String = added
            .module
            .iter()
            .map(|m| format!("{}::", raw(m)))
            .collect();
        for group in own.iter().filter(|group| Some(**group) != home) {
            let import = format!("use crate::{path}{name} as _; ");
            found.entry(*group).or_default().push_str(&import);
        }
    }
    found
}

struct Writer<'a, 'w> {
    file: usize,
    items: &'a FileItems,
    text: &'a str,
    /// Conditions of the declarations that lead to the file.
    around: &'w [String],
    edition: Edition,
    index: usize,
}

impl<'a> Writer<'a, '_> {
    fn write(&self, declaration: Declaration) -> Result<Option<Added<'a>>, PatchSourceError> {
        let (module, place, cfgs, item) = match declaration {
            Declaration::Function(at) => return self.function(&self.items.functions[at]).map(Some),
            Declaration::Item(at) => {
                let item = &self.items.items[at];
                let named = item.kind != ItemKind::Impl;
                let name = named.then_some(item.name.as_str());
                (&item.module, &item.place, &item.cfgs, name)
            }
            Declaration::Impl(at) => {
                let header = &self.items.impls[at];
                (&header.module, &header.place, &header.cfgs, None)
            }
            // Found where modules are mirrored.
            Declaration::Import { .. } => return Ok(None),
        };
        let piece = self.slice(place.range.clone())?;
        let emitted = Emitted {
            before: self.conditions(cfgs),
            piece: piece.to_owned(),
            after: String::new(),
            check: None,
        };
        Ok(Some(Added {
            file: self.file,
            items: self.items,
            module,
            start: place.range.start,
            point: place.start,
            emitted: Some(emitted),
            mentions: self.mentions(piece)?,
            item,
            carrier: None,
        }))
    }

    fn function(&self, function: &'a DeclaredFunction) -> Result<Added<'a>, PatchSourceError> {
        let place = &function.place;
        let start = self.slice(place.signature.start..place.name.end)?;
        let attributes: String = function
            .attributes
            .iter()
            .map(|attribute| format!("#[{attribute}] "))
            .collect();
        let conditions = self.conditions(&function.cfgs);
        let (before, after, carrier) = match self.items.header_of(function) {
            None => {
                let visibility = &function.visibility;
                let before = format!("{conditions}{attributes}{visibility} {start}");
                (before, "", None)
            }
            Some(header) => {
                let syntax = |error: syn::Error| self.syntax(function, &error);
                let block: ItemImpl =
                    syn::parse_str(&format!("{} {{}}", header.text)).map_err(syntax)?;
                let header = Header::new(block, false, self.index);
                let signature = self.slice(place.signature.clone())?;
                let mut signature: Signature = syn::parse_str(signature).map_err(syntax)?;
                signature.ident = format_ident!("{}", raw(&function.name));
                let declared = header.declare(signature);
                let before = format!(
                    "{conditions}{} {conditions}{} {{ {attributes}{start}",
                    header.trait_item(&quote!(#declared;)),
                    header.impl_start(),
                );
                (before, " }", Some(header.name().to_string()))
            }
        };
        if carrier.is_some() && self.edition == Edition::E2015 {
            let why = syn::Error::new(proc_macro2::Span::call_site(), "edition 2015");
            return Err(self.syntax(function, &why));
        }
        let piece = self.slice(place.name.end..place.body.end)?;
        let free = function.owner == Owner::Free;
        Ok(Added {
            file: self.file,
            items: self.items,
            module: &function.module,
            start: place.signature.start,
            point: place.name_end,
            mentions: function.mentions.clone(),
            emitted: Some(Emitted {
                before,
                piece: piece.to_owned(),
                after: after.to_owned(),
                check: None,
            }),
            item: free.then_some(function.name.as_str()),
            carrier,
        })
    }

    fn conditions(&self, own: &[String]) -> String {
        let all = self.around.iter().chain(own);
        all.map(|condition| format!("#[{condition}] ")).collect()
    }

    fn slice(&self, range: std::ops::Range<usize>) -> Result<&'a str, PatchSourceError> {
        let text = self.text.get(range);
        text.ok_or_else(|| PatchSourceError::Text(self.items.path.clone()))
    }

    fn mentions(&self, piece: &str) -> Result<Mentions, PatchSourceError> {
        let tokens = piece.parse().map(Mentions::of);
        tokens.map_err(|_| PatchSourceError::Text(self.items.path.clone()))
    }

    fn syntax(&self, function: &DeclaredFunction, error: &syn::Error) -> PatchSourceError {
        PatchSourceError::Syntax {
            title: function.title(),
            path: self.items.path.clone(),
            message: error.to_string(),
        }
    }
}

/// Whether a module's own item of this name is new, and therefore not the host's.
pub(super) fn is_new(added: &[Added<'_>], module: &[String], name: &str) -> bool {
    added.iter().any(|added| {
        let same = |item: &str| plain(item) == plain(name);
        added.module == module && added.item.is_some_and(same)
    })
}
