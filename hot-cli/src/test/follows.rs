//! One binary that follows what is saved: which of its functions differ from what was built, and
//! the template in which they do what the sources say.
//!
//! ```text
//! save ─► bodies alone        which functions differ is read from the sources   ─► compiled, if a test is due
//!   └───► what reaches others compiled at once, by whole crates, and compared   ─► which functions differ
//! ```
//!
//! Knows nothing of other binaries, and of which tests run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use soft_mock_rewriter::syntax::Fingerprint;

use super::edited::{self, Bodies, Recorded};
use super::linked::is_absent;
use super::living::{NotPatched, Prepared};
use super::reach::{Recorder, SiteName};
use super::suite::Tests;
use super::template::Held;
use super::warm_up::Ready;
use crate::os::process::Cancel;
use crate::patch::{self, BuildError, Built};
use crate::program::plan::{Change, Plan, Rude, Wanted};
use crate::program::state::ProgramState;
use crate::program::{units_of, Program};
use crate::rustc::unit::UnitKind;
use crate::ui::shown;

/// A binary that follows what is saved.
#[derive(Clone)]
pub(super) struct Follows {
    state: ProgramState,
    /// The files that differ from what was built, with hashes of what they hold.
    pub(super) edited: BTreeMap<PathBuf, u64>,
    /// What makes it what they say. None: it is so.
    wanted: Option<Box<Wanted>>,
    /// What is edited beside bodies, in people's words: crates are compiled whole for it.
    pub(super) needs_whole_crates: Option<String>,
    /// The functions that differ from those that were built, as far as that is known.
    bodies: Bodies,
    /// Those of which the binary holds nothing: its tests don't enter them.
    elsewhere: Bodies,
    /// The plugins that make them so, once they are compiled.
    plugins: Option<Vec<PathBuf>>,
    /// Those that its template has.
    loaded: Bodies,
    /// Those that rustc takes.
    compiled: Bodies,
    /// The same of those that are elsewhere.
    checked: Bodies,
    /// What took how long.
    pub(super) notes: Vec<String>,
}

/// What is needed to compile a patch.
pub(super) struct Job<'a> {
    pub(super) recorder: &'a Recorder,
    pub(super) number: u64,
    pub(super) cancel: &'a Cancel,
}

/// What is compiled of a binary by whole crates.
pub(super) struct Whole {
    program: Arc<Program>,
    wanted: Box<Wanted>,
}

impl Whole {
    /// Whoever compiles it for a patch finds it done, and says why if it can't be.
    pub(super) fn compile_ahead(&self, cancel: &Cancel) -> Result<()> {
        patch::whole_crate::compile_ahead(&self.program, &self.wanted, cancel)
    }
}

impl Follows {
    /// `known`: what is known of the binaries as they were built.
    pub(super) fn load(tests: &Tests, known: &Ready) -> Result<Self, NotPatched> {
        let units = &tests.binary.units;
        let title = &tests.binary.title;
        let cant = |why: &dyn std::fmt::Display| format!("{title} can't be patched: {why}");
        let Some((folder, _)) = units.first() else {
            return Err(cant(&"it was built without a record").into());
        };
        let program = known.program(&tests.binary.launch.executable, folder);
        let program = program.map_err(|error| cant(&format!("{error:#}")))?;
        let on_disk = units_of(folder).map_err(|error| cant(&format!("{error:#}")))?;
        let ids = |units: &[Recorded]| -> BTreeSet<(PathBuf, u64)> {
            let ids = units.iter().map(|(folder, unit)| (folder.clone(), unit.id));
            ids.collect()
        };
        let loaded = program.units.iter();
        let loaded = loaded.map(|loaded| (loaded.folder.clone(), loaded.unit.id));
        if ids(units) != ids(&on_disk) || ids(units) != loaded.collect() {
            return Err(cant(&"it was built again meanwhile").into());
        }
        Ok(Self {
            state: ProgramState::new(program),
            edited: BTreeMap::new(),
            wanted: None,
            needs_whole_crates: None,
            bodies: Bodies::new(),
            elsewhere: Bodies::new(),
            plugins: None,
            loaded: Bodies::new(),
            compiled: Bodies::new(),
            checked: Bodies::new(),
            notes: Vec::new(),
        })
    }

