//! Edits that aren't bodies, but of which nothing except changed bodies knows: they are compiled
//! with those, and need no whole crate.
//!
//! What a body stands for includes what it gets to of them: so whoever uses one becomes new when it
//! changes.

use soft_mock_rewriter::analysis::{is_skipped, Declaration};
use soft_mock_rewriter::diff::{Addition, Additions, Source};
use soft_mock_rewriter::patch_source::may_have_site;
use soft_mock_rewriter::syntax::{CompiledAs, Edition};

use super::compare::Found;
use super::*;
use crate::program::plan::{Plan, PlannedAddition};
use crate::rustc::unit::UnitKind;

/// A file as it is now.
pub(super) struct FileNow<'a> {
    pub(super) position: usize,
    old: Option<&'a FileItems>,
    pub(super) items: &'a FileItems,
    text: Arc<str>,
}

impl ProgramState {
    /// Takes additions out of the edits that reach others, if all of those are additions or in
    /// effect.
    pub(super) fn find_additions(&self, found: &mut Found) {
        if found.found.is_empty() || !self.can_have_additions(found) || self.roll_on(found) {
            return;
        }
        match self.additions(found) {
            Ok((additions, files)) => {
                self.with_reached(&additions, &files, &found.declared, &mut found.bodies);
                self.plan_additions(&additions, &files, found);
                found.additions = std::mem::take(&mut found.indirect);
            }
            Err(why) => found.no_additions = Some(why),
        }
    }

    /// Whether files are what they seem: nothing was refused, rolled back or moved.
    fn can_have_additions(&self, found: &Found) -> bool {
        let known: BTreeSet<&Edit> = found.found.iter().map(|(.., edit, _)| edit).collect();
        found.rude.is_empty()
            && found.reread.is_empty()
            && !self.program.is_plugin
            && self.held.is_empty()
            && self.gone.is_empty()
            && !found.moved.is_any()
            && !found.moved.is_in_pieces()
            && found.indirect.iter().all(|edit| known.contains(edit))
    }

    fn additions(&self, found: &Found) -> Result<(Additions, Vec<FileNow<'_>>), String> {
        for (position, ..) in &found.found {
            let unit = &self.program.units[*position].unit;
            if unit.rustc_args().is_test() && unit.compiled_as() != CompiledAs::Harness {
                return Err("it is compiled for tests".to_owned());
            }
            if let Some(user) = self.program.fixed_user(*position) {
                return Err(format!("crate `{}` may use it", user.crate_name));
            }
        }
        let files = self.texts_now().ok_or("a source can't be read")?;
        let sources = files.iter().map(|file| source(file, found, &|_| true));
        let sources: Vec<Source<'_>> = sources.collect();
        let additions = Additions::of(&sources)?;
        Ok((additions, files))
    }

