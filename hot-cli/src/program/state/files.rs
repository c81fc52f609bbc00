//! What the watched files hold now, and which files there are: modules may be new.

use std::cell::RefCell;
use std::io;

use soft_mock_rewriter::diff::first_difference;
use soft_mock_rewriter::syntax::CrateTree;

use super::*;
use crate::os::files::below;
use crate::rustc::inputs::Role;
use crate::rustc::unit::build_again;
use crate::wrapper::shadow;

impl ProgramState {
    /// Takes note of files that may have changed.
    pub(crate) fn record(&mut self, paths: &[PathBuf]) {
        self.try_again();
        for path in paths {
            self.release(path);
            match self.survey(path) {
                Some(state) => self.current.insert(path.clone(), state),
                None => self.current.remove(path),
            };
        }
        self.follow_manifests();
        self.follow_modules();
        // What was read is in its own form now.
        forget_sources();
    }

    /// A file whose edits were rolled back counts again once it changes, and with it those between
    /// which modules had moved.
    fn release(&mut self, path: &Path) {
        let then = self.held.get(path);
        if then.is_none_or(|then| *then == content_hash(path)) {
            return;
        }
        self.held.remove(path);
        if self.held_together.contains(path) {
            for other in std::mem::take(&mut self.held_together) {
                self.held.remove(&other);
            }
        }
    }

    /// Whether a plugin's crates but its own differ from what was compiled: crates that it shares.
    pub(crate) fn shared_changed(&self) -> bool {
        let shared = |state: &FileState| match state {
            FileState::Changed(units) => units.iter().any(|(unit, _)| *unit > 0),
            _ => false,
        };
        self.program.is_plugin && self.current.values().any(shared)
    }

    /// Has cargo build every crate again that differs from what was compiled.
    pub(crate) fn build_again(&self) -> anyhow::Result<()> {
        for (position, loaded) in self.program.units.iter().enumerate() {
            let is_own = |path: &PathBuf| {
                let unit = &loaded.unit;
                let new = self.new_files.get(path);
                unit.sources.contains(path)
                    || unit.inputs.contains_key(path)
                    || new.is_some_and(|(unit, _)| *unit == position)
            };
            if self.current.keys().any(is_own) {
                build_again(&loaded.folder)?;
            }
        }
        Ok(())
    }

    /// Files that differ from what was compiled.
    pub(crate) fn edited_files(&self) -> impl Iterator<Item = &PathBuf> {
        self.current.keys()
    }

    /// Files beside those of the program as it was built whose changes matter now.
    pub(crate) fn other_files(&self) -> impl Iterator<Item = &PathBuf> {
        let built = self.new_files.keys().chain(&self.missing);
        built.chain(self.held.keys()).chain(&self.ever_included)
    }

    /// All files as they are now, with the positions of their units.
    pub(super) fn files_now(&self) -> impl Iterator<Item = (usize, &FileItems)> {
        let built = self.program.files();
        let built = built.filter(|(position, path, _)| {
            !self.is_changed(*position, path)
                && !self.gone.contains(&(*position, path.to_path_buf()))
        });
        let current = self.current.iter();
        let current = current.filter(|(path, _)| !self.held.contains_key(*path));
        let changed = current.flat_map(|(_, state)| match state {
            FileState::Changed(units) => units.as_slice(),
            _ => &[],
        });
        let held = self.held_files();
        built
            .map(|(position, _, items)| (position, items))
            .chain(changed.map(|(position, file)| (*position, &*file.items)))
            .chain(held.map(|((position, _), file)| (*position, &*file.items)))
    }

    /// Files whose edits were rolled back, as they were before those.
    pub(super) fn held_files(&self) -> impl Iterator<Item = (&(usize, PathBuf), &ChangedFile)> {
        let made_from = self.made_from.iter();
        made_from.filter(|((_, path), _)| self.held.contains_key(path))
    }

    fn is_changed(&self, position: usize, path: &Path) -> bool {
        if self.held.contains_key(path) {
            return self.made_from.contains_key(&(position, path.to_owned()));
        }
        matches!(self.current.get(path), Some(FileState::Changed(units))
            if units.iter().any(|(unit, _)| *unit == position))
    }

