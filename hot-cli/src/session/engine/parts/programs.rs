//! The programs of the session: what each was built from, what its files say now, and what it runs.
//!
//! Knows nothing of processes, nor of how something is said to the user.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use soft_mock_abi::protocol::{Load, Loaded, Restore, SiteInfo};

use super::patches::Patch;
use crate::patch::Built;
use crate::plugins::record::Rebuild;
use crate::program::overview::overview;
use crate::program::plan::{Change, KeptValues, Plan, PlannedFunction, Rude, SiteKey, Wanted};
use crate::program::state::{Bodies, Judgement, ProgramState};
use crate::program::Program;
use crate::session::ledger::{Ledger, Record, Texts};
use crate::ui::Overview;

/// The programs, by their keys.
#[derive(Default)]
pub(crate) struct Programs {
    known: BTreeMap<PathBuf, ProgramState>,
    /// Their records are being read.
    loading: BTreeSet<PathBuf>,
    /// The crates of programs of which the user knows what can be patched.
    told: BTreeSet<String>,
    /// The user knows that these copies of packages aren't cargo's any more.
    edited_copies: BTreeSet<PathBuf>,
}

impl Programs {
    pub(crate) fn know(&self, key: &Path) -> bool {
        self.known.contains_key(key)
    }

    pub(crate) fn get(&self, key: &Path) -> Option<&Arc<Program>> {
        self.known.get(key).map(|state| &state.program)
    }

    pub(crate) fn is_plugin(&self, key: &Path) -> bool {
        self.get(key).is_some_and(|program| program.is_plugin)
    }

    /// A program's records are to be read. False if they are being read already.
    pub(crate) fn begin_loading(&mut self, key: &Path) -> bool {
        self.loading.insert(key.to_owned())
    }

    /// That has ended.
    pub(crate) fn end_loading(&mut self, key: &Path) {
        self.loading.remove(key);
    }

    pub(crate) fn add(&mut self, key: PathBuf, program: Program) -> Arc<Program> {
        let state = ProgramState::new(program);
        let program = Arc::clone(&state.program);
        self.known.insert(key, state);
        program
    }

    /// A process told which functions a program has. `adopt` takes over what a session before this
    /// one has patched.
    pub(crate) fn record_sites(&mut self, key: &Path, sites: &[SiteInfo], adopt: bool) {
        if let Some(state) = self.known.get_mut(key) {
            state.record_sites(sites);
            if adopt {
                state.adopt(sites);
            }
        }
    }

    /// What of a program can be patched, if that is known and was not told before. Plugins come and
    /// go.
    pub(crate) fn overview_once(&mut self, key: &Path, sites: &[SiteInfo]) -> Option<Overview> {
        let program = self.get(key).filter(|program| !program.is_plugin)?;
        let name = &program.units.first()?.unit.crate_name;
        if self.told.contains(name) {
            return None;
        }
        let (name, overview) = (name.clone(), overview(program, sites));
        self.told.insert(name);
        Some(overview)
    }

    /// A plugin's library was replaced.
    pub(crate) fn forget(&mut self, key: &Path) {
        self.known.remove(key);
    }

    /// All are built anew, and read again.
    pub(crate) fn restarted(&mut self) {
        self.known.clear();
        self.loading.clear();
    }

    // Files.

    /// Reads files that may have changed. If that brought modules whose files were not looked at
    /// before, they are returned: they are to be watched first and recorded then, so that no
    /// change is missed in between.
    pub(crate) fn record_files(&mut self, paths: &[PathBuf]) -> Option<Vec<PathBuf>> {
        let before = self.other_files();
        for state in self.known.values_mut() {
            state.record(paths);
        }
        let now = self.other_files();
        let new = now.iter().filter(|path| !before.contains(path));
        (now != before).then(|| new.cloned().collect())
    }

    fn other_files(&self) -> Vec<PathBuf> {
        let states = self.known.values();
        states
            .flat_map(ProgramState::other_files)
            .cloned()
            .collect()
    }

