//! What a crate of shared types is compiled from, in one number.
//!
//! Every file below the crate's root counts, whether it is a module or not, and so does what a
//! build script has made, what `include!` and its like take in, and the values of `env!`. Comments
//! and layout don't: Rust files are compared by their tokens. Where a macro can't find out what is
//! compiled, the crate can't be one of shared types.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsStr;
use std::hash::Hasher;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use proc_macro2::{TokenStream, TokenTree};
use syn::LitStr;

/// Variables that name folders: what lies in those counts, not where they are.
const FOLDERS: [&str; 2] = ["OUT_DIR", "CARGO_MANIFEST_DIR"];

/// A hash of the sources of the package in `folder`, whose library begins in the file `root`.
pub(crate) fn hash(folder: &Path, root: Option<&Path>) -> Result<u64, String> {
    let mut hasher = DefaultHasher::new();
    let sources = source_folder(folder, root);
    add_folder(&mut hasher, &sources, &sources)?;
    if let Some(made) = std::env::var_os("OUT_DIR").map(PathBuf::from) {
        // One that isn't there was never written to.
        if made.is_dir() {
            add_folder(&mut hasher, &made, &made)?;
        }
    }
    Ok(hasher.finish())
}

/// The folder that all modules of the library lie in.
fn source_folder(folder: &Path, root: Option<&Path>) -> PathBuf {
    // A rewritten copy lies elsewhere, but what it was made from doesn't.
    let own = root
        .and_then(Path::parent)
        .and_then(|own| own.canonicalize().ok());
    let is_inside = |own: &PathBuf| {
        folder
            .canonicalize()
            .is_ok_and(|folder| own.starts_with(folder))
    };
    let usual = folder.join("src");
    match own.filter(is_inside) {
        Some(own) => own,
        None if usual.is_dir() => usual,
        None => folder.to_owned(),
    }
}

fn add_folder(hasher: &mut DefaultHasher, folder: &Path, start: &Path) -> Result<(), String> {
    let unreadable = |error| format!("cannot read {}: {error}", folder.display());
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| Ok(entry.map_err(unreadable)?.path()))
        .collect::<Result<_, String>>()?;
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default();
        // Of editors and version control; and of cargo, where the package itself is the folder.
        let is_cargos = name == "target" && folder.join("Cargo.toml").is_file();
        if name.as_encoded_bytes().starts_with(b".") || is_cargos {
            continue;
        }
        match path.is_dir() {
            true => add_folder(hasher, &path, start)?,
            false => add_file(hasher, &path, path.strip_prefix(start).unwrap_or(&path))?,
        }
    }
    Ok(())
}

fn add_file(hasher: &mut DefaultHasher, file: &Path, name: &Path) -> Result<(), String> {
    let bytes = std::fs::read(file);
    let bytes = bytes.map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    add(hasher, name.as_os_str().as_encoded_bytes());
    let is_rust = file.extension() == Some(OsStr::new("rs"));
    let text = std::str::from_utf8(&bytes).ok().filter(|_| is_rust);
    match text.and_then(|text| TokenStream::from_str(text).ok()) {
        Some(tokens) => {
            add(hasher, tokens.to_string().as_bytes());
            add_taken_in(hasher, file, tokens, false)
        }
        None => {
            add(hasher, &bytes);
            Ok(())
        }
    }
}

fn add(hasher: &mut DefaultHasher, bytes: &[u8]) {
    hasher.write_usize(bytes.len());
    hasher.write(bytes);
}

/// What the tokens of a file take in from outside: files and variables.
fn add_taken_in(
    hasher: &mut DefaultHasher,
    file: &Path,
    tokens: TokenStream,
    in_attribute: bool,
) -> Result<(), String> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is_hash =
        |token: &TokenTree| matches!(token, TokenTree::Punct(sign) if sign.as_char() == '#');
    for (index, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            let in_attribute = in_attribute || index > 0 && is_hash(&tokens[index - 1]);
            add_taken_in(hasher, file, group.stream(), in_attribute)?;
        }
        let TokenTree::Ident(name) = token else {
            continue;
        };
        let is = |at: usize, sign: char| matches!(tokens.get(index + at), Some(TokenTree::Punct(punct)) if punct.as_char() == sign);
        let argument = match tokens.get(index + 2) {
            Some(TokenTree::Group(group)) if is(1, '!') => group.stream(),
            Some(TokenTree::Literal(literal)) if is(1, '=') => {
                TokenTree::from(literal.clone()).into()
            }
            _ => continue,
        };
        match name.to_string().as_str() {
            "include" | "include_str" | "include_bytes" if is(1, '!') => {
                add_included(hasher, file, argument)?;
            }
            "env" | "option_env" if is(1, '!') => add_variable(hasher, argument),
            "path" if is(1, '=') && in_attribute => check_module(file, argument)?,
            _ => {}
        }
    }
    Ok(())
}

fn add_included(
    hasher: &mut DefaultHasher,
    file: &Path,
    argument: TokenStream,
) -> Result<(), String> {
    let text = argument.to_string();
    let Some(named) = place(argument) else {
        return Err(format!(
            "{}: a crate of shared types can't include `{text}`: which file that is can't be told here",
            file.display()
        ));
    };
    let path = file.parent().unwrap_or(file).join(&named);
    let bytes = std::fs::read(&path);
    let bytes = bytes.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    add(hasher, &bytes);
    Ok(())
}

