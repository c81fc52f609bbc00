//! The loop's steps from a save to "patched", in their order; `engine.rs` has the overview.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use soft_mock_abi::protocol::{Loaded, Refused, Restore, ToProgram};

use super::effect::Effect;
use super::jobs::{Job, SyntaxCheck};
use super::parts::patches::{Building, Finished, Patch};
use super::parts::saves::{News, Trouble};
use super::rude_edits::{in_full, trouble};
use super::{announce, Engine, Event, Policy};
use crate::control::Connection;
use crate::patch::{self, BuildError, Built};
use crate::program::plan::{Change, Rude, Wanted};
use crate::program::state::Bodies;
use crate::ui::{self, CompilerOutput, Reason};

/// As long as a person waits for an answer before they doubt that one will come.
const PATIENCE: Duration = Duration::from_secs(4);

impl Engine {
    /// Files were saved.
    pub(super) fn saved(&mut self, paths: &[PathBuf], seen: Instant) {
        match self.pause.saved(paths) {
            Some(files) => self.tell(ui::Event::SavedInPause { files }),
            None => self.apply(paths, seen),
        }
    }

    /// Files were saved, and count.
    pub(super) fn apply(&mut self, paths: &[PathBuf], seen: Instant) {
        if self.clears {
            self.outside.reporter.clear();
        }
        self.tell(ui::Event::Saved { files: paths.len() });
        self.restarts.saved();
        self.saves.saved();
        self.syntax_checks.drop_check();
        let effects = self.meanings.saved();
        self.perform(effects);
        self.patches.saved(self.programs.are_sources(paths));
        self.record_files(paths);
        match self.programs.foreign_file(paths) {
            None => self.act(seen),
            Some(file) => self.refused(
                None,
                &[Rude {
                    file,
                    line: 1,
                    why: "a watched file that is no source of the program changed".to_owned(),
                }],
            ),
        }
    }

    /// Reads files, and those of modules that they declare.
    pub(super) fn record_files(&mut self, paths: &[PathBuf]) {
        let mut others = self.programs.record_files(paths);
        while let Some(new) = others {
            // Watched first and read then: no change is missed in between.
            self.outside.watch(self.programs.files());
            others = self.programs.record_files(&new);
        }
    }

    /// Does what the files ask for. `seen` is the time of the save.
    pub(super) fn act(&mut self, seen: Instant) {
        if self.rollbacks.is_under_way() || self.pause.is_on() {
            return; // Looked at again when that is done.
        }
        let change = self.first_change();
        if self.patches.goes_on() && !self.makes_it_needless(change.as_ref()) {
            return; // Looked at again when it is there.
        }
        let was_building = self.patches.overtake();
        match change {
            None | Some((_, Change::Nothing)) => {
                self.patches.nothing_waits();
                self.nothing_asked(was_building);
            }
            Some((program, Change::Patch(wanted))) => self.build(program, wanted, seen),
            Some((program, Change::Unknown)) => self.ask_cargo(&program, seen),
            Some((program, Change::Rude { beside, .. })) => match beside {
                Some(wanted) => self.build(program, wanted, seen),
                None => self.saves.settle(Instant::now()),
            },
            Some((_, Change::Syntax(_))) => self.saves.settle(Instant::now()),
        }
    }

    /// Whether what is being built is no step on the way to this.
    fn makes_it_needless(&self, change: Option<&(PathBuf, Change)>) -> bool {
        match change {
            None | Some((_, Change::Nothing)) => true,
            Some((_, Change::Rude { beside: None, .. })) => self.policy == Policy::Restart,
            Some(_) => false,
        }
    }

    /// What runs is what the files say. Said if it answers a save that took back an edit, one that
    /// a patch `was_building` for among them, or one of code that the program was built without.
    fn nothing_asked(&mut self, was_building: bool) {
        let asked = self.saves.are_unanswered();
        let had_no_effect = self.programs.record_nothing_asked() || was_building;
        let is_other_code = self.programs.record_texts();
        if self.saves.are_in_effect() || asked && had_no_effect {
            self.tell(ui::Event::TakenBack);
        } else if asked && is_other_code {
            self.tell(ui::Event::NothingDiffers);
        }
    }