    /// All files that concern the programs.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let files = self.known.values().flat_map(|state| {
            let built = state.program.watched_files().iter();
            built.chain(state.other_files())
        });
        files.cloned().collect()
    }

    /// Folders of which new files concern them as well.
    pub(crate) fn folders(&self) -> Vec<PathBuf> {
        let states = self.known.values();
        let folders = states.flat_map(|state| state.program.watched_folders());
        let folders: BTreeSet<PathBuf> = folders.map(Path::to_owned).collect();
        folders.into_iter().collect()
    }

    /// The files that differ from what the programs were built from.
    pub(crate) fn edited_files(&self) -> Vec<PathBuf> {
        let states = self.known.values();
        states
            .flat_map(ProgramState::edited_files)
            .cloned()
            .collect()
    }

    /// A file that is no source and from which nothing here was built: only the user knows what it
    /// means.
    pub(crate) fn foreign_file(&self, paths: &[PathBuf]) -> Option<PathBuf> {
        if self.known.is_empty() {
            return None;
        }
        let is_known = |path: &PathBuf| {
            let canonical = path.canonicalize().unwrap_or_else(|_| path.clone());
            self.known.values().any(|state| {
                let files = state.program.watched_files();
                let mut folders = state.program.watched_folders();
                files.contains(path)
                    || files.contains(&canonical)
                    || state.other_files().any(|other| other == path)
                    || folders.any(|folder| path.starts_with(folder))
            })
        };
        let is_source = |path: &PathBuf| path.extension().is_some_and(|ext| ext == "rs");
        let mut foreign = paths.iter().filter(|p| !is_source(p) && !is_known(p));
        foreign.next().cloned()
    }

    /// Whether these files are sources that programs were built from, all of them.
    pub(crate) fn are_sources(&self, paths: &[PathBuf]) -> bool {
        let is_source = |path: &PathBuf| {
            let mut units = self.known.values().flat_map(|state| &state.program.units);
            units.any(|loaded| loaded.files.contains_key(path))
        };
        paths.iter().all(is_source)
    }

    /// The copies of packages that are cargo's own and in which these files lie; each is returned
    /// once.
    pub(crate) fn newly_edited_copies<'a>(
        &mut self,
        files: impl Iterator<Item = &'a PathBuf> + Clone,
    ) -> Vec<PathBuf> {
        let states = self.known.values();
        let units = states.flat_map(|state| &state.program.units);
        let copies = units.filter_map(|loaded| loaded.unit.immutable_source.clone());
        let is_edited = |copy: &PathBuf| files.clone().any(|file| file.starts_with(copy));
        let edited: BTreeSet<PathBuf> = copies.filter(is_edited).collect();
        let new = edited.difference(&self.edited_copies).cloned().collect();
        self.edited_copies.extend(edited);
        new
    }

    // What is to be done.

    /// What is to be done first. A patch of one program doesn't wait for another that can't be
    /// patched, unless that one is to be restarted.
    pub(crate) fn first_change(&self, restarts: bool) -> Option<(PathBuf, Change)> {
        let changes = self.known.iter().map(|(key, state)| {
            let change = state.change();
            let turn = match (state.program.is_plugin, &change) {
                (_, Change::Nothing) => return None,
                (false, Change::Rude { beside: None, .. } | Change::Syntax(_)) if restarts => 0,
                (
                    _,
                    Change::Patch(_)
                    | Change::Unknown
                    | Change::Rude {
                        beside: Some(_), ..
                    },
                ) => 1,
                (_, Change::Rude { .. } | Change::Syntax(_)) => 2,
            };
            Some((turn, key, change))
        });
        let first = changes.flatten().min_by_key(|(turn, ..)| *turn)?;
        Some((first.1.clone(), first.2))
    }

    /// What of a patch that was built is to be done beside loading its plugins. None: the program
    /// already is so.
    pub(crate) fn to_install(&self, key: &Path, built: &Built) -> Option<Vec<Restore>> {
        let state = self.known.get(key)?;
        let restore = restores(&state.program, &built.plan);
        let is_there = built.plugins.len() == built.whole_crate_plugins.len()
            && state.runs(&built.whole_crate_plugins);
        let nothing = (built.plugins.is_empty() || is_there) && restore.is_empty();
        (!nothing).then_some(restore)
    }

    /// Why these patches of programs, so many of each, can't be taken back.
    pub(crate) fn no_way_back<'a>(
        &self,
        mut patches: impl Iterator<Item = (&'a PathBuf, usize)>,
    ) -> Option<String> {
        patches.find_map(|(key, count)| self.known.get(key)?.no_way_back(count))
    }

    /// How to build the plugins that stand in the way of a patch of one. None: more than plugins is
    /// concerned.
    pub(crate) fn plugins_to_rebuild(&self, key: &Path) -> Option<Vec<Rebuild>> {
        let state = self.known.get(key).filter(|s| s.program.is_plugin)?;
        // What several share must be the same in all, the host included.
        if self.known.values().any(ProgramState::shared_changed) {
            return None;
        }
        let mut folders = BTreeSet::from([state.program.units[0].folder.clone()]);
        let others = self.known.values().filter(|s| s.program.is_plugin);
        let others = others.filter(|state| matches!(state.change(), Change::Rude { .. }));
        folders.extend(others.map(|state| state.program.units[0].folder.clone()));
        let rebuilds = folders.iter().map(|folder| Rebuild::read(folder).ok());
        rebuilds.collect()
    }

    /// How all plugins were made that are loaded now.
    pub(crate) fn all_plugins(&self) -> Vec<Rebuild> {
        let plugins = self.known.values().filter(|s| s.program.is_plugin);
        let folders: BTreeSet<&Path> = plugins
            .map(|state| state.program.units[0].folder.as_path())
            .collect();
        let rebuilds = folders.into_iter().map(Rebuild::read);
        rebuilds.filter_map(Result::ok).collect()
    }

    /// Has cargo build every crate again that differs from what was compiled. Returns what went
    /// wrong.
    pub(crate) fn build_again(&self) -> Vec<anyhow::Error> {
        let states = self.known.values();
        states
            .filter_map(|state| state.build_again().err())
            .collect()
    }

    /// The manifests of a program that differ from those that it was built with.
    pub(crate) fn edited_manifests(&self, key: &Path) -> BTreeMap<PathBuf, u64> {
        let state = self.known.get(key);
        state.map_or_else(BTreeMap::new, ProgramState::edited_manifests)
    }

    // What was done.

    /// This is known of edited manifests of a program.
    pub(crate) fn record_judgement(&mut self, key: &Path, judgement: Judgement) {
        if let Some(state) = self.known.get_mut(key) {
            state.record_judgement(judgement);
        }
    }

    /// All patches of a program, for a process that joins later.
    pub(crate) fn installed(&self, key: &Path) -> &[Load] {
        self.known.get(key).map_or(&[], |state| &state.installed)
    }

    /// A patch is active.
    pub(crate) fn record_patch(&mut self, patch: &Patch) {
        if let Some(state) = self.known.get_mut(&patch.program) {
            state.installed(&patch.wanted, patch.load.clone());
        }
    }

    /// The statics that begin with another value than what the files said so far: those that exist
    /// keep theirs. `are_all`: bodies that are compiled alone tell nothing of any.
    pub(crate) fn newly_kept(
        &mut self,
        key: &Path,
        values: &KeptValues,
        are_all: bool,
    ) -> Vec<String> {
        let state = self.known.get_mut(key);
        state.map_or_else(Vec::new, |state| state.newly_kept(values, are_all))
    }

    /// These edits of a program can't be patched, and it runs on.
    pub(crate) fn record_refusal(&mut self, key: &Path, edits: &[Rude], waiting: Bodies) {
        if let Some(state) = self.known.get_mut(key) {
            state.record_refusal(edits, waiting);
        }
    }

    /// Whether a function of a program runs this body.
    pub(crate) fn runs_body(&self, key: &Path, site: &SiteKey, function: &PlannedFunction) -> bool {
        let state = self.known.get(key);
        state.is_some_and(|state| state.runs_body(site, function))
    }

    /// These functions of a program mean something else in their crates than what runs: they are
    /// never compiled alone again.
    pub(crate) fn record_meanings(&mut self, key: &Path, sites: Vec<SiteKey>) {
        if let Some(state) = self.known.get_mut(key) {
            state.record_meanings(sites);
        }
    }

    /// What can be patched without these edits, for which no patch could be built.
    pub(crate) fn without(&mut self, key: &Path, edits: &[Rude]) -> Option<Box<Wanted>> {
        self.known.get_mut(key)?.without(edits)
    }

    /// What else the files of a program ask for that isn't in effect, where nothing can be had
    /// beside these edits.
    pub(crate) fn waiting_with(&self, key: &Path, edits: &[Rude]) -> Vec<Rude> {
        let state = self.known.get(key);
        state.map_or_else(Vec::new, |state| state.waiting_with(edits))
    }

    /// A program already is what was wanted.
    pub(crate) fn record_nothing_differs(&mut self, key: &Path, wanted: &Wanted) {
        if let Some(state) = self.known.get_mut(key) {
            state.nothing_differs(wanted);
        }
    }

    /// The files ask for nothing. Whether an edit was taken back for which nothing was patched.
    pub(crate) fn record_nothing_asked(&mut self) -> bool {
        let mut taken_back = false;
        for state in self.known.values_mut() {
            taken_back |= state.asks_for_nothing();
        }
        taken_back
    }

    /// The files ask for nothing. Whether they hold other code all the same.
    pub(crate) fn record_texts(&mut self) -> bool {
        let mut is_other_code = false;
        for state in self.known.values_mut() {
            is_other_code |= state.record_texts();
        }
        is_other_code
    }

    /// The last patches of a program were taken back, which were made from these files.
    pub(crate) fn record_rollback(
        &mut self,
        key: &Path,
        patches: usize,
        files: &[(PathBuf, Option<Arc<str>>)],
    ) {
        if let Some(state) = self.known.get_mut(key) {
            state.rolled_back(patches, files);
        }
    }

    /// A patch, for the session's history.
    pub(crate) fn history_record(
        &self,
        patch: &Patch,
        loaded: &Loaded,
        ledger: &Ledger,
    ) -> Option<Record> {
        let units = &self.known.get(&patch.program)?.program.units;
        let mut files = BTreeMap::new();
        for (position, plan) in &patch.wanted.plan {
            let unit = &units[*position];
            let touched = plan.patch.iter().chain(&plan.restore).map(|f| &f.file);
            for path in touched.chain(plan.files.keys()) {
                let compiled = || unit.compiled_text(path).unwrap_or_default().into();
                let running = ledger.running_text(&patch.program, path);
                let before = running.unwrap_or_else(compiled);
                let now = plan.files.get(path).map(|file| file.text.clone());
                let after = now.unwrap_or_else(compiled);
                files.entry(path.clone()).or_insert(Texts { before, after });
            }
            for (path, input) in &plan.inputs {
                let running = ledger.running_text(&patch.program, path);
                let before = running.unwrap_or_else(|| unit.input_text(path).into());
                let after = input.text().into();
                files.entry(path.clone()).or_insert(Texts { before, after });
            }
        }
        let main = units.first().map(|loaded| loaded.unit.crate_name.clone());
        Some(Record {
            program: patch.program.clone(),
            crate_name: main.unwrap_or_default(),
            functions: loaded.report.functions.clone(),
            bytes: loaded.report.bytes,
            files,
        })
    }
}

/// The functions that get their original bodies back.
fn restores(program: &Program, plan: &Plan) -> Vec<Restore> {
    let units = plan.iter().flat_map(|(position, unit)| {
        let id = format!("{:016x}", program.units[*position].unit.id);
        unit.restore.iter().map(move |function| Restore {
            unit: id.clone(),
            name: function.name.clone(),
        })
    });
    units.collect()
}
