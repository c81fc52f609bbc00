//! What the running processes of a program do now, against what the files say.
//!
//! Every comparison is with the program *as it was built*, never with an earlier edit: so an edit that
//! is undone asks for the original body, and nothing is lost when one save replaces another.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use soft_mock::reloader::protocol::{Load, SiteInfo};
use soft_mock_rewriter::{diff, forget_sources, FileItems, Fingerprint, Function, SyntaxError};

use super::plan::{Change, ChangedFile, Plan, PlannedFunction, Rude, UnitPlan};
use super::program::{LoadedUnit, Program};
use crate::unit::content_hash;

/// A program and the state of its processes.
pub(crate) struct ProgramState {
    pub(crate) program: Arc<Program>,
    /// Files that differ from what was compiled, or can't be read as Rust.
    current: BTreeMap<PathBuf, FileState>,
    /// Bodies that are installed in place of the original ones, by unit and site.
    active: BTreeMap<(usize, String), Fingerprint>,
    /// All that was installed so far, for processes that join later.
    pub(crate) installed: Vec<Load>,
    /// What `active` was before each of them.
    before: Vec<BTreeMap<(usize, String), Fingerprint>>,
    /// Files whose edits were rolled back, with what they held then: nothing of them is installed
    /// again before they change.
    held: BTreeMap<PathBuf, u64>,
    /// Units and lines of all sites, as far as the program has told them: what was compiled at all.
    sites: Option<HashSet<(u64, String, usize)>>,
}

enum FileState {
    /// Per unit that it belongs to.
    Changed(Vec<(usize, ChangedFile)>),
    Syntax(SyntaxError),
    /// It isn't source code of the program, or not as it was: gone, no text.
    Rude(Rude),
}

impl ProgramState {
    pub(crate) fn new(program: Program) -> Self {
        Self {
            program: Arc::new(program),
            current: BTreeMap::new(),
            active: BTreeMap::new(),
            installed: Vec::new(),
            before: Vec::new(),
            held: BTreeMap::new(),
            sites: None,
        }
    }

    /// Takes note of the functions that the program really contains.
    pub(crate) fn note_sites(&mut self, sites: &[SiteInfo]) {
        let key = |site: &SiteInfo| {
            let unit = u64::from_str_radix(&site.unit, 16).unwrap_or(0);
            (unit, site.name.clone(), site.line as usize)
        };
        self.sites = Some(sites.iter().map(key).collect());
    }

    /// Whether a function was left out by `#[cfg]` when the program was compiled.
    fn is_left_out(&self, unit: u64, crate_name: &str, function: &Function) -> bool {
        let site = (unit, function.site_name(crate_name), function.line);
        let known = self
            .sites
            .as_ref()
            .is_none_or(|sites| sites.contains(&site));
        !known && !function.cfgs.is_empty()
    }

    /// Takes note of files that may have changed.
    pub(crate) fn note(&mut self, paths: &[PathBuf]) {
        for path in paths {
            if self
                .held
                .get(path)
                .is_some_and(|then| *then != content_hash(path))
            {
                self.held.remove(path);
            }
            match self.look_at(path) {
                Some(state) => self.current.insert(path.clone(), state),
                None => self.current.remove(path),
            };
        }
        // What was read is in its own form now.
        forget_sources();
    }

    /// How a file differs from what was compiled, if it does.
    fn look_at(&self, path: &Path) -> Option<FileState> {
        let units: Vec<(usize, &LoadedUnit)> = self
            .program
            .units
            .iter()
            .enumerate()
            .filter(|(_, loaded)| loaded.files.contains_key(path))
            .collect();
        let rude = |why: String| {
            let file = path.to_owned();
            Some(FileState::Rude(Rude { file, line: 1, why }))
        };
        if units.is_empty() {
            return self.look_at_input(path).and_then(rude);
        }
        let text: Arc<str> = match std::fs::read_to_string(path) {
            Ok(text) => text.into(),
            Err(error) => return rude(format!("the file can't be read: {error}")),
        };
        let mut changed = Vec::new();
        for (position, loaded) in units {
            if loaded.compiled_text_is(path, &text) {
                continue;
            }
            if loaded.repeated.contains(path) {
                return rude("the file belongs to more than one module of its crate".to_owned());
            }
            let module = loaded.files[path].module.clone();
            match FileItems::read(&text, path, &module) {
                Ok(items) => {
                    let items = Arc::new(items);
                    let text = Arc::clone(&text);
                    changed.push((position, ChangedFile { text, items }));
                }
                Err(error) => return Some(FileState::Syntax(error)),
            }
        }
        (!changed.is_empty()).then_some(FileState::Changed(changed))
    }

    /// Why a change of a file that is no source of a rewritten crate matters, if it did change.
    fn look_at_input(&self, path: &Path) -> Option<String> {
        let now = content_hash(path);
        for LoadedUnit { unit, .. } in &self.program.units {
            if unit.inputs.get(path).is_none_or(|then| *then == now) {
                continue;
            }
            let name = &unit.crate_name;
            return Some(match path.file_name().and_then(|name| name.to_str()) {
                Some("Cargo.toml") => "the manifest changed".to_owned(),
                Some("build.rs") => "the build script changed".to_owned(),
                _ => match &unit.unmodified {
                    Some(reason) => format!("crate `{name}` was built unmodified: {reason}"),
                    None => format!("crate `{name}` reads it when it is compiled"),
                },
            });
        }
        None
    }

