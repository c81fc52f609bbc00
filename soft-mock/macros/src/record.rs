//! What a compiled crate was made from: its sources, its dependencies as compiled, and the
//! compiler's flags.
//!
//! A macro runs inside the rustc call of the crate that it is used in, so the call's own arguments
//! are there to read: `-C metadata` (cargo's hash of package, features, profile and dependencies),
//! the flags that change code or layout, and the compiled interface of each dependency. Comments
//! and layout of the sources don't count: files are compared by their tokens.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use proc_macro2::{Span, TokenStream};

/// Flags of `-C` that change neither the layout of a type nor the meaning of code.
const HARMLESS: [&str; 16] = [
    "incremental",
    "linker",
    "linker-flavor",
    "link-arg",
    "link-args",
    "link-self-contained",
    "extra-filename",
    "debuginfo",
    "split-debuginfo",
    "strip",
    "save-temps",
    "codegen-units",
    "embed-bitcode",
    "rpath",
    "prefer-dynamic",
    "lto",
];

/// One crate as it was compiled.
pub(crate) struct Record {
    name: String,
    version: String,
    features: Vec<String>,
    flags: Vec<String>,
    metadata: String,
    sources: u64,
    dependencies: u64,
}

impl Record {
    /// Reads the sources and the compiler's arguments of the crate being compiled.
    pub(crate) fn of_this_crate() -> syn::Result<Record> {
        let arguments = arguments();
        let root =
            PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| ".".into()));
        let name = value_of(&arguments, "--crate-name")
            .or_else(|| std::env::var("CARGO_CRATE_NAME").ok())
            .unwrap_or_default();
        let mut flags = flags(&arguments);
        let metadata = flags
            .iter()
            .find_map(|flag| flag.strip_prefix("metadata="))
            .unwrap_or_default()
            .to_owned();
        flags.retain(|flag| !flag.starts_with("metadata="));
        Ok(Record {
            name,
            version: std::env::var("CARGO_PKG_VERSION").unwrap_or_default(),
            features: features(&arguments),
            flags,
            metadata,
            sources: sources(&root).map_err(|(path, error)| {
                syn::Error::new(
                    Span::call_site(),
                    format!("cannot read {}: {error}", path.display()),
                )
            })?,
            dependencies: dependencies(&arguments),
        })
    }

    /// One JSON object, without a line break.
    pub(crate) fn to_json(&self) -> String {
        format!(
            "{{\"crate\":{},\"version\":{},\"rustc\":{},\"metadata\":{},\"features\":{},\"flags\":{},\"sources\":\"{:016x}\",\"dependencies\":\"{:016x}\"}}",
            quoted(&self.name),
            quoted(&self.version),
            quoted(rustc()),
            quoted(&self.metadata),
            quoted(&self.features.join(" ")),
            quoted(&self.flags.join(" ")),
            self.sources,
            self.dependencies,
        )
    }
}

/// The version line of the compiler that built this macro, and so of the one that runs it.
pub(crate) fn rustc() -> &'static str {
    env!("SOFT_MOCK_RUSTC")
}

/// A JSON string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// The arguments of the running rustc, with `@file`s opened.
fn arguments() -> Vec<String> {
    let mut all = Vec::new();
    for argument in std::env::args_os().skip(1) {
        let argument = argument.to_string_lossy().into_owned();
        match argument.strip_prefix('@').map(std::fs::read_to_string) {
            Some(Ok(text)) => all.extend(text.lines().map(str::to_owned)),
            _ => all.push(argument),
        }
    }
    all
}

/// The value after `key`, or behind `key=`.
fn value_of(arguments: &[String], key: &str) -> Option<String> {
    values_of(arguments, key).into_iter().next()
}

fn values_of(arguments: &[String], key: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == key {
            values.extend(rest.next().cloned());
        } else if let Some(value) = argument
            .strip_prefix(key)
            .and_then(|rest| rest.strip_prefix('='))
        {
            values.push(value.to_owned());
        }
    }
    values
}

