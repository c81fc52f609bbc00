//! Files change: what that comes to, and when something is done about it.

use super::*;

impl Engine {
    pub(super) fn files_changed(&mut self, paths: &[PathBuf], seen: Instant) {
        self.restarted_for = None;
        self.changed_since_build = true;
        self.note(paths);
        if let Some(path) = self.foreign_change(paths) {
            let why = "a watched file that is no source of the program changed".to_owned();
            let rude = vec![Rude {
                file: path,
                line: 1,
                why,
            }];
            return self.rude(None, &rude);
        }
        self.settling = None;
        self.act(seen);
    }

    pub(super) fn files_changed_since_build(&mut self, paths: &[PathBuf]) {
        self.note(paths);
        self.act(Instant::now());
    }

    /// A file below a `--watch` path that no program of ours was built from: only the user knows what it means.
    fn foreign_change(&self, paths: &[PathBuf]) -> Option<PathBuf> {
        if self.programs.is_empty() {
            return None;
        }
        let known = |path: &PathBuf| {
            let canonical = path.canonicalize().unwrap_or_else(|_| path.clone());
            self.programs.values().any(|state| {
                let files = state.program.watched_files();
                files.contains(path) || files.contains(&canonical)
            })
        };
        let source = |path: &PathBuf| path.extension().is_some_and(|ext| ext == "rs");
        paths.iter().find(|p| !source(p) && !known(p)).cloned()
    }

    pub(super) fn act(&mut self, seen: Instant) {
        if self.remote.is_rolling_back() {
            return; // Looked at again when that is done.
        }
        let change = self.first_change();
        self.drop_build();
        match change {
            None => self.said = None,
            Some((program, Change::Patch(wanted))) => self.build(program, wanted, seen),
            Some((_, Change::Syntax(_) | Change::Rude(_))) => {
                let now = Instant::now();
                self.settling = Some((seen, now + SETTLE));
            }
            Some((_, Change::Nothing)) => {}
        }
    }

    /// A text that can't be patched has stood for a while: it is no half of a save.
    pub(super) fn settled(&mut self) {
        let Some((_, until)) = self.settling.take() else {
            return;
        };
        if Instant::now() < until {
            self.settling = Some((until, until));
            return;
        }
        match self.first_change() {
            Some((_, Change::Syntax(error))) => {
                let file = self.shown(&error.path);
                let line = u32::try_from(error.line).unwrap_or(u32::MAX);
                let text = error.to_string();
                if self.said.as_deref() != Some(&text) {
                    self.report.syntax_error(&file, line, &error.message);
                    self.said = Some(text);
                }
            }
            Some((program, Change::Rude(edits))) => self.rude(Some(&program), &edits),
            _ => {}
        }
    }

    /// What had to wait for the answers to another patch.
    pub(super) fn act_postponed(&mut self, seen: Instant) {
        if std::mem::take(&mut self.postponed) {
            self.act(seen);
        }
    }

    fn note(&mut self, paths: &[PathBuf]) {
        let mut others_before: Vec<PathBuf> = self.other_files();
        for state in self.programs.values_mut() {
            state.note(paths);
        }
        // A module that is new may declare others.
        loop {
            let others = self.other_files();
            if others == others_before {
                return;
            }
            // Watched first and read then: no change is missed in between.
            self.watch_files();
            let new: Vec<PathBuf> = others
                .iter()
                .filter(|path| !others_before.contains(path))
                .cloned()
                .collect();
            for state in self.programs.values_mut() {
                state.note(&new);
            }
            others_before = others;
        }
    }

    fn other_files(&self) -> Vec<PathBuf> {
        let states = self.programs.values();
        states
            .flat_map(ProgramState::other_files)
            .cloned()
            .collect()
    }

    /// Watches all files that concern the programs.
    pub(super) fn watch_files(&self) {
        let files = self.programs.values().flat_map(|state| {
            let files = state.program.watched_files().iter();
            files.chain(state.other_files())
        });
        if let Err(error) = self.watcher.set_files(files.cloned()) {
            self.report.warning(&error.to_string());
        }
    }
}
