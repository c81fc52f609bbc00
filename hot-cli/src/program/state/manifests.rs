//! Manifests and lock files that differ from those that the program was built with: whether they
//! mean anything to its crates has to be asked, since their text doesn't say.
//!
//! Knows nothing of who is asked.

use super::*;

/// What is known of them.
#[derive(Debug, Clone)]
pub(crate) struct Judgement {
    /// All that differed then, with hashes of what they held.
    pub(crate) files: BTreeMap<PathBuf, u64>,
    /// What makes the crates others. None: they would be compiled just so.
    pub(crate) difference: Option<Rude>,
    /// Nothing but variables, with which crates can be compiled for a patch: by the manifests that
    /// set them.
    pub(crate) variables: BTreeMap<PathBuf, Vec<(usize, ChangedInput)>>,
}

impl Judgement {
    /// Whether they are to the crates what those were built with.
    pub(crate) fn means_nothing(&self) -> bool {
        self.difference.is_none() && self.variables.is_empty()
    }
}

impl ProgramState {
    /// Those that differ, with hashes of what they hold.
    pub(crate) fn edited_manifests(&self) -> BTreeMap<PathBuf, u64> {
        let mut edited = BTreeMap::new();
        for (path, recorded) in self.program.manifests() {
            let now = content_hash(path);
            if now != recorded {
                edited.insert(path.clone(), now);
            }
        }
        edited
    }

    /// This is known of them now.
    pub(crate) fn record_judgement(&mut self, judgement: Judgement) {
        self.judgement = Some(judgement);
        self.follow_manifests();
    }

    /// Those that can't be patched, and those of which nothing is known yet.
    pub(super) fn follow_manifests(&mut self) {
        if self.program.is_plugin {
            return; // It is loaded anew, whatever changed.
        }
        let edited = self.edited_manifests();
        for (path, _) in self.program.manifests() {
            self.current.remove(path);
        }
        let known = self
            .judgement
            .as_ref()
            .filter(|known| known.files == edited);
        match known.map(|known| (&known.difference, &known.variables)) {
            Some((None, variables)) => {
                let inputs = variables.iter();
                let inputs =
                    inputs.map(|(path, all)| (path.clone(), FileState::Input(all.clone())));
                self.current.extend(inputs);
            }
            Some((Some(difference), _)) => {
                let state = FileState::Rude(difference.clone());
                self.current.insert(difference.file.clone(), state);
            }
            None => {
                let unknown = edited.into_keys().map(|path| (path, FileState::Unknown));
                self.current.extend(unknown);
            }
        }
    }
}
