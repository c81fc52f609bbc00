//! Modules that stand elsewhere than when the program was built: in another file (`a/mod.rs` in
//! place of `a.rs`), in a file of their own in place of a block, or the other way round. Each is
//! compared with itself all the same, or is named if it is declared and its file has gone.
//!
//! Knows nothing of what edits inside of modules come to.

use std::borrow::Cow;
use std::cmp::Reverse;

use super::*;

/// Where files have to be taken apart.
#[derive(Default)]
pub(super) struct Moved {
    /// Modules that are a block of a file at one time and have a file of their own at another, by
    /// the position of their unit; those inside of others first.
    modules: BTreeMap<usize, Vec<Vec<String>>>,
    /// The units whose modules stand in other files than they were compiled from.
    units: BTreeSet<usize>,
    /// Modules that are declared, and of which the file has gone.
    pub(super) lost: Vec<Rude>,
}

impl Moved {
    /// Whether modules of a unit stand in other files than it was compiled from.
    pub(super) fn is_in(&self, position: usize) -> bool {
        self.units.contains(&position)
    }

    /// The same of any unit.
    pub(super) fn is_any(&self) -> bool {
        !self.units.is_empty()
    }

    /// Whether files are compared in pieces.
    pub(super) fn is_in_pieces(&self) -> bool {
        !self.modules.is_empty()
    }

    /// A file without the blocks that have files at another time, and then these.
    pub(super) fn pieces<'a>(
        &self,
        position: usize,
        file: &'a FileItems,
    ) -> Vec<Cow<'a, FileItems>> {
        let mut pieces = vec![Cow::Borrowed(file)];
        for module in self.modules.get(&position).into_iter().flatten() {
            if let Some((rest, block)) = pieces[0].split(module) {
                pieces[0] = Cow::Owned(rest);
                pieces.push(Cow::Owned(block));
            }
        }
        pieces
    }
}

impl ProgramState {
    /// Finds them.
    pub(super) fn moved(&self) -> Moved {
        let mut found = Moved::default();
        let gone = self.gone.iter().map(|(position, _)| *position);
        found.units.extend(gone);
        let built = |position: usize| self.program.units[position].files.values();
        let was_block = |position, module| built(position).any(|file| file.has_block(module));
        let new = self.new_files.values();
        let new = new.filter(|(position, module)| was_block(*position, module));
        found.units.extend(new.map(|(position, _)| *position));

        let built = self.program.files();
        let built = built.map(|(position, _, items)| (position, items));
        let earlier = self
            .loaded
            .iter()
            .flat_map(|((position, _), states)| states.iter().map(|items| (*position, &**items)));
        let all: Vec<(usize, &FileItems)> = built.chain(earlier).chain(self.edited()).collect();
        let files: BTreeSet<(usize, &[String])> = all
            .iter()
            .map(|(position, file)| (*position, file.module.as_slice()))
            .collect();
        let blocks: BTreeSet<(usize, &[String])> = all
            .iter()
            .flat_map(|(position, file)| {
                let blocks = file.modules.iter().skip(1);
                blocks.map(|block| (*position, block.path.as_slice()))
            })
            .collect();
        for (position, module) in files.intersection(&blocks) {
            if !self.stands_now(*position, module) {
                match self.declared_now(*position, module) {
                    Some(lost) => found.lost.push(lost),
                    None => continue, // It is gone with what declared it.
                }
            }
            let modules = found.modules.entry(*position).or_default();
            modules.push(module.to_vec());
        }
        for modules in found.modules.values_mut() {
            modules.sort_by_key(|module| Reverse(module.len()));
        }
        found
    }

    /// Files that differ from what was compiled, as they count.
    fn edited(&self) -> impl Iterator<Item = (usize, &FileItems)> {
        let current = self.current.iter();
        let current = current.filter(|(path, _)| !self.held.contains_key(*path));
        let files = current.flat_map(|(_, state)| match state {
            FileState::Changed(units) => units.as_slice(),
            _ => &[],
        });
        let files = files.map(|(position, file)| (*position, &*file.items));
        let held = self.held_files();
        files.chain(held.map(|((position, _), file)| (*position, &*file.items)))
    }

    /// Whether a module is a block of an edited file.
    pub(super) fn is_block_now(&self, position: usize, module: &[String]) -> bool {
        let mut edited = self.edited();
        edited.any(|(unit, file)| unit == position && file.has_block(module))
    }

    /// Whether a module has a file now, or a block in one.
    fn stands_now(&self, position: usize, module: &[String]) -> bool {
        let holds = |file: &FileItems| {
            let mut modules = file.modules.iter();
            file.module == module || modules.any(|block| block.path == module)
        };
        let mut new = self.new_files.values();
        let mut files = self.files_now();
        new.any(|(unit, new)| *unit == position && *new == module)
            || files.any(|(unit, file)| unit == position && holds(file))
    }

    /// Where a module is declared that has no file.
    fn declared_now(&self, position: usize, module: &[String]) -> Option<Rude> {
        let (name, outer) = module.split_last()?;
        let mut files = self.files_now().filter(|(unit, _)| *unit == position);
        files.find_map(|(_, file)| {
            let modules = file.modules.iter().filter(|around| around.path == outer);
            let mut children = modules.flat_map(|around| &around.children);
            let child = children.find(|child| child.name == *name)?;
            Some(Rude {
                file: file.path.clone(),
                line: child.line,
                why: format!("the file of module `{name}` isn't there"),
            })
        })
    }

    /// What a file held when the program was built, or what its module did.
    pub(super) fn as_compiled(
        &self,
        position: usize,
        path: &Path,
        now: &FileItems,
        moved: &Moved,
    ) -> Option<Cow<'_, FileItems>> {
        match self.program.units[position].files.get(path) {
            Some(file) => moved.pieces(position, file).into_iter().next(),
            None => self.module_as_compiled(position, &now.module, moved),
        }
    }

    /// The same of a module that stands elsewhere now.
    pub(super) fn module_as_compiled(
        &self,
        position: usize,
        module: &[String],
        moved: &Moved,
    ) -> Option<Cow<'_, FileItems>> {
        let files = &self.program.units[position].files;
        let is_gone = |path: &PathBuf| self.gone.contains(&(position, path.clone()));
        let pieces = files.iter().flat_map(|(path, file)| {
            let pieces = moved.pieces(position, file).into_iter();
            // A file that is still there is compared with itself.
            pieces.skip(usize::from(!is_gone(path)))
        });
        let mut pieces = pieces.filter(|piece| piece.module == module);
        pieces.next()
    }

    /// The states of a file from which earlier patches were made, and those of its module where
    /// that stood elsewhere.
    pub(super) fn as_loaded(
        &self,
        (position, path): (usize, &Path),
        module: &[String],
        moved: &Moved,
    ) -> Vec<Cow<'_, FileItems>> {
        // Of a module there may be several files, under conditions.
        let is_another = |other: &Path| {
            let mut files = self.files_now().filter(|(unit, _)| *unit == position);
            other != path && files.any(|(_, file)| file.path == other && file.module == module)
        };
        let own = self
            .loaded
            .iter()
            .filter(|((unit, _), _)| *unit == position);
        own.flat_map(|((_, other), states)| {
            let pieces = states
                .iter()
                .flat_map(|items| moved.pieces(position, items));
            let pieces: Vec<_> = pieces.filter(|piece| piece.module == module).collect();
            match pieces.is_empty() || is_another(other) {
                true => Vec::new(),
                false => pieces,
            }
        })
        .collect()
    }
}
