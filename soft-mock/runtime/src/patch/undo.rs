//! Taking patches back: the former code of every function that they touched, in one step.
//!
//! A rollback is a patch like any other and part of the history. It doesn't count as one that can
//! be taken back: two rollbacks of one patch each undo two patches.

use std::ptr;
use std::time::Instant;

use soft_mock_abi::report::Report;
use thiserror::Error;

use crate::loader::Interrupted;
use crate::registry::{registry, Registry, RegistryError};
use crate::shared::Turn;

use super::listeners;
use super::log::{entries, in_effect, source_of, Entry};
use super::safe_point::{self, Progress};
use super::switch::{Change, Switch};

/// Nothing was taken back, and why.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RollbackError {
    /// There aren't so many.
    #[error("{asked} patch{} can't be taken back: {}", if *asked == 1 { "" } else { "es" }, there_are(*.there))]
    TooMany {
        /// How many were to be taken back.
        asked: usize,
        /// How many are in effect.
        there: usize,
    },
    /// No patch at all was to be taken back.
    #[error("nothing to take back: 0 patches were asked for")]
    None,
    /// An [`on_patch`](super::on_patch) listener asked for it.
    #[error("an `on_patch` listener can't change functions while it is told of a patch")]
    InListener,
    /// The library whose functions were meant is gone.
    #[error("the plugin was unloaded")]
    Gone,
    /// The program didn't finish it at its safe point.
    #[error("the program didn't finish it at its safe point")]
    Interrupted,
    /// The program's sites can't be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl From<Interrupted> for RollbackError {
    fn from(_: Interrupted) -> Self {
        Self::Interrupted
    }
}

fn there_are(there: usize) -> String {
    match there {
        0 => "no patch is in effect".to_owned(),
        1 => "only 1 is in effect".to_owned(),
        many => format!("only {many} are in effect"),
    }
}

/// Takes the newest `patches` back that are in effect: each function that they touched runs exactly
/// the code that it ran before them. One step for all threads, like a patch.
pub fn rollback(patches: usize) -> Result<Report, RollbackError> {
    let started = Instant::now();
    if listeners::is_listening() {
        return Err(RollbackError::InListener);
    }
    let registry = registry()?;
    let turn = registry.shared().turn();
    Ok(plan(&turn, registry.domain(), patches, started)?.perform(&turn))
}

/// As [`rollback`], for a program or a library in it, and at a safe point if the program asked for
/// that.
pub(crate) fn rollback_when_safe(
    registry: &Registry,
    patches: usize,
) -> Result<Progress<RollbackError>, RollbackError> {
    let (shared, domain) = (registry.shared(), registry.domain());
    let started = Instant::now();
    let turn = shared.turn();
    // Said at once, not at the safe point, if it can't be.
    let planned = plan(&turn, domain, patches, started)?;
    if !safe_point::waits(shared) {
        return Ok(Progress::Done(planned.perform(&turn)));
    }
    drop(turn);
    Ok(safe_point::at_safe_point(shared, move |turn| {
        Ok(plan(turn, domain, patches, started)?.perform(turn))
    }))
}

fn plan(
    turn: &Turn,
    domain: usize,
    patches: usize,
    started: Instant,
) -> Result<Switch, RollbackError> {
    let entries = entries(turn.shared(), domain);
    let (standing, _) = in_effect(&entries);
    if patches == 0 {
        return Err(RollbackError::None);
    }
    let Some(kept) = standing.len().checked_sub(patches) else {
        return Err(RollbackError::TooMany {
            asked: patches,
            there: standing.len(),
        });
    };
    let gone: Vec<&'static Entry> = standing[kept..].iter().rev().copied().collect();
    Ok(Switch {
        domain,
        changes: changes(&entries, &gone),
        bytes: 0,
        undone: gone.iter().map(|entry| entry.patch()).collect(),
        started,
    })
}

/// What ran before the oldest of `gone`, which begins with the newest, at every site that one of
/// them touched.
fn changes(entries: &[&'static Entry], gone: &[&'static Entry]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for noted in gone.iter().flat_map(|entry| entry.changes()) {
        let site = noted.site();
        let (code, patch) = noted.before();
        let change = match code {
            None => Change::restore(site),
            Some(_) => Change::again(noted, source_of(entries, patch, site)),
        };
        match changes.iter_mut().find(|known| ptr::eq(known.site(), site)) {
            Some(newer) => *newer = change,
            None => changes.push(change),
        }
    }
    changes
}
