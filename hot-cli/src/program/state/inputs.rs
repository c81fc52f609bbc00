//! Files that are no sources, and with which the crates would be compiled otherwise now: what they
//! hold is a value in a crate (`include_str!`), or sets a variable that one was compiled with. An
//! edit of one is an edit of all code that it reaches, which is for the compiler to say.
//!
//! Knows nothing of how it becomes known what a manifest sets.

use super::compare::Found;
use super::*;
use crate::program::plan::{ChangedInput, InputContent};
use crate::rustc::beside::data;
use crate::rustc::inputs::Role;
use crate::ui::shown;

impl ProgramState {
    /// How a file differs of which copies were compiled as values. None: it is no such file, or
    /// can't be one any more.
    pub(super) fn survey_data(&self, path: &Path) -> Option<Option<FileState>> {
        let units = self.program.units.iter().enumerate();
        let read = units.filter_map(|(at, loaded)| Some((at, loaded.unit.inputs.get(path)?)));
        let read: Vec<_> = read.collect();
        if read.is_empty() || read.iter().any(|(_, input)| input.role != Role::Data) {
            return None;
        }
        let bytes = data(path)?;
        let now = hash_of(&bytes);
        let changed = read.into_iter().filter(|(_, input)| input.hash != now);
        let changed: Vec<_> = changed
            .map(|(position, _)| {
                let input = ChangedInput {
                    line: 1,
                    what: format!("{} changed", shown(path)),
                    content: InputContent::File(Arc::clone(&bytes)),
                };
                (position, input)
            })
            .collect();
        Some((!changed.is_empty()).then_some(FileState::Input(changed)))
    }

    /// Those that differ from what was compiled, as they count: an edit that was rolled back counts
    /// as what was before it.
    pub(super) fn inputs_now(&self) -> impl Iterator<Item = (usize, &PathBuf, &ChangedInput)> {
        let current = self.current.iter();
        let current = current.filter(|(path, _)| !self.held.contains_key(*path));
        let current = current.flat_map(|(path, state)| {
            let inputs = match state {
                FileState::Input(inputs) => inputs.as_slice(),
                _ => &[],
            };
            inputs.iter().map(move |(unit, input)| (*unit, path, input))
        });
        let held = self.made_with.iter();
        let held = held.filter(|((_, path), _)| self.held.contains_key(path));
        current.chain(held.map(|((position, path), input)| (*position, path, input)))
    }

    /// Edits of them were taken back with patches that were made with these: they count as what
    /// runs.
    pub(super) fn hold_inputs(&mut self, before: &BTreeMap<(usize, PathBuf), ChangedInput>) {
        let now = &self.made_with;
        let content = |input: Option<&ChangedInput>| input.map(ChangedInput::fingerprint);
        let places = before.keys().chain(now.keys());
        let other = places.filter(|at| content(before.get(*at)) != content(now.get(*at)));
        let held = other.map(|(_, path)| (path.clone(), content_hash(path)));
        self.held.extend(held.collect::<Vec<_>>());
    }

    /// Finds what was edited of them.
    pub(super) fn find_inputs(&self, found: &mut Found) {
        for (position, path, input) in self.inputs_now() {
            let now = input.fingerprint();
            found.meaning.insert((position, path.clone()), now);
            found.indirect.insert(Edit {
                file: path.clone(),
                line: input.line,
                what: input.what.clone(),
                now,
                preserved_static: None,
                is_of_code: false,
                // They may have made anything of it.
                may_alter_macros: true,
                may_concern_tests: true,
            });
            let unit = found.plan.entry(position).or_default();
            unit.inputs.insert(path.clone(), input.clone());
        }
    }

    /// One of them as it runs.
    pub(super) fn running_input(&self, path: &PathBuf) -> Option<FileState> {
        let running = self.made_with.iter();
        let running = running.filter(|((_, other), _)| other == path);
        let running: Vec<_> = running
            .map(|((position, _), input)| (*position, input.clone()))
            .collect();
        (!running.is_empty()).then_some(FileState::Input(running))
    }
}

/// What a patch was made with.
pub(super) fn made_with(wanted: &Wanted) -> BTreeMap<(usize, PathBuf), ChangedInput> {
    let units = wanted.plan.iter();
    let inputs = units.flat_map(|(position, unit)| {
        let inputs = unit.inputs.iter();
        inputs.map(|(path, input)| ((*position, path.clone()), input.clone()))
    });
    inputs.collect()
}
