//! What one file declares as a whole, and its functions. Knows nothing of how it is read.

use std::ops::Range;
use std::path::PathBuf;

use super::modules::Module;
use super::types::Item;
use crate::analysis::eligibility::{Ineligible, Kind};
use crate::analysis::known_attributes::makes_no_code;
use crate::analysis::local_items::LocalItems;
use crate::syntax::mentions::{Mentions, Names};
use crate::syntax::names::{site_name, Owner};
use crate::syntax::normalize::Fingerprint;

/// What one source file declares.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FileItems {
    /// The file.
    pub path: PathBuf,
    /// The path of its module inside the crate; empty for the root.
    pub module: Vec<String>,
    /// Its inner attributes, normalised, without documentation.
    pub attributes: Vec<String>,
    /// The file's module first, then those inside of it.
    pub modules: Vec<Module>,
    /// Everything but functions, imports and macros by example.
    pub items: Vec<Item>,
    /// All functions with a body.
    pub functions: Vec<DeclaredFunction>,
    /// The headers of the impl blocks around them.
    pub impls: Vec<ImplHeader>,
    /// Names that are not visible everywhere in the crate.
    pub private: Vec<Private>,
    /// Types with lifetime parameters.
    pub borrowing: Vec<String>,
    /// Traits of which it mentions objects.
    pub dynamic: Dynamic,
    /// All of the file but comments, formatting, and documentation that no macro may read.
    pub meaning: Fingerprint,
}

/// Traits after `dyn`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dynamic {
    /// Their names, and other names beside them.
    pub names: Names,
    /// There are others, whose names can't be told.
    pub unknown: bool,
}

/// A function with a body.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclaredFunction {
    /// Its name, without `r#`.
    pub name: String,
    /// What it belongs to.
    pub owner: Owner,
    /// The trait whose default method it is.
    pub in_trait: Option<String>,
    /// The module it stands in.
    pub module: Vec<String>,
    /// The impl block around it: an index into [`FileItems::impls`].
    pub header: Option<usize>,
    /// The line of its name.
    pub line: usize,
    /// Conditions under which it is compiled, its surroundings in this file included.
    pub cfgs: Vec<String>,
    /// Its other attributes, normalised, without documentation.
    pub attributes: Vec<String>,
    /// The doc comments on it and its parameters that a macro may read.
    pub docs: Fingerprint,
    /// The attributes of its parameters.
    pub parameter_attributes: Fingerprint,
    /// Qualifiers, parameter types and result.
    pub signature: String,
    /// Its visibility.
    pub visibility: String,
    /// How it is replaced, or why it can't be.
    pub kind: Result<Kind, Ineligible>,
    /// Where it stands in the text.
    pub place: FunctionPlace,
    /// Its body and the patterns of its parameters.
    pub body: Fingerprint,
    /// What its body declares that may exist only once.
    pub local_items: LocalItems,
    /// The names in its parameters, result and body.
    pub mentions: Mentions,
    /// The names in the types of its parameters and result, and in its generics.
    pub types: Names,
}

/// Byte ranges of a function in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionPlace {
    /// From `const`, `async`, `unsafe`, `extern` or `fn` to before the body.
    pub signature: Range<usize>,
    /// Its name.
    pub name: Range<usize>,
    /// Its body with the braces.
    pub body: Range<usize>,
    /// Attributes at the start of the body.
    pub inner_attributes: Vec<Range<usize>>,
    /// Attributes of parameters.
    pub parameter_attributes: Vec<Range<usize>>,
    /// Line and column (in characters) of the end of the name.
    pub name_end: (usize, usize),
    /// Line and column (in characters) of the body's opening brace.
    pub brace: (usize, usize),
}

/// Where something stands in its file, with its attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextPlace {
    /// Its bytes.
    pub range: Range<usize>,
    /// Line and column (in characters) of its first.
    pub start: (usize, usize),
}

/// What stands before the brace of an impl block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImplHeader {
    /// The whole block.
    pub place: TextPlace,
    /// The module that it stands in.
    pub module: Vec<String>,
    /// Conditions under which it is compiled, its surroundings in this file included.
    pub cfgs: Vec<String>,
    /// What it belongs to.
    pub owner: Owner,
    /// `impl < 'a > Trait for Type < 'a > where …`, normalised.
    pub text: String,
    /// The associated types that it defines.
    pub types: Vec<String>,
    /// Attributes other than cfg and documentation.
    pub attributes: Vec<String>,
    /// It has type or const parameters.
    pub generic: bool,
    /// The names in it.
    pub mentions: Names,
}

/// A name that is visible in a part of the crate only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Private {
    /// The name.
    pub name: String,
    /// What it names.
    pub kind: PrivateKind,
    /// The type whose method or constant it is.
    pub owner: Option<String>,
    /// The module inside which it is visible.
    pub scope: Vec<String>,
    /// The module that declares it.
    pub module: Vec<String>,
}

/// What a private name names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivateKind {
    /// A field.
    Field,
    /// A method or associated constant of a type.
    Member,
    /// An item of a module.
    Item,
}

impl FileItems {
    /// The impl block around a function.
    pub fn header_of(&self, function: &DeclaredFunction) -> Option<&ImplHeader> {
        function.header.and_then(|index| self.impls.get(index))
    }
}

impl DeclaredFunction {
    /// The name of its site in the crate `crate_name`.
    pub fn site_name(&self, crate_name: &str) -> String {
        let mut module = crate_name.to_owned();
        for name in &self.module {
            module.push_str("::");
            module.push_str(name);
        }
        site_name(&module, &self.owner, &self.name)
    }

    /// The attribute on it that may make something else of it: one that is neither the compiler's
    /// nor known to leave functions where they are.
    pub fn attribute_macro(&self) -> Option<&str> {
        const LEAVE: [&str; 5] = ["async_trait", "cfg_attr", "instrument", "main", "test"];
        let names = self.attributes.iter().map(|text| {
            let path = text.split(['(', '=', '[', '{']).next().unwrap_or_default();
            path.rsplit("::").next().unwrap_or_default().trim()
        });
        let mut macros = names.filter(|name| !makes_no_code(name) && !LEAVE.contains(name));
        macros.next()
    }

    /// What people call it inside its module: `Store::get`, `<Store as Display>::fmt`, `fn get`.
    pub fn title(&self) -> String {
        let name = &self.name;
        match (&self.owner, &self.in_trait) {
            (_, Some(tr)) => format!("{tr}::{name}"),
            (Owner::Free, None) => format!("fn {name}"),
            (Owner::Inherent { ty }, None) => format!("{ty}::{name}"),
            (Owner::Trait { ty, tr }, None) => format!("<{ty} as {tr}>::{name}"),
        }
    }
}