fn features(arguments: &[String]) -> Vec<String> {
    let mut features: Vec<String> = values_of(arguments, "--cfg")
        .into_iter()
        .filter_map(|cfg| Some(cfg.strip_prefix("feature=")?.trim_matches('"').to_owned()))
        .collect();
    features.sort();
    features
}

/// The flags that can change code or layout, sorted.
fn flags(arguments: &[String]) -> Vec<String> {
    let mut flags = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let codegen = match argument.as_str() {
            "-C" | "--codegen" => rest.next().cloned(),
            other => other.strip_prefix("-C").map(str::to_owned),
        };
        if let Some(flag) = codegen {
            let key = flag.split('=').next().unwrap_or_default().replace('_', "-");
            if !HARMLESS.contains(&key.as_str()) {
                flags.push(flag);
            }
        } else if argument == "-Z" {
            flags.extend(rest.next().map(|flag| format!("-Z{flag}")));
        } else if argument.starts_with("-Z") {
            flags.push(argument.clone());
        }
    }
    flags.extend(value_of(arguments, "--edition").map(|edition| format!("edition={edition}")));
    flags.extend(value_of(arguments, "--target").map(|target| format!("target={target}")));
    let cfgs = values_of(arguments, "--cfg");
    flags.extend(cfgs.into_iter().filter(|cfg| !cfg.starts_with("feature=")));
    flags.sort();
    flags
}

/// A hash of the compiled interfaces of all direct dependencies; theirs name those below them.
fn dependencies(arguments: &[String]) -> u64 {
    let mut externs: Vec<(String, u64)> = values_of(arguments, "--extern")
        .into_iter()
        .filter_map(|text| {
            let (name, path) = text.split_once('=')?;
            Some((
                name.rsplit(':').next().unwrap_or(name).to_owned(),
                interface(Path::new(path)),
            ))
        })
        .collect();
    externs.sort();
    let mut hasher = DefaultHasher::new();
    for (name, hash) in externs {
        hasher.write(name.as_bytes());
        hasher.write_u64(hash);
    }
    hasher.finish()
}

/// A hash of one dependency. A proc-macro leaves no interface in the crate: its file name, which
/// carries cargo's hash of it, is enough.
fn interface(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    let is_library = path
        .extension()
        .is_some_and(|kind| kind == "rlib" || kind == "rmeta");
    let content = is_library
        .then(|| {
            std::fs::read(path.with_extension("rmeta"))
                .or_else(|_| std::fs::read(path))
                .ok()
        })
        .flatten();
    match content {
        Some(bytes) => hasher.write(&bytes),
        None => hasher.write(path.file_name().unwrap_or_default().as_encoded_bytes()),
    }
    hasher.finish()
}

/// A hash of everything that the crate may be compiled from.
fn sources(root: &Path) -> Result<u64, (PathBuf, std::io::Error)> {
    let source_folder = root.join("src");
    let start = if source_folder.is_dir() {
        source_folder
    } else {
        root.to_owned()
    };
    let mut files = Vec::new();
    collect(&start, &mut files).map_err(|error| (start.clone(), error))?;
    if let Some(generated) = std::env::var_os("OUT_DIR").map(PathBuf::from) {
        let mut made = Vec::new();
        // A folder that isn't there was never written to.
        if collect(&generated, &mut made).is_ok() {
            files.extend(
                made.into_iter()
                    .filter(|file| file.extension().is_some_and(|kind| kind == "rs")),
            );
        }
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        let bytes = std::fs::read(&file).map_err(|error| (file.clone(), error))?;
        hasher.write(file.file_name().unwrap_or_default().as_encoded_bytes());
        match tokens(&file, &bytes) {
            Some(tokens) => hasher.write(tokens.as_bytes()),
            None => hasher.write(&bytes),
        }
    }
    Ok(hasher.finish())
}

/// A Rust file without its comments and layout.
fn tokens(file: &Path, bytes: &[u8]) -> Option<String> {
    if file.extension()? != "rs" {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    Some(TokenStream::from_str(text).ok()?.to_string())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b".") || name == "target" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
