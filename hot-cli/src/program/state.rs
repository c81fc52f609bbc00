//! What the running processes of a program do now, against what the files say.
//!
//! Every comparison is with the program *as it was built*, never with an earlier edit: so an edit
//! that is undone asks for the original body, and nothing is lost when one save replaces another.
//! What an earlier patch brought into the program (types, statics) is remembered as well: it may
//! not change under the code and the values that are left of it.

mod additions;
mod base;
mod bodies;
mod compare;
mod files;
mod included;
mod inputs;
mod manifests;
mod merge;
mod moved;
mod refusal;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use soft_mock_abi::protocol::{Load, SiteInfo};
use soft_mock_rewriter::analysis::{forget_sources, DeclaredFunction, FileItems, LayoutNames};
use soft_mock_rewriter::syntax::{Fingerprint, SyntaxError};

use self::base::Base;
use self::included::Included;
pub(crate) use self::manifests::Judgement;
pub(crate) use self::refusal::Bodies;
use self::refusal::Refusal;
use super::left_behind::{Edited, LeftBehind};
use super::plan::{
    ChangedFile, ChangedInput, Edit, KeptValues, Meaning, PlannedFunction, Rude, SiteKey, Wanted,
};
use super::whole_crate_plugin::WholeCratePlugin;
use super::{LoadedUnit, Program};
use crate::os::files::{content_hash, hash_of};

/// A program and the state of its processes.
#[derive(Clone)]
pub(crate) struct ProgramState {
    pub(crate) program: Arc<Program>,
    /// Files that differ from what was compiled, or can't be read as Rust.
    current: BTreeMap<PathBuf, FileState>,
    /// Files of modules that the program was built without, and those that their declarations look
    /// for.
    new_files: BTreeMap<PathBuf, (usize, Vec<String>)>,
    missing: BTreeSet<PathBuf>,
    /// Files of modules that the program was built with and that are declared no more.
    gone: BTreeSet<(usize, PathBuf)>,
    /// What runs in place of original bodies.
    active: BTreeMap<SiteKey, PlannedFunction>,
    /// What the files said when the last patch was made. None: that isn't what runs.
    meaning: Option<Meaning>,
    /// They say something that the program did already: without a patch.
    said_in_vain: bool,
    /// What changed files held when it was last found what they ask for.
    known_texts: BTreeMap<PathBuf, Fingerprint>,
    /// The edits of the last patch that reached others.
    told: Vec<Edit>,
    /// Those that were additions.
    added: Vec<Edit>,
    /// The statics of which the user knows that they keep their values.
    kept_values: KeptValues,
    /// What runs, as far as further edits can be made on top of it. None: it isn't known.
    base: Option<Base>,
    /// All that was installed so far, for processes that join later.
    pub(crate) installed: Vec<Load>,
    /// What was so before each of them.
    before: Vec<Before>,
    /// The files from which what runs was made, as far as they differ from what was compiled.
    made_from: BTreeMap<(usize, PathBuf), ChangedFile>,
    /// What else it was made with that isn't what was compiled.
    made_with: BTreeMap<(usize, PathBuf), ChangedInput>,
    /// Files that were compiled into what is active.
    included: Vec<Included>,
    /// All of which that ever was so: they stay watched.
    ever_included: BTreeSet<PathBuf>,
    /// What is active was made from whole crates: their futures hold each other, and can't be
    /// replaced one by one.
    whole_crate: bool,
    /// Functions that mean something else when they are compiled alone.
    not_alone: BTreeSet<SiteKey>,
    /// One of them runs so.
    runs_other: bool,
    /// What the last patch was made of, if it is in effect as it was made: position and content.
    latest: Vec<(usize, u64)>,
    /// Plugins of whole crates that were loaded, oldest first. They stay after a rollback.
    earlier: Vec<WholeCratePlugin>,
    /// What all plugins have left that were loaded.
    left: Vec<LeftBehind>,
    /// What was edited in the patches that are in effect.
    edited: Edited,
    /// States of files from which such plugins were made, as far as they hold something that a
    /// later one does not.
    loaded: BTreeMap<(usize, PathBuf), Vec<Arc<FileItems>>>,
    /// The names on which values depend, if there are more than those of the program as it was
    /// built.
    layout_names: Option<Arc<LayoutNames>>,
    /// Files whose edits were rolled back, with a hash of what they held then: until they change,
    /// they count as they were before those edits.
    held: BTreeMap<PathBuf, u64>,
    /// Those of them between which modules had moved: one counts again with the others.
    held_together: BTreeSet<PathBuf>,
    /// The edits that can't be patched, and what waits with them.
    refusal: Option<Refusal>,
    /// What is known of edited manifests.
    judgement: Option<Judgement>,
    /// Units and lines of all sites, as far as the program has told them: what was compiled at
    /// all.
    sites: Option<HashSet<(u64, String, usize)>>,
}

