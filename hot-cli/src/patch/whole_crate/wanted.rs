//! Builds a patch from whole crates: for edits that reach others, and for bodies that a micro-crate
//! can't express.
//!
//! Turns a wanted patch into a request, and the answer into a plan: which functions
//! become new, and which of those that were patched before get their original bodies again. Knows
//! nothing of how code is compared.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use soft_mock_abi::symbol::PREFIX;
use soft_mock_compiled::compare::{Edits, WithoutSite};
use soft_mock_rewriter::analysis::fields_seen;
use soft_mock_rewriter::diff::shifted;
use soft_mock_rewriter::syntax::Fingerprint;

use super::brought;
use super::reasons::{both, Why};
use super::units::Units;
use super::{Read, Request, State, UnitSources, WholeCrateError, WholeCratePatch};
use crate::os::files::below;
use crate::os::process::{Cancel, Cancelled};
use crate::patch::build::{BuildError, Built, Job};
use crate::patch::left;
use crate::patch::unit_job::NOT_SEND;
use crate::patch::user_errors;
use crate::program::left_behind::{self, LeftBehind};
use crate::program::plan::{InputContent, KeptBody, Plan, PlannedFunction, SiteKey, Wanted};
use crate::program::whole_crate_plugin::Replaced;
use crate::program::{LoadedUnit, Program};
use crate::rustc::beside::Beside;
use crate::rustc::run::first_error;
use crate::wrapper::shadow;

type Reader<'a> = Box<Read<'a>>;

/// Builds the plugins of a patch.
pub(in crate::patch) fn build(job: &Job, why: Option<Why<'_>>) -> Result<Built, BuildError> {
    match try_build(job, why) {
        Ok(result) => result,
        Err(error) if error.is::<Cancelled>() => Err(BuildError::Cancelled),
        Err(error) => Err(rude(job, &format!("no patch could be built: {error:#}"))),
    }
}

fn try_build(job: &Job, why: Option<Why<'_>>) -> Result<Result<Built, BuildError>> {
    let program = &job.program;
    for (position, loaded) in program.units.iter().enumerate() {
        let read = reader(program, &job.wanted, position);
        if let Some(name) = read.map_or(Ok(None), |read| seen_otherwise(loaded, &read))? {
            let why = format!("it changes how the fields of {name} are seen");
            return Ok(Err(rude(job, &why)));
        }
    }
    let left = &job.wanted.left;
    let left: Vec<_> = left
        .iter()
        .map(|left| (&left.left, left.edits_until(&job.wanted)))
        .collect();
    std::fs::create_dir_all(&job.folder)
        .with_context(|| format!("can't create {}", job.folder.display()))?;
    let (edits, only_closures) = (edits(program, &job.wanted), left::only_closures(job));
    let build = |brought: &BTreeMap<SiteKey, String>| {
        with_request(program, Some(&job.wanted), &job.cancel, &mut |request| {
            super::build(&Request {
                earlier: &job.wanted.earlier,
                left: &left,
                edits: &edits,
                brought,
                only_closures: only_closures.as_ref(),
                output: &job.folder,
                number: job.number,
                ..*request
            })
        })
    };
    let brought = brought::wanted(job);
    let mut built = build(&brought);
    if let Err(WholeCrateError::Compile { stderr }) = &built {
        // Of a future, what is spawned already relies on that.
        let without = match stderr.contains(NOT_SEND) {
            true => brought::of_calls(&brought),
            false if stderr.contains(PREFIX) => BTreeMap::new(),
            false => brought.clone(),
        };
        if without != brought {
            built = build(&without);
        }
    }
    Ok(match built {
        Ok(patch) => Ok(taken(job, patch, why)),
        Err(WholeCrateError::Cancelled) => Err(BuildError::Cancelled),
        Err(WholeCrateError::Compile { stderr }) => Err(compile_error(job, &stderr)?),
        Err(WholeCrateError::Refused { reason }) => {
            Err(rude(job, &both(&job.program, why, &reason)))
        }
        Err(WholeCrateError::Failed(error)) => return Err(error),
    })
}