    /// A text that can't be patched may have stood for long enough: then it is no half of a save.
    pub(super) fn settled(&mut self) {
        if !self.saves.has_settled(Instant::now()) || self.pause.is_on() {
            return;
        }
        match self.first_change() {
            Some((program, Change::Syntax(error))) => {
                let at = Reason {
                    file: ui::shown(&error.path),
                    line: announce::line(error.line),
                    why: error.message.clone(),
                };
                self.check_syntax(&program, error.path, at);
            }
            Some((program, Change::Rude { edits, .. })) => self.refused(Some(&program), &edits),
            _ => {}
        }
    }

    /// Has rustc asked about a file that can't be parsed.
    fn check_syntax(&mut self, program: &Path, file: PathBuf, at: Reason) {
        let Some(program) = self.programs.get(program) else {
            return;
        };
        let number = self.numbers.next();
        let check = SyntaxCheck {
            number,
            program: Arc::clone(program),
            file,
            at,
            coloured: self.outside.is_coloured(),
            cancel: self.syntax_checks.begin(number),
        };
        self.perform([Effect::Start(Job::CheckSyntax(Box::new(check)))]);
    }

    /// rustc said something of a file that can't be parsed, or nothing.
    pub(super) fn syntax_checked(
        &mut self,
        number: u64,
        at: Reason,
        compiler: Option<CompilerOutput>,
    ) {
        if !self.syntax_checks.end(number) {
            return; // Saved since.
        }
        let said = compiler.as_ref().map(CompilerOutput::plain);
        let said = said.unwrap_or_else(|| at.why.clone());
        let news = self.saves.trouble(Trouble {
            // The same error on another line is the same error.
            key: said.replace(|c: char| c.is_ascii_digit() || c.is_whitespace(), ""),
            text: said,
        });
        let again = news == News::Again;
        match (news, compiler) {
            (News::Known, _) => {}
            (_, Some(compiler)) => self.tell(ui::Event::CompileError { compiler, again }),
            (_, None) => self.tell(ui::Event::SyntaxError { at, again }),
        }
    }

    fn first_change(&self) -> Option<(PathBuf, Change)> {
        self.programs.first_change(self.policy == Policy::Restart)
    }

    /// Has a patch built.
    pub(super) fn build(&mut self, program: PathBuf, wanted: Box<Wanted>, since: Instant) {
        if self.patches.must_wait(&program, &wanted) {
            return;
        }
        let Some(loaded) = self.programs.get(&program) else {
            return;
        };
        let number = self.numbers.next();
        let job = patch::Job {
            program: Arc::clone(loaded),
            wanted: (*wanted).clone(),
            folder: self.folder.patch(number),
            number,
            coloured: self.outside.is_coloured(),
            whole_crates: true,
            checks_only: false,
            cancel: self.patches.begin(number, program, wanted, since),
        };
        self.perform([
            Effect::Start(Job::BuildPatch(Box::new(job))),
            Effect::Later(PATIENCE, Event::BuildTakesLong(number)),
        ]);
    }

    /// A patch may still be built: who has saved is told that it is.
    pub(super) fn build_takes_long(&self, number: u64) {
        let wanted = self.patches.built_by(number);
        self.tell_all(wanted.and_then(announce::still_building));
    }

    /// A patch was built, or not.
    pub(super) fn built(&mut self, number: u64, built: Result<Built, BuildError>) {
        let Some(building) = self.patches.take_built(number) else {
            return; // A newer save took its place.
        };
        let (is_outdated, since) = (building.is_outdated, building.since);
        match built {
            Ok(built) => self.install(building, built),
            Err(BuildError::Cancelled) => {}
            Err(BuildError::Compile(compiler)) => {
                let news = self.saves.trouble(Trouble::said(&compiler.plain()));
                if news != News::Known {
                    let again = news == News::Again;
                    self.tell(ui::Event::CompileError { compiler, again });
                }
            }
            Err(BuildError::Rude(_)) if is_outdated && !self.refuses_outdated() => {}
            Err(BuildError::Rude(edits)) => self.not_built(&building, &edits),
        }
        if is_outdated && !self.patches.are_any() && !self.restarts.is_under_way() {
            self.act(since);
        }
    }