/// What a patch took the place of.
#[derive(Clone)]
struct Before {
    active: BTreeMap<SiteKey, PlannedFunction>,
    made_from: BTreeMap<(usize, PathBuf), ChangedFile>,
    made_with: BTreeMap<(usize, PathBuf), ChangedInput>,
    included: Vec<Included>,
    meaning: Option<Meaning>,
    told: Vec<Edit>,
    edited: Edited,
    /// How much had been left until then.
    left: usize,
    added: Vec<Edit>,
    base: Option<Base>,
}

#[derive(Clone)]
enum FileState {
    /// Per unit that it belongs to.
    Changed(Vec<(usize, ChangedFile)>),
    Syntax(SyntaxError),
    /// It isn't source code of the program, or not as it was: gone, no text.
    Rude(Rude),
    /// No source, but crates can be compiled with what it holds now. Per unit.
    Input(Vec<(usize, ChangedInput)>),
    /// A source of a crate that was built as it is: comments are other ones. Stands for its text.
    Same(Fingerprint),
    /// A manifest of which it has to be asked whether it means anything.
    Unknown,
}

impl ProgramState {
    pub(crate) fn new(program: impl Into<Arc<Program>>) -> Self {
        Self {
            program: program.into(),
            current: BTreeMap::new(),
            new_files: BTreeMap::new(),
            missing: BTreeSet::new(),
            gone: BTreeSet::new(),
            active: BTreeMap::new(),
            meaning: Some(Meaning::new()),
            said_in_vain: false,
            known_texts: BTreeMap::new(),
            told: Vec::new(),
            kept_values: KeptValues::new(),
            added: Vec::new(),
            base: Some(Base::default()),
            installed: Vec::new(),
            before: Vec::new(),
            made_from: BTreeMap::new(),
            made_with: BTreeMap::new(),
            included: Vec::new(),
            ever_included: BTreeSet::new(),
            whole_crate: false,
            not_alone: BTreeSet::new(),
            runs_other: false,
            latest: Vec::new(),
            earlier: Vec::new(),
            left: Vec::new(),
            edited: Edited::default(),
            loaded: BTreeMap::new(),
            layout_names: None,
            held: BTreeMap::new(),
            held_together: BTreeSet::new(),
            refusal: None,
            judgement: None,
            sites: None,
        }
    }

    /// Takes note of the functions that the program really contains.
    pub(crate) fn record_sites(&mut self, sites: &[SiteInfo]) {
        let key = |site: &SiteInfo| {
            let unit = u64::from_str_radix(&site.unit, 16).unwrap_or(0);
            (unit, site.name.clone(), site.line as usize)
        };
        self.sites = Some(sites.iter().map(key).collect());
    }

    /// Takes note of functions that a session before this one has patched: what they run isn't
    /// known, but it is neither the original nor what the files say now.
    pub(crate) fn adopt(&mut self, sites: &[SiteInfo]) {
        for site in sites.iter().filter(|site| site.patched) {
            let unit = u64::from_str_radix(&site.unit, 16).ok();
            let mut units = self.program.units.iter();
            let Some(position) = units.position(|loaded| Some(loaded.unit.id) == unit) else {
                continue;
            };
            let patched = PlannedFunction {
                name: site.name.clone(),
                file: site.file.clone().into(),
                line: site.line as usize,
                body: Fingerprint::default(),
                uses: Fingerprint::default(),
                code: None,
                brought: None,
            };
            let key = (position, site.name.clone());
            self.active.entry(key).or_insert(patched);
            self.meaning = None;
            self.base = None;
        }
    }

