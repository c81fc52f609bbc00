//! The plugin of one crate that changed, from its changed functions alone.
//!
//! ```text
//! changed functions ─► micro-crate against the twin ─► object ─► plugin
//!          │                  │ rustc refuses
//!          │                  ▼
//!          │            the user's error? ─ yes ─► show it
//!          ▼                  │ no
//! a private name that     ◄───┘
//! the twin can't give ──► refused: it needs the whole crate
//! ```
//!
//! Knows nothing of other crates of the patch, nor of how whole crates are compiled.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, Result};
use soft_mock_compiled::compare::Left;
use soft_mock_rewriter::analysis::{closures_differ, DeclaredFunction, FileItems, Kind};
use soft_mock_rewriter::patch_source::{
    addition_needs_whole_crate, needs_whole_crate, patch_source, PatchFunction, PatchRequest,
    PatchSource, PatchedCrate,
};

use super::build::{BuildError, Job};
use super::left::{self, Body, HeldClosures, OfBodies};
use super::linker::{Inputs, Linker};
use super::meaning::Alone;
use super::micro_crate::MicroCrate;
use super::whole_crate::{self, Why};
use super::{additions, harness, user_errors};
use crate::os::files::{below, replace_file};
use crate::os::process::Cancelled;
use crate::program::plan::{PlannedFunction, Rude, UnitPlan};
use crate::program::twin::{NoTwin, Twin};
use crate::program::LoadedUnit;
use crate::rustc::beside::Beside;
use crate::rustc::dep_info::Reading;
use crate::rustc::run::first_error;
use crate::rustc::unit::UnitKind;
use crate::ui::CompilerOutput;
use crate::wrapper::columns;

/// The part of a patch that concerns one crate.
pub(super) struct UnitJob<'a> {
    pub(super) job: &'a Job,
    pub(super) position: usize,
    pub(super) loaded: &'a LoadedUnit,
    pub(super) plan: &'a UnitPlan,
    pub(super) folder: PathBuf,
    /// The functions that can't be compiled alone, and why.
    pub(super) not_alone: RefCell<Vec<String>>,
}

/// A changed function and where its new and its compiled state are found.
#[derive(Clone)]
struct Target<'a> {
    planned: &'a PlannedFunction,
    /// Positions among the crate's files and in the file.
    file: usize,
    index: usize,
    new: &'a DeclaredFunction,
    /// None: the program wasn't built with it.
    old: Option<&'a DeclaredFunction>,
}

impl<'a> Target<'a> {
    fn body(&self) -> Body<'a> {
        Body {
            site: &self.planned.name,
            new: self.new,
        }
    }
}

/// How an attempt to build the micro-crate ended.
pub(super) enum Attempt {
    Done(Box<Done>),
    /// There is nothing to patch, and what is new compiles.
    Checked,
    /// rustc refused it, and has nothing to say of the user's own sources; why.
    Failed(String),
    /// It can't be had; why.
    Refused(String),
}

impl Attempt {
    /// What stood in the way.
    pub(super) fn why(&self) -> Option<Why<'_>> {
        match self {
            Self::Done(_) | Self::Checked => None,
            Self::Failed(why) => Some(Why::Rustc(why)),
            Self::Refused(why) => Some(Why::Source(why)),
        }
    }
}

/// A micro-crate that became a plugin.
pub(super) struct Done {
    pub(super) plugin: PathBuf,
    /// What it has new bodies for.
    pub(super) functions: Vec<PlannedFunction>,
    /// What it leaves in the program.
    pub(super) left: Left,
    /// The functions of which it may hold closures.
    pub(super) closures_of: HeldClosures,
    /// The files that macros include, with hashes of what they held.
    pub(super) included: BTreeMap<PathBuf, u64>,
    pub(super) alone: Alone,
}

