//! Compares the files with the program, and says what is to be done.

use std::cell::LazyCell;
use std::ops::Deref;

use soft_mock_rewriter::analysis::{is_skipped, Ineligible};
use soft_mock_rewriter::diff::{
    diff, may_be_test, ChangedFunction, FileDiff, IndirectEdit, ProgramContext,
};

use super::moved::Moved;
use super::*;
use crate::program::plan::{Change, Edit, Plan, UnitPlan};

/// What all files together come to.
#[derive(Default)]
pub(super) struct Found {
    pub(super) rude: BTreeSet<Rude>,
    /// It isn't known what some manifests mean.
    pub(super) unknown: bool,
    pub(super) plan: Plan,
    pub(super) meaning: Meaning,
    pub(super) indirect: BTreeSet<Edit>,
    pub(super) bodies: BTreeMap<SiteKey, PlannedFunction>,
    /// Where the functions of these are declared now.
    pub(super) declared: BTreeMap<SiteKey, (PathBuf, usize)>,
    /// The indirect edits again, as they were found.
    pub(super) found: Vec<(usize, PathBuf, Edit, IndirectEdit)>,
    /// Edits of which nothing but bodies knows.
    pub(super) additions: BTreeSet<Edit>,
    /// What reaches others is in effect, and the plan is made on top of that.
    pub(super) on_top: bool,
    /// Why there are none, if there could be some.
    pub(super) no_additions: Option<String>,
    pub(super) moved: Moved,
    /// Edits of files that macros include, and the functions that were compiled with them.
    pub(super) included: BTreeSet<Edit>,
    pub(super) reread: BTreeSet<SiteKey>,
}

/// A file of one unit, as it was compiled and as it is.
struct Pair<'a> {
    path: &'a Path,
    position: usize,
    old: &'a FileItems,
    new: &'a FileItems,
}

impl ProgramState {
    /// What is to be done so that the program does what the files say.
    pub(crate) fn change(&self) -> Change {
        let found = match self.find() {
            Ok(found) => found,
            Err(error) => return Change::Syntax(error),
        };
        if !found.rude.is_empty() {
            let edits: Vec<Rude> = found.rude.iter().cloned().collect();
            return Change::Rude {
                beside: self.beside(&edits, &found),
                edits,
            };
        }
        if found.unknown {
            return Change::Unknown;
        }
        if self.meaning.as_ref() == Some(&found.meaning) && found.reread.is_empty() {
            return Change::Nothing;
        }
        if let Some(why) = self.program.out_of_reach() {
            return Change::Rude {
                edits: self.edited_places(&found, &why),
                beside: None,
            };
        }
        let known = self.known_refusal(&found.meaning);
        if let Some(edits) = known.filter(|_| found.reread.is_empty()) {
            return Change::Rude {
                edits: edits.to_vec(),
                beside: self.beside(edits, &found),
            };
        }
        self.wanted(found)
    }

    /// Where something is edited, for a reason that concerns all of it.
    fn edited_places(&self, found: &Found, why: &str) -> Vec<Rude> {
        let bodies = found.bodies.values().map(|body| (&body.file, body.line));
        let others = found.indirect.iter().chain(&found.additions);
        let others = others.map(|edit| (&edit.file, edit.line));
        let mut places: BTreeSet<_> = bodies.chain(others).collect();
        if places.is_empty() {
            places.extend(self.current.keys().map(|file| (file, 1)));
        }
        let edits = places.into_iter().map(|(file, line)| Rude {
            file: file.clone(),
            line,
            why: why.to_owned(),
        });
        edits.collect()
    }

