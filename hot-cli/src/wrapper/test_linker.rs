//! Between rustc and the linker of a test program: the program's own objects are given new
//! references to functions of std before they are linked, see `std_calls`. In one that is patched,
//! what is hidden in them is made visible, so that patches find it.
//!
//! Where rustc chooses the linker by itself it looks for it in `PATH`: there `hot` stands first
//! under the linker's name, so that rustc treats it as it treats the linker. Knows nothing of what
//! is done to objects.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use soft_mock_compiled::visibility::unhide;

use super::std_calls::{self, Surroundings};
use super::{cargo_call, link};
use crate::config::env::TEST_LINKER;
use crate::os::files::{removed, replace_file};
use crate::rustc::args::RustcArgs;

/// What rustc calls where nobody names a linker.
const DEFAULT: &str = "cc";

/// What the process in the linker's place has to know.
#[derive(Debug, Serialize, Deserialize)]
struct Task {
    linker: PathBuf,
    /// Where `hot` stands under the linker's name.
    stand_in: PathBuf,
    /// Where changed objects are written to.
    objects: PathBuf,
    /// None: nothing is mocked.
    surroundings: Option<Surroundings>,
    /// Patches have to find what is in the program.
    patched: bool,
}

/// Puts this program in the place of the linker of the call. Returns the variables that do it; none
/// where the whole program is optimised when it is linked, so that no object is what it will be.
pub(super) fn between(
    args: &mut RustcArgs,
    folder: &Path,
    surroundings: Option<Surroundings>,
    patched: bool,
) -> Result<Vec<(&'static str, OsString)>> {
    if args.is_optimised_when_linked() {
        return Ok(Vec::new());
    }
    let chosen = args.codegen("linker").map(PathBuf::from);
    let linker = chosen.clone().unwrap_or_else(|| DEFAULT.into());
    let link = link::linker(folder, &linker)?;
    let stand_in = link.parent().unwrap_or(folder).to_owned();
    let task = folder.join("link.json");
    let mut variables = vec![(TEST_LINKER, task.clone().into_os_string())];
    match chosen {
        Some(_) => args.push(&["-C", &format!("linker={}", link.display())]),
        None => variables.push(("PATH", with_first(&stand_in)?)),
    }
    let task_of = Task {
        linker,
        stand_in,
        objects: folder.join("objects"),
        surroundings,
        patched,
    };
    replace_file(&task, &serde_json::to_vec(&task_of)?)?;
    Ok(variables)
}

fn with_first(folder: &Path) -> Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).context("a folder in PATH can't be written down")
}

/// Calls the linker with the objects as they are to be.
pub(crate) fn run(task: &OsStr, arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let read = || -> Result<Task> { Ok(serde_json::from_reader(File::open(task)?)?) };
    let task = match read() {
        Ok(task) => task,
        Err(error) => {
            eprintln!("hot: can't read how to link: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    let mut arguments: Vec<OsString> = arguments.collect();
    if let Err(error) = task.turn(&mut arguments) {
        eprintln!("hot: functions of std can't be mocked in these tests: {error:#}");
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).filter(|folder| *folder != task.stand_in);
    let mut command = Command::new(&task.linker);
    command.args(arguments).env_remove(TEST_LINKER);
    if let Ok(path) = std::env::join_paths(folders) {
        command.env("PATH", path);
    }
    cargo_call::exit_code(command.status())
}

impl Task {
    /// Names changed objects in place of rustc's own. Those of libraries were changed before. (A
    /// list of arguments in a file is left alone: rustc writes one where there are too many.)
    fn turn(&self, arguments: &mut [OsString]) -> Result<()> {
        let is_object = |argument: &OsString| {
            let path = Path::new(argument);
            path.extension().is_some_and(|extension| extension == "o") && path.is_file()
        };
        let (places, objects): (Vec<usize>, Vec<PathBuf>) = arguments
            .iter()
            .enumerate()
            .filter(|(_, argument)| is_object(argument))
            .map(|(place, argument)| (place, PathBuf::from(argument)))
            .unzip();
        removed(std::fs::remove_dir_all(&self.objects))?;
        let files = match &self.surroundings {
            Some(around) => std_calls::in_objects(&objects, &self.objects, around)?,
            None => objects,
        };
        for (place, file) in places.into_iter().zip(files) {
            let file = match self.patched {
                true => self.visible(file)?,
                false => file,
            };
            arguments[place] = file.into_os_string();
        }
        Ok(())
    }

    /// An object of which patches find everything: a copy, for rustc's own are part of its cache.
    fn visible(&self, object: PathBuf) -> Result<PathBuf> {
        let failed = || format!("can't read {}", object.display());
        let mut bytes = std::fs::read(&object).with_context(failed)?;
        if unhide(&mut bytes).with_context(failed)? == 0 {
            return Ok(object);
        }
        let name = object.file_name().context("an object has no name")?;
        let copy = self.objects.join(name);
        replace_file(&copy, &bytes)?;
        Ok(copy)
    }
}
