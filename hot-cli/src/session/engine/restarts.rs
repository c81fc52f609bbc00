//! What can't be patched: said, and then the program is built again and restarted, or runs on.

use super::*;

/// A second restart would change as little as the first.
const IN_VAIN: &str =
    "the program was restarted for that, and is still the one from before the edit: what the \
                       command starts isn't built from this file";

impl Engine {
    pub(super) fn rude(&mut self, program: Option<&Path>, edits: &[Rude]) {
        if self.rebuild_plugins(program, edits) {
            return;
        }
        let text = format!("{edits:?}");
        if self.said.as_deref() == Some(&text) {
            return;
        }
        let in_vain = self.restarted_for.as_ref() == Some(&text);
        self.said = Some(text);
        self.tell_kept_sources(edits.iter().map(|edit| edit.file.clone()).collect());
        if self.attached {
            return self.say_rude(
                edits,
                "the old code runs on (`hot attach` restarts nothing)",
            );
        }
        if self.options.no_restart {
            return self.say_rude(edits, "the old code runs on (--no-restart)");
        }
        if in_vain {
            return self.say_rude(edits, IN_VAIN);
        }
        // What the sources of included crates hold now decides what cargo takes for built.
        match self.include.launch() {
            Ok(launch) if !self.restarting => self.launch = launch,
            Ok(_) => {}
            Err(error) => {
                self.said = None;
                self.say_rude(edits, "the old code runs on");
                return self.report.error(&format!("{error:#}"));
            }
        }
        self.changed_since_build = false;
        crate::rustc::toolchain::forget_versions(self.folder.path());
        for state in self.programs.values() {
            if let Err(error) = state.build_again() {
                // A target folder that was removed: cargo builds all of it.
                self.report.detail(|| format!("{error:#}"));
            }
        }
        let plugins = self.all_plugins();
        match restart::build_only(&self.launch) {
            Some(mut command) if !self.restarting => {
                self.say_rude(edits, "building again, then restarting");
                self.restarting = true;
                let events = self.events.clone();
                std::thread::spawn(move || {
                    let success = command.status().is_ok_and(|status| status.success());
                    let success = success && plugins::run(&plugins);
                    // The session may have ended meanwhile.
                    let _ = events.send(Event::Rebuilt(success));
                });
            }
            Some(_) => {}
            None => {
                self.say_rude(edits, "restarting");
                self.restarting = true;
                let _ = self.events.send(Event::Rebuilt(true));
            }
        }
    }

    /// Cargo's copy of a package from a registry or from git was edited: who knows, said once.
    pub(super) fn tell_kept_sources(&mut self, files: Vec<PathBuf>) {
        let units = self
            .programs
            .values()
            .flat_map(|state| &state.program.units);
        let kept = units.filter_map(|loaded| loaded.unit.kept.clone());
        let edited = kept.filter(|folder| files.iter().any(|file| file.starts_with(folder)));
        let new: Vec<PathBuf> = edited
            .filter(|folder| !self.told_kept.contains(folder))
            .collect();
        for folder in new {
            if self.told_kept.insert(folder.clone()) {
                self.report.note(&format!(
                    "{} is cargo's own copy of the package: the edit stays there, for all projects that use it, and \
                     cargo alone does not notice it",
                    folder.display()
                ));
            }
        }
    }

    pub(super) fn say_rude(&self, edits: &[Rude], what_now: &str) {
        let shown: Vec<(String, u32, &str)> = edits
            .iter()
            .map(|edit| {
                let line = u32::try_from(edit.line).unwrap_or(u32::MAX);
                (self.shown(&edit.file), line, edit.why.as_str())
            })
            .collect();
        let list: Vec<RudeEdit<'_>> = shown
            .iter()
            .map(|(file, line, why)| RudeEdit {
                file,
                line: *line,
                why,
            })
            .collect();
        self.report.rude(&list, what_now);
    }

    /// The project was built again: the program makes way for the new one, or runs on.
    pub(super) fn rebuilt(&mut self, success: bool) {
        if !success {
            self.restarting = false;
            self.report.note("the build failed: the old code runs on");
            // The next save is another try, also if the same edits stand in the way of a patch.
            self.said = None;
            return;
        }
        self.hand_over();
    }

    /// Ends the processes and starts the command again.
    pub(super) fn restart(&mut self) -> Option<u8> {
        self.restarting = false;
        self.drop_build();
        let pids: Vec<u32> = self
            .instances
            .values()
            .map(|instance| instance.pid)
            .collect();
        self.supervisor.stop(&pids, GRACE);
        self.programs.clear();
        self.remote.restarted();
        self.loading.clear();
        self.instances.clear();
        self.sent.clear();
        self.settling = None;
        self.restarted_for = self.said.take().filter(|_| !self.changed_since_build);
        match self.supervisor.start(&self.launch) {
            Ok(run) => {
                self.run = run;
                self.report.note("restarted");
                None
            }
            Err(error) => {
                self.report.error(&error.to_string());
                Some(error.exit_code())
            }
        }
    }
}
