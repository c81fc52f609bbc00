//! The functions of the standard library whose calls are redirected, and what takes their place.
//!
//! ```text
//! thread::sleep(pause)      crate::__soft_mock::std_thread_sleep(pause)
//!                           pub fn std_thread_sleep(a: Duration) { { static SITE … } ::std::thread::sleep(a) }
//! ```

use crate::instrument::item;
use crate::instrument::support::SECTION;
use crate::syntax::edition::Edition;

/// A function of the standard library whose calls are redirected.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StdFunction {
    pub(super) path: &'static str,
    /// Generic parameters of the function that takes its place.
    generics: &'static str,
    /// Name, type and, for the mock, type and expression.
    parameters: &'static [Parameter],
    output: &'static str,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Parameter {
    ty: &'static str,
    mock_type: &'static str,
    mock_value: &'static str,
}

const DURATION: Parameter = Parameter {
    ty: "::std::time::Duration",
    mock_type: "::std::time::Duration",
    mock_value: "a",
};
const KEY: Parameter = Parameter {
    ty: "A",
    mock_type: "&::std::ffi::OsStr",
    mock_value: "::std::convert::AsRef::<::std::ffi::OsStr>::as_ref(&a)",
};
const PATH: Parameter = Parameter {
    ty: "A",
    mock_type: "&::std::path::Path",
    mock_value: "::std::convert::AsRef::<::std::path::Path>::as_ref(&a)",
};
const BYTES: Parameter = Parameter {
    ty: "B",
    mock_type: "&[u8]",
    mock_value: "::std::convert::AsRef::<[u8]>::as_ref(&b)",
};
const CODE: Parameter = Parameter {
    ty: "i32",
    mock_type: "i32",
    mock_value: "a",
};

const OS: &str = "<A: ::std::convert::AsRef<::std::ffi::OsStr>>";
const FILE: &str = "<A: ::std::convert::AsRef<::std::path::Path>>";

macro_rules! function {
    ($path:literal, $generics:expr, [$($parameter:expr),*], $output:literal) => {
        StdFunction { path: $path, generics: $generics, parameters: &[$($parameter),*], output: $output }
    };
}

pub(super) const FUNCTIONS: &[StdFunction] = &[
    function!(
        "std::env::current_dir",
        "",
        [],
        "::std::io::Result<::std::path::PathBuf>"
    ),
    function!("std::env::temp_dir", "", [], "::std::path::PathBuf"),
    function!(
        "std::env::var",
        OS,
        [KEY],
        "::std::result::Result<::std::string::String, ::std::env::VarError>"
    ),
    function!(
        "std::env::var_os",
        OS,
        [KEY],
        "::std::option::Option<::std::ffi::OsString>"
    ),
    function!("std::fs::create_dir", FILE, [PATH], "::std::io::Result<()>"),
    function!(
        "std::fs::create_dir_all",
        FILE,
        [PATH],
        "::std::io::Result<()>"
    ),
    function!(
        "std::fs::metadata",
        FILE,
        [PATH],
        "::std::io::Result<::std::fs::Metadata>"
    ),
    function!(
        "std::fs::read",
        FILE,
        [PATH],
        "::std::io::Result<::std::vec::Vec<u8>>"
    ),
    function!(
        "std::fs::read_to_string",
        FILE,
        [PATH],
        "::std::io::Result<::std::string::String>"
    ),
    function!(
        "std::fs::remove_dir_all",
        FILE,
        [PATH],
        "::std::io::Result<()>"
    ),
    function!(
        "std::fs::remove_file",
        FILE,
        [PATH],
        "::std::io::Result<()>"
    ),
    function!(
        "std::fs::write",
        "<A: ::std::convert::AsRef<::std::path::Path>, B: ::std::convert::AsRef<[u8]>>",
        [PATH, BYTES],
        "::std::io::Result<()>"
    ),
    function!("std::process::exit", "", [CODE], "!"),
    function!("std::process::id", "", [], "u32"),
    function!("std::thread::sleep", "", [DURATION], "()"),
    function!("std::time::Instant::now", "", [], "::std::time::Instant"),
    function!(
        "std::time::SystemTime::now",
        "",
        [],
        "::std::time::SystemTime"
    ),
];

impl StdFunction {
    pub(super) fn ident(&self) -> String {
        self.path.replace("::", "_")
    }

    /// The function that takes its place, for the support module.
    pub(super) fn text(&self, edition: Edition) -> String {
        let section = edition.unsafe_attribute(&format!("link_section = {SECTION:?}"));
        let names = &["a", "b"][..self.parameters.len()];
        let join = |parts: Vec<String>| parts.join(", ");
        let parameters = join(
            names
                .iter()
                .zip(self.parameters)
                .map(|(name, p)| format!("{name}: {}", p.ty))
                .collect(),
        );
        let types = join(
            self.parameters
                .iter()
                .map(|p| p.mock_type.to_owned())
                .collect(),
        );
        let values = join(
            self.parameters
                .iter()
                .map(|p| p.mock_value.to_owned())
                .collect(),
        );
        let Self {
            path,
            generics,
            output,
            ..
        } = self;
        let arrow = match *output {
            "()" => String::new(),
            output => format!(" -> {output}"),
        };
        let signature = format!("fn({types}){arrow}").replace("::std::", "std::");
        let ident = self.ident();
        // Of a generic function no instance is the function.
        let item = match generics.is_empty() {
            true => item::record_of(edition, &format!("::{path}"), "SITE"),
            false => String::new(),
        };
        let pointer = format!("fn({types}){arrow}");
        format!(
            "#[track_caller] pub fn {ident}{generics}({parameters}){arrow} {{ \
             #[used] {section} static SITE: Site = Site::new(0, {path:?}, {path:?}, 0, {signature:?}, Option::Some(::std::any::TypeId::of::<{pointer}>)); {item} \
             if let Option::Some(code) = SITE.code() {{ return unsafe {{ ::std::mem::transmute::<unsafe fn(), {pointer}>(code)({values}) }}; }} \
             ::{path}({names}) }}\n",
            names = names.join(", "),
        )
    }
}