    /// Takes note of what the files hold. Returns the functions that differ from what they were
    /// before; none: that is known when it is compiled.
    pub(super) fn follow(
        &mut self,
        tests: &Tests,
        edited: BTreeMap<PathBuf, u64>,
    ) -> Result<Option<BTreeSet<SiteName>>, NotPatched> {
        let files: BTreeSet<&PathBuf> = self.edited.keys().chain(edited.keys()).collect();
        let files: Vec<PathBuf> = files.into_iter().cloned().collect();
        self.state.record(&files);
        self.edited = edited;
        self.plugins = None;
        let mut beyond = None;
        let (wanted, bodies) = match self.state.change() {
            Change::Nothing => (None, Some(Bodies::new())),
            Change::Patch(wanted) => {
                let bodies = edited::bodies(&self.state, &wanted);
                if bodies.is_none() {
                    let what = beyond_bodies(&wanted, self.wanted.as_deref());
                    if !self.can_be_whole(&wanted) {
                        return Err(what.into());
                    }
                    beyond = Some(what);
                }
                (Some(wanted), bodies)
            }
            // Cargo says where.
            Change::Syntax(_) | Change::Unknown => return Err(NotPatched(None)),
            Change::Rude { edits, .. } => return Err(NotPatched(edits.first().map(place))),
        };
        let held = bodies.map(|bodies| self.held(tests, bodies)).transpose()?;
        self.wanted = wanted;
        self.needs_whole_crates = beyond;
        self.elsewhere.clear();
        Ok(held.map(|(held, elsewhere)| {
            self.elsewhere = elsewhere;
            self.set(held)
        }))
    }

    /// These functions, by whether the binary holds them: of what is its own, it holds all.
    fn held(&self, tests: &Tests, bodies: Bodies) -> Result<(Bodies, Bodies), NotPatched> {
        let cant = || format!("{} can't be patched", tests.binary.title);
        let sites = tests.sites.as_ref().ok_or_else(cant)?;
        let (held, elsewhere): (Bodies, Bodies) =
            bodies.into_iter().partition(|(site, _)| sites.has(site));
        if !elsewhere.is_empty() {
            let program = &self.state.program;
            let symbols = program
                .symbols()
                .map_err(|error| format!("{}: {error:#}", cant()))?;
            let own = program.units.first().map(|loaded| &loaded.folder);
            let mut sites = elsewhere.keys();
            if sites.any(|(unit, name)| Some(unit) == own || !is_absent(name, symbols)) {
                return Err(cant().into());
            }
        }
        Ok((held, elsewhere))
    }

    /// These are the functions that differ. Returns those that didn't, or did otherwise.
    fn set(&mut self, bodies: Bodies) -> BTreeSet<SiteName> {
        let before = std::mem::replace(&mut self.bodies, bodies);
        let all = before.keys().chain(self.bodies.keys());
        let differ = all.filter(|site| before.get(*site) != self.bodies.get(*site));
        differ.cloned().collect()
    }

    /// Whether crates may be compiled whole for it: the harness knows the same tests.
    fn can_be_whole(&self, wanted: &Wanted) -> bool {
        let mut units = self.state.program.units.iter();
        let is_optimised = units.any(|loaded| {
            loaded.unit.kind == UnitKind::Test && loaded.unit.rustc_args().is_optimised()
        });
        !is_optimised && !edited::may_concern_tests(wanted)
    }

    /// Whether it isn't known which functions differ.
    pub(super) fn is_unknown(&self) -> bool {
        self.needs_whole_crates.is_some() && self.plugins.is_none()
    }

    /// What has to be compiled by whole crates to know it.
    pub(super) fn whole(&self) -> Option<Whole> {
        let wanted = self.wanted.as_ref().filter(|_| self.is_unknown())?;
        Some(Whole {
            program: Arc::clone(&self.state.program),
            wanted: wanted.clone(),
        })
    }

    /// Whether its template does what the sources say.
    pub(super) fn is_loaded(&self) -> bool {
        !self.is_unknown() && self.bodies == self.loaded
    }

    pub(super) fn loads(&mut self) {
        self.loaded.clone_from(&self.bodies);
    }

    pub(super) fn bodies(&self) -> &Bodies {
        &self.bodies
    }

    pub(super) fn elsewhere(&self) -> &Bodies {
        &self.elsewhere
    }

    /// Whether rustc is known to take a function as it is now.
    pub(super) fn has_compiled(&self, (site, body): (&SiteName, &Fingerprint)) -> bool {
        let mut known = [&self.compiled, &self.checked].into_iter();
        known.any(|known| known.get(site) == Some(body))
    }

    /// Whether another template runs than the binary's own.
    pub(super) fn is_patched(&self) -> bool {
        !self.loaded.is_empty()
    }

    /// A template that does what the sources say. None: it can't be held.
    pub(super) fn template(
        &mut self,
        tests: &Tests,
        job: &Job<'_>,
    ) -> Result<Result<Held, Prepared>> {
        let not = |why: String| Ok(Err(Prepared::NotPatched(why.into())));
        // Started first: it gets ready while rustc runs.
        let Some(template) = tests.binary.template(job.recorder)? else {
            return not(format!("{} can't be held", tests.binary.title));
        };
        if let Err(prepared) = self.compile(job) {
            return Ok(Err(prepared));
        }
        match template.patch(self.plugins.as_deref().unwrap_or_default()) {
            Ok(()) => Ok(Ok(Held::patched(template))),
            Err(why) => not(format!("{}: {why:#}", tests.binary.title)),
        }
    }

