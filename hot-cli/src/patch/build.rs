//! Builds the plugins of one patch: one for each crate that changed, or all of them from whole
//! crates.
//!
//! Decides between the two ways, and knows nothing of how either makes a plugin.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::foundation::{no_way_back, still_built_so};
use super::meaning::Alone;
use super::unit_job::{Attempt, UnitJob};
use super::whole_crate::Why;
use super::{additions, left, whole_crate};
use crate::os::process::Cancel;
use crate::program::left_behind::LeftBehind;
use crate::program::plan::{
    KeptBody, KeptValues, Plan, PlannedFunction, Rude, Successor, UnitPlan, Wanted,
};
use crate::program::whole_crate_plugin::WholeCratePlugin;
use crate::program::Program;
use crate::ui::CompilerOutput;

/// A patch to build.
pub(crate) struct Job {
    pub(crate) program: Arc<Program>,
    pub(crate) wanted: Wanted,
    /// Where to write: private, and its own for every patch.
    pub(crate) folder: PathBuf,
    pub(crate) number: u64,
    pub(crate) coloured: bool,
    /// Where functions can't be compiled alone, whole crates may be.
    pub(crate) whole_crates: bool,
    /// It is only asked whether functions can be compiled alone: nothing is made of them.
    pub(crate) checks_only: bool,
    pub(crate) cancel: Cancel,
}

/// A patch that was built.
pub(crate) struct Built {
    pub(crate) plugins: Vec<PathBuf>,
    /// What becomes new with them, and what gets its original body again.
    pub(crate) plan: Plan,
    /// Functions that differ, but are called just once.
    pub(crate) once: Vec<PlannedFunction>,
    /// Statics that begin with another value now: those that exist keep theirs.
    pub(crate) preserved_statics: KeptValues,
    /// Variables in place of others that are gone, as far as that is news.
    pub(crate) successors: Vec<Successor>,
    /// What may live on with the body that it was made with.
    pub(crate) kept_bodies: Vec<KeptBody>,
    /// What the plugins leave in the program.
    pub(crate) left: Vec<LeftBehind>,
    /// The functions that were compiled alone.
    pub(crate) alone: Vec<Alone>,
    /// The plugins that were made from whole crates.
    pub(crate) whole_crate_plugins: Vec<WholeCratePlugin>,
    /// What took how long, and which way was taken.
    pub(crate) notes: Vec<String>,
}

/// Why there is no patch.
pub(crate) enum BuildError {
    /// A newer change replaced it.
    Cancelled,
    /// The edit doesn't compile: what rustc says.
    Compile(CompilerOutput),
    /// It can't be patched.
    Rude(Vec<Rude>),
}

/// Builds the plugins of a patch.
pub(crate) fn build(job: &Job) -> Result<Built, BuildError> {
    still_built_so(job)?;
    let built = build_all(job)?;
    // Another build in the middle would have changed what the plugins were compiled against.
    still_built_so(job)?;
    Ok(built)
}

fn build_all(job: &Job) -> Result<Built, BuildError> {
    if !job.whole_crates {
        if let Some(edit) = job.wanted.indirect.first() {
            return Err(BuildError::Rude(vec![Rude {
                file: edit.file.clone(),
                line: edit.line,
                why: edit.what.clone(),
            }]));
        }
    }
    let reaches_others = job.wanted.whole_crate || !job.wanted.indirect.is_empty();
    if reaches_others && !job.wanted.on_top {
        let mut built = whole_crate::build_wanted(job, None)?;
        let why = job.wanted.no_additions.iter();
        let why = why.map(|why| format!("the whole crate is compiled: {why}"));
        built.notes.splice(0..0, why);
        return Ok(built);
    }
    if let Some(why) = additions::in_the_way(&job.wanted) {
        return whole_crate::build_wanted(job, Some(Why::Left(&why)));
    }
    if let Some(edit) = no_way_back(job) {
        return Err(BuildError::Rude(vec![edit]));
    }
    let mut built = Built {
        plugins: Vec::new(),
        plan: job.wanted.plan.clone(),
        once: Vec::new(),
        preserved_statics: KeptValues::new(),
        successors: Vec::new(),
        kept_bodies: left::kept(job, left::replaced(&job.wanted.plan), &BTreeMap::new()),
        left: Vec::new(),
        alone: Vec::new(),
        whole_crate_plugins: Vec::new(),
        notes: Vec::new(),
    };
    for (&position, plan) in job
        .wanted
        .plan
        .iter()
        .filter(|(_, plan)| !plan.patch.is_empty() || is_to_be_checked(job, plan))
    {
        let unit = UnitJob {
            job,
            position,
            loaded: &job.program.units[position],
            plan,
            folder: job.folder.join(position.to_string()),
            not_alone: RefCell::default(),
        };
        let started = Instant::now();
        match unit.build()? {
            Attempt::Done(done) => {
                built.plugins.push(done.plugin);
                let left = left::behind(job, position, done.left, done.closures_of);
                let (own, functions) = (&plan.additions, &done.functions);
                let left = additions::behind(left, position, own, functions);
                built.left.push(left);
                built.plan.entry(position).or_default().patch = done.functions;
                built.alone.push(done.alone);
                built.plan.entry(position).or_default().included = done.included;
            }
            Attempt::Checked => {}
            Attempt::Failed(why) | Attempt::Refused(why) if !job.whole_crates => {
                return Err(unit.rude(&why));
            }
            attempt @ (Attempt::Failed(_) | Attempt::Refused(_)) => {
                let mut whole = from_whole_crates(job, &unit, &attempt)?;
                whole.notes.extend(unit.not_alone.take());
                return Ok(whole);
            }
        }
        let name = &unit.loaded.unit.crate_name;
        let with = additions::told(&plan.additions);
        built
            .notes
            .push(format!("`{name}`: {:?}{with}", started.elapsed()));
    }
    Ok(built)
}

/// The patch from whole crates, where a crate's functions can't be compiled alone.
fn from_whole_crates(
    job: &Job,
    unit: &UnitJob<'_>,
    attempt: &Attempt,
) -> Result<Built, BuildError> {
    whole_crate::build_wanted(job, attempt.why()).map_err(|error| match (error, attempt) {
        // Whether the user's own sources compile was asked when rustc refused the micro-crate.
        (BuildError::Rude(edits), Attempt::Refused(_)) => unit.refused(edits),
        (other, _) => other,
    })
}

/// Whether something is new that no function uses: it must compile all the same.
fn is_to_be_checked(job: &Job, plan: &UnitPlan) -> bool {
    let mut fresh = job.wanted.fresh.iter();
    let is_new = |file: &Path| fresh.any(|edit| edit.file == file);
    plan.additions
        .iter()
        .map(|addition| &*addition.file)
        .any(is_new)
}
