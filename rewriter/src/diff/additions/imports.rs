//! Imports that came or went. One of a trait brings methods to code that doesn't mention it.
//!
//! Knows nothing of who mentions what they bring.

use super::collect::{reach, Called, Found, Name};
use super::known_names::{is_trait, methods_of};
use super::{Addition, Source};
use crate::analysis::declaration::Declaration;
use crate::analysis::items::{FileItems, Use, UseKind};
use crate::diff::findings::Turn;
use crate::syntax::mentions::Names;
use crate::syntax::names::plain;
use crate::syntax::normalize::fingerprint_of_text;

/// Collects the imports that came or went, for which no other edit stands in the way.
pub(super) fn collect(files: &[Source<'_>], found: &mut Vec<Found>) -> Result<(), String> {
    for (position, file) in files.iter().enumerate() {
        for edit in &file.edits {
            let (items, declaration, removed) = match edit.turn {
                Some(Turn::Added(declaration)) => (Some(file.items), declaration, false),
                Some(Turn::Removed(declaration)) => (file.old, declaration, true),
                Some(Turn::Changed(_) | Turn::FieldVisibility) | None => continue,
            };
            let Declaration::Import { module, import } = declaration else {
                continue;
            };
            let items = items.ok_or_else(|| edit.what.clone())?;
            let module = &items.modules[module];
            let import = Import {
                files,
                unit: file.unit,
                module: &module.path,
                import: &module.uses[import],
            };
            let names = import.names().ok_or_else(|| edit.what.clone())?;
            found.push(Found {
                addition: Addition {
                    file: position,
                    unit: file.unit,
                    declaration,
                    removed,
                    names: import.import.bound().map(plain).into_iter().collect(),
                    mentions: Names::default(),
                    content: import.content(removed),
                    brings_methods_to: import
                        .may_be_trait()
                        .then(|| import.scope().unwrap_or_default()),
                },
                names,
                range: 0..0,
            });
        }
    }
    Ok(())
}

/// Whether an import of the crate `unit` may bring a trait.
pub(in crate::diff) fn may_be_trait(files: &[Source<'_>], unit: usize, import: &Use) -> bool {
    let import = Import {
        files,
        unit,
        module: &[],
        import,
    };
    import.may_be_trait()
}

struct Import<'a> {
    files: &'a [Source<'a>],
    unit: usize,
    module: &'a [String],
    import: &'a Use,
}

impl Import<'_> {
    /// The names that it brings, methods included; none: it can't be told.
    fn names(&self) -> Option<Vec<Name>> {
        if !self.import.attributes.is_empty() || !self.import.cfgs.is_empty() {
            return None;
        }
        let scope = self.scope();
        let name = |text: String, called| Name {
            text,
            called,
            scope: scope.clone(),
        };
        let bound = plain(self.import.bound()?);
        let methods = match self.may_be_trait() {
            true => methods_of(&self.path())?,
            false => &[],
        };
        let mut names: Vec<Name> = methods
            .iter()
            .map(|method| name((*method).to_owned(), Called::Anyhow))
            .collect();
        if bound != "_" {
            names.push(name(bound, Called::Item));
        }
        Some(names)
    }

    /// The module in and below which it is seen; none: maybe everywhere.
    fn scope(&self) -> Option<Vec<String>> {
        reach(&self.import.visibility, self.module)
    }

    fn content(&self, removed: bool) -> crate::syntax::normalize::Fingerprint {
        let (module, import) = (self.module.join("::"), self.import);
        let text = format!(
            "{removed} {module} {} {}",
            import.visibility,
            import.path_text()
        );
        fingerprint_of_text(&text)
    }

    fn path(&self) -> Vec<&str> {
        let last = match &self.import.kind {
            UseKind::Name { name, .. } => Some(name),
            UseKind::Itself { .. } | UseKind::Glob => None,
        };
        let path = self.import.prefix.iter().chain(last);
        path.map(String::as_str).collect()
    }

    /// Whether it may bring a trait. Traits are called in capitals.
    fn may_be_trait(&self) -> bool {
        let path = self.path();
        let Some(last) = path.last() else { return true };
        if !plain(last).starts_with(char::is_uppercase) {
            return false;
        }
        match path[0] {
            "std" | "core" | "alloc" => is_trait(last) || path.get(1) == Some(&"os"),
            "crate" => !self.is_declared_type(&path[1..path.len() - 1], last),
            _ => true,
        }
    }

    /// Whether a module of the crate declares something by this name that is no trait.
    fn is_declared_type(&self, module: &[&str], name: &str) -> bool {
        let own = self.files.iter().filter(|file| file.unit == self.unit);
        let files: Vec<&FileItems> = own.map(|file| file.items).collect();
        let modules = files.iter().flat_map(|file| &file.modules);
        let mut locals = modules
            .filter(|declared| declared.path == module)
            .flat_map(|declared| &declared.locals)
            .filter(|local| plain(&local.name) == plain(name))
            .peekable();
        locals.peek().is_some() && locals.all(|local| !local.is_trait)
    }
}