    /// Finds the files of modules that are declared now and were not, or the other way round.
    pub(super) fn follow_modules(&mut self) {
        let (mut new, mut missing) = (BTreeMap::new(), BTreeSet::new());
        self.gone.clear();
        for (position, loaded) in self.program.units.iter().enumerate() {
            let vanished: Vec<&PathBuf> = loaded
                .files
                .keys()
                .filter(|path| self.vanished(path))
                .collect();
            if vanished.is_empty() && !self.declares_other_modules(position, loaded) {
                continue;
            }
            let tree = self.tree_now(position, loaded, &mut missing);
            // Also those that can't be parsed: they may be half a save.
            let files = tree.map(|tree| tree.found).unwrap_or_default();
            // A file may have vanished for a moment only, unless its module is found elsewhere.
            let moved = |path: &PathBuf| {
                let module = &loaded.files[path].module;
                let mut files = files.iter();
                files.any(|(_, found)| found == module) || self.is_block_now(position, module)
            };
            let added = files
                .iter()
                .filter(|(path, _)| !loaded.files.contains_key(path));
            if !vanished.into_iter().all(moved) {
                // Saves of these are answered all the same.
                missing.extend(added.map(|(path, _)| path.clone()));
                continue;
            }
            let kept: BTreeSet<&PathBuf> = files.iter().map(|(path, _)| path).collect();
            let gone = loaded.files.keys().filter(|path| !kept.contains(path));
            if !files.is_empty() {
                self.gone.extend(gone.map(|path| (position, path.clone())));
            }
            let added = added.cloned();
            new.extend(added.map(|(path, module)| (path, (position, module))));
        }
        let mut current = self.current.values();
        if current.any(|state| matches!(state, FileState::Syntax(_))) {
            // What such a file declares isn't known. What it may have declared stays watched.
            missing.extend(self.new_files.keys().chain(&self.missing).cloned());
        }
        for path in self
            .new_files
            .keys()
            .filter(|path| !new.contains_key(*path))
        {
            self.current.remove(path);
        }
        self.new_files = new;
        self.missing = missing;
        let paths: Vec<PathBuf> = self.new_files.keys().cloned().collect();
        for path in paths {
            match self.survey(&path) {
                Some(state) => self.current.insert(path, state),
                None => self.current.remove(&path),
            };
        }
    }

    /// Whether a file of the program isn't there any more.
    fn vanished(&self, path: &Path) -> bool {
        !self.held.contains_key(path)
            && matches!(self.current.get(path), Some(FileState::Rude(_)))
            && !path.exists()
    }

    fn declares_other_modules(&self, position: usize, loaded: &LoadedUnit) -> bool {
        let paths: BTreeSet<&PathBuf> = self.current.keys().chain(self.held.keys()).collect();
        let mut changed = paths
            .into_iter()
            .filter_map(|path| Some((path, self.changed_file(position, path)?)));
        changed.any(|(path, file)| match loaded.files.get(path) {
            Some(compiled) => children(compiled) != children(&file.items),
            None => true,
        })
    }

    /// The files of a crate as they are declared now. What is looked for and not there is added to
    /// `missing`.
    fn tree_now(
        &self,
        position: usize,
        loaded: &LoadedUnit,
        missing: &mut BTreeSet<PathBuf>,
    ) -> Option<CrateTree> {
        let asked = RefCell::new(BTreeSet::new());
        let read = |path: &Path| {
            if self.vanished(path) {
                asked.borrow_mut().insert(path.to_owned());
                return Err(io::ErrorKind::NotFound.into());
            }
            if let Some(file) = self.changed_file(position, path) {
                return Ok(file.text.to_string());
            }
            let copy = below(&loaded.folder.join("sources"), path);
            let text = std::fs::read_to_string(copy).or_else(|_| std::fs::read_to_string(path));
            if text.is_err() {
                asked.borrow_mut().insert(path.to_owned());
            }
            text
        };
        let tree = shadow::tree(&loaded.unit, &read).ok();
        missing.extend(asked.into_inner());
        tree
    }

    /// A file of a unit that differs from what was compiled, as it counts.
    pub(super) fn changed_file(&self, position: usize, path: &Path) -> Option<&ChangedFile> {
        if self.held.contains_key(path) {
            return self.made_from.get(&(position, path.to_owned()));
        }
        match self.current.get(path) {
            Some(FileState::Changed(units)) => {
                let mut units = units.iter();
                units
                    .find(|(unit, _)| *unit == position)
                    .map(|(_, file)| file)
            }
            _ => None,
        }
    }

    /// Whether two texts of a file differ in more than comments and the like.
    pub(super) fn differ(&self, path: &Path, one: &str, other: &str) -> bool {
        let mut units = self.program.units.iter();
        let built = units.find_map(|loaded| Some((loaded, &loaded.files.get(path)?.module)));
        let new = self.new_files.get(path);
        let new = new.map(|(unit, module)| (&self.program.units[*unit], module));
        let meaning = |text: &str| {
            let (loaded, module) = built.or(new)?;
            let items = FileItems::read_as(loaded.unit.compiled_as(), text, path, module);
            Some(items.ok()?.meaning)
        };
        one != other && meaning(one).is_none_or(|one| meaning(other) != Some(one))
    }

