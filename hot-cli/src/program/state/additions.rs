//! Edits that aren't bodies, but of which nothing except changed bodies knows: they are compiled
//! with those, and need no whole crate.
//!
//! What a body stands for includes what it gets to of them: so whoever uses one becomes new when it
//! changes.

use soft_mock_rewriter::analysis::Declaration;
use soft_mock_rewriter::diff::{Additions, Source};

use super::compare::Found;
use super::*;
use crate::program::plan::PlannedAddition;

/// A file as it is now.
struct FileNow<'a> {
    position: usize,
    old: Option<&'a FileItems>,
    items: &'a FileItems,
    text: Arc<str>,
}

impl ProgramState {
    /// Takes additions out of the edits that reach others, if all of those are additions.
    pub(super) fn find_additions(&self, found: &mut Found) {
        if found.found.is_empty() || !self.can_have_additions(found) {
            return;
        }
        match self.additions(found) {
            Ok(additions) => self.apply(&additions, found),
            Err(why) => found.no_additions = Some(why),
        }
    }

    /// Whether files are what they seem: nothing was refused, rolled back or moved.
    fn can_have_additions(&self, found: &Found) -> bool {
        let known: BTreeSet<&Edit> = found.found.iter().map(|(.., edit, _)| edit).collect();
        found.rude.is_empty()
            && !self.program.is_plugin
            && self.held.is_empty()
            && self.gone.is_empty()
            && !found.moved.is_any()
            && found.indirect.iter().all(|edit| known.contains(edit))
    }

    fn additions(&self, found: &Found) -> Result<(Additions, Vec<FileNow<'_>>), String> {
        for (position, ..) in &found.found {
            let unit = &self.program.units[*position].unit;
            if unit.rustc_args().is_test() {
                return Err("it is compiled for tests".to_owned());
            }
            if let Some(user) = self.program.fixed_user(*position) {
                return Err(format!("crate `{}` may use it", user.crate_name));
            }
        }
        let files = self.texts_now().ok_or("a source can't be read")?;
        let sources: Vec<Source<'_>> = files.iter().map(|file| source(file, found)).collect();
        let additions = Additions::of(&sources)?;
        Ok((additions, files))
    }

    fn texts_now(&self) -> Option<Vec<FileNow<'_>>> {
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

    fn apply(&self, (additions, files): &(Additions, Vec<FileNow<'_>>), found: &mut Found) {
        for ((unit, name), (path, function)) in &found.declared {
            let mut files = files.iter();
            let file = files.find(|file| file.position == *unit && file.items.path == *path);
            let body = found.bodies.get_mut(&(*unit, name.clone()));
            if let (Some(file), Some(body)) = (file, body) {
                let function = &file.items.functions[*function];
                body.body = additions.with_reached(*unit, function);
            }
        }
        for addition in additions.all.iter().filter(|addition| !addition.removed) {
            if matches!(addition.declaration, Declaration::Import { .. }) {
                continue;
            }
            let unit = found.plan.entry(addition.unit).or_default();
            unit.additions.push(PlannedAddition {
                file: files[addition.file].items.path.clone(),
                declaration: addition.declaration,
                names: addition.names.clone(),
                content: addition.content,
            });
        }
        found.additions = std::mem::take(&mut found.indirect);
    }
}

fn source<'a>(file: &'a FileNow<'a>, found: &'a Found) -> Source<'a> {
    let is_here = |unit: usize, path: &PathBuf| unit == file.position && *path == file.items.path;
    let declared = found.declared.iter();
    let bodies = declared.filter(|((unit, _), (path, _))| is_here(*unit, path));
    let edits = found.found.iter();
    let edits = edits.filter(|(unit, path, ..)| is_here(*unit, path));
    Source {
        unit: file.position,
        old: file.old,
        items: file.items,
        text: &file.text,
        bodies: bodies.map(|(_, (_, function))| *function).collect(),
        edits: edits.map(|(.., edit)| edit).collect(),
    }
}