/// What was edited, and where the order of what bodies declare tells nothing since.
fn edits(program: &Program, wanted: &Wanted) -> Edits {
    let units = || {
        let plan = wanted.plan.iter();
        plan.map(|(position, unit)| (&program.units[*position], unit))
    };
    let old: Vec<String> = units()
        .flat_map(|(loaded, unit)| {
            let files = unit.files.keys().chain(&unit.gone);
            files.filter_map(|path| loaded.compiled_text(path))
        })
        .collect();
    let new = units().flat_map(|(_, unit)| unit.files.values().map(|file| &*file.text));
    let shifted = shifted(old.iter().map(String::as_str), new);
    Edits {
        shifted: shifted.functions.into_iter().collect(),
        shifted_anywhere: shifted.anywhere || units().any(|(_, unit)| !unit.inputs.is_empty()),
        untouched: left::untouched_closures(program, wanted),
        without_site: without_site(wanted),
        ..left_behind::edits(wanted)
    }
}

/// Functions without a site of which the body was edited.
fn without_site(wanted: &Wanted) -> Vec<WithoutSite> {
    let code = wanted.indirect.iter().filter(|edit| edit.is_of_code);
    let places = code.filter_map(|edit| {
        let mut units = wanted.plan.values();
        let file = units.find_map(|unit| unit.files.get(&edit.file))?;
        let mut functions = file.items.functions.iter();
        let function = functions.find(|function| function.line == edit.line)?;
        let last = file.text[..function.place.body.end].lines().count();
        Some(WithoutSite {
            name: function.name.clone(),
            file: edit.file.clone(),
            lines: edit.line..=last,
        })
    });
    places.collect()
}

/// Compiles ahead what patches of whole crates are compared with.
pub(crate) fn prepare(program: &Program, cancel: &Cancel) -> Result<()> {
    let units = program.units.iter();
    for loaded in units.filter(|loaded| loaded.unit.unmodified.is_none()) {
        // The patch that needs it says why it can't be had.
        let _ = loaded.fields_seen();
    }
    let kept = with_request(program, None, cancel, &mut |request| {
        Ok::<_, anyhow::Error>(super::prepare(request)?)
    })?;
    program.kept_closures.get_or_init(|| kept);
    Ok(())
}

/// Compiles what `build` compiles, so that it finds it done. Who needs what can't be compiled says
/// so.
pub(crate) fn compile_ahead(program: &Program, wanted: &Wanted, cancel: &Cancel) -> Result<()> {
    with_request(program, Some(wanted), cancel, &mut |request| {
        Units::new(request)?.build()?;
        Ok::<_, anyhow::Error>(())
    })
}

/// Compiles the crate of a unit as the files say it, to compare functions with. Returns the bytes
/// of the library.
pub(in crate::patch) fn own_library(
    program: &Program,
    wanted: &Wanted,
    position: usize,
    cancel: &Cancel,
) -> Result<Vec<u8>, WholeCrateError> {
    with_request(program, Some(wanted), cancel, &mut |request| {
        super::compile_own(request, position)
    })
}

/// A request as for a program without patches.
fn with_request<T, E: From<anyhow::Error>>(
    program: &Program,
    wanted: Option<&Wanted>,
    cancel: &Cancel,
    act: &mut dyn FnMut(&Request<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let compiled = compiled_texts(program);
    let edited: Vec<Option<Reader<'_>>> = (0..program.units.len())
        .map(|position| reader(program, wanted?, position))
        .collect();
    let besides = besides(program, wanted.unwrap_or(&Wanted::default()))?;
    let units = unit_sources(program, &compiled, &edited, &besides);
    act(&Request {
        units: &units,
        rustc: &program.rustc,
        linker: program.linker.as_deref(),
        program: program.symbols()?,
        exported: program.exported()?,
        library: program.library(),
        libraries: &program.libraries,
        earlier: &[],
        left: &[],
        edits: &Edits::default(),
        brought: &BTreeMap::new(),
        only_closures: None,
        output: Path::new(""),
        number: 0,
        cancel,
    })
}

/// What a request reads of each unit.
fn unit_sources<'a>(
    program: &'a Program,
    compiled: &'a [Reader<'a>],
    edited: &'a [Option<Reader<'a>>],
    besides: &'a [[Beside; 2]],
) -> Vec<UnitSources<'a>> {
    let texts = compiled.iter().zip(edited).zip(besides);
    let units = program.units.iter().zip(texts);
    units
        .map(|(loaded, ((compiled, edited), [then, now]))| UnitSources {
            unit: &loaded.unit,
            folder: &loaded.folder,
            compiled: State {
                read: compiled,
                beside: then,
            },
            edited: edited.as_deref().map(|read| State { read, beside: now }),
        })
        .collect()
}