/// The path in a literal, or in literals and folders behind each other.
fn place(argument: TokenStream) -> Option<PathBuf> {
    if let Ok(literal) = syn::parse2::<LitStr>(argument.clone()) {
        return Some(literal.value().into());
    }
    let call: syn::Macro = syn::parse2(argument).ok()?;
    if call.path.is_ident("env") {
        let name = call.parse_body::<LitStr>().ok()?.value();
        let is_folder = FOLDERS.contains(&name.as_str());
        return is_folder.then(|| std::env::var_os(name).map(PathBuf::from))?;
    }
    let parts = call.path.is_ident("concat").then(|| {
        call.parse_body_with(
            syn::punctuated::Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated,
        )
    });
    let mut whole = std::ffi::OsString::new();
    for part in parts?.ok()? {
        whole.push(place(quote::quote!(#part))?);
    }
    Some(whole.into())
}

fn add_variable(hasher: &mut DefaultHasher, argument: TokenStream) {
    let first = argument.into_iter().next().map(TokenStream::from);
    let name = first.and_then(|first| syn::parse2::<LitStr>(first).ok());
    let name = name.map(|name| name.value());
    if let Some(name) = name.filter(|name| !FOLDERS.contains(&name.as_str())) {
        let value = std::env::var_os(name).unwrap_or_default();
        add(hasher, value.as_encoded_bytes());
    }
}

/// Modules lie where all files are looked at.
fn check_module(file: &Path, argument: TokenStream) -> Result<(), String> {
    let Ok(literal) = syn::parse2::<LitStr>(argument) else {
        return Ok(());
    };
    let named = PathBuf::from(literal.value());
    let is_seen = |part: Component<'_>| match part {
        Component::CurDir => true,
        Component::Normal(name) => !name.as_encoded_bytes().starts_with(b"."),
        _ => false,
    };
    match named.components().all(is_seen) {
        true => Ok(()),
        false => Err(format!(
            "{}: a crate of shared types can't have a module in `{}`: put the file below the crate's root file, or make it a crate",
            file.display(),
            named.display()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash of a package with these files.
    fn hash_of(files: &[(&str, &str)]) -> Result<u64, String> {
        let package = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = package.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        let root = package.path().join(files[0].0);
        hash(package.path(), Some(&root))
    }

    #[track_caller]
    fn differ(one: &[(&str, &str)], other: &[(&str, &str)]) {
        let [one, other] = [one, other].map(|files| hash_of(files).expect("a hash"));
        assert_ne!(one, other);
    }

    #[test]
    fn only_what_is_compiled_counts() {
        let plain = hash_of(&[("src/lib.rs", "struct A(u8);")]);
        let same = hash_of(&[
            (
                "src/lib.rs",
                "// A.\nstruct A(\n    u8,\n);"
                    .replace(",\n", "\n")
                    .as_str(),
            ),
            ("src/.lib.rs.swp", "x"),
            ("tests/a.rs", "fn a() {}"),
        ]);
        assert_eq!(plain, same);
        differ(
            &[("src/lib.rs", "struct A(u8);")],
            &[("src/lib.rs", "struct A(u9);")],
        );
        differ(
            &[
                ("src/lib.rs", "mod target;"),
                ("src/target/mod.rs", "struct A(u8);"),
            ],
            &[
                ("src/lib.rs", "mod target;"),
                ("src/target/mod.rs", "struct A(u9);"),
            ],
        );
        differ(
            &[("lib/a.rs", "struct A(u8);"), ("src/main.rs", "")],
            &[("lib/a.rs", "struct A(u9);"), ("src/main.rs", "")],
        );
    }

    #[test]
    fn what_is_taken_in_counts() {
        let root = (
            "src/lib.rs",
            "const A: [u8; include!(\"../length.in\")] = [0; 1];",
        );
        differ(&[root, ("length.in", "1")], &[root, ("length.in", "2")]);
        // The variable is one that cargo sets for this test.
        let [own, other] = ["CARGO_PKG_NAME", "CARGO_PKG_NONE"].map(|name| {
            let mut hasher = DefaultHasher::new();
            add_variable(&mut hasher, quote::quote!(#name));
            hasher.finish()
        });
        assert_ne!(own, other);
    }

    #[test]
    fn what_cant_be_found_is_refused() {
        let refused = |root: &str| hash_of(&[("src/lib.rs", root)]).expect_err("refused");
        let error = refused("#[path = \"../other/a.rs\"] mod a;");
        assert!(
            error.contains("can't have a module in `../other/a.rs`"),
            "{error}"
        );
        let error = refused("macro_rules! a { ($b:expr) => { include!($b) } }");
        assert!(error.contains("can't include"), "{error}");
        assert!(refused("include!(\"none.rs\");").contains("cannot read"));
        let refused_too = refused("#[cfg_attr(unix, path = \"/a.rs\")] mod a;");
        assert!(
            refused_too.contains("can't have a module in `/a.rs`"),
            "{refused_too}"
        );
        for fine in [
            "#[path = \"b.rs\"] mod a;",
            "fn a() { let path = \"../a\"; }",
        ] {
            assert!(hash_of(&[("src/lib.rs", fine), ("src/b.rs", "")]).is_ok());
        }
    }
}
