//! Programs come and go.

use soft_mock::reloader::protocol::Hello;

use super::*;

/// How often a program's records are looked for, and how long it is waited in between: cargo may be
/// writing them once more.
const ATTEMPTS: usize = 4;
const PAUSE: Duration = Duration::from_millis(250);

fn load(hello: &Hello, pid: u32) -> Result<Program> {
    let mut loaded = Program::load(hello, pid);
    for _ in 1..ATTEMPTS {
        if loaded.is_ok() {
            break;
        }
        std::thread::sleep(PAUSE);
        loaded = Program::load(hello, pid);
    }
    loaded
}

impl Engine {
    pub(super) fn control_event(&mut self, event: ControlEvent) {
        match event {
            ControlEvent::Joined { conn, pid, hello } => {
                let program = plugins::key(&hello);
                self.say_joined(pid, &hello);
                self.joined = true;
                self.instances.insert(
                    conn,
                    Instance {
                        pid,
                        exe: hello.exe.clone(),
                        since: SystemTime::now(),
                        program: program.clone(),
                        sites: Vec::new(),
                    },
                );
                self.tell_program(conn, &ToProgram::Sites(ListSites { id: 0 }));
                if self.programs.contains_key(&program) {
                    self.catch_up(conn, &program);
                } else if !self.loading.contains(&program) {
                    self.loading.push(program.clone());
                    let events = self.events.clone();
                    std::thread::spawn(move || {
                        let loaded = load(&hello, pid).map(Box::new);
                        // The session may have ended meanwhile.
                        let _ = events.send(Event::Loaded(program, loaded));
                    });
                }
            }
            ControlEvent::Message { conn, message } => self.message(conn, message),
            ControlEvent::Left { conn, why } => {
                if let Some(why) = why {
                    self.report
                        .warning(&format!("a program was disconnected: {why}"));
                }
                let left = self.instances.remove(&conn);
                self.answered(conn, None);
                self.remote_left(conn);
                self.has_nothing_to_give(conn);
                self.plugin_left(left);
                let programs = &self.programs;
                let is_there = |program: &Path| programs.contains_key(program);
                self.remote.ledger.keep(is_there);
            }
            ControlEvent::Rejected { why } => self.report.warning(&why),
        }
    }

    pub(super) fn program_loaded(&mut self, folder: PathBuf, program: Result<Box<Program>>) {
        self.loading.retain(|other| *other != folder);
        let program = match program {
            Ok(program) => {
                let mut state = ProgramState::new(*program);
                let mut instances = self.instances.values();
                if let Some(told) = instances.find(|i| i.program == folder && !i.sites.is_empty()) {
                    state.note_sites(&told.sites);
                    if self.attached {
                        state.take_up(&told.sites);
                    }
                }
                state
            }
            Err(error) => {
                return self.report.warning(&format!(
                    "edits can't be patched: {error:#}; start `hot` again to have the program built anew"
                ));
            }
        };
        let files = program.program.watched_files().clone();
        if !self.plugin_is_there(&folder, &program) {
            return;
        }
        ahead::prepare(Arc::clone(&program.program), self.options.verbose);
        self.programs.insert(folder, program);
        self.watch_files();
        // Whatever was saved since the program was built.
        let files: Vec<PathBuf> = files.into_iter().filter(|file| file.exists()).collect();
        self.files_changed_since_build(&files);
    }

    /// A process that joined after patches were installed gets them all.
    pub(super) fn catch_up(&mut self, conn: Connection, program: &Path) {
        let Some(state) = self.programs.get(program) else {
            return;
        };
        for load in state.installed.clone() {
            self.last += 1;
            let load = Load {
                id: self.last,
                ..load
            };
            self.tell_program(conn, &ToProgram::Load(load));
        }
    }
}
