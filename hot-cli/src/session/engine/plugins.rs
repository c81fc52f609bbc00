//! Managed plugins of the session's programs.
//!
//! Each library that serves is a program of its own to the session: it joins when it is loaded and leaves
//! when another version takes its place. An edit of it that can't be patched doesn't restart anything:
//! the plugin is built again, and its host reloads it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use soft_mock::reloader::protocol::Hello;

use super::{Change, Engine, Event, Instance, ProgramState, Rude};
use crate::plugins::record::Rebuild;

/// Plugins that are being built again.
#[derive(Debug, Default)]
pub(super) struct Building {
    runs: bool,
    /// Something changed meanwhile.
    again: bool,
}

/// What tells programs apart: the folder of a program's unit, or the very library that a plugin was
/// opened from. Two versions of a plugin are two libraries.
pub(super) fn key(hello: &Hello) -> PathBuf {
    match &hello.image {
        Some(image) => image.clone(),
        None => PathBuf::from(&hello.program),
    }
}

/// Makes plugins again, one after the other. What is wrong has been said by cargo.
pub(super) fn run(rebuilds: &[Rebuild]) -> bool {
    rebuilds.iter().all(|rebuild| {
        let status = rebuild.command().and_then(|mut command| command.status());
        status.is_ok_and(|status| status.success())
    })
}

impl Engine {
    /// What is to be done first. A patch of one program doesn't wait for another that can't be patched,
    /// unless that one is to be restarted.
    pub(super) fn first_change(&self) -> Option<(PathBuf, Change)> {
        let mut changes: Vec<(bool, &PathBuf, Change)> = self
            .programs
            .iter()
            .map(|(key, state)| (state.program.is_plugin, key, state.change()))
            .filter(|(_, _, change)| !matches!(change, Change::Nothing))
            .collect();
        changes.sort_by_key(|(is_plugin, _, change)| {
            let patch = matches!(change, Change::Patch(_));
            match (is_plugin, patch) {
                (false, false) => 0,
                (_, true) => 1,
                (true, false) => 2,
            }
        });
        let first = changes.into_iter().next();
        first.map(|(_, key, change)| (key.clone(), change))
    }

    /// Whether a plugin that was looked at is still loaded. A program may come back, a library doesn't.
    pub(super) fn plugin_is_there(&self, key: &Path, state: &ProgramState) -> bool {
        !state.program.is_plugin || self.instances.values().any(|i| i.program == key)
    }

    /// Forgets a plugin whose library was replaced.
    pub(super) fn plugin_left(&mut self, left: Option<Instance>) {
        let Some(Instance { program, .. }) = left else {
            return;
        };
        if !self
            .programs
            .get(&program)
            .is_some_and(|state| state.program.is_plugin)
        {
            return;
        }
        self.programs.remove(&program);
        if self
            .building
            .as_ref()
            .is_some_and(|building| building.program == program)
        {
            self.drop_build();
        }
        self.watch_files();
    }

    /// Builds plugins again in place of a restart. `false`: more than plugins is concerned.
    pub(super) fn rebuild_plugins(&mut self, program: Option<&Path>, edits: &[Rude]) -> bool {
        let Some(state) = program.and_then(|program| self.programs.get(program)) else {
            return false;
        };
        if !state.program.is_plugin {
            return false;
        }
        let mut folders = BTreeSet::from([state.program.units[0].folder.clone()]);
        for state in self.programs.values() {
            // What several share must be the same in all, the host included.
            if state.shared_changed() {
                return false;
            }
            if state.program.is_plugin && matches!(state.change(), Change::Rude(_)) {
                folders.insert(state.program.units[0].folder.clone());
            }
        }
        let rebuilds: Result<Vec<Rebuild>, _> =
            folders.iter().map(|folder| Rebuild::read(folder)).collect();
        let Ok(rebuilds) = rebuilds else {
            return false;
        };
        let text = format!("{edits:?}");
        if self.said.as_deref() != Some(&text) {
            self.say_rude(edits, "building the plugin again, for its host to reload");
            self.said = Some(text);
        }
        if self.plugins.runs {
            self.plugins.again = true;
            return true;
        }
        self.plugins = Building {
            runs: true,
            again: false,
        };
        let events = self.events.clone();
        std::thread::spawn(move || {
            // The session may have ended meanwhile.
            let _ = events.send(Event::PluginsBuilt(run(&rebuilds)));
        });
        true
    }

    /// How all plugins were made that are loaded now.
    pub(super) fn all_plugins(&self) -> Vec<Rebuild> {
        let plugins = self
            .programs
            .values()
            .filter(|state| state.program.is_plugin);
        let folders: BTreeSet<&Path> = plugins
            .map(|state| state.program.units[0].folder.as_path())
            .collect();
        folders
            .into_iter()
            .filter_map(|folder| Rebuild::read(folder).ok())
            .collect()
    }

    /// Plugins were built again, and wait for their host.
    pub(super) fn plugins_built(&mut self, success: bool) {
        let again = self.plugins.again;
        self.plugins = Building::default();
        match success {
            true => self.report.note("built the plugin again"),
            false => {
                self.report.note("the build failed: the old code runs on");
                // The next save is another try, also if the same edits stand in the way of a patch.
                self.said = None;
            }
        }
        if again {
            self.act(std::time::Instant::now());
        }
    }
}
