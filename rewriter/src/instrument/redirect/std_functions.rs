//! The functions of the standard library that can be mocked.
//!
//! Knows nothing of where they are called, and nothing of what is written for them.

/// A function of the standard library that can be mocked.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StdFunction {
    pub(super) path: &'static str,
    /// Generic parameters of what takes its place.
    pub(super) generics: &'static str,
    pub(super) parameters: &'static [Parameter],
    pub(super) output: &'static str,
    /// The types for which there is an instance that calls can be led to, however they are
    /// written: one for each generic parameter.
    pub(super) instances: &'static [&'static [&'static str]],
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Parameter {
    pub(super) ty: &'static str,
    /// Type and value for the mock, where `$` is the parameter.
    pub(super) mock_type: &'static str,
    pub(super) mock_value: &'static str,
}

const fn plain(ty: &'static str) -> Parameter {
    Parameter {
        ty,
        mock_type: ty,
        mock_value: "$",
    }
}

const fn path(ty: &'static str) -> Parameter {
    Parameter {
        ty,
        mock_type: "&::std::path::Path",
        mock_value: "::std::convert::AsRef::<::std::path::Path>::as_ref(&$)",
    }
}

const PATH: Parameter = path("A");
const KEY: Parameter = Parameter {
    ty: "A",
    mock_type: "&::std::ffi::OsStr",
    mock_value: "::std::convert::AsRef::<::std::ffi::OsStr>::as_ref(&$)",
};
const BYTES: Parameter = Parameter {
    ty: "B",
    mock_type: "&[u8]",
    mock_value: "::std::convert::AsRef::<[u8]>::as_ref(&$)",
};
/// Looked up only if the mock wants to know.
const ADDRESSES: Parameter = Parameter {
    ty: "A",
    mock_type: "&mut dyn Iterator<Item = ::std::net::SocketAddr>",
    mock_value: "&mut ::std::iter::Iterator::flatten(::std::iter::Iterator::flatten(::std::iter::once_with(|| ::std::net::ToSocketAddrs::to_socket_addrs(&$))))",
};
const DURATION: &str = "::std::time::Duration";

const OS: &str = "<A: ::std::convert::AsRef<::std::ffi::OsStr>>";
const FILE: &str = "<A: ::std::convert::AsRef<::std::path::Path>>";
const FILES: &str =
    "<A: ::std::convert::AsRef<::std::path::Path>, B: ::std::convert::AsRef<::std::path::Path>>";
const CONTENTS: &str =
    "<A: ::std::convert::AsRef<::std::path::Path>, B: ::std::convert::AsRef<[u8]>>";
const HOST: &str = "<A: ::std::net::ToSocketAddrs>";

const NAMES: &[&[&str]] = &[
    &["&'static str"],
    &["&'static ::std::string::String"],
    &["::std::string::String"],
];
const PATHS: &[&[&str]] = &[
    &["&'static str"],
    &["&'static ::std::string::String"],
    &["::std::string::String"],
    &["&'static ::std::path::Path"],
    &["&'static ::std::path::PathBuf"],
    &["::std::path::PathBuf"],
];
const TWO_PATHS: &[&[&str]] = &[
    &["&'static str", "&'static str"],
    &["&'static ::std::path::Path", "&'static ::std::path::Path"],
    &[
        "&'static ::std::path::PathBuf",
        "&'static ::std::path::PathBuf",
    ],
];
const PATH_AND_BYTES: &[&[&str]] = &[
    &["&'static str", "&'static str"],
    &["&'static str", "&'static [u8]"],
    &["&'static ::std::path::Path", "&'static str"],
    &["&'static ::std::path::Path", "&'static [u8]"],
    &["&'static ::std::path::PathBuf", "&'static str"],
    &["&'static ::std::path::PathBuf", "&'static [u8]"],
];

macro_rules! functions {
    ($($path:literal $generics:tt ($($parameter:expr),*) -> $output:literal [$instances:expr];)*) => {
        &[$(StdFunction {
            path: concat!("std::", $path),
            generics: $generics,
            parameters: &[$($parameter),*],
            output: $output,
            instances: $instances,
        }),*]
    };
}

/// All of them. A test compares them with the documentation.
#[rustfmt::skip]
pub(super) const FUNCTIONS: &[StdFunction] = functions! {
    "env::current_dir" "" () -> "::std::io::Result<::std::path::PathBuf>" [&[]];
    "env::temp_dir" "" () -> "::std::path::PathBuf" [&[]];
    "env::var" OS (KEY) -> "::std::result::Result<::std::string::String, ::std::env::VarError>" [NAMES];
    "env::var_os" OS (KEY) -> "::std::option::Option<::std::ffi::OsString>" [NAMES];
    "fs::File::open" FILE (PATH) -> "::std::io::Result<::std::fs::File>" [PATHS];
    "fs::OpenOptions::open" FILE (plain("&::std::fs::OpenOptions"), PATH) -> "::std::io::Result<::std::fs::File>" [PATHS];
    "fs::copy" FILES (PATH, path("B")) -> "::std::io::Result<u64>" [TWO_PATHS];
    "fs::create_dir" FILE (PATH) -> "::std::io::Result<()>" [PATHS];
    "fs::create_dir_all" FILE (PATH) -> "::std::io::Result<()>" [PATHS];
    "fs::metadata" FILE (PATH) -> "::std::io::Result<::std::fs::Metadata>" [PATHS];
    "fs::read" FILE (PATH) -> "::std::io::Result<::std::vec::Vec<u8>>" [PATHS];
    "fs::read_dir" FILE (PATH) -> "::std::io::Result<::std::fs::ReadDir>" [PATHS];
    "fs::read_to_string" FILE (PATH) -> "::std::io::Result<::std::string::String>" [PATHS];
    "fs::remove_dir_all" FILE (PATH) -> "::std::io::Result<()>" [PATHS];
    "fs::remove_file" FILE (PATH) -> "::std::io::Result<()>" [PATHS];
    "fs::rename" FILES (PATH, path("B")) -> "::std::io::Result<()>" [TWO_PATHS];
    "fs::write" CONTENTS (PATH, BYTES) -> "::std::io::Result<()>" [PATH_AND_BYTES];
    "net::TcpStream::connect" HOST (ADDRESSES) -> "::std::io::Result<::std::net::TcpStream>" [&[&["&'static str"], &["&'static ::std::string::String"], &["::std::net::SocketAddr"], &["(&'static str, u16)"]]];
    "path::Path::exists" "" (plain("&::std::path::Path")) -> "bool" [&[]];
    "path::Path::is_dir" "" (plain("&::std::path::Path")) -> "bool" [&[]];
    "path::Path::is_file" "" (plain("&::std::path::Path")) -> "bool" [&[]];
    "process::Command::output" "" (plain("&mut ::std::process::Command")) -> "::std::io::Result<::std::process::Output>" [&[]];
    "process::Command::spawn" "" (plain("&mut ::std::process::Command")) -> "::std::io::Result<::std::process::Child>" [&[]];
    "process::Command::status" "" (plain("&mut ::std::process::Command")) -> "::std::io::Result<::std::process::ExitStatus>" [&[]];
    "process::exit" "" (plain("i32")) -> "!" [&[]];
    "process::id" "" () -> "u32" [&[]];
    "thread::current" "" () -> "::std::thread::Thread" [&[]];
    "thread::sleep" "" (plain(DURATION)) -> "()" [&[]];
    "time::Instant::elapsed" "" (plain("&::std::time::Instant")) -> "::std::time::Duration" [&[]];
    "time::Instant::now" "" () -> "::std::time::Instant" [&[]];
    "time::SystemTime::elapsed" "" (plain("&::std::time::SystemTime")) -> "::std::result::Result<::std::time::Duration, ::std::time::SystemTimeError>" [&[]];
    "time::SystemTime::now" "" () -> "::std::time::SystemTime" [&[]];
};

impl StdFunction {
    /// The last part of its path.
    pub(super) fn name(&self) -> &'static str {
        self.path.rsplit("::").next().unwrap_or(self.path)
    }

    pub(super) fn is_generic(&self) -> bool {
        !self.generics.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::FUNCTIONS;

    /// The table in the documentation names each function, and no other.
    #[test]
    fn the_documentation_has_them_all() {
        let page = include_str!("../../../../docs/mocking.md");
        let start = page
            .find("| Function of std |")
            .expect("a table of functions of std");
        let rows = page[start..]
            .lines()
            .skip(2)
            .take_while(|line| line.starts_with('|'));
        let mut named: Vec<String> = rows
            .flat_map(|row| {
                row.split('|')
                    .nth(1)
                    .unwrap_or_default()
                    .split('`')
                    .skip(1)
                    .step_by(2)
            })
            .map(|name| format!("std::{name}"))
            .collect();
        named.sort();
        let functions: Vec<&str> = FUNCTIONS.iter().map(|function| function.path).collect();
        assert_eq!(named, functions);
    }
}