    pub(super) fn texts_now(&self) -> Option<Vec<FileNow<'_>>> {
        let files = self.files_now().map(|(position, items)| {
            let text = match self.changed_file(position, &items.path) {
                Some(changed) => Arc::clone(&changed.text),
                None => self.program.units[position]
                    .compiled_text(&items.path)?
                    .into(),
            };
            let old = self.program.units[position].files.get(&items.path);
            Some(FileNow {
                position,
                old: old.map(|items| &**items),
                items,
                text,
            })
        });
        files.collect()
    }

    /// Lets bodies stand for the additions that they get to as well.
    pub(super) fn with_reached(
        &self,
        additions: &Additions,
        files: &[FileNow<'_>],
        declared: &BTreeMap<SiteKey, (PathBuf, usize)>,
        bodies: &mut BTreeMap<SiteKey, PlannedFunction>,
    ) {
        for (site, (path, function)) in declared {
            let mut files = files.iter();
            let file = files.find(|file| file.position == site.0 && file.items.path == *path);
            if let (Some(file), Some(body)) = (file, bodies.get_mut(site)) {
                let function = &file.items.functions[*function];
                body.uses = additions.reached_content(site.0, function);
            }
        }
    }

    pub(super) fn plan_additions(
        &self,
        additions: &Additions,
        files: &[FileNow<'_>],
        found: &mut Found,
    ) {
        let is_item = |one: &Addition| matches!(one.declaration, Declaration::Item(_));
        let any = |name: &str, is_it: &dyn Fn(&Addition) -> bool| {
            let mut all = additions.all.iter();
            all.any(|one| one.names.iter().any(|own| own == name) && is_it(one))
        };
        // It may be imported by another name.
        let imports = |one: &Addition| {
            let mut mentions = one.mentions().iter();
            matches!(one.declaration, Declaration::Import { .. })
                && mentions.any(|name| any(name, &is_item))
        };
        let is_new = |name: &str| any(name, &|one| is_item(one) || imports(one));
        for addition in additions.all.iter().filter(|addition| !addition.removed) {
            let function = self.with_site(additions, addition, files, &is_new);
            if let Some(function) = &function {
                let site = (addition.unit, function.name.clone());
                found.bodies.insert(site, function.clone());
            }
            let unit = found.plan.entry(addition.unit).or_default();
            unit.additions.push(PlannedAddition {
                function,
                file: files[addition.file].items.path.clone(),
                declaration: addition.declaration,
                names: match addition.declaration {
                    // What it brings isn't new.
                    Declaration::Import { .. } => Vec::new(),
                    _ => addition.names.clone(),
                },
                content: additions.whole_content(addition),
            });
        }
    }
}

impl ProgramState {
    /// A new function that gets a site with the first plugin that has it.
    fn with_site(
        &self,
        additions: &Additions,
        addition: &Addition,
        files: &[FileNow<'_>],
        is_new: &dyn Fn(&str) -> bool,
    ) -> Option<PlannedFunction> {
        let Declaration::Function(at) = addition.declaration else {
            return None;
        };
        let unit = &self.program.units[addition.unit].unit;
        // Each test begins anew, in a process that leads to nothing of a plugin.
        let mut units = self.program.units.iter();
        let is_of_tests = units.any(|loaded| loaded.unit.kind == UnitKind::Test);
        if is_of_tests || unit.rustc_args().edition() == Edition::E2015 {
            return None;
        }
        let file = &files[addition.file];
        let function = &file.items.functions[at];
        let own = files.iter().filter(|file| file.position == addition.unit);
        let borrowing = own.flat_map(|file| &file.items.borrowing);
        let borrowing: HashSet<String> = borrowing.cloned().collect();
        let planned = planned(&unit.crate_name, &file.items.path, function);
        let may = !is_skipped(&unit.skip, &planned.name)
            && may_have_site((file.items, &file.text), function, &borrowing, is_new);
        may.then(|| PlannedFunction {
            uses: additions.reached_content(addition.unit, function),
            brought: Some(function.signature.clone()),
            ..planned
        })
    }

    /// Plans new functions: where they are found by way of a site, and are others than those that
    /// it leads to; and all of a crate of which something is patched, for that gets to them.
    pub(super) fn plan_brought(&self, plan: &mut Plan) {
        for (position, unit) in plan {
            let functions = unit.additions.iter();
            let functions = functions.filter_map(|addition| addition.function.as_ref());
            let functions: Vec<&PlannedFunction> = functions.collect();
            let is_other = |function: &&PlannedFunction| {
                let active = self.active.get(&(*position, function.name.clone()));
                active.is_some_and(|active| active.content() != function.content())
            };
            if unit.patch.is_empty() && !functions.iter().any(is_other) {
                continue;
            }
            unit.patch.extend(functions.into_iter().cloned());
        }
    }
}

/// A file as it is compared, with those of its edits that are wanted.
pub(super) fn source<'a>(
    file: &'a FileNow<'a>,
    found: &'a Found,
    wanted: &dyn Fn(&Edit) -> bool,
) -> Source<'a> {
    let is_here = |unit: usize, path: &PathBuf| unit == file.position && *path == file.items.path;
    let declared = found.declared.iter();
    let bodies = declared.filter(|((unit, _), (path, _))| is_here(*unit, path));
    let edits = found.found.iter();
    let edits = edits.filter(|(unit, path, edit, _)| is_here(*unit, path) && wanted(edit));
    Source {
        unit: file.position,
        old: file.old,
        items: file.items,
        text: &file.text,
        bodies: bodies.map(|(_, (_, function))| *function).collect(),
        edits: edits.map(|(.., edit)| edit).collect(),
    }
}