    /// Whether what is refused of files that were saved since counts. A restart runs what they hold
    /// now, whatever the reason; without one, only they can be told apart from what runs.
    fn refuses_outdated(&mut self) -> bool {
        self.policy == Policy::Restart && self.patches.is_in_vain_again()
    }

    /// It can't be built because of these edits. If something was refused before, what was edited
    /// since may do without that.
    fn not_built(&mut self, building: &Building, edits: &[Rude]) {
        let Building {
            program,
            wanted,
            since,
            ..
        } = building;
        if !wanted.without.is_empty() {
            let mut all = wanted.without.clone();
            all.extend(
                edits
                    .iter()
                    .filter(|edit| !wanted.without.contains(edit))
                    .cloned(),
            );
            // Bodies that were saved with what is new among them may do without that as well.
            let waiting = match all.len() > wanted.without.len() {
                true => Bodies::Some,
                false => Bodies::All,
            };
            return self.refused_with(Some(program), &all, waiting);
        }
        match self.programs.without(program, edits) {
            Some(wanted) => self.build(program.clone(), wanted, *since),
            None => self.refused(Some(program), edits),
        }
    }

    /// Sends it to all processes of its program, unless they already run that.
    fn install(&mut self, mut building: Building, built: Built) {
        for note in &built.notes {
            self.tell(ui::Event::Detail(note.clone()));
        }
        let wanted = &mut building.wanted;
        wanted.plan.clone_from(&built.plan);
        wanted
            .earlier
            .extend(built.whole_crate_plugins.iter().cloned());
        wanted.left.extend(built.left.iter().cloned());
        if !self.programs.know(&building.program) {
            return; // It has left meanwhile.
        }
        match self.programs.to_install(&building.program, &built) {
            Some(restore) => {
                let processes = self.processes.of(&building.program);
                if processes.is_empty() {
                    return self.tell(ui::Event::NobodyRuns);
                }
                self.ask_before(&building, &restore, &processes);
                let calls = self.outside.reporter.tells_calls();
                let patches = &mut self.patches;
                let effects = patches.send(building, built, restore, processes, calls);
                self.perform(effects);
            }
            None => {
                let Building {
                    program, wanted, ..
                } = &building;
                self.programs.record_nothing_differs(program, wanted);
                if !wanted.without.is_empty() {
                    return self.act(building.since); // What stands in the way is said again.
                }
                let asked = self.saves.are_unanswered();
                let kept = self.programs.newly_kept(
                    program,
                    &built.preserved_statics,
                    built.alone.is_empty(),
                );
                let events = announce::nothing_differs(wanted, &built, &kept).into_iter();
                self.tell_all(events.filter(|event| asked || *event != ui::Event::NothingDiffers));
                self.saves.are_in_effect();
            }
        }
    }

    /// Whether what is replaced now was called, if the user was told that it wasn't.
    fn ask_before(&mut self, building: &Building, restore: &[Restore], to: &[Connection]) {
        let units = building.wanted.plan.values();
        let patched = units.flat_map(|unit| unit.patch.iter().map(|function| &*function.name));
        let all = patched.chain(restore.iter().map(|function| &*function.name));
        let id = self.numbers.next();
        let program = &building.program;
        let effects = self.uncalled.before(id, program, all, to.to_vec());
        self.perform(effects);
    }

    /// The functions of a patch had the time to be called.
    pub(super) fn calls_due(&mut self, patch: u64) {
        let program = self.uncalled.waited_for(patch);
        // What is about to be restarted begins anew.
        let Some(program) = program.filter(|_| !self.restarts.is_under_way()) else {
            return;
        };
        let processes = self.processes.of(program);
        let id = self.numbers.next();
        let effects = self.uncalled.due(patch, id, processes);
        self.perform(effects);
    }

