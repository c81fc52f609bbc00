//! What takes the place of the functions of the standard library, in a crate's support module.
//!
//! ```text
//! #[export_name = "__soft_mock_std_…__std_thread_sleep"]
//! pub fn std_thread_sleep(a: Duration) { { static SITE … } ::std::thread::sleep(a) }
//! static P0: Pair<fn(Duration)> = Pair(::std::thread::sleep, std_thread_sleep);
//! ```
//!
//! The pair tells whoever reads the compiled objects which symbols these are
//! (`soft_mock_abi::std_calls`). Of a generic function, instances have pairs; calls whose path can
//! be read are led to the generic function itself, whatever their types.

use std::collections::HashSet;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use soft_mock_abi::section::{STD_PAIRS, STD_PLACES};
use soft_mock_abi::std_calls::{ident, replacement, PLACES, UNREAD};
use syn::File;

use super::std_functions::{StdFunction, FUNCTIONS};
use crate::instrument::item;
use crate::instrument::support::SECTION;
use crate::syntax::edition::Edition;
use crate::syntax::names::plain;

/// The names of parameters.
const NAMES: [&str; 2] = ["a", "b"];

/// How std is reached from the support module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Std {
    /// As everywhere.
    Declared,
    /// The crate declares `no_std`: its root needs a declaration.
    Added,
}

impl Std {
    /// What has to stand at the root of the crate.
    pub(crate) fn declaration(self) -> &'static str {
        match self {
            Self::Declared => "",
            Self::Added => "#[doc(hidden)] extern crate std as __soft_mock_of_std;\n",
        }
    }
}

/// What stands in the support module: all replacements. A program of tests has std, whatever the
/// crate says.
///
/// `sources`: the crate's files. Each instance takes time to compile, so of functions whose names
/// don't occur there is one alone, which says what all are called.
pub(crate) fn support<'a>(
    edition: Edition,
    unit: u64,
    std: Std,
    sources: impl Iterator<Item = &'a File>,
) -> String {
    let text = text(edition, unit, &mentioned(sources));
    match std {
        Std::Declared => text,
        Std::Added => text.replace("::std::", "crate::__soft_mock_of_std::"),
    }
}