impl UnitJob<'_> {
    pub(super) fn build(&self) -> Result<Attempt, BuildError> {
        match self.try_build() {
            Ok(result) => result,
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// Why there is no patch where whole crates are no way either: what doesn't compile is told
    /// before what can't be patched.
    pub(super) fn refused(&self, edits: Vec<Rude>) -> BuildError {
        match self.user_errors() {
            Ok(Some(errors)) => BuildError::Compile(errors),
            Ok(None) => BuildError::Rude(edits),
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&self, error: &anyhow::Error) -> BuildError {
        match error.is::<Cancelled>() {
            true => BuildError::Cancelled,
            false => self.rude(&format!("no patch could be built: {error:#}")),
        }
    }

    /// A plugin, or why it needs the whole crate. Where rustc refused the micro-crate, the error
    /// may be the user's, and that is soon known; else it is left to the compilation that
    /// follows.
    fn try_build(&self) -> Result<Result<Attempt, BuildError>> {
        let program = &self.job.program;
        let attempt = match self.loaded.twin(&program.rustc, &self.job.cancel) {
            Ok(twin) => self.with_twin(&twin)?,
            Err(error) => Attempt::Refused(error.downcast::<NoTwin>()?.to_string()),
        };
        Ok(match attempt {
            // Whoever builds the crate next says what rustc thinks of it.
            Attempt::Failed(stderr) if !self.job.whole_crates => {
                Ok(Attempt::Failed(first_error(&stderr)))
            }
            Attempt::Failed(stderr) => match self.user_errors()? {
                Some(errors) => Err(BuildError::Compile(errors)),
                None => Ok(Attempt::Failed(first_error(&stderr))),
            },
            done => Ok(done),
        })
    }

    /// What rustc says of the crate as it is now, if it refuses it.
    fn user_errors(&self) -> Result<Option<CompilerOutput>> {
        if !self.job.wanted.without.is_empty() {
            return Ok(None); // It isn't what the user wrote that is compiled.
        }
        user_errors::errors(
            &self.job.program,
            self.position,
            &self.job.wanted.beyond_bodies(),
            self.job.coloured,
            &self.job.cancel,
        )
    }

    fn with_twin(&self, twin: &Twin) -> Result<Attempt> {
        let items = self.items();
        let targets = self.targets(&items)?;
        let reasons = targets.iter().filter_map(|target| {
            let why = needs_whole_crate(target.new, target.old?, &twin.hidden, &items)?;
            let place = target.planned.place();
            self.not_alone
                .borrow_mut()
                .push(format!("{place} is not compiled alone: {why}"));
            Some(why)
        });
        let reasons: Vec<String> = reasons.collect();
        let needs_whole = reasons.into_iter().next().or_else(|| {
            let mut additions = additions::positions(&self.plan.additions, &items);
            additions
                .find_map(|addition| addition_needs_whole_crate(addition, &twin.hidden, &items))
        });
        let needs_whole = match needs_whole {
            None => self.living_closure(&targets)?,
            why => why,
        };
        let needs_whole = needs_whole.or_else(|| self.late_closure(&targets));
        if let Some(why) = needs_whole {
            return Ok(Attempt::Refused(why));
        }
        self.micro(twin, &items, &targets)
    }

    /// A closure that may be alive, and is another one now: the code has to tell what becomes of
    /// it.
    fn living_closure(&self, targets: &[Target<'_>]) -> Result<Option<String>> {
        let differ = |target: &&Target<'_>| {
            let old = target.old.map(|old| &old.local_items);
            old.is_some_and(|old| closures_differ(old, &target.new.local_items))
        };
        let program = &self.job.program;
        // The whole crate would wait for the same, and be refused for what a moment later is none.
        let is_unknown = self.job.whole_crates && program.kept_closures.get().is_none();
        if is_unknown && targets.iter().any(|target| differ(&target)) {
            match whole_crate::prepare_program(program, &self.job.cancel) {
                Err(error) if error.is::<Cancelled>() => return Err(error),
                // Then it stays unknown.
                Ok(()) | Err(_) => {}
            }
        }
        let mut differing = targets.iter().filter(differ);
        let kept = differing.find(|target| program.keeps_closures_of(&target.planned.name));
        Ok(kept.map(|target| {
            let name = &target.planned.name;
            format!("a closure of {name} changed, and may be alive")
        }))
    }

    /// A closure that was given a site, which may have another body now or its own again.
    fn late_closure(&self, targets: &[Target<'_>]) -> Option<String> {
        let names = targets.iter().map(|target| &target.planned.name);
        let mut late = names.filter(|name| left::has_late_closure(self.job, name));
        let name = late.next()?;
        Some(format!("a closure of {name} was patched, and is alive"))
    }

    pub(super) fn rude(&self, why: &str) -> BuildError {
        let edits = self.plan.patch.iter().take(1).map(|function| Rude {
            file: function.file.clone(),
            line: function.line,
            why: why.to_owned(),
        });
        BuildError::Rude(edits.collect())
    }

    /// What all files of the crate declare now, the root first.
    fn items(&self) -> Vec<Arc<FileItems>> {
        let root = &self.loaded.unit.root;
        let mut items: Vec<Arc<FileItems>> = self
            .loaded
            .files
            .iter()
            .map(|(path, compiled)| match self.plan.files.get(path) {
                Some(changed) => Arc::clone(&changed.items),
                None => Arc::clone(compiled),
            })
            .collect();
        items.sort_by_key(|file| file.path != *root);
        items
    }

    fn targets<'a>(&'a self, items: &'a [Arc<FileItems>]) -> Result<Vec<Target<'a>>> {
        let crate_name = &self.loaded.unit.crate_name;
        let mut targets = Vec::new();
        for planned in &self.plan.patch {
            let file = items
                .iter()
                .position(|file| file.path == planned.file)
                .context("a planned function has no file")?;
            let named =
                |function: &DeclaredFunction| function.site_name(crate_name) == planned.name;
            let (index, new) = items[file]
                .functions
                .iter()
                .enumerate()
                .find(|(_, function)| named(function) && function.line == planned.line)
                .context("a planned function is not in its file")?;
            let old = match planned.brought {
                Some(_) => None,
                None => {
                    let mut functions = self.loaded.files[&planned.file].functions.iter();
                    let old =
                        functions.find(|function| named(function) && function.cfgs == new.cfgs);
                    Some(old.context("a planned function was not in its file")?)
                }
            };
            targets.push(Target {
                planned,
                file,
                index,
                new,
                old,
            });
        }
        Ok(targets)
    }

    /// Compiles just the changed functions. Futures must be `Send`; where that fails, it is enough
    /// if the original ones are not. New functions have none, so theirs get no site then.
    fn micro(
        &self,
        twin: &Twin,
        items: &[Arc<FileItems>],
        targets: &[Target<'_>],
    ) -> Result<Attempt> {
        let strict = self.micro_attempt(twin, items, targets, false)?;
        match strict {
            Attempt::Failed(stderr) if stderr.contains(NOT_SEND) => {
                let is_new_future = |target: &&Target<'_>| {
                    target.planned.brought.is_some() && target.new.kind == Ok(Kind::Async)
                };
                let (without, with): (Vec<_>, Vec<_>) = targets.iter().partition(is_new_future);
                let is_active = |target: &&&Target<'_>| {
                    let key = (self.position, target.planned.name.clone());
                    self.job
                        .wanted
                        .active
                        .iter()
                        .any(|(active, _)| *active == key)
                };
                if let Some(target) = without.iter().find(is_active) {
                    let place = target.planned.place();
                    let why = format!("{place} is new, and its future is not `Send` any more");
                    return Ok(Attempt::Refused(why));
                }
                let with: Vec<Target<'_>> = with.into_iter().cloned().collect();
                self.micro_attempt(twin, items, &with, true)
            }
            other => Ok(other),
        }
    }

    fn micro_attempt(
        &self,
        twin: &Twin,
        items: &[Arc<FileItems>],
        targets: &[Target<'_>],
        not_send: bool,
    ) -> Result<Attempt> {
        let unit = &self.loaded.unit;
        let functions: Vec<PatchFunction> = targets
            .iter()
            .map(|target| PatchFunction {
                file: target.file,
                function: target.index,
                not_send: not_send && target.new.kind == Ok(Kind::Async),
                added: target.planned.brought.is_some(),
                // Ids of types are others in the harness.
                typed: !self.is_harness() && !unit.untyped.contains(&target.planned.name),
            })
            .collect();
        // A body that is to be the original one again stands in a file that wasn't edited.
        let unedited = self.plan.patch.iter().map(|function| &function.file);
        let unedited = unedited.filter(|path| !self.plan.files.contains_key(*path));
        let unedited: BTreeMap<&PathBuf, String> = unedited
            .filter_map(|path| Some((path, self.loaded.compiled_text(path)?)))
            .collect();
        let text = |path: &Path| {
            let edited = self.plan.files.get(path).map(|file| &*file.text);
            edited.or_else(|| unedited.get(&path.to_owned()).map(String::as_str))
        };
        let shown = |path: &Path| self.shown(path);
        let source = patch_source(&PatchRequest {
            options: &PatchedCrate {
                crate_name: unit.crate_name.clone(),
                edition: unit.rustc_args().edition(),
                unit: unit.id,
                rustc: unit.version.clone(),
            },
            files: items,
            text: &text,
            hidden: &twin.hidden,
            functions: &functions,
            additions: &additions::positions(&self.plan.additions, items).collect::<Vec<_>>(),
            shown: &shown,
        })?;
        let object = self.folder.join("patch.o");
        let written = self.write(&source)?;
        let reading = Reading {
            unit,
            shadow: &written.place,
            began: SystemTime::now(),
        };
        let (rustc, cancel) = (&self.job.program.rustc, &self.job.cancel);
        match written.compile(rustc, unit, twin, &object, cancel)? {
            Some(stderr) => Ok(Attempt::Failed(stderr)),
            None if targets.is_empty() || self.job.checks_only => Ok(Attempt::Checked),
            None => {
                columns::restore(&object, &unit.cwd, &source.columns)?;
                if self.is_harness() {
                    if let Some(why) = harness::meet(&object, unit, &self.job.program)? {
                        return Ok(Attempt::Refused(why));
                    }
                }
                let own = |path: &Path| {
                    let mut files = source.files.iter();
                    files.any(|(own, _)| Path::new("/").join(own) == path)
                };
                let included = reading.included(&MicroCrate::dep_info(&object), &own)?;
                let bodies: Vec<Body<'_>> = targets.iter().map(Target::body).collect();
                let OfBodies {
                    left,
                    closures_of,
                    variable,
                } = left::of_bodies(&object, &bodies, unit, &self.job.program)?;
                if let Some(name) = variable {
                    let name = name.rsplit("::").next().unwrap_or(&name);
                    return Ok(Attempt::Refused(format!(
                        "a macro in a body declares the variable {name}"
                    )));
                }
                if let Some(name) = left::old_copy(self.job, &left) {
                    return Ok(Attempt::Refused(format!(
                        "it holds a copy of {name}, which is patched"
                    )));
                }
                if let Some(why) = additions::living(&left, &self.plan.additions) {
                    return Ok(Attempt::Refused(why));
                }
                let plugin = self.plugin("patch");
                let inputs = Inputs {
                    objects: &[object],
                    ..Inputs::default()
                };
                self.linker()?.link(&inputs, &plugin, &self.job.cancel)?;
                let functions = targets.iter().map(|target| target.planned.clone());
                let functions: Vec<PlannedFunction> = functions.collect();
                Ok(Attempt::Done(Box::new(Done {
                    plugin,
                    functions: functions.clone(),
                    left,
                    closures_of,
                    included,
                    alone: Alone {
                        unit: self.position,
                        source: written,
                        functions: functions.into_iter().enumerate().collect(),
                    },
                })))
            }
        }
    }

    fn is_harness(&self) -> bool {
        self.loaded.unit.kind == UnitKind::Test
    }

    fn linker(&self) -> Result<Linker<'_>> {
        let program = &self.job.program;
        Ok(Linker {
            bundled: program.linker.as_deref(),
            program: program.symbols()?,
            library: program.library(),
            libraries: &program.libraries,
        })
    }

    /// Writes the plugin's source, and beside it the files that it may include.
    fn write(&self, source: &PatchSource) -> Result<MicroCrate> {
        let place = self.folder.join("source");
        let mut texts = source.files.iter();
        if texts.any(|(_, text)| text.contains("include_")) {
            let LoadedUnit { unit, folder, .. } = self.loaded;
            for (path, bytes) in Beside::compiled(unit, folder)?.data {
                replace_file(&below(&place, &path), &bytes)?;
            }
        }
        for (path, text) in &source.files {
            replace_file(&place.join(path), text.as_bytes())?;
        }
        let root = source.files.first();
        Ok(MicroCrate {
            place,
            root: root.context("the plugin has no root file")?.0.clone(),
            number: self.job.number,
            is_final: !self.job.whole_crates,
        })
    }

    fn plugin(&self, part: &str) -> PathBuf {
        let name = &self.loaded.unit.crate_name;
        let number = self.job.number;
        self.folder.join(format!("{name}-{number}-{part}.so"))
    }

    /// A file as the compiler names it.
    fn shown(&self, path: &Path) -> String {
        let cwd = &self.loaded.unit.cwd;
        path.strip_prefix(cwd).unwrap_or(path).display().to_string()
    }
}

/// What rustc says of a future that has to be `Send` and is not.
pub(super) const NOT_SEND: &str = "cannot be sent between threads safely";