    /// A file of a module that the program was built without.
    fn survey_new(
        &self,
        path: &Path,
        (position, module): &(usize, Vec<String>),
    ) -> Option<FileState> {
        let compiled_as = self.program.units[*position].unit.compiled_as();
        // If it has vanished, the compiler says so.
        let text: Arc<str> = std::fs::read_to_string(path).ok()?.into();
        Some(match FileItems::read_as(compiled_as, &text, path, module) {
            Ok(items) => {
                let items = Arc::new(items);
                FileState::Changed(vec![(*position, ChangedFile { text, items })])
            }
            Err(error) => FileState::Syntax(error),
        })
    }

    /// How a file differs from what was compiled, if it does.
    fn survey(&self, path: &Path) -> Option<FileState> {
        let units: Vec<(usize, &Arc<LoadedUnit>)> = self
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
        if let Some(place) = self.new_files.get(path).filter(|_| units.is_empty()) {
            return self.survey_new(path, place);
        }
        if units.is_empty() {
            let data = self.survey_data(path);
            return data.unwrap_or_else(|| self.survey_input(path));
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
            match FileItems::read_as(loaded.unit.compiled_as(), &text, path, &module) {
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

    /// Whether a unit of this name read a file.
    fn is_unit(&self, name: &str, file: &Path) -> bool {
        let mut units = self.program.units.iter().map(|loaded| &loaded.unit);
        units.any(|unit| unit.crate_name == name && unit.inputs.contains_key(file))
    }

    /// Why a change of a file that is no source of a rewritten crate matters, if it did change.
    fn survey_input(&self, path: &Path) -> Option<FileState> {
        let rude = |line, why| {
            let file = path.to_owned();
            Some(FileState::Rude(Rude { file, line, why }))
        };
        let now = content_hash(path);
        let mut same = None;
        for loaded in &self.program.units {
            let unit = &loaded.unit;
            let name = &unit.crate_name;
            let Some(input) = unit.inputs.get(path) else {
                if now != 0 && unit.is_new_for_build_script(path) {
                    let why = format!("the build script of crate `{name}` reads its folder");
                    return rude(1, why);
                }
                continue;
            };
            if input.hash == now {
                continue;
            }
            let mut line = 1;
            if let (Role::Read, Some(was)) = (&input.role, loaded.unmodified_text(path)) {
                let is = std::fs::read_to_string(path).unwrap_or_default();
                match first_difference(&was, &is) {
                    Some(found) => line = found,
                    None => {
                        same = Some(FileState::Same(Fingerprint::of_bytes(is.as_bytes())));
                        continue;
                    }
                }
            }
            let why = match &input.role {
                Role::Manifest | Role::LockFile if !self.program.is_plugin => continue,
                Role::Manifest => "the manifest changed".to_owned(),
                Role::LockFile => "the lock file changed".to_owned(),
                Role::Configuration => "cargo's configuration changed".to_owned(),
                Role::BuildScript => "the build script changed".to_owned(),
                Role::OfBuildScript | Role::FolderOfBuildScript => {
                    format!("the build script of crate `{name}` reads it")
                }
                // Nothing was recorded of it yet when the other crate was compiled.
                Role::Dependency(krate) if self.is_unit(krate, path) => continue,
                Role::Dependency(krate) => format!(
                    "crate `{krate}` is no member of the workspace; `hot --include {krate} …` patches it"
                ),
                Role::Read | Role::Data => match &unit.unmodified {
                    Some(reason) => format!("crate `{name}` was built unmodified: {reason}"),
                    None => format!("crate `{name}` reads it when it is compiled"),
                },
            };
            return rude(line, why);
        }
        same
    }
}

/// The modules that a file declares: where, their names and conditions, and how many of that name
/// are blocks.
fn children(items: &FileItems) -> BTreeSet<(&[String], &str, &[String], usize)> {
    let mut found = BTreeSet::new();
    for module in &items.modules {
        for child in &module.children {
            let blocks = items.modules.iter().filter(|block| {
                let outer = block.path.split_last();
                outer.is_some_and(|(name, outer)| *name == child.name && outer == module.path)
            });
            found.insert((
                module.path.as_slice(),
                child.name.as_str(),
                child.cfgs.as_slice(),
                blocks.count(),
            ));
        }
    }
    found
}