    /// Compares all files.
    pub(super) fn find(&self) -> Result<Found, SyntaxError> {
        let mut found = Found {
            moved: self.moved(),
            ..Found::default()
        };
        let after = LazyCell::new(|| LayoutNames::of(self.files_now()));
        for ((position, path), file) in self.held_files() {
            self.compare_file(path, *position, file, &after, &mut found);
        }
        for (path, state) in &self.current {
            match state {
                FileState::Input(_) | FileState::Same(_) => {}
                _ if self.held.contains_key(path) => {}
                FileState::Syntax(error) => return Err(error.clone()),
                FileState::Rude(edit) => {
                    if !self.gone.iter().any(|(_, gone)| gone == path) {
                        found.rude.insert(edit.clone());
                    }
                }
                FileState::Unknown => found.unknown = true,
                FileState::Changed(units) => {
                    for (position, file) in units {
                        self.compare_file(path, *position, file, &after, &mut found);
                    }
                }
            }
        }
        self.find_inputs(&mut found);
        found.rude.extend(found.moved.lost.iter().cloned());
        self.compare_gone(&after, &mut found);
        self.find_included(&mut found);
        self.find_additions(&mut found);
        self.check_dependents(&mut found);
        if self.program.is_plugin {
            // It is loaded anew, which carries whatever changed.
            let edits = found.indirect.iter().map(|edit| Rude {
                file: edit.file.clone(),
                line: edit.line,
                why: edit.what.clone(),
            });
            found.rude.extend(edits);
        }
        Ok(found)
    }

    /// A patch, if there is anything to do.
    fn wanted(&self, mut found: Found) -> Change {
        // What rolls on is planned already.
        if found.indirect.is_empty() && !found.on_top {
            self.plan_bodies(&found.bodies, &mut found.plan);
            for site in &found.reread {
                let patch = &mut found.plan.entry(site.0).or_default().patch;
                let planned = patch.iter().any(|function| function.name == site.1);
                let again = found.bodies.get(site).filter(|_| !planned);
                patch.extend(again.cloned());
            }
        }
        if found.indirect.is_empty() || found.on_top {
            self.plan_brought(&mut found.plan);
            let idle = |unit: &UnitPlan| unit.patch.is_empty() && unit.restore.is_empty();
            // Idle units stay: a build of whole crates has to know all edited files. And what
            // reached others in the patch before is taken back, also if no body of a
            // function differs from then.
            let is_in_effect = found.on_top || self.told.is_empty();
            let additions = self.fresh(&found.additions);
            let is_new = self.runs_other || !additions.is_empty() || !found.included.is_empty();
            if is_in_effect && !is_new && found.plan.values().all(idle) {
                return Change::Nothing;
            }
        }
        for (position, path) in &self.gone {
            let unit = found.plan.entry(*position).or_default();
            unit.gone.insert(path.clone());
        }
        let planned = found.plan.iter().flat_map(|(unit, plan)| {
            let functions = plan.patch.iter();
            functions.map(|function| (*unit, function.name.clone()))
        });
        let not_alone = self.is_other_alone(planned);
        let active = self.active.iter();
        let undone = self.undone(&found);
        let mut fresh = self.fresh(found.indirect.iter().chain(&found.additions));
        // What was refused before is to blame rather than what was edited since.
        fresh.sort_by_key(|edit| !self.was_refused(edit));
        Change::Patch(Box::new(Wanted {
            plan: found.plan,
            meaning: found.meaning,
            // A small crate is made of the files that the program was compiled from.
            whole_crate: (self.whole_crate || not_alone || found.moved.is_any())
                && found
                    .bodies
                    .values()
                    .any(|function| function.brought.is_none()),
            on_top: found.on_top,
            fresh: fresh.into_iter().chain(found.included).collect(),
            undone,
            additions: found.additions.into_iter().collect(),
            no_additions: found.no_additions,
            indirect: found.indirect.into_iter().collect(),
            bodies: found.bodies,
            active: active.map(|(site, f)| (site.clone(), f.clone())).collect(),
            earlier: self.earlier.clone(),
            left: self.left.clone(),
            without: Vec::new(),
            waiting: Vec::new(),
            beside: BTreeMap::new(),
        }))
    }

    /// Whether one of these functions means something else when it is compiled alone, or what runs
    /// does.
    pub(super) fn is_other_alone(&self, functions: impl IntoIterator<Item = SiteKey>) -> bool {
        let mut functions = functions.into_iter();
        self.runs_other || functions.any(|site| self.not_alone.contains(&site))
    }

