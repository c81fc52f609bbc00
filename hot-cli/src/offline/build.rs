//! Builds a plugin from what differs between a program as it was built and the files as they are.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{bail, Context, Result};

use super::args::BuildPatchArgs;
use super::target::Target;
use crate::os::files::replace_file;
use crate::os::process::Cancel;
use crate::patch::{self, BuildError, Built, Job};
use crate::program::plan::{Change, PlannedFunction, Rude, Successor};
use crate::program::state::ProgramState;
use crate::program::Program;

/// Builds the plugin. Returns what it holds.
pub(crate) fn build_patch(args: &BuildPatchArgs) -> Result<String> {
    let target = Target::of(args)?;
    let program = Program::recorded(&target.records, target.executable.clone())?;
    let mut state = ProgramState::new(program);
    let files: Vec<PathBuf> = state.program.watched_files().iter().cloned().collect();
    state.record(&files);
    let wanted = match state.change() {
        Change::Patch(wanted) => *wanted,
        Change::Nothing => bail!(
            "nothing to patch: the files are what {} was built from",
            target.executable.display()
        ),
        Change::Unknown => bail!(
            "a manifest differs from the one that {} was built with; only a session finds out \
             whether that means anything",
            target.executable.display()
        ),
        Change::Syntax(error) => bail!("{error}"),
        Change::Rude { edits, .. } => bail!("{}", rude(&edits)),
    };
    let folder = tempfile::tempdir().context("no folder for the build")?;
    let job = Job {
        program: Arc::clone(&state.program),
        wanted,
        folder: folder.path().to_owned(),
        number: number(),
        coloured: false,
        whole_crates: true,
        checks_only: false,
        cancel: Cancel::default(),
    };
    match patch::build(&job) {
        Ok(built) => {
            refuse_what_stays(&job, &built)?;
            deliver(&built, &args.output)
        }
        Err(BuildError::Compile(said)) => bail!("the edit doesn't compile\n{}", said.rendered),
        Err(BuildError::Rude(edits)) => bail!("{}", rude(&edits)),
        Err(BuildError::Cancelled) => bail!("cancelled"),
    }
}

/// A process may have got other patches by hand, of which nothing is known here: a static that one
/// brought would exist twice, and an object that one made could lead to code that this one
/// replaces.
fn refuse_what_stays(job: &Job, built: &Built) -> Result<()> {
    let mut statics = built
        .whole_crate_plugins
        .iter()
        .flat_map(|plugin| &plugin.statics);
    let first = statics
        .next()
        .map(|new| format!("it brings a static (`{}`)", new.path));
    let units = job.program.units.iter();
    let crates = units.map(|loaded| loaded.unit.crate_name.clone()).collect();
    let left = || built.left.iter().find_map(|left| left.left.first(&crates));
    let led_to = || Some(format!("objects may lead to `{}` from then on", left()?));
    let Some(why) = first.or_else(led_to) else {
        return Ok(());
    };
    let why = format!("{why}, and patches by hand don't know of each other");
    bail!("{}", rude(&job.wanted.refused(&why)))
}

/// Another one for each plugin, since one program may get many of them: types that a patch declares
/// are told apart by it.
fn number() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as u64)
}

fn rude(edits: &[Rude]) -> String {
    let mut text = String::from("these edits can't be patched:");
    for Rude { file, line, why } in edits {
        let _ = write!(text, "\n{}:{line}: {why}", file.display());
    }
    text
}

/// Puts the plugins where they are wanted; several get names of their own.
fn deliver(built: &Built, output: &Path) -> Result<String> {
    if built.plugins.is_empty() {
        let why = format!(
            "nothing that runs uses what was edited\n{}",
            once(&built.once)
        );
        bail!("nothing to patch: {}", why.trim_end());
    }
    let mut text = String::new();
    let mut outputs = Vec::new();
    for (position, plugin) in built.plugins.iter().enumerate() {
        let output = match position {
            0 => output.to_owned(),
            further => beside(output, further + 1),
        };
        let bytes = std::fs::read(plugin).with_context(|| plugin.display().to_string())?;
        replace_file(&output, &bytes)?;
        let _ = writeln!(text, "{} ({} KiB)", output.display(), bytes.len() >> 10);
        outputs.push(output.display().to_string());
    }
    for function in built.plan.values().flat_map(|unit| &unit.patch) {
        let (file, line) = (function.file.display(), function.line);
        let _ = writeln!(text, "  {} ({file}:{line})", function.name);
    }
    for name in built.preserved_statics.keys() {
        let _ = writeln!(
            text,
            "`{name}` begins with another value now, but keeps the one that it has"
        );
    }
    for Successor { name, gone, .. } in &built.successors {
        let _ = writeln!(text, "`{name}` is the variable that was `{gone}`");
    }
    text.push_str(&once(&built.once));
    if outputs.len() > 1 {
        let _ = writeln!(
            text,
            "they belong together: hot patch --pid PID {}",
            outputs.join(" ")
        );
    }
    Ok(text)
}

/// A line for each function that is called just once, and was.
fn once(functions: &[PlannedFunction]) -> String {
    let line = |function: &PlannedFunction| {
        let (file, line, name) = (function.file.display(), function.line, &function.name);
        format!("{file}:{line}: {name} is running and isn't called again\n")
    };
    functions.iter().map(line).collect()
}

/// `fix.so`, `fix-2.so`
fn beside(output: &Path, number: usize) -> PathBuf {
    let stem = output.file_stem().unwrap_or_default().to_string_lossy();
    output.with_file_name(format!("{stem}-{number}.so"))
}
