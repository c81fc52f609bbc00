//! `hot init`: cargo's configuration of a project says that this program compiles it, so that plain
//! `cargo test` mocks, and whatever calls that: the run buttons of editors, other runners of tests.
//!
//! Writes lines of its own and takes those away, see `lines`. Knows nothing of how crates are
//! rewritten.

mod lines;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};
use clap::Args;

use crate::cargo::command_line::CargoCommand;
use crate::cargo::metadata::Query;
use crate::cargo::program;
use crate::include::Rewriting;
use crate::os::files::{removed, replace_file, replace_with_mode};
use crate::wrapper::link::{users_wrapper, wrapper};
use crate::wrapper::Purpose;
use lines::Setting;

/// Lets plain `cargo test` mock, and so the run buttons of editors: writes a few lines into the
/// project's .cargo/config.toml
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Takes the lines away again
    #[arg(long)]
    remove: bool,
}

/// What was done, in words.
pub(crate) fn init(args: &InitArgs) -> Result<String> {
    let project = Query::workspace(None).ask()?;
    let folder = project.workspace_root.join(".cargo");
    let file = Configuration::of(folder.as_std_path())?;
    match args.remove {
        true => file.remove(),
        false => file.add(),
    }
}

/// The file of a project that cargo reads.
struct Configuration {
    path: PathBuf,
    /// None if it isn't there.
    text: Option<String>,
}

impl Configuration {
    fn of(folder: &Path) -> Result<Self> {
        let path = folder.join("config.toml");
        // Who has it elsewhere keeps it there.
        let path = fs::canonicalize(&path).unwrap_or(path);
        let old = folder.join("config");
        if fs::canonicalize(&old).is_ok_and(|old| old != path) {
            bail!(
                "cargo reads {} here and not config.toml: rename it first",
                old.display()
            );
        }
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            text => Some(text.with_context(|| format!("can't read {}", path.display()))?),
        };
        Ok(Self { path, text })
    }

    fn add(&self) -> Result<String> {
        let rewriting = rewriting()?;
        let text = self.text.as_deref().unwrap_or_default();
        let wanted = settings(rewriting.as_ref())?;
        let new = lines::with(text, &wanted).with_context(|| self.path.display().to_string())?;
        self.write(&new)?;
        let mut said = format!(
            "{}: plain `cargo test` mocks now, and so do the run buttons of editors (not `--release`: `hot cargo test \
             --release`)\n\
             Run `hot init` again when `hot` was updated{}, and `hot init --remove` before it goes. The lines hold paths of \
             this machine.\n",
            self.path.display(),
            match rewriting {
                Some(_) => ", or a crate whose tasks carry mocks (tokio, rayon-core, async-task)",
                None => "",
            },
        );
        if rewriting.is_some() && std::env::var_os("RUSTC_WRAPPER").is_some() {
            writeln!(
                said,
                "RUSTC_WRAPPER is set in this environment, and is stronger: where it is, tasks of tokio, rayon and others \
                 don't see mocks"
            )?;
        }
        Ok(said)
    }

    fn remove(&self) -> Result<String> {
        let path = self.path.display();
        let Some(text) = &self.text else {
            return Ok(format!("{path} isn't there: nothing to take away\n"));
        };
        let rest = lines::without(text);
        if rest == *text {
            return Ok(format!("{path} holds no line by `hot init`\n"));
        }
        self.write(&rest)?;
        Ok(format!("{path}: plain `cargo test` is cargo's again\n"))
    }

    /// Writes the file, or lets it go with its folder if it would say nothing.
    fn write(&self, text: &str) -> Result<()> {
        if self.text.as_deref() == Some(text) {
            return Ok(());
        }
        if text.is_empty() {
            let failed = || format!("can't remove {}", self.path.display());
            removed(fs::remove_file(&self.path)).with_context(failed)?;
            // Others may have files there.
            let _ = self.path.parent().map(fs::remove_dir);
            return Ok(());
        }
        match fs::metadata(&self.path) {
            Ok(old) => replace_with_mode(&self.path, text.as_bytes(), old.permissions().mode()),
            Err(_) => replace_file(&self.path, text.as_bytes()),
        }
    }
}

/// The crates outside of the workspace. Fails where another wrapper is in the way.
fn rewriting() -> Result<Option<Rewriting>> {
    let cargo = program();
    let other = users_wrapper(&cargo, "RUSTC_WORKSPACE_WRAPPER", "rustc-workspace-wrapper");
    if let Some(other) = other {
        bail!(
            "another `rustc-workspace-wrapper` is set, {}, and cargo calls one only: take it away, or run tests with `hot \
             cargo test`, which calls it",
            other.display()
        );
    }
    let test = [OsString::from("test")];
    let command = CargoCommand::of(&cargo, &test);
    Rewriting::of(&cargo, command.as_ref(), &[], Purpose::EveryCommand)
}

/// What is to be set.
fn settings(rewriting: Option<&Rewriting>) -> Result<Vec<Setting>> {
    let build = |key: &'static str, wrapper: &Path| -> Result<Setting> {
        let path = wrapper
            .to_str()
            .context("the path of hot's cache is no text")?;
        Ok(Setting {
            table: vec!["build".to_owned()],
            key,
            value: path.into(),
        })
    };
    let mut all = vec![build(
        "rustc-workspace-wrapper",
        &wrapper(Purpose::EveryCommand)?,
    )?];
    let Some(rewriting) = rewriting else {
        return Ok(all);
    };
    all.push(build("rustc-wrapper", &rewriting.wrapper)?);
    for (spec, cache_key) in &rewriting.cache_keys {
        all.push(Setting {
            table: ["profile", "dev", "package", spec]
                .map(str::to_owned)
                .to_vec(),
            key: "codegen-units",
            value: i64::from(*cache_key).into(),
        });
    }
    Ok(all)
}
