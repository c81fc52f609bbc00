//! Patches: sets of replacements that become active together.
//!
//! A transaction first checks everything, then loads, then switches. Whatever goes wrong before the
//! switch leaves all functions as they were; the switch itself can't fail. How threads see it is
//! written in `hook`.

mod listeners;
mod log;
mod safe_point;
mod switch;
#[cfg(test)]
mod tests;
mod undo;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use crate::loader::{self, Checked, Loaded};
use crate::pin_library::pin_library;
use crate::registry::{registry, Registry};
use crate::shared::Turn;

pub use crate::loader::{LoadError, Refusal};
pub use listeners::{on_patch, PatchEvent, Phase};
pub use log::{history, status};
pub(crate) use log::{history_of, installed_by, status_of};
pub(crate) use safe_point::Progress;
pub use safe_point::{patch_at_safe_points, safe_point};
pub use soft_mock_abi::report::{Installed, PastPatch, Report, Status};
use soft_mock_abi::site::Site;
pub use switch::{patch_of, was_called};
use switch::{Change, Switch};
pub(crate) use undo::rollback_when_safe;
pub use undo::{rollback, RollbackError};

/// Installs a plugin: all of its functions, or none and why.
pub fn load_plugin(path: impl AsRef<Path>) -> Result<Report, LoadError> {
    Transaction::new().plugin(path.as_ref()).commit()
}

/// Installs several plugins together: all of their functions, or none and why.
pub fn load_plugins<P: AsRef<Path>>(paths: &[P]) -> Result<Report, LoadError> {
    let transaction = paths.iter().fold(Transaction::new(), |transaction, path| {
        transaction.plugin(path.as_ref())
    });
    transaction.commit()
}

/// A patch in the making.
///
/// ```
/// use soft_mock_runtime::patch::Transaction;
///
/// let refused = Transaction::new().plugin("no/such/plugin.so").commit();
/// assert_eq!(refused.unwrap_err().to_string(), "no/such/plugin.so: there is no such file");
/// ```
#[derive(Debug, Default)]
#[must_use = "nothing is installed before `commit`"]
pub struct Transaction {
    plugins: Vec<PathBuf>,
    restores: Vec<(String, String)>,
    copies: Option<PathBuf>,
    image: Option<Arc<Target>>,
}

/// The library of a managed plugin that a patch is for.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) sites: Registry,
    /// The file that was opened.
    pub(crate) path: PathBuf,
}

impl Transaction {
    /// A patch that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds all functions of a plugin.
    pub fn plugin(mut self, path: impl Into<PathBuf>) -> Self {
        self.plugins.push(path.into());
        self
    }

    /// Gives a function its original body back. `unit` is the crate's, in 16 hexadecimal digits.
    pub fn restore(mut self, unit: impl Into<String>, name: impl Into<String>) -> Self {
        self.restores.push((unit.into(), name.into()));
        self
    }

    /// Keeps the copies of plugins in `folder`, which is private and which somebody else removes.
    pub fn copies_in(mut self, folder: Option<&Path>) -> Self {
        self.copies = folder.map(Path::to_owned);
        self
    }

    /// Changes functions of this library, which stays where it is, and not of the program.
    pub(crate) fn in_image(mut self, image: Option<Arc<Target>>) -> Self {
        self.image = image;
        self
    }

    /// Makes all of it active at once, or nothing of it.
    pub fn commit(self) -> Result<Report, LoadError> {
        let shared = registry().map_err(Refusal::from)?.shared();
        not_in_listener()?;
        let turn = shared.turn();
        Ok(self.prepare(&turn)?.perform(&turn))
    }

    /// As [`Transaction::commit`], at a safe point if the program asked for that.
    pub(crate) fn commit_when_safe(self) -> Result<Progress<LoadError>, LoadError> {
        let shared = registry().map_err(Refusal::from)?.shared();
        if !safe_point::waits(shared) {
            return self.commit().map(Progress::Done);
        }
        not_in_listener()?;
        let prepared = {
            let turn = shared.turn();
            self.prepare(&turn)?
        };
        Ok(safe_point::at_safe_point(shared, move |turn| {
            Ok(prepared.perform(turn))
        }))
    }

    /// Everything but the switch: from here on nothing can fail.
    fn prepare(self, turn: &Turn) -> Result<Switch, LoadError> {
        let started = Instant::now();
        let sites = match &self.image {
            Some(image) => &image.sites,
            None => {
                // The history refers to these sites for ever, also where they are those of a
                // plugin's library.
                pin_library(changes as *const ());
                registry().map_err(Refusal::from)?
            }
        };
        let checked = self.check(sites)?;
        let restored = self.sites_to_restore(sites)?;
        nothing_twice(&checked, &restored)?;
        let loaded = self.load(checked, turn)?;
        Ok(Switch {
            domain: sites.domain(),
            bytes: loaded.iter().map(|plugin| plugin.memory).sum(),
            changes: changes(loaded, restored),
            undone: Vec::new(),
            started,
        })
    }

    fn check(&self, sites: &Registry) -> Result<Vec<Checked>, LoadError> {
        self.plugins
            .iter()
            .map(|path| loader::check(path, sites))
            .collect()
    }

    fn load(&self, checked: Vec<Checked>, turn: &Turn) -> Result<Vec<Loaded>, LoadError> {
        let image = self.image.as_ref().map(|image| image.path.as_path());
        checked
            .into_iter()
            .map(|plugin| plugin.load(self.copies.as_deref(), image, turn))
            .collect()
    }

    fn sites_to_restore(&self, sites: &Registry) -> Result<Vec<&'static Site>, LoadError> {
        let found = self
            .restores
            .iter()
            .map(|(unit, name)| loader::sites_to_restore(sites, unit, name));
        Ok(found.collect::<Result<Vec<_>, _>>()?.concat())
    }
}

fn nothing_twice(checked: &[Checked], restored: &[&'static Site]) -> Result<(), LoadError> {
    let mut seen = HashSet::new();
    let twice = |site: &Site| Refusal::Twice {
        name: site.name().to_owned(),
    };
    for plugin in checked {
        if let Some(site) = plugin
            .sites()
            .find(|site| !seen.insert(std::ptr::from_ref(*site)))
        {
            return Err(twice(site).of(plugin.path()));
        }
    }
    match restored
        .iter()
        .find(|site| !seen.insert(std::ptr::from_ref(**site)))
    {
        Some(site) => Err(twice(site).into()),
        None => Ok(()),
    }
}

fn not_in_listener() -> Result<(), LoadError> {
    match listeners::is_listening() {
        true => Err(Refusal::InListener.into()),
        false => Ok(()),
    }
}

fn changes(loaded: Vec<Loaded>, restored: Vec<&'static Site>) -> Vec<Change> {
    let new = loaded.into_iter().flat_map(|plugin| plugin.replacements);
    let new = new.map(Change::replace);
    new.chain(restored.into_iter().map(Change::restore))
        .collect()
}