/// For each unit, what it is compiled with beside its sources, then and now.
fn besides(program: &Program, wanted: &Wanted) -> Result<Vec<[Beside; 2]>> {
    let units = program.units.iter().enumerate();
    let units = units.map(|(position, loaded)| {
        let then = Beside::compiled(&loaded.unit, &loaded.folder)?;
        let mut now = then.clone();
        let plan = wanted.plan.get(&position);
        for (path, input) in plan.into_iter().flat_map(|unit| &unit.inputs) {
            match &input.content {
                InputContent::File(bytes) => {
                    now.data.insert(path.clone(), bytes.clone());
                }
                InputContent::Variables(variables) => now.variables.extend(variables.clone()),
            }
        }
        Ok([then, now])
    });
    units.collect()
}

/// For each unit, what reads its files as they were compiled into the program, and nothing that a
/// later build has put in their place.
fn compiled_texts(program: &Program) -> Vec<Reader<'_>> {
    let units = program.units.iter();
    units.map(|loaded| compiled_text(loaded)).collect()
}

fn compiled_text(loaded: &LoadedUnit) -> Reader<'_> {
    Box::new(|path| match loaded.files.contains_key(path) {
        true => loaded.compiled_text(path).ok_or_else(|| {
            let name = &loaded.unit.crate_name;
            io::Error::other(format!("crate `{name}` was built again"))
        }),
        false => Err(io::ErrorKind::NotFound.into()),
    })
}

/// Reads the files of a unit as they are now, if one of them was edited.
fn reader<'a>(program: &Program, wanted: &'a Wanted, position: usize) -> Option<Reader<'a>> {
    let unit = wanted.plan.get(&position)?;
    let sources = program.units[position].folder.join("sources");
    Some(Box::new(move |path| match unit.files.get(path) {
        Some(changed) => Ok(changed.text.to_string()),
        None if unit.gone.contains(path) => Err(io::ErrorKind::NotFound.into()),
        None => std::fs::read_to_string(below(&sources, path)),
    }))
}

/// A type whose private fields the program's code sees otherwise than newly compiled code would: it
/// would be another type to `Any`.
fn seen_otherwise(loaded: &LoadedUnit, read: &Reader<'_>) -> Result<Option<String>> {
    let new = fields_seen(&shadow::tree(&loaded.unit, read)?);
    let mut old = loaded.fields_seen()?.iter();
    let differs = |(name, was): &(&String, &_)| new.get(*name).is_some_and(|is| is != *was);
    Ok(old.find(differs).map(|(name, _)| name.clone()))
}

/// rustc refuses what was prepared: if it refuses what the user wrote as well, that is the user's
/// error. An edit may also break a crate that uses it.
fn compile_error(job: &Job, stderr: &str) -> Result<BuildError> {
    let (program, mut edited) = (&job.program, job.wanted.beyond_bodies());
    // What the user wrote has these edits too.
    edited.extend(job.wanted.without.iter().flat_map(|edit| {
        let units = program.units.iter().enumerate();
        let its = units.filter(|(_, loaded)| loaded.files.contains_key(&edit.file));
        its.map(|(position, _)| position)
    }));
    let users = edited.iter().flat_map(|unit| program.with_users(*unit));
    let all: BTreeSet<usize> = job.wanted.plan.keys().copied().chain(users).collect();
    for position in all {
        let said = user_errors::errors(program, position, &edited, job.coloured, &job.cancel)?;
        if let Some(errors) = said {
            return Ok(BuildError::Compile(errors));
        }
    }
    Ok(match job.wanted.without.is_empty() {
        true => rude(job, &first_error(stderr)),
        // What it does without is needed.
        false => BuildError::Rude(job.wanted.without.clone()),
    })
}

