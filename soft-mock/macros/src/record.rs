//! What a compiled crate was made from: its sources, its dependencies as compiled, and the
//! compiler's flags.
//!
//! A macro runs inside the rustc call of the crate that it is used in, so the call's own arguments
//! are there to read: `-C metadata` (cargo's hash of package, features, profile and dependencies),
//! the flags that change code or layout, and the compiled interface of each dependency.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;
use std::path::{Path, PathBuf};

use proc_macro2::Span;

use crate::sources;

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
    dependencies: Vec<(String, u64)>,
}

impl Record {
    /// Reads the sources and the compiler's arguments of the crate being compiled.
    pub(crate) fn of_this_crate() -> syn::Result<Record> {
        let arguments = arguments();
        let folder =
            PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| ".".into()));
        let root = arguments.iter().find(|argument| argument.ends_with(".rs"));
        let sources = sources::hash(&folder, root.map(Path::new));
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
            sources: sources.map_err(|text| syn::Error::new(Span::call_site(), text))?,
            dependencies: dependencies(&arguments),
        })
    }

    /// One JSON object, without a line break.
    pub(crate) fn to_json(&self) -> String {
        let each = self.dependencies.iter();
        let dependencies: Vec<String> = each
            .map(|(name, hash)| format!("{name}={hash:016x}"))
            .collect();
        format!(
            "{{\"crate\":{},\"version\":{},\"rustc\":{},\"metadata\":{},\"features\":{},\"flags\":{},\"sources\":\"{:016x}\",\"dependencies\":{}}}",
            quoted(&self.name),
            quoted(&self.version),
            quoted(rustc()),
            quoted(&self.metadata),
            quoted(&self.features.join(" ")),
            quoted(&self.flags.join(" ")),
            self.sources,
            quoted(&dependencies.join(" ")),
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
pub(crate) fn arguments() -> Vec<String> {
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

/// The values after `key`, or behind `key=`.
pub(crate) fn values_of(arguments: &[String], key: &str) -> Vec<String> {
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

/// A hash of what each direct dependency was compiled to; theirs name those below them.
fn dependencies(arguments: &[String]) -> Vec<(String, u64)> {
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
    externs
}

/// A hash of one dependency: of its interface, if it is a library. A macro is part of what the
/// crate is compiled from, so all of it counts: cargo's hash in its name is the same for every
/// content.
fn interface(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    let content = std::fs::read(path.with_extension("rmeta")).or_else(|_| std::fs::read(path));
    match content {
        Ok(bytes) => hasher.write(&bytes),
        Err(_) => hasher.write(path.file_name().unwrap_or_default().as_encoded_bytes()),
    }
    hasher.finish()
}
