//! The objects of a test harness, put together as rustc does those of a library.
//!
//! Rustc makes no library of a harness. Asked for nothing but objects it makes each of them anew
//! every time, so it is let link, from its cache: `hot` stands in the linker's place and keeps the
//! objects. Knows nothing of what they hold.

use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{bail, ensure, Context, Result};

use crate::config::env::OBJECTS;
use crate::os::files::replace_file;
use crate::os::own_build;
use crate::rustc::args::RustcArgs;
use crate::rustc::unit::Unit;

/// How rustc calls the objects of the crate that it compiles, and no others.
const OWN: &str = ".rcgu.o";

/// Has a call of rustc end with an archive of the crate's objects, in place of a program.
pub(super) fn in_place_of_program(
    archive: &Path,
    args: &mut RustcArgs,
    unit: &mut Unit,
) -> Result<()> {
    let (own, _) = own_build()?;
    args.push(&["-C", &format!("linker={}", own.display())]);
    let archive = archive.to_string_lossy().into_owned();
    unit.env.insert(OBJECTS.to_owned(), archive);
    Ok(())
}

/// What the process in the linker's place does: an archive of the objects among the arguments.
pub(crate) fn run(archive: &Path, arguments: impl Iterator<Item = OsString>) -> ExitCode {
    match write(archive, arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hot: can't keep the objects of a test harness: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn write(archive: &Path, arguments: impl Iterator<Item = OsString>) -> Result<()> {
    let mut objects = Vec::new();
    for argument in arguments {
        let text = argument.to_string_lossy();
        if text.starts_with('@') {
            bail!("there are too many to be named in a call");
        }
        if text.ends_with(OWN) {
            objects.push(PathBuf::from(argument));
        }
    }
    ensure!(!objects.is_empty(), "rustc names none");
    objects.sort();
    let mut bytes = b"!<arch>\n".to_vec();
    for (number, object) in objects.iter().enumerate() {
        let read = std::fs::read(object);
        let content = read.with_context(|| format!("can't read {}", object.display()))?;
        bytes.extend(header(number, content.len()).into_bytes());
        bytes.extend(&content);
        // Each begins at an even place.
        bytes.extend(b"\n".iter().take(content.len() % 2));
    }
    replace_file(archive, &bytes)
}

/// Name, time, owner, group, mode and size, each as wide as `ar` has it.
fn header(number: usize, size: usize) -> String {
    let mut header = String::new();
    let name = format!("{number}.o/");
    let _ = writeln!(
        header,
        "{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`",
        0, 0, 0, 644
    );
    header
}