    pub(super) fn fresh<'a>(&self, edits: impl IntoIterator<Item = &'a Edit>) -> Vec<Edit> {
        let known = |edit: &&Edit| {
            let mut told = self.told.iter().chain(&self.added);
            told.any(|told| by_content(told) == by_content(edit))
        };
        let edits = edits.into_iter();
        edits.filter(|edit| !known(edit)).cloned().collect()
    }

    /// What the patch before was told of, and the files don't say any more.
    pub(super) fn undone(&self, found: &Found) -> Vec<Edit> {
        let edits = found.indirect.iter().chain(&found.additions);
        let place = |edit: &Edit| (edit.file.clone(), edit.what.clone());
        let edits: BTreeSet<_> = edits.map(place).collect();
        let holds = |told: &&Edit| edits.contains(&place(told));
        self.told
            .iter()
            .chain(&self.added)
            .filter(|told| !holds(told))
            .cloned()
            .collect()
    }

    /// The names on which values of the running program depend.
    fn layout_names(&self) -> &LayoutNames {
        self.layout_names
            .as_deref()
            .unwrap_or(&self.program.layout_names)
    }

    fn compare_file(
        &self,
        path: &Path,
        position: usize,
        file: &ChangedFile,
        after: &dyn Deref<Target = LayoutNames>,
        found: &mut Found,
    ) {
        if found.moved.is_in(position) {
            // The crate is read from all files that declare its modules now.
            let unit = found.plan.entry(position).or_default();
            unit.files.insert(path.to_owned(), file.clone());
        }
        let pieces = found.moved.pieces(position, &file.items);
        for (number, new) in pieces.iter().enumerate() {
            let old = match number {
                0 => self.as_compiled(position, path, new, &found.moved),
                _ => self.module_as_compiled(position, &new.module, &found.moved),
            };
            let empty = empty(path, &new.module);
            let pair = Pair {
                path,
                position,
                old: old.as_deref().unwrap_or(&empty),
                new,
            };
            let Some(different) = self.compare_pair(&pair, after, found) else {
                continue;
            };
            let unit = found.plan.entry(position).or_default();
            unit.files.insert(path.to_owned(), file.clone());
            for changed in different.changed {
                self.body_changed(&pair, &changed, found);
            }
        }
    }

    /// Modules that are declared no more: all that they had is gone.
    fn compare_gone(&self, after: &dyn Deref<Target = LayoutNames>, found: &mut Found) {
        for (position, path) in &self.gone {
            let Some(old) = self.program.units[*position].files.get(path) else {
                continue;
            };
            let mut new = self.new_files.values();
            if new.any(|(unit, module)| unit == position && *module == old.module)
                || self.is_block_now(*position, &old.module)
            {
                continue; // It stands elsewhere now.
            }
            let pair = Pair {
                path,
                position: *position,
                old,
                new: &empty(path, &old.module),
            };
            self.compare_pair(&pair, after, found);
        }
    }

    /// What differs, if it counts. What is rude and what reaches others is recorded.
    fn compare_pair(
        &self,
        pair: &Pair<'_>,
        after: &dyn Deref<Target = LayoutNames>,
        found: &mut Found,
    ) -> Option<FileDiff> {
        let around = ProgramContext {
            unit: pair.position,
            before: self.layout_names(),
            after,
        };
        let mut different = diff(pair.old, pair.new, &around);
        let key = (pair.position, pair.path.to_owned());
        let place = (pair.position, pair.path);
        for earlier in self.as_loaded(place, &pair.new.module, &found.moved) {
            different
                .rude
                .extend(diff(&earlier, pair.new, &around).rude);
        }
        for edit in &different.rude {
            found.rude.insert(Rude {
                file: pair.path.to_owned(),
                line: edit.line,
                why: edit.what.clone(),
            });
        }
        if different.is_empty() {
            return None;
        }
        found.meaning.insert(key, pair.new.meaning);
        for edit in &different.indirect {
            let told = Edit {
                file: pair.path.to_owned(),
                line: edit.line,
                what: edit.what.clone(),
                now: edit.now,
                preserved_static: edit.kept.clone(),
                is_of_code: edit.is_of_code,
                may_alter_macros: edit.may_alter_macros((pair.old, pair.new), around.before),
                may_concern_tests: edit.may_concern_tests(pair.old, pair.new),
            };
            found.indirect.insert(told.clone());
            let path = pair.path.to_owned();
            found.found.push((pair.position, path, told, edit.clone()));
        }
        found.plan.entry(pair.position).or_default();
        Some(different)
    }

    fn body_changed(&self, pair: &Pair<'_>, changed: &ChangedFunction, found: &mut Found) {
        let unit = &self.program.units[pair.position].unit;
        let function = &pair.new.functions[changed.new];
        if self.is_left_out(unit.id, &unit.crate_name, &pair.old.functions[changed.old]) {
            return;
        }
        let planned = planned(&unit.crate_name, pair.path, function);
        if is_skipped(&unit.skip, &planned.name) {
            found.rude.insert(Rude {
                why: format!(
                    "the body of `{}` changed: {}",
                    planned.name,
                    Ineligible::LeftOut
                ),
                line: planned.line,
                file: planned.file,
            });
            return;
        }
        if unit.is_without_site(&planned.name) {
            // So those who call it become new.
            found.indirect.insert(Edit {
                what: format!("body of {} changed", function.title()),
                now: function.body,
                line: planned.line,
                file: planned.file,
                preserved_static: None,
                is_of_code: true,
                may_alter_macros: false,
                may_concern_tests: may_be_test(function),
            });
            return;
        }
        let site = (pair.position, planned.name.clone());
        let declared = (pair.path.to_owned(), changed.new);
        found.declared.insert(site.clone(), declared);
        found.bodies.insert(site, planned);
    }

    /// A crate that was compiled as it is can't be compiled again for a patch: what it uses must
    /// stay.
    fn check_dependents(&self, found: &mut Found) {
        for edit in &found.indirect {
            let units = found.plan.iter();
            let mut edited = units
                .filter(|(_, unit)| unit.is_edited(&edit.file))
                .map(|(position, _)| *position);
            let user = edited.find_map(|position| self.program.fixed_user(position));
            if let Some(user) = user {
                let name = &user.crate_name;
                let how = match user.is_not_included() {
                    true => format!("is not included (`--include {name}`)"),
                    false => "was built unmodified".to_owned(),
                };
                let why = format!("{}: crate `{name}` uses it, which {how}", edit.what);
                found.rude.insert(Rude {
                    file: edit.file.clone(),
                    line: edit.line,
                    why,
                });
            }
        }
    }

    /// Takes note of what a patch brought that was made from whole crates.
    pub(super) fn record_loaded(&mut self, wanted: &Wanted) {
        for (position, unit) in &wanted.plan {
            for (path, file) in &unit.files {
                let key = (*position, path.clone());
                let known = self.loaded.entry(key).or_default();
                known.retain(|earlier| !covers(&file.items, earlier));
                known.push(Arc::clone(&file.items));
            }
        }
        let built = self
            .program
            .files()
            .map(|(position, _, items)| (position, items));
        let loaded = self.loaded.iter().flat_map(|((position, _), states)| {
            states.iter().map(move |items| (*position, &**items))
        });
        self.layout_names = Some(Arc::new(LayoutNames::of(built.chain(loaded))));
    }
}

