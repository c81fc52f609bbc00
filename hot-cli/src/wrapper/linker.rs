//! The linker of a managed plugin that can be patched: the user's own, which is kept from hiding
//! symbols.
//!
//! For a C library rustc gives the linker a version script that exports nothing but the functions
//! with C names. Patches have to find the plugin's own symbols, so `hot` stands between rustc and
//! the linker and takes that script away. Within the library all references stay bound to the
//! library.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Result;
use soft_mock_abi::manifest::IMAGE;

use super::{cargo_call, link};
use crate::config::env::PLUGIN_LINKER;
use crate::rustc::args::RustcArgs;

/// Makes this program the linker of the call. Returns the variable that makes it one.
pub(super) fn exporting(args: &mut RustcArgs, folder: &Path) -> Result<(&'static str, OsString)> {
    let linker = args.codegen("linker").unwrap_or("cc").to_owned();
    let link = link::linker(folder, Path::new(&linker))?;
    args.push(&["-C", &format!("linker={}", link.display())]);
    args.push(&["-C", "link-arg=-Wl,-Bsymbolic"]);
    args.push(&["-C", &format!("link-arg=-Wl,-soname,{IMAGE}")]);
    Ok((PLUGIN_LINKER, linker.into()))
}

/// Calls the linker without the script.
pub(crate) fn run(linker: &OsStr, arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let status = Command::new(linker)
        .args(arguments.filter(|argument| !is_script(argument)))
        .env_remove(PLUGIN_LINKER)
        .status();
    cargo_call::exit_code(status)
}

/// Whether an argument names a version script, to a linker or to a compiler that calls one.
fn is_script(argument: &OsStr) -> bool {
    let text = argument.to_string_lossy();
    let text = text.strip_prefix("-Wl,").unwrap_or(&text);
    text.starts_with("--version-script=")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_script_is_taken_away() {
        let check = |argument: &str, expected: bool| {
            assert_eq!(is_script(argument.as_ref()), expected, "{argument}");
        };
        check("-Wl,--version-script=/tmp/rustc/list", true);
        check("--version-script=/tmp/rustc/list", true);
        check("-Wl,-Bsymbolic", false);
        check("-o", false);
    }
}
