//! `hot` in place of a compiler, while cargo is asked what it would compile: each call is written
//! down and succeeds, without a compiler. Only build scripts of members are compiled, since cargo
//! runs them to know how the member is compiled.
//!
//! Knows nothing of what the calls are compared with.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::target::REAL;
use crate::exit;
use crate::os::files::replace_with_mode;
use crate::rustc::args::RustcArgs;
use crate::wrapper;

/// The folder of the calls.
const CALLS: &str = "calls";

/// A call of rustc that cargo would make.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Call {
    /// For a crate of the workspace.
    pub(super) member: bool,
    pub(super) args: Vec<String>,
    pub(super) folder: PathBuf,
    pub(super) variables: BTreeMap<String, String>,
}

/// Answers one call of cargo as the wrapper `own`, which lies in the target folder.
pub(crate) fn answer(own: &Path, arguments: Vec<OsString>) -> ExitCode {
    match try_answer(own.parent().unwrap_or(own), arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("hot: {error:#}");
            ExitCode::from(exit::NOT_COMPILED)
        }
    }
}

fn try_answer(target: &Path, mut arguments: Vec<OsString>) -> Result<ExitCode> {
    let member =
        arguments.first().map(Path::new).and_then(Path::file_name) == Some(wrapper::NAME.as_ref());
    if member {
        arguments.remove(0);
    }
    let (rustc, rest) = arguments.split_first().context("there is no compiler")?;
    let texts = rest.iter().map(|arg| arg.to_str().map(str::to_owned));
    let args = texts.collect::<Option<_>>().map(RustcArgs::new);
    let Some((args, out_dir)) = args.and_then(|args| args.out_dir().map(|dir| (args, dir))) else {
        return replace(rustc, rest); // Cargo asks what the compiler is.
    };
    let name = args.value("--crate-name").unwrap_or_default().to_owned();
    let stem = args.stem().unwrap_or_default();
    if member && name.starts_with("build_script_") {
        // What is there is the same file as in the project's own folder.
        let own = |file: &Path| {
            file.file_name()
                .is_some_and(|file| file.to_string_lossy().starts_with(&stem))
        };
        let files = std::fs::read_dir(&out_dir)?
            .flatten()
            .map(|entry| entry.path());
        for file in files.filter(|file| own(file)) {
            std::fs::remove_file(file)?;
        }
        return replace(rustc, rest);
    }
    let outputs = outputs(&args, &stem);
    let real = std::fs::read_to_string(target.join(REAL))?;
    let there = out_dir
        .strip_prefix(target)
        .map(|below| Path::new(&real).join(below))?;
    // Its hash stands for all that it is compiled from but the sources.
    let is_built = outputs.iter().any(|file| there.join(file).is_file());
    if member || !is_built {
        let call = Call {
            member,
            args: args.all.clone(),
            folder: std::env::current_dir()?,
            variables: std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
        };
        call.write(target, &stem)?;
    }
    if !member && !is_built {
        return Ok(ExitCode::from(exit::NOT_COMPILED)); // That is answer enough.
    }
    for name in outputs {
        let (built, file) = (there.join(&name), out_dir.join(&name));
        // A build script that cargo has taken away is run again.
        if !file.exists() && std::fs::hard_link(built, &file).is_err() {
            std::fs::write(file, "")?;
        }
    }
    let dep_info = out_dir.join(format!("{stem}.d"));
    let text = format!(
        "{}: {}\n",
        dep_info.display(),
        args.input().unwrap_or_default()
    );
    replace_with_mode(&dep_info, text.as_bytes(), 0o600)?;
    Ok(ExitCode::SUCCESS)
}

/// The files that the compiler would write.
fn outputs(args: &RustcArgs, stem: &str) -> Vec<String> {
    let mut files = Vec::new();
    for kind in args.crate_types() {
        files.push(match kind {
            "lib" | "rlib" => format!("lib{stem}.rlib"),
            "proc-macro" | "dylib" | "cdylib" => format!("lib{stem}.so"),
            "staticlib" => format!("lib{stem}.a"),
            _ => stem.to_owned(),
        });
    }
    if args.is_test() {
        files.push(stem.to_owned());
    }
    if args.emits("metadata") {
        files.push(format!("lib{stem}.rmeta"));
    }
    files
}

/// Becomes the compiler.
fn replace(rustc: &OsString, arguments: &[OsString]) -> Result<ExitCode> {
    let error = Command::new(rustc).args(arguments).exec();
    Err(error).with_context(|| format!("can't start {}", rustc.to_string_lossy()))
}

impl Call {
    fn write(&self, target: &Path, stem: &str) -> Result<()> {
        let path = target
            .join(CALLS)
            .join(format!("{stem}-{}.json", std::process::id()));
        // It holds the environment of the call, and that may hold secrets.
        replace_with_mode(&path, &serde_json::to_vec(self)?, 0o600)
    }

    /// All that were written down.
    pub(super) fn read_all(target: &Path) -> Result<Vec<Self>> {
        let entries = std::fs::read_dir(target.join(CALLS)).into_iter().flatten();
        entries
            .map(|entry| Ok(serde_json::from_slice(&std::fs::read(entry?.path())?)?))
            .collect()
    }

    pub(super) fn rustc_args(&self) -> RustcArgs {
        RustcArgs::new(self.args.clone())
    }
}