    /// A process installed a patch, or refuses it.
    pub(super) fn answered(&mut self, conn: Connection, answer: Result<Loaded, Refused>) {
        if let Err(refused) = &answer {
            if !self.patches.is_on_its_way(refused.id) {
                self.tell(ui::Event::Warning(format!(
                    "a process that joined later refused an earlier patch: {}",
                    refused.error
                )));
            }
        }
        if let Some(finished) = self.patches.answered(conn, answer) {
            self.finished(finished);
        }
    }

    /// All processes have answered.
    pub(super) fn finished(&mut self, finished: Finished) {
        let Finished { patch, answer } = finished;
        let since = patch.since;
        match answer {
            Some(Ok(loaded)) => {
                self.active(&patch, &loaded);
                self.patches.take_postponed();
                // Another program of the session may be built from the same files.
                self.act(since);
            }
            Some(Err(refused)) => {
                let edits = announce::refused_patch(&patch.wanted, &refused.error);
                let waiting = match patch.wanted.without.is_empty() {
                    true => Bodies::Some,
                    false => Bodies::All,
                };
                self.refused_with(Some(&patch.program), &edits, waiting);
                self.act_if_postponed(since);
            }
            None => self.act_if_postponed(since),
        }
    }

    fn act_if_postponed(&mut self, seen: Instant) {
        if self.patches.take_postponed() {
            self.act(seen);
        }
    }

    /// A patch is active: said, and taken down.
    fn active(&mut self, patch: &Patch, loaded: &Loaded) {
        let program = &patch.program;
        let kept =
            self.programs
                .newly_kept(program, &patch.preserved_statics, patch.alone.is_empty());
        let events = announce::patched(patch, &kept, loaded, patch.since.elapsed());
        let restored = patch.load.restore.iter().map(|function| &*function.name);
        self.uncalled.replaced(program, restored);
        let new = announce::functions(&events);
        self.uncalled.replaced(program, new);
        let callable = announce::callable(&events);
        let look = self.uncalled.patched(patch.load.id, program, callable);
        self.tell_all(events);
        self.perform(look);
        self.tally.patched(patch.since, Instant::now());
        if patch.wanted.without.is_empty() {
            self.saves.are_in_effect();
        } else {
            let without = &patch.wanted.without;
            let waiting = [without.as_slice(), &patch.wanted.waiting].concat();
            self.tell(ui::Event::StillWithout(announce::reasons(&waiting)));
            self.saves.are_in_effect_but_for(trouble(without));
            if !patch.wanted.waiting.is_empty() {
                self.saves.wait_as_well(&in_full(&patch.wanted.waiting));
            }
        }
        let units = patch.wanted.plan.values();
        self.tell_edited_copies(units.flat_map(|unit| unit.files.keys()));
        let record = self.programs.history_record(patch, loaded, &self.ledger);
        if let Some(record) = record {
            self.ledger.record_patch(record);
        }
        let warnings = loaded.report.warnings.iter().cloned();
        self.tell_all(warnings.map(ui::Event::Warning));
        // Those that have joined since.
        for conn in self.processes.of(&patch.program) {
            if !patch.recipients.contains(&conn) {
                self.perform([Effect::Send(conn, ToProgram::Load(patch.load.clone()))]);
            }
        }
        self.programs.record_patch(patch);
        let mut units = patch.wanted.plan.values();
        if units.any(|unit| !unit.included.is_empty()) {
            self.watch_files(); // What they hold then is looked at after that.
        }
        let effects = self.meanings.patched(patch);
        self.perform(effects);
    }

    /// Cargo's copy of a package from a registry or from git was edited: who knows, said once.
    pub(super) fn tell_edited_copies<'a>(
        &mut self,
        files: impl Iterator<Item = &'a PathBuf> + Clone,
    ) {
        let copies = self.programs.newly_edited_copies(files).into_iter();
        self.tell_all(copies.map(|folder| ui::Event::CargosCopyEdited { folder }));
    }

    pub(super) fn tell_all(&self, events: impl IntoIterator<Item = ui::Event>) {
        self.perform(events.into_iter().map(Effect::Tell));
    }

    /// Watches all files that concern the programs.
    pub(super) fn watch_files(&self) {
        self.outside.watch(self.programs.files());
        self.outside.watch_folders(self.programs.folders());
    }
}
