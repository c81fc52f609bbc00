//! The compiler that cargo named: its version, its real binary, its linker.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::config::env;
use crate::os::files::{replace_file, Stamp};
use crate::os::process::{Process, ProcessError};

/// How the names of notes in a session's folder begin that hold a compiler's version.
const NOTE: &str = "rustc-";

/// Forgets the versions: behind rustup's proxy there may be another compiler now.
pub(crate) fn forget_versions(session: &Path) {
    let entries = std::fs::read_dir(session).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(NOTE)) {
        // Only saves time.
        let _ = std::fs::remove_file(entry.path());
    }
}

/// The first line of `rustc -V`. Kept for the session: each crate of a build would ask again.
pub(crate) fn version(rustc: &Path) -> Result<String> {
    let note = std::env::var_os(env::SESSION).map(|session| {
        let key = format!(
            "{}{:?}{:?}",
            rustc.display(),
            Stamp::of(rustc),
            std::env::var_os("RUSTUP_TOOLCHAIN")
        );
        let name: String = key
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '_' })
            .collect();
        PathBuf::from(session).join(format!("{NOTE}{name}"))
    });
    if let Some(known) = note
        .as_ref()
        .and_then(|note| std::fs::read_to_string(note).ok())
    {
        return Ok(known);
    }
    let version = first_line(&mut Process::new(rustc).arg("-V"))?;
    if let Some(note) = note {
        // Only saves time: a session folder that can't be written is reported where it matters.
        let _ = replace_file(&note, version.as_bytes());
    }
    Ok(version)
}

/// The compiler's own binary: rustup's proxy costs 10 ms a call, and takes another one tomorrow.
/// `variables` and `folder` are those of the call by cargo, since the proxy goes by them.
pub(crate) fn real_rustc(
    rustc: &Path,
    variables: &BTreeMap<String, String>,
    folder: &Path,
) -> Result<PathBuf> {
    const CHOSEN: &str = "RUSTUP_TOOLCHAIN";
    let mut process = Process::new(rustc)
        .args(["--print", "sysroot"])
        .env(CHOSEN, variables.get(CHOSEN));
    if folder.is_dir() {
        process = process.folder(folder);
    }
    let sysroot = first_line(&mut process)?;
    let real = Path::new(&sysroot).join("bin/rustc");
    Ok(if real.is_file() {
        real
    } else {
        rustc.to_owned()
    })
}

/// Says so if the compiler isn't the one any more that the crate was built with: libraries of one
/// version are of no use to another.
pub(crate) fn changed(rustc: &Path, built_with: &str) -> Option<String> {
    let why = match first_line(&mut Process::new(rustc).arg("-V")) {
        Ok(now) if now == built_with => return None,
        Ok(now) => format!("is now {now}"),
        Err(error) => format!("can't be run any more ({error})"),
    };
    Some(format!(
        "the program was built with {built_with}, and {} {why}",
        rustc.display()
    ))
}

/// The linker that comes with the compiler, called directly, if there is one.
pub(crate) fn bundled_linker(real_rustc: &Path) -> Option<PathBuf> {
    let sysroot = real_rustc.parent()?.parent()?;
    let linker = sysroot
        .join("lib/rustlib")
        .join(crate::os::TARGET)
        .join("bin/rust-lld");
    linker.is_file().then_some(linker)
}

/// The environment to repeat a rustc call in, without what belongs to this session.
pub(crate) fn recorded_environment() -> BTreeMap<String, String> {
    const OURS: [&str; 4] = [
        env::SESSION,
        env::RUSTC_WRAPPER_BEFORE,
        env::CHAINED_WRAPPER,
        "RUSTC_WORKSPACE_WRAPPER",
    ];
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| !OURS.contains(&name.as_str()))
        .collect()
}

/// The first line that a process says.
fn first_line(process: &mut Process) -> Result<String, ProcessError> {
    let text = process.stdout()?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
