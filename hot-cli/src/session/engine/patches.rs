//! A patch on its way: built on another thread, sent to all processes of its program, answered by each.

use super::*;

/// A patch that is being built.
pub(super) struct Building {
    pub(super) number: u64,
    pub(super) program: PathBuf,
    pub(super) wanted: Box<Wanted>,
    pub(super) cancel: Cancel,
    pub(super) since: Instant,
}

/// A patch that was sent and isn't answered by all processes yet.
pub(super) struct Sent {
    pub(super) program: PathBuf,
    pub(super) wanted: Box<Wanted>,
    /// Functions that differ, but are called just once.
    pub(super) once: Vec<PlannedFunction>,
    /// Statics that begin with another value now.
    pub(super) kept: Vec<String>,
    pub(super) load: Load,
    pub(super) since: Instant,
    /// Who got it, and who of them has not answered yet.
    pub(super) recipients: Vec<Connection>,
    pub(super) waiting: Vec<Connection>,
    pub(super) loaded: Option<Loaded>,
    pub(super) refused: Option<Refused>,
    /// The user knows that the program keeps it waiting.
    pub(super) said_waiting: bool,
}

impl Engine {
    pub(super) fn drop_build(&mut self) {
        if let Some(building) = self.building.take() {
            building.cancel.cancel();
        }
    }

    pub(super) fn build(&mut self, program: PathBuf, wanted: Box<Wanted>, since: Instant) {
        // What is on its way decides what of whole crates is loaded.
        let on_its_way = self.sent.values().any(|sent| sent.program == program);
        if on_its_way && !wanted.spreading.is_empty() {
            self.postponed = true;
            return;
        }
        let Some(state) = self.programs.get(&program) else {
            return;
        };
        self.last += 1;
        let number = self.last;
        let cancel = Cancel::default();
        let job = patch::Job {
            program: Arc::clone(&state.program),
            wanted: (*wanted).clone(),
            folder: self.folder.patch(number),
            number,
            coloured: self.report.is_coloured(),
            cancel: cancel.clone(),
        };
        self.building = Some(Building {
            number,
            program,
            wanted,
            cancel,
            since,
        });
        let events = self.events.clone();
        std::thread::spawn(move || {
            // The session may have ended meanwhile.
            let _ = events.send(Event::Built(number, patch::build(&job)));
        });
    }

    pub(super) fn patch_built(&mut self, number: u64, built: Result<Built, BuildError>) {
        let Some(building) = self.building.take_if(|building| building.number == number) else {
            return;
        };
        match built {
            Ok(built) => self.install(building, built),
            Err(BuildError::Cancelled) => {}
            Err(BuildError::Compile(text)) => {
                if self.said.as_deref() != Some(&text) {
                    self.report.compile_error(&text);
                    self.said = Some(text);
                }
            }
            Err(BuildError::Rude(edits)) => self.rude(Some(&building.program), &edits),
        }
    }

    /// Sends a patch to all processes of its program.
    pub(super) fn install(&mut self, mut building: Building, built: Built) {
        for note in &built.notes {
            self.report.detail(|| note.clone());
        }
        let Some(state) = self.programs.get_mut(&building.program) else {
            return;
        };
        building.wanted.plan.clone_from(&built.plan);
        let is_there = built.plugins.len() == built.whole.len() && state.runs(&built.whole);
        let whole = built.whole.iter().cloned();
        building.wanted.earlier.extend(whole);
        let restore: Vec<Restore> = building
            .wanted
            .plan
            .iter()
            .flat_map(|(position, unit)| {
                let id = format!("{:016x}", state.program.units[*position].unit.id);
                unit.restore.iter().map(move |function| Restore {
                    unit: id.clone(),
                    name: function.name.clone(),
                })
            })
            .collect();
        if (built.plugins.is_empty() || is_there) && restore.is_empty() {
            state.nothing_differs(&building.wanted);
            return self.tell_nothing_differs(&building.wanted, &built);
        }
        let load = Load {
            id: building.number,
            plugins: built.plugins,
            restore,
        };
        let waiting: Vec<Connection> = self
            .instances
            .iter()
            .filter(|(_, instance)| instance.program == building.program)
            .map(|(conn, _)| *conn)
            .collect();
        self.sent.insert(
            load.id,
            Sent {
                program: building.program,
                wanted: building.wanted,
                once: built.once,
                kept: built.kept,
                load: load.clone(),
                since: building.since,
                recipients: waiting.clone(),
                waiting: waiting.clone(),
                loaded: None,
                refused: None,
                said_waiting: false,
            },
        );
        for conn in waiting {
            self.tell_program(conn, &ToProgram::Load(load.clone()));
        }
    }

    /// One process answered, or is gone.
    pub(super) fn answered(&mut self, conn: Connection, answer: Option<Result<Loaded, Refused>>) {
        let id = match &answer {
            Some(Ok(loaded)) => Some(loaded.id),
            Some(Err(refused)) => Some(refused.id),
            None => None,
        };
        if let Some(Err(refused)) = &answer {
            if !self.sent.contains_key(&refused.id) {
                let why = format!(
                    "a process that joined later refused an earlier patch: {}",
                    refused.error
                );
                self.report.warning(&why);
            }
        }
        let mut done = Vec::new();
        for (number, sent) in &mut self.sent {
            if id.is_some_and(|id| id != *number) || !sent.waiting.contains(&conn) {
                continue;
            }
            sent.waiting.retain(|other| *other != conn);
            match &answer {
                Some(Ok(loaded)) => sent.loaded = Some(loaded.clone()),
                Some(Err(refused)) => sent.refused = Some(refused.clone()),
                None => {}
            }
            if sent.waiting.is_empty() {
                done.push(*number);
            }
        }
        for number in done {
            if let Some(sent) = self.sent.remove(&number) {
                self.finished(sent);
            }
        }
    }

    /// All processes have answered.
    pub(super) fn finished(&mut self, sent: Sent) {
        if let Some(refused) = &sent.refused {
            let why = format!("the program refused the patch: {}", refused.error);
            let rude: Vec<Rude> = first_edit(&sent.wanted, &why);
            self.rude(Some(&sent.program), &rude);
            return self.act_postponed(sent.since);
        }
        let Some(loaded) = &sent.loaded else {
            return;
        };
        self.said = None;
        self.tell(&sent, loaded);
        let files = sent.wanted.plan.values().flat_map(|unit| unit.files.keys());
        self.tell_kept_sources(files.cloned().collect());
        self.note_patch(&sent, &loaded.clone());
        for (conn, instance) in &self.instances {
            let joined_since = instance.program == sent.program && !sent.recipients.contains(conn);
            if joined_since {
                self.tell_program(*conn, &ToProgram::Load(sent.load.clone()));
            }
        }
        if let Some(state) = self.programs.get_mut(&sent.program) {
            state.installed(&sent.wanted, sent.load);
        }
        self.postponed = false;
        // Another program of the session may be built from the same files.
        self.act(sent.since);
    }
}