/// An edit, wherever in its file.
pub(super) fn by_content(edit: &Edit) -> (PathBuf, String, Fingerprint) {
    (edit.file.clone(), edit.what.clone(), edit.now)
}

/// Whether a state has all that an earlier one could leave behind. What both have is the same, or
/// the edit would have been rude.
fn covers(new: &FileItems, earlier: &FileItems) -> bool {
    let items = |file: &'_ FileItems| -> HashSet<String> {
        let items = file.items.iter();
        items
            .map(|item| {
                let declared = &item.local_items.items;
                format!(
                    "{:?} {:?} {} {declared:?}",
                    item.kind, item.module, item.name
                )
            })
            .chain(file.functions.iter().filter_map(|function| {
                let holds_some = !function.local_items.items.is_empty()
                    || function.kind == Err(Ineligible::Const);
                let items = &function.local_items.fingerprint;
                let place = (&function.module, &function.owner, &function.name);
                holds_some.then(|| format!("{place:?} {items:?}"))
            }))
            .chain(file.modules.iter().flat_map(|module| {
                let path = &module.path;
                let macros = module.macros.iter();
                macros.map(move |rule| format!("{path:?} {}!", rule.name))
            }))
            .collect()
    };
    items(earlier).is_subset(&items(new))
}

/// A file that declares nothing.
fn empty(path: &Path, module: &[String]) -> FileItems {
    FileItems {
        path: path.to_owned(),
        module: module.to_vec(),
        ..FileItems::default()
    }
}