    /// Compiles what makes it what the sources say, unless it is. Returns the functions that
    /// differ, and that weren't known to.
    pub(super) fn compile(&mut self, job: &Job<'_>) -> Result<BTreeSet<SiteName>, Prepared> {
        if self.plugins.is_some() {
            return Ok(BTreeSet::new());
        }
        let built = self.build(job, &self.bodies, false)?;
        let differ = match self.needs_whole_crates {
            Some(_) => self.set(replaced(&self.state.program, &built.plan)),
            None => BTreeSet::new(),
        };
        self.plugins = Some(built.plugins);
        self.notes.extend(built.notes);
        self.compiled.clone_from(&self.bodies);
        Ok(differ)
    }

    /// Has rustc look at what is elsewhere.
    pub(super) fn check(&mut self, job: &Job<'_>) -> Result<(), Prepared> {
        self.build(job, &self.elsewhere, true)?;
        self.checked.clone_from(&self.elsewhere);
        Ok(())
    }

    /// Compiles these functions, or whatever whole crates come to. `checks_only`: nothing is made
    /// of it.
    fn build(&self, job: &Job<'_>, bodies: &Bodies, checks_only: bool) -> Result<Built, Prepared> {
        let not = |why: Option<String>| Err(Prepared::NotPatched(NotPatched(why)));
        let Some(wanted) = &self.wanted else {
            return not(Some("nothing is to be patched".to_owned()));
        };
        let mut wanted = Wanted::clone(wanted);
        if self.needs_whole_crates.is_none() {
            for (position, unit) in &mut wanted.plan {
                let folder = &self.state.program.units[*position].folder;
                let is_one = |name: &str| bodies.contains_key(&(folder.clone(), name.to_owned()));
                unit.patch.retain(|function| is_one(&function.name));
            }
        }
        let built = patch::build(&patch::Job {
            program: Arc::clone(&self.state.program),
            wanted,
            folder: job.recorder.folder().join(format!("patch-{}", job.number)),
            number: job.number,
            coloured: false,
            whole_crates: self.needs_whole_crates.is_some(),
            checks_only,
            cancel: job.cancel.clone(),
        });
        match built {
            Ok(built) => match kept(&built) {
                None => Ok(built),
                why => not(why),
            },
            Err(BuildError::Cancelled) => Err(Prepared::Cancelled),
            // Cargo says so.
            Err(BuildError::Compile(_)) => not(None),
            Err(BuildError::Rude(edits)) => not(edits.first().map(place)),
        }
    }
}

/// What a patch leaves as it was, where a program that was built would have it otherwise.
fn kept(built: &Built) -> Option<String> {
    let once = built
        .once
        .first()
        .map(|function| format!("{} runs just once", function.name));
    let mut statics = built.preserved_statics.keys();
    let closures = built.kept_bodies.first().map(|kept| {
        let name = &kept.function;
        format!("a closure of {name} may have been made before tests run")
    });
    once.or_else(|| {
        statics
            .next()
            .map(|name| format!("{name} begins with another value"))
    })
    .or_else(|| {
        built
            .successors
            .first()
            .map(|one| format!("{} is another one", one.name))
    })
    .or(closures)
}

/// The functions that a patch of whole crates replaces.
fn replaced(program: &Program, plan: &Plan) -> Bodies {
    let units = plan.iter();
    let functions = units.flat_map(|(position, unit)| {
        let folder = &program.units[*position].folder;
        unit.patch.iter().map(move |function| {
            let content = Fingerprint::joined([function.body, function.uses]);
            ((folder.clone(), function.name.clone()), content)
        })
    });
    functions.collect()
}

/// What was edited beside bodies of functions with a site, and wasn't there before.
fn beyond_bodies(wanted: &Wanted, before: Option<&Wanted>) -> String {
    let all = |wanted: &Wanted| [&*wanted.indirect, &wanted.additions].concat();
    let (edits, before) = (all(wanted), before.map(all).unwrap_or_default());
    let new = edits.iter().find(|edit| !before.contains(edit));
    let edit = new.or(edits.first()).map(|edit| Rude {
        file: edit.file.clone(),
        line: edit.line,
        why: edit.what.clone(),
    });
    edit.as_ref().map_or_else(
        || "more than bodies of functions was edited".to_owned(),
        place,
    )
}

fn place(edit: &Rude) -> String {
    format!("{}:{}: {}", shown(&edit.file), edit.line, edit.why)
}
