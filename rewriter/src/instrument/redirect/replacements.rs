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

use soft_mock_abi::section::{STD_PAIRS, STD_PLACES};
use soft_mock_abi::std_calls::{ident, replacement, PLACES, UNREAD};

use super::std_functions::{StdFunction, FUNCTIONS};
use crate::instrument::item;
use crate::instrument::support::SECTION;
use crate::syntax::edition::Edition;

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
pub(crate) fn support(edition: Edition, unit: u64, std: Std) -> String {
    let text = text(edition, unit);
    match std {
        Std::Declared => text,
        Std::Added => text.replace("::std::", "crate::__soft_mock_of_std::"),
    }
}

fn text(edition: Edition, unit: u64) -> String {
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
        for (number, types) in function.instances.iter().enumerate() {
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
                self.pair(&ident, &format!("::{path}"), &ident, &pointer),
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
            self.pair(
                &ident,
                &format!("::{path}::<{arguments}>"),
                &ident,
                &pointer
            ),
        )
    }

    fn pair(&self, name: &str, function: &str, replacement: &str, pointer: &str) -> String {
        format!(
            "    #[used] {} static PAIR_{name}: Pair<{pointer}> = Pair({function}, {replacement});\n",
            self.section(STD_PAIRS)
        )
    }
}
