//! The loop's steps for edited manifests and lock files: cargo is asked whether the program's
//! crates would be compiled otherwise, and then the files are looked at again.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::effect::Effect;
use super::jobs::Job;
use super::{Engine, Policy};
use crate::dry_build::Question;
use crate::program::state::Judgement;
use crate::session::{restart, settings};
use crate::ui::{self, shown};

impl Engine {
    /// Has cargo asked what the manifests of a program mean.
    pub(super) fn ask_cargo(&mut self, program: &Path, since: Instant) {
        let Some(loaded) = self.programs.get(program).map(Arc::clone) else {
            return;
        };
        let files = self.programs.edited_manifests(program);
        let number = self.numbers.next();
        let Some(cancel) = self.dry_builds.begin(number, program, &files, since) else {
            return;
        };
        // Of what another session started it isn't known.
        let knows_command = self.policy != Policy::Attached;
        // What the manifests include now is part of the command.
        let launch = knows_command.then(|| self.command.include.launch());
        let build = launch.and_then(|launch| restart::build_only(&launch.ok()?));
        let question = Question {
            program: loaded,
            files,
            build,
            cancel,
        };
        self.outside.notice_waits_of_dry_build(true);
        self.perform([Effect::Start(Job::DryBuild(number, Box::new(question)))]);
    }

    /// Cargo was asked. None as the judgement: that was cancelled.
    pub(super) fn judged(&mut self, number: u64, judgement: Option<Judgement>) {
        let Some(asked) = self.dry_builds.end(number) else {
            return; // Saved since, or restarted.
        };
        self.outside.notice_waits_of_dry_build(false);
        let Some(judgement) = judgement else {
            return;
        };
        self.tell_settings();
        match judgement.means_nothing() {
            false => self.dry_builds.mean_something(),
            true if self.dry_builds.is_news(&judgement.files) => {
                let files = judgement.files.keys().map(|path| shown(path)).collect();
                self.tell(ui::Event::ManifestsMeanNothing { files });
            }
            true => {}
        }
        self.programs.record_judgement(&asked.program, judgement);
        self.act(asked.since);
    }

    /// The session's own settings may stand there as well: those that a session begins with.
    fn tell_settings(&mut self) {
        match settings::of_manifests(&self.command.launch) {
            Ok(now) => {
                // Those that decide what is compiled are cargo's to say.
                let mut names = now.changed_since(&self.command.settings);
                names.retain(|name| !["include", "skip"].contains(name));
                if !names.is_empty() {
                    self.tell(ui::Event::SettingsWait(names));
                }
                self.command.settings = now;
            }
            Err(error) => self.tell(ui::Event::Warning(format!("{error:#}"))),
        }
    }
}
