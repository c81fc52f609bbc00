//! Finds the functions and types of the crate whose name begins with the live prefix.
//!
//! A macro sees only the item it stands on, so the crate's files are read again, from the root that
//! the compiler was given, along its `mod` lines. `#[cfg]`s on the way are kept with what is found.

use std::path::{Path, PathBuf};

use proc_macro2::Span;
use quote::ToTokens;
use syn::{Attribute, Ident, Item, Meta, Signature, Visibility};

/// A live item that is found by its name.
pub(crate) struct Found {
    /// `#[cfg]`s of the item and of the modules above it.
    pub(crate) cfgs: Vec<Attribute>,
    /// The modules from the crate root to it.
    pub(crate) modules: Vec<Ident>,
    /// Its name.
    pub(crate) name: Ident,
    pub(crate) what: What,
}

pub(crate) enum What {
    Function(Box<Signature>),
    Type,
}

/// The state of one walk through the crate.
struct Walk<'a> {
    prefix: &'a str,
    modules: Vec<Ident>,
    cfgs: Vec<Attribute>,
    found: Vec<Found>,
}

/// All items of the crate with that prefix (compared without regard to case).
pub(crate) fn crate_items(prefix: &str) -> syn::Result<Vec<Found>> {
    let root = root_file();
    let mut walk = Walk {
        prefix,
        modules: Vec::new(),
        cfgs: Vec::new(),
        found: Vec::new(),
    };
    let folder = root.parent().unwrap_or(Path::new("")).to_owned();
    walk.file(&root, &folder)?;
    Ok(walk.found)
}

/// The file that the compiler was called with.
fn root_file() -> PathBuf {
    let given = std::env::args()
        .skip(1)
        .find(|argument| argument.ends_with(".rs") && !argument.starts_with('-'));
    let given = given.map(PathBuf::from).filter(|path| path.is_file());
    given.unwrap_or_else(|| {
        let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
        Path::new(&package).join("src/lib.rs")
    })
}

impl Walk<'_> {
    /// `folder` is where the file's own modules lie.
    fn file(&mut self, file: &Path, folder: &Path) -> syn::Result<()> {
        let text = std::fs::read_to_string(file).map_err(|error| {
            failure(format!(
                "looking for live functions: {}: {error}",
                file.display()
            ))
        })?;
        let parsed = syn::parse_file(&text).map_err(|error| {
            failure(format!(
                "looking for live functions: {}: {error}",
                file.display()
            ))
        })?;
        let own_folder = file.parent().unwrap_or(Path::new(""));
        self.items(&parsed.items, folder, own_folder)
    }

    fn items(&mut self, items: &[Item], folder: &Path, own_folder: &Path) -> syn::Result<()> {
        for item in items {
            match item {
                Item::Fn(item) => {
                    let what = What::Function(Box::new(item.sig.clone()));
                    self.item(&item.sig.ident, &item.vis, &item.attrs, what)?;
                }
                Item::Struct(item) => self.item(&item.ident, &item.vis, &item.attrs, What::Type)?,
                Item::Enum(item) => self.item(&item.ident, &item.vis, &item.attrs, What::Type)?,
                Item::Mod(item) => self.module(item, folder, own_folder)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn item(
        &mut self,
        name: &Ident,
        visibility: &Visibility,
        attributes: &[Attribute],
        what: What,
    ) -> syn::Result<()> {
        if !has_prefix(&name.to_string(), self.prefix) || attributes.iter().any(is_live_attribute) {
            return Ok(());
        }
        if matches!(visibility, Visibility::Inherited) && !self.modules.is_empty() {
            let module: Vec<String> = self.modules.iter().map(Ident::to_string).collect();
            return Err(failure(format!(
                "`{}::{name}` has the live prefix `{}` but is private: write `pub(crate)`, or mark it with `#[live]`",
                module.join("::"),
                self.prefix,
            )));
        }
        let mut cfgs = self.cfgs.clone();
        cfgs.extend(cfgs_of(attributes));
        self.found.push(Found {
            cfgs,
            modules: self.modules.clone(),
            name: name.clone(),
            what,
        });
        Ok(())
    }

    fn module(&mut self, item: &syn::ItemMod, folder: &Path, own_folder: &Path) -> syn::Result<()> {
        let own_cfgs = cfgs_of(&item.attrs);
        let before = self.cfgs.len();
        self.cfgs.extend(own_cfgs);
        self.modules.push(item.ident.clone());
        let name = item.ident.to_string();
        let name = name.trim_start_matches("r#");
        let result = match (&item.content, path_of(&item.attrs)) {
            (Some((_, items)), _) => {
                let inner = folder.join(name);
                self.items(items, &inner, &inner)
            }
            (None, Some(path)) => {
                let file = own_folder.join(path);
                let inner = file.parent().unwrap_or(own_folder).to_owned();
                self.file_if_there(&file, &inner)
            }
            (None, None) => {
                let inner = folder.join(name);
                let nested = inner.join("mod.rs");
                let flat = folder.join(format!("{name}.rs"));
                let file = if nested.is_file() { nested } else { flat };
                self.file_if_there(&file, &inner)
            }
        };
        self.modules.pop();
        self.cfgs.truncate(before);
        result
    }

    /// A module that is configured out need not have a file; the compiler says so if it must.
    fn file_if_there(&mut self, file: &Path, folder: &Path) -> syn::Result<()> {
        match file.is_file() {
            true => self.file(file, folder),
            false => Ok(()),
        }
    }
}

fn has_prefix(name: &str, prefix: &str) -> bool {
    !prefix.is_empty()
        && name.len() > prefix.len()
        && name.is_char_boundary(prefix.len())
        && name[..prefix.len()].eq_ignore_ascii_case(prefix)
}

fn is_live_attribute(attribute: &Attribute) -> bool {
    attribute
        .path()
        .segments
        .last()
        .is_some_and(|segment| segment.ident == "live")
}

fn cfgs_of(attributes: &[Attribute]) -> Vec<Attribute> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .cloned()
        .collect()
}

fn path_of(attributes: &[Attribute]) -> Option<String> {
    let attribute = attributes
        .iter()
        .find(|attribute| attribute.path().is_ident("path"))?;
    let Meta::NameValue(value) = &attribute.meta else {
        return None;
    };
    let literal: syn::LitStr = syn::parse2(value.value.to_token_stream()).ok()?;
    Some(literal.value())
}

fn failure(text: String) -> syn::Error {
    syn::Error::new(Span::call_site(), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_is_compared_without_case() {
        assert!(has_prefix("live_send", "live_"));
        assert!(has_prefix("Live_Send", "live_"));
        assert!(!has_prefix("live_", "live_"));
        assert!(!has_prefix("lively", "live_"));
        assert!(!has_prefix("anything", ""));
    }
}