/// The first of the edits can't be patched.
fn rude(job: &Job, why: &str) -> BuildError {
    BuildError::Rude(job.wanted.refused(why))
}

/// Where the first of the edits stands.
fn edited_place(job: &Job) -> Option<(PathBuf, usize)> {
    let wanted = &job.wanted;
    let edits = wanted.fresh.iter().chain(&wanted.indirect);
    let bodies = wanted.bodies.values();
    let bodies = bodies.map(|body| (body.file.clone(), body.line));
    let edits = edits.map(|edit| (edit.file.clone(), edit.line));
    edits.chain(bodies).next()
}

/// The answer as a plan: all functions that differ from the program as it was built.
fn taken(job: &Job, patch: WholeCratePatch, why: Option<Why<'_>>) -> Built {
    let state = Fingerprint::joined(job.wanted.meaning.values().copied());
    let planned = |position: usize, function: &Replaced| {
        let site = (position, function.name.clone());
        let own = job.wanted.bodies.get(&site);
        let (body, uses) = own.map_or((state, Fingerprint::default()), PlannedFunction::content);
        let (file, line) = match function.file.as_os_str().is_empty() {
            // It stands nowhere: it is made for what was edited.
            true => edited_place(job).unwrap_or_default(),
            false => (function.file.clone(), function.line),
        };
        PlannedFunction {
            name: site.1,
            file,
            line,
            body,
            uses,
            code: function.content,
            brought: function.brought.clone(),
        }
    };
    let mut plan: Plan = job.wanted.plan.clone();
    for unit in plan.values_mut() {
        unit.patch.clear();
        unit.restore.clear();
    }
    let mut replaced: BTreeSet<SiteKey> = BTreeSet::new();
    for plugin in &patch.plugins {
        for function in &plugin.functions {
            let function = planned(plugin.position, function);
            replaced.insert((plugin.position, function.name.clone()));
            plan.entry(plugin.position)
                .or_default()
                .patch
                .push(function);
        }
    }
    for (position, included) in patch.included {
        plan.entry(position).or_default().included = included;
    }
    for (site, function) in &job.wanted.active {
        // What was given a site afterwards, and can be replaced no more, keeps what it has.
        let is_late = job.program.function(site).is_none();
        let keeps = is_late
            && match function.brought {
                // What leads to it still does, unless it was compared with what is compiled now.
                Some(_) => left::as_it_is(job, site).is_some(),
                None => patch.stale.contains(&site.1),
            };
        if !replaced.contains(site) && !keeps {
            let unit = plan.entry(site.0).or_default();
            unit.restore.push(function.clone());
        }
    }
    let left = patch.left.into_iter().map(|by| LeftBehind {
        no_way_back: by.no_way_back,
        ..left::behind(job, by.position, by.left, by.closures_of)
    });
    let left = left.collect();
    // A function isn't replaced if nothing of it is new but a closure with a late site.
    let edited = left::replaced(&plan).chain(job.wanted.bodies.keys().cloned());
    let mut kept_bodies = left::kept(job, edited, &patch.keep_bodies);
    let others = patch.keep_other_bodies.into_iter();
    kept_bodies.extend(others.map(|function| KeptBody {
        function,
        place: None,
    }));
    let mut notes = patch.notes;
    if let Some(Why::Left(why) | Why::Source(why) | Why::Rustc(why)) = why {
        notes.insert(0, format!("the whole crate is compiled: {why}"));
    }
    let plugins: Vec<PathBuf> = patch
        .plugins
        .iter()
        .map(|plugin| plugin.path.clone())
        .collect();
    Built {
        plugins,
        plan,
        once: patch
            .once
            .iter()
            .map(|function| planned(0, function))
            .collect(),
        preserved_statics: patch.preserved_statics,
        successors: patch.successors,
        kept_bodies,
        left,
        alone: Vec::new(),
        whole_crate_plugins: patch.plugins,
        notes,
    }
}