    /// Whether a function was left out by `#[cfg]` when the program was compiled.
    fn is_left_out(&self, unit: u64, crate_name: &str, function: &DeclaredFunction) -> bool {
        let site = (unit, function.site_name(crate_name), function.line);
        let known = self
            .sites
            .as_ref()
            .is_none_or(|sites| sites.contains(&site));
        !known && !function.cfgs.is_empty()
    }

    /// Why so many of the last patches can't be taken back: what they left in the program would not
    /// be what it was before.
    pub(crate) fn no_way_back(&self, patches: usize) -> Option<String> {
        let first = self.before.len().checked_sub(patches)?;
        let then = self.before.get(first)?;
        let units = self.program.units.iter();
        let crates = units.map(|loaded| loaded.unit.crate_name.clone()).collect();
        let left = self.left.iter().skip(then.left);
        left.filter_map(|left| left.outlives(&then.edited, &crates))
            .next()
    }

    /// Takes note that the last patches were taken back, which were made from these files; with
    /// what ran of each.
    pub(crate) fn rolled_back(&mut self, patches: usize, files: &[(PathBuf, Option<Arc<str>>)]) {
        if self.moved().is_any() {
            let paths = files.iter().map(|(path, _)| path.clone());
            self.held_together.extend(paths);
        }
        let made_with = self.made_with.clone();
        for _ in 0..patches {
            self.installed.pop();
            self.latest.clear();
            if let Some(before) = self.before.pop() {
                self.active = before.active;
                self.made_from = before.made_from;
                self.made_with = before.made_with;
                self.included = before.included;
                self.meaning = before.meaning;
                self.told = before.told;
                self.edited = before.edited;
                self.added = before.added;
                self.base = before.base;
            }
        }
        self.record_left();
        // What was saved since, and isn't in effect yet, is no edit that was taken back.
        let is_input = |path: &Path| made_with.keys().any(|(_, input)| input == path);
        let is_newer = |path: &Path, ran: &Arc<str>| {
            let now = std::fs::read_to_string(path);
            !is_input(path) && now.is_ok_and(|now| self.differ(path, &now, ran))
        };
        let held = files.iter().filter(|(path, ran)| {
            let newer = ran.as_ref().is_some_and(|ran| is_newer(path, ran));
            !newer
        });
        let held: Vec<_> = held
            .map(|(path, _)| (path.clone(), content_hash(path)))
            .collect();
        self.held.extend(held);
        self.hold_inputs(&made_with);
        self.hold_included();
        self.follow_modules();
    }

    /// Takes note that a patch is installed.
    pub(crate) fn installed(&mut self, wanted: &Wanted, load: Load) {
        self.before.push(Before {
            active: self.active.clone(),
            made_from: self.made_from.clone(),
            made_with: self.made_with.clone(),
            included: self.included.clone(),
            meaning: self.meaning.clone(),
            told: self.told.clone(),
            edited: std::mem::replace(&mut self.edited, Edited::of(wanted)),
            left: self.left.len(),
            added: self.added.clone(),
            base: self.base.clone(),
        });
        for (position, unit) in &wanted.plan {
            for function in &unit.patch {
                let key = (*position, function.name.clone());
                self.active.insert(key, function.clone());
            }
            for function in &unit.restore {
                self.active.remove(&(*position, function.name.clone()));
            }
        }
        let new = wanted.earlier.iter().skip(self.earlier.len());
        self.latest = new.map(made_of).collect();
        let whole_crate = wanted.earlier.len() > self.earlier.len();
        if whole_crate {
            self.record_loaded(wanted);
            self.whole_crate = true;
        }
        self.whole_crate &= !self.active.is_empty();
        let mut active = self.active.keys();
        self.runs_other &= !whole_crate && active.any(|site| self.not_alone.contains(site));
        self.earlier.clone_from(&wanted.earlier);
        self.left.clone_from(&wanted.left);
        self.record_left();
        self.record_included(wanted);
        self.in_effect(wanted, whole_crate);
        self.installed.push(load);
    }

