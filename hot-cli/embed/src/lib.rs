//! The bytes of the dynamic library that cargo built for a dependency.
//!
//! A package whose library is a `cdylib` and an `rlib` can be an ordinary dependency. Cargo
//! compiles both in one call of rustc, for the same target and in the same profile as the program
//! that depends on them, and tells that program's rustc where the `rlib` is. The `cdylib` lies
//! beside it, which is what [`dynamic_library!`] relies on: no second cargo, no path into a target
//! folder that is put together from its layout.
//!
//! Knows nothing of what the library is for.

mod arguments;

use std::path::{Path, PathBuf};

use proc_macro::TokenStream;

use arguments::Arguments;

/// `dynamic_library!(name)`, with a dependency's name as code has it: a `&'static [u8; N]`.
///
/// Where nothing is linked (`cargo check`, clippy, rustdoc, an editor), cargo doesn't build the
/// library, and the array is empty.
#[proc_macro]
pub fn dynamic_library(input: TokenStream) -> TokenStream {
    let name = input.to_string();
    let code = match Arguments::of_this_process().and_then(|arguments| locate(&arguments, &name)) {
        Ok(Some(library)) => format!("::core::include_bytes!({library:?})"),
        Ok(None) => "b\"\"".to_owned(),
        Err(problem) => format!("::core::compile_error!({problem:?})"),
    };
    code.parse().expect("an expression")
}

/// The library, or nothing where there can't be one yet.
fn locate(arguments: &Arguments, name: &str) -> Result<Option<PathBuf>, String> {
    if !arguments.links() {
        return Ok(None);
    }
    let rlib = arguments
        .dependency(name)
        .ok_or_else(|| format!("`{name}` is no dependency of this crate"))?;
    let library = beside(rlib).map_err(|error| format!("{}: {error}", rlib.display()))?;
    match library.is_file() {
        true => Ok(Some(library)),
        false => Err(format!(
            "cargo built no {}: the library of `{name}` must be a \"cdylib\" and an \"rlib\", and the target must \
             have dynamic libraries (not musl, no `crt-static`)",
            library.display()
        )),
    }
}

/// `include_bytes!` would look for a relative path beside the source, rustc means its current
/// folder.
fn beside(rlib: &Path) -> std::io::Result<PathBuf> {
    std::path::absolute(rlib.with_extension(std::env::consts::DLL_EXTENSION))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rustc(arguments: &[&str]) -> Arguments {
        Arguments::new(arguments.iter().map(|argument| (*argument).to_owned()))
            .expect("no file of arguments")
    }

    #[test]
    fn the_library_lies_beside_the_rlib() {
        let folder = std::env::temp_dir().join(format!("embed-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let rlib = folder.join("libagent-1f2e.rlib");
        let library = folder.join(format!("libagent-1f2e.{}", std::env::consts::DLL_EXTENSION));
        let call = rustc(&[
            "--emit=dep-info,link",
            "--extern",
            &format!("agent={}", rlib.display()),
        ]);
        let missing = locate(&call, "agent").expect_err("nothing is there");
        assert!(missing.contains("libagent-1f2e."), "{missing}");
        std::fs::write(&library, b"").expect("a file");
        assert_eq!(locate(&call, "agent"), Ok(Some(library)));
        assert!(locate(&call, "other").is_err());
        std::fs::remove_dir_all(&folder).expect("it was made here");
    }

    #[test]
    fn nothing_is_looked_for_where_nothing_is_linked() {
        for call in [
            rustc(&[
                "--emit=dep-info,metadata",
                "--extern",
                "agent=/a/libagent.rmeta",
            ]),
            // An editor's own process.
            rustc(&[]),
        ] {
            assert_eq!(locate(&call, "agent"), Ok(None));
        }
    }
}