/// The names in a crate's files, also those in macros.
fn mentioned<'a>(sources: impl Iterator<Item = &'a File>) -> HashSet<String> {
    let mut names = HashSet::new();
    let mut open: Vec<TokenStream> = sources.map(ToTokens::to_token_stream).collect();
    while let Some(tokens) = open.pop() {
        for token in tokens {
            match token {
                TokenTree::Group(group) => open.push(group.stream()),
                TokenTree::Ident(name) => {
                    names.insert(plain(&name.to_string()));
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }
    names
}

fn text(edition: Edition, unit: u64, mentioned: &HashSet<String>) -> String {
    let places = edition.unsafe_attribute(&format!("link_section = {STD_PLACES:?}"));
    let mut out = format!(
        "    #[repr(C)] pub struct Pair<F>(F, F);\n    \
         #[used] {places} static STD_PLACES: [u8; {PLACES}] = {{ let mut all = [0; {PLACES}]; all[0] = {UNREAD}; all }};\n"
    );
    for function in FUNCTIONS {
        let writer = Writer {
            edition,
            unit,
            function,
        };
        out += &writer.function();
        let count = match mentioned.contains(function.name()) {
            true => function.instances.len(),
            false => 1,
        };
        for (number, types) in function.instances.iter().take(count).enumerate() {
            out += &writer.instance(number, types);
        }
    }
    out
}

struct Writer {
    edition: Edition,
    unit: u64,
    function: &'static StdFunction,
}

impl Writer {
    fn section(&self, name: &str) -> String {
        self.edition
            .unsafe_attribute(&format!("link_section = {name:?}"))
    }

    fn export(&self, ident: &str) -> String {
        let name = replacement(self.unit, ident);
        self.edition
            .unsafe_attribute(&format!("export_name = {name:?}"))
    }

    fn arrow(&self) -> String {
        match self.function.output {
            "()" => String::new(),
            output => format!(" -> {output}"),
        }
    }

    /// `a: &Path, b: B`
    fn parameters(&self, with: impl Fn(&str) -> String) -> String {
        let parameters = NAMES.iter().zip(self.function.parameters);
        let parameters =
            parameters.map(|(name, parameter)| format!("{name}: {}", with(parameter.ty)));
        parameters.collect::<Vec<_>>().join(", ")
    }

    fn function(&self) -> String {
        let StdFunction {
            path,
            generics,
            parameters,
            ..
        } = self.function;
        let (ident, arrow) = (ident(path), self.arrow());
        let types: Vec<&str> = parameters.iter().map(|p| p.mock_type).collect();
        let pointer = format!("fn({}){arrow}", types.join(", "));
        let signature = pointer.replace("::std::", "std::");
        let values: Vec<String> = NAMES
            .iter()
            .zip(*parameters)
            .map(|(name, parameter)| parameter.mock_value.replace('$', name))
            .collect();
        let (export, item, pair) = match self.function.is_generic() {
            true => Default::default(),
            false => (
                self.export(&ident),
                item::record_of(self.edition, &format!("::{path}"), "SITE"),
                self.pair(&format!("::{path}"), &ident, &pointer),
            ),
        };
        format!(
            "    {export} #[inline(never)] pub fn {ident}{generics}({}){arrow} {{ \
             #[used] {} static SITE: Site = Site::new(0, {path:?}, {path:?}, 0, {signature:?}, Option::Some(::std::any::TypeId::of::<{pointer}>)); {item} \
             if let Option::Some(code) = SITE.code() {{ return unsafe {{ ::std::mem::transmute::<unsafe fn(), {pointer}>(code)({}) }}; }} \
             ::{path}({}) }}\n{pair}",
            self.parameters(str::to_owned),
            self.section(SECTION),
            values.join(", "),
            NAMES[..parameters.len()].join(", "),
        )
    }

    /// An instance as a function by itself.
    fn instance(&self, number: usize, types: &[&str]) -> String {
        let StdFunction {
            path, parameters, ..
        } = self.function;
        let (name, arrow) = (ident(path), self.arrow());
        let ident = format!("{name}__{number}");
        let actual = |ty: &str| match ty {
            "A" => types[0].to_owned(),
            "B" => types[1].to_owned(),
            other => other.to_owned(),
        };
        let arguments = types.join(", ");
        let pointer: Vec<String> = parameters.iter().map(|p| actual(p.ty)).collect();
        let pointer = format!("fn({}){arrow}", pointer.join(", "));
        format!(
            "    {} pub fn {ident}({}){arrow} {{ {name}::<{arguments}>({}) }}\n{}",
            self.export(&ident),
            self.parameters(actual),
            NAMES[..parameters.len()].join(", "),
            self.pair(&format!("::{path}::<{arguments}>"), &ident, &pointer),
        )
    }

    fn pair(&self, function: &str, replacement: &str, pointer: &str) -> String {
        format!(
            "    #[used] {} static PAIR_{replacement}: Pair<{pointer}> = Pair({function}, {replacement});\n",
            self.section(STD_PAIRS)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_of_what_a_crate_mentions() {
        let check = |source: &str, expected: usize| {
            let file = syn::parse_file(source).expect("a file");
            let text = support(Edition::E2021, 1, Std::Declared, [&file].into_iter());
            let count = text.matches("pub fn std_fs_read__").count();
            assert_eq!(count, expected, "{source}");
            assert!(text.contains("pub fn std_time_Instant_now("));
        };
        check("fn f() {}", 1);
        check("fn f() { std::fs::read_to_string(p); }", 1);
        check("use std::fs::read as load;", 6);
        check("macro_rules! m { () => { (a [fs::read]) } }", 6);
    }
}
