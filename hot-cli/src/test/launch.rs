//! How cargo starts a test binary: arguments, environment, folder.
//!
//! Only cargo knows all of it, so it is asked in the one way there is: `hot` stands in for the
//! program that cargo runs test binaries with, writes down how it was called, and runs nothing.
//! Knows nothing of what the binaries are.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{bail, Context, Result};
use serde::{Deserialize, Serialize};

use crate::config::env;
use crate::exit;
use crate::os;
use crate::os::files::{removed, replace_with_mode};
use crate::os::own_build;

/// The name under which `hot` is the program that cargo runs test binaries with.
pub(crate) const NAME: &str = "hot-runner";

/// How a test binary is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Launch {
    pub(super) executable: PathBuf,
    pub(super) args: Vec<OsString>,
    #[serde(skip)]
    pub(super) env: BTreeMap<OsString, OsString>,
    pub(super) folder: PathBuf,
}

/// The same as it is written: nothing of it need be Unicode.
#[derive(Serialize, Deserialize)]
struct Written {
    words: Vec<Vec<u8>>,
    env: Vec<(Vec<u8>, Vec<u8>)>,
    folder: Vec<u8>,
}

/// Writes down how cargo runs a test binary, whose path is the first of these words.
pub(crate) fn record(words: &[OsString]) -> ExitCode {
    match try_record(words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hot: {error:#}");
            ExitCode::from(exit::FAILED)
        }
    }
}

fn try_record(words: &[OsString]) -> Result<()> {
    let folder = std::env::var_os(env::TEST_LAUNCHES).context("`hot test` has not called cargo")?;
    let bytes = |text: &OsStr| text.as_bytes().to_vec();
    let written = Written {
        words: words.iter().map(|word| bytes(word)).collect(),
        env: std::env::vars_os()
            .map(|(name, value)| (bytes(&name), bytes(&value)))
            .collect(),
        folder: bytes(std::env::current_dir()?.as_os_str()),
    };
    // In the order in which cargo calls.
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let place = Path::new(&folder).join(format!("{now:030}-{}", std::process::id()));
    // The environment may hold secrets.
    replace_with_mode(&place, &serde_json::to_vec(&written)?, 0o600)
}

/// Has cargo call us in place of test binaries: what it needs for that.
pub(super) fn runner(folder: &Path) -> Result<Vec<(OsString, OsString)>> {
    let (own, _) = own_build()?;
    let link = folder.join(NAME);
    if !std::fs::read_link(&link).is_ok_and(|target| target == own) {
        symlink(&own, &link).with_context(|| format!("can't create {}", link.display()))?;
    }
    let text = link.to_string_lossy();
    // Cargo takes the variable for several words.
    if text.contains(char::is_whitespace) {
        bail!("the path of the temporary folder {text} holds blanks: set TMPDIR to another one");
    }
    Ok(vec![
        (variable().into(), link.into()),
        (env::TEST_LAUNCHES.into(), launches(folder).into()),
    ])
}

/// What was written down since the folder was emptied, in the order of the calls. `ours` are
/// variables that are not the user's.
pub(super) fn read(folder: &Path, ours: &[OsString]) -> Result<Vec<Launch>> {
    let mut files: Vec<PathBuf> = match std::fs::read_dir(launches(folder)) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(_) => Vec::new(),
    };
    files.sort();
    files.iter().map(|file| read_one(file, ours)).collect()
}

/// Forgets what was written down.
pub(super) fn clear(folder: &Path) -> Result<()> {
    Ok(removed(std::fs::remove_dir_all(launches(folder)))?)
}

fn read_one(file: &Path, ours: &[OsString]) -> Result<Launch> {
    let text = std::fs::read(file).with_context(|| format!("can't read {}", file.display()))?;
    let written: Written = serde_json::from_slice(&text)?;
    let mut words = written.words.into_iter().map(OsString::from_vec);
    let executable = words.next().context("cargo has run nothing")?;
    let folder = PathBuf::from(OsString::from_vec(written.folder));
    let env = written.env.into_iter();
    let mut env: BTreeMap<OsString, OsString> = env
        .map(|(name, value)| (OsString::from_vec(name), OsString::from_vec(value)))
        .collect();
    for name in ours {
        match std::env::var_os(name) {
            Some(value) => env.insert(name.clone(), value),
            None => env.remove(name),
        };
    }
    Ok(Launch {
        executable: folder.join(executable),
        args: words.collect(),
        env,
        folder,
    })
}

fn launches(folder: &Path) -> PathBuf {
    folder.join("launches")
}

fn variable() -> String {
    let target = os::TARGET.replace('-', "_").to_uppercase();
    format!("CARGO_TARGET_{target}_RUNNER")
}