    /// Whether a plugin's crates but its own differ from what was compiled: crates that it shares.
    pub(crate) fn shared_changed(&self) -> bool {
        let shared = |state: &FileState| match state {
            FileState::Changed(units) => units.iter().any(|(unit, _)| *unit > 0),
            FileState::Syntax(_) | FileState::Rude(_) => false,
        };
        self.program.is_plugin && self.current.values().any(shared)
    }

    /// What is to be done so that the program does what the files say.
    pub(crate) fn change(&self) -> Change {
        let mut rude = BTreeSet::new();
        let mut plan = Plan::new();
        let mut wanted: BTreeSet<(usize, String)> = BTreeSet::new();
        for (path, state) in &self.current {
            match state {
                FileState::Syntax(error) => return Change::Syntax(error.clone()),
                FileState::Rude(edit) => {
                    rude.insert(edit.clone());
                }
                FileState::Changed(units) => {
                    for (unit, file) in units {
                        self.compare(path, *unit, file, &mut plan, &mut rude, &mut wanted);
                    }
                }
            }
        }
        if !rude.is_empty() {
            return Change::Rude(rude.into_iter().collect());
        }
        self.restores(&wanted, &mut plan);
        plan.retain(|_, unit| !unit.patch.is_empty() || !unit.restore.is_empty());
        match plan.is_empty() {
            true => Change::Nothing,
            false => Change::Patch(plan),
        }
    }

    fn compare(
        &self,
        path: &Path,
        position: usize,
        file: &ChangedFile,
        plan: &mut Plan,
        rude: &mut BTreeSet<Rude>,
        wanted: &mut BTreeSet<(usize, String)>,
    ) {
        let loaded = &self.program.units[position];
        let found = diff(&loaded.files[path], &file.items);
        for edit in found.rude {
            rude.insert(Rude {
                file: path.to_owned(),
                line: edit.line,
                why: edit.what,
            });
        }
        let unit = plan.entry(position).or_default();
        unit.files.insert(path.to_owned(), file.clone());
        if self.held.contains_key(path) {
            return;
        }
        for changed in found.changed {
            let function = &file.items.functions[changed.new];
            let old = &loaded.files[path].functions[changed.old];
            if self.is_left_out(loaded.unit.id, &loaded.unit.crate_name, old) {
                continue;
            }
            let planned = planned(&loaded.unit.crate_name, path, function);
            if let Some(why) = loaded.unit.why_no_site(&planned.name) {
                rude.insert(Rude {
                    why: format!("`{}` {why}", planned.name),
                    file: planned.file,
                    line: planned.line,
                });
                continue;
            }
            let key = (position, planned.name.clone());
            let known = self.active.get(&key) == Some(&planned.body);
            wanted.insert(key);
            if !known {
                unit.patch.push(planned);
            }
        }
    }

    /// Functions that are patched now and should not be any more.
    fn restores(&self, wanted: &BTreeSet<(usize, String)>, plan: &mut Plan) {
        for (position, name) in self.active.keys() {
            if wanted.contains(&(*position, name.clone())) {
                continue;
            }
            let unit: &mut UnitPlan = plan.entry(*position).or_default();
            let original = self.original(*position, name);
            unit.restore
                .extend(original.filter(|function| !self.held.contains_key(&function.file)));
        }
    }

    fn original(&self, position: usize, name: &str) -> Option<PlannedFunction> {
        let loaded = &self.program.units[position];
        loaded.files.iter().find_map(|(path, items)| {
            let crate_name = &loaded.unit.crate_name;
            let mut functions = items.functions.iter();
            let function = functions.find(|function| function.site_name(crate_name) == name)?;
            Some(planned(crate_name, path, function))
        })
    }

    /// Takes note that the last patches were taken back, which were made from these files.
    pub(crate) fn rolled_back(&mut self, patches: usize, files: &[PathBuf]) {
        for _ in 0..patches {
            self.installed.pop();
            if let Some(before) = self.before.pop() {
                self.active = before;
            }
        }
        let held = files.iter().map(|path| (path.clone(), content_hash(path)));
        self.held.extend(held);
    }

    /// Takes note that a plan is installed.
    pub(crate) fn installed(&mut self, plan: &Plan, load: Load) {
        self.before.push(self.active.clone());
        for (position, unit) in plan {
            for function in &unit.patch {
                let key = (*position, function.name.clone());
                self.active.insert(key, function.body);
            }
            for function in &unit.restore {
                self.active.remove(&(*position, function.name.clone()));
            }
        }
        self.installed.push(load);
    }
}

fn planned(crate_name: &str, path: &Path, function: &Function) -> PlannedFunction {
    PlannedFunction {
        name: function.site_name(crate_name),
        file: path.to_owned(),
        line: function.line,
        body: function.body,
    }
}
