//! Which program a patch is for: the executable, and the folder with its records.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};

use super::args::BuildPatchArgs;
use crate::cargo::metadata::Query;
use crate::rustc::unit::{records, Unit, UnitKind};

/// A program that `hot` built.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) executable: PathBuf,
    /// Its unit's folder.
    pub(super) records: PathBuf,
}

impl Target {
    pub(super) fn of(args: &BuildPatchArgs) -> Result<Self> {
        match &args.program {
            Some(program) => Self::of_executable(program),
            None => Self::of_project(args),
        }
    }

    /// Cargo keeps the executable a second time, under the name of the unit.
    fn of_executable(program: &Path) -> Result<Self> {
        let failed = || format!("can't read {}", program.display());
        let executable = program.canonicalize().with_context(failed)?;
        let folder = executable.parent().unwrap_or(Path::new("/")).to_owned();
        let mut programs = programs(&folder)?;
        if let Some(above) = folder.parent().filter(|_| programs.is_empty()) {
            programs = self::programs(above)?; // target/debug/examples, target/debug/deps
        }
        let own = executable.metadata().with_context(failed)?;
        let same = |target: &Self| {
            let meta = target.executable.metadata();
            meta.is_ok_and(|meta| (meta.dev(), meta.ino()) == (own.dev(), own.ino()))
        };
        programs.into_iter().find(same).with_context(|| {
            format!(
                "there is no record of {}: it isn't a program that `hot cargo build` or `hot cargo run` \
                 left in its target folder",
                program.display()
            )
        })
    }

    fn of_project(args: &BuildPatchArgs) -> Result<Self> {
        let query = Query::workspace(args.manifest_path.as_deref());
        let metadata = query.ask().context("cargo can't read the project")?;
        let profile = match (&args.profile, args.release) {
            (Some(profile), _) if profile == "dev" => "debug",
            (Some(profile), _) => profile,
            (None, true) => "release",
            (None, false) => "debug",
        };
        let folder = metadata.target_directory.join(profile).into_std_path_buf();
        let mut found = programs(&folder)?;
        if let Some(name) = &args.bin {
            let crate_name = name.replace('-', "_");
            found.retain(|target| target.crate_name() == crate_name);
        }
        let mut names: Vec<String> = found.iter().map(Self::crate_name).collect();
        names.sort();
        names.dedup();
        // Of several builds of one program, the last one.
        found.sort_by_key(Self::built);
        match (names.as_slice(), found.pop()) {
            ([_], Some(target)) => Ok(target),
            ([], _) | (_, None) => bail!(
                "there is no record of {} in {}: build it with `hot cargo build` first{}",
                args.bin
                    .as_ref()
                    .map_or("a program".to_owned(), |name| format!("`{name}`")),
                folder.display(),
                if profile == "debug" {
                    " (--release for the release profile)"
                } else {
                    ""
                }
            ),
            (names, _) => bail!(
                "there are several programs; say which with --bin: {}",
                names.join(", ")
            ),
        }
    }

    fn crate_name(&self) -> String {
        let name = self
            .records
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        name.rsplit_once('-')
            .map_or(name.to_string(), |(name, _)| name.to_owned())
    }

    fn built(&self) -> Option<std::time::SystemTime> {
        self.executable
            .metadata()
            .and_then(|meta| meta.modified())
            .ok()
    }
}

/// The programs with records in a profile's folder.
fn programs(profile: &Path) -> Result<Vec<Target>> {
    let Ok(units) = std::fs::read_dir(records(profile)) else {
        return Ok(Vec::new());
    };
    let mut programs = Vec::new();
    for records in units.flatten().map(|entry| entry.path()) {
        // An unfinished record is no program.
        let Ok(unit) = Unit::read(&records) else {
            continue;
        };
        let args = unit.rustc_args();
        let (Some(folder), Some(stem)) = (args.out_dir(), args.stem()) else {
            continue;
        };
        let executable = unit.cwd.join(folder).join(stem);
        if unit.kind == UnitKind::Bin && executable.is_file() {
            programs.push(Target {
                executable,
                records,
            });
        }
    }
    Ok(programs)
}