    /// What was left was let live on beside what is edited now.
    fn record_left(&mut self) {
        for left in &mut self.left {
            left.record(&self.edited);
        }
    }

    /// Whether a function runs this body.
    pub(crate) fn runs_body(&self, site: &SiteKey, function: &PlannedFunction) -> bool {
        let active = self.active.get(site);
        active.is_some_and(|active| active.body == function.body)
    }

    /// These functions mean something else in their crates than what runs.
    pub(crate) fn record_meanings(&mut self, sites: Vec<SiteKey>) {
        self.not_alone.extend(sites);
        self.runs_other = true;
        self.meaning = None;
    }

    /// Whether these plugins would bring just what the last patch brought.
    pub(crate) fn runs(&self, plugins: &[WholeCratePlugin]) -> bool {
        !plugins.is_empty() && plugins.iter().map(made_of).eq(self.latest.iter().copied())
    }

    /// Takes note that the program already does what is wanted.
    pub(crate) fn nothing_differs(&mut self, wanted: &Wanted) {
        self.included_in_vain(wanted);
        self.in_effect(wanted, false);
        self.said_in_vain = true;
    }

    /// Takes note that the files ask for nothing. Whether an edit was taken back for which nothing
    /// was patched.
    pub(crate) fn asks_for_nothing(&mut self) -> bool {
        // What was refused was taken back, and is no reason for anything that follows.
        self.refusal = None;
        if !self.said_in_vain {
            return false;
        }
        let Ok(found) = self.find() else {
            return false;
        };
        // Else that edit stands there still, and only its comments may have changed.
        let is_gone = self.meaning.as_ref() != Some(&found.meaning);
        if is_gone {
            self.meaning = Some(found.meaning);
            self.said_in_vain = false;
        }
        is_gone
    }

    /// Whether files hold other code than when this was last asked, or when something was in
    /// effect. Comments and formatting are none.
    pub(crate) fn record_texts(&mut self) -> bool {
        let changed = self.current.iter().filter_map(|(path, state)| match state {
            FileState::Changed(units) => Some((path.clone(), units.first()?.1.items.meaning)),
            FileState::Input(units) => Some((path.clone(), units.first()?.1.fingerprint())),
            FileState::Same(text) => Some((path.clone(), *text)),
            FileState::Syntax(_) | FileState::Rude(_) | FileState::Unknown => None,
        });
        let texts = changed.collect();
        std::mem::replace(&mut self.known_texts, texts) != self.known_texts
    }

    /// The statics that begin with another value than what the user knows of.
    pub(crate) fn newly_kept(&mut self, values: &KeptValues, are_all: bool) -> Vec<String> {
        if are_all {
            self.kept_values.retain(|name, _| values.contains_key(name));
        }
        let mut new = Vec::new();
        for (name, value) in values {
            if self.kept_values.insert(name.clone(), *value) != Some(*value) {
                new.push(name.clone());
            }
        }
        new
    }

    fn in_effect(&mut self, wanted: &Wanted, whole_crate: bool) {
        self.record_texts();
        self.base = Base::after(self.base.as_ref(), wanted, whole_crate);
        self.meaning = Some(wanted.meaning.clone());
        self.said_in_vain = false;
        self.told.clone_from(&wanted.indirect);
        self.added.clone_from(&wanted.additions);
        let units = wanted.plan.iter();
        let files = units.flat_map(|(position, unit)| {
            let files = unit.files.iter();
            files.map(|(path, file)| ((*position, path.clone()), file.clone()))
        });
        self.made_from = files.collect();
        self.made_with = inputs::made_with(wanted);
        match wanted.without.is_empty() {
            true => self.refusal = None,
            false => self.record_beside(&wanted.beside),
        }
    }
}

fn made_of(plugin: &WholeCratePlugin) -> (usize, u64) {
    (plugin.position, plugin.content)
}

fn planned(crate_name: &str, path: &Path, function: &DeclaredFunction) -> PlannedFunction {
    PlannedFunction {
        name: function.site_name(crate_name),
        file: path.to_owned(),
        line: function.line,
        body: function.body,
        uses: Fingerprint::default(),
        code: None,
        brought: None,
    }
}
