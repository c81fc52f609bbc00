//! One connection: the program says who it is, then answers what it is asked.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use soft_mock_abi::protocol::{
    Called, FromProgram, Hello, History, Load, Loaded, Refused, Rollback, SiteInfo, SiteList,
    ToProgram, UnitInfo, Waiting, VERSION,
};
use soft_mock_abi::report::Installed;

use crate::images::Image;
use crate::loader::{Interrupted, LoadError};
use crate::patch::{
    history_of, installed_by, patch_of, rollback_when_safe, status_of, Progress, Report,
    RollbackError, Target, Transaction,
};
use crate::registry::{Registry, Site};
use crate::reloader::{Stop, THREAD};
use crate::{registry, signals};

use super::first_calls::{self, Seen};
use super::fork::{self, Connected};
use super::handover;

/// More than any line; who sends more isn't a peer.
const LONGEST_LINE: u64 = 16 << 20;

/// What is known about this program and its peer.
#[derive(Debug, Clone, Default)]
pub(super) struct Program {
    /// What its builder called it; empty if nobody did.
    pub(super) name: String,
    /// The private folder for copies of plugins, which the builder removes.
    pub(super) copies: Option<PathBuf>,
    /// The library that this is about, if it isn't the program itself.
    pub(super) image: Option<&'static Image>,
    /// The session's folder, if there is a session.
    pub(super) session: Option<PathBuf>,
    /// The process at the other end, if what it does is to be logged.
    pub(super) logged: Option<u32>,
}

/// One end of the connection.
struct Connection {
    stream: Connected,
    program: Program,
    /// One line at a time, whole.
    writing: Mutex<()>,
}

/// Answers the peer until it goes away.
pub(super) fn serve(stream: Connected, program: Program, stop: &Stop) -> io::Result<()> {
    let connection = Arc::new(Connection {
        stream,
        program,
        writing: Mutex::new(()),
    });
    let mut reader = BufReader::new(&*connection.stream);
    let Some(hello) = undisturbed(|| hello(&connection.program)) else {
        return Ok(());
    };
    connection.send(&FromProgram::Hello(hello))?;
    let mut line = Vec::new();
    while !stop.is_set() {
        line.clear();
        let read = (&mut reader)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        if !line.ends_with(b"\n") {
            return Err(io::ErrorKind::InvalidData.into()); // Cut off, or endless.
        }
        undisturbed(|| connection.handle(&line))?;
    }
    Ok(())
}

/// Does something while the process doesn't fork: a child would find it half done.
fn undisturbed<R>(act: impl FnOnce() -> R) -> R {
    let _busy = fork::busy();
    act()
}

/// What the program was asked for, and what is said of it.
struct Task {
    id: u64,
    verb: &'static str,
    /// The program's own plugins that it installs.
    plugins: Vec<PathBuf>,
    /// First calls are to be told.
    calls: bool,
}

impl Task {
    fn new(id: u64, verb: &'static str) -> Self {
        Self {
            id,
            verb,
            plugins: Vec::new(),
            calls: false,
        }
    }

    fn load(load: &Load, program: &Program) -> Self {
        let own = program.image.is_none();
        Self {
            plugins: load.plugins.iter().filter(|_| own).cloned().collect(),
            calls: load.calls,
            ..Self::new(load.id, "installed")
        }
    }
}

impl Connection {
    fn send(&self, message: &FromProgram) -> io::Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        let _whole = self.writing.lock();
        // A peer that went away raises SIGPIPE, which this thread blocks; see `signals`.
        (&*self.stream).write_all(&line)
    }

    fn handle(self: &Arc<Self>, line: &[u8]) -> io::Result<()> {
        match serde_json::from_slice(line) {
            Ok(ToProgram::Load(load)) => {
                let id = load.id;
                let task = Task::load(&load, &self.program);
                match self.transaction(load) {
                    Ok(patch) => {
                        let progress = patch.commit_when_safe();
                        self.follow(task, progress, LoadError::functions)
                    }
                    Err(error) => self.finish(Task::new(id, ""), Err(error), |_| Vec::new()),
                }
            }
            Ok(ToProgram::Rollback(Rollback { id, patches })) => {
                // SAFETY: what waits refers to functions that were patched, and only then.
                let progress =
                    unsafe { self.with_sites(|sites| rollback_when_safe(sites, patches)) };
                let progress = progress.unwrap_or(Err(RollbackError::Gone));
                self.follow(Task::new(id, "rolled back"), progress, |_| Vec::new())
            }
            Ok(ToProgram::Sites(question)) => self.send(&FromProgram::Sites(SiteList {
                id: question.id,
                // SAFETY: texts and numbers.
                sites: unsafe { self.with_sites(sites) }.unwrap_or_default(),
            })),
            Ok(ToProgram::History(question)) => self.send(&FromProgram::History(History {
                id: question.id,
                // SAFETY: texts and numbers.
                status: unsafe { self.with_sites(status_of) }.unwrap_or_default(),
                // SAFETY: texts and numbers.
                patches: unsafe { self.with_sites(history_of) }.unwrap_or_default(),
            })),
            Ok(ToProgram::HandOver(question)) => self.send(&FromProgram::HandedOver(
                handover::give(question.id, &self.program),
            )),
            Err(error) => self.send(&FromProgram::Refused(Refused {
                id: 0,
                error: format!("this line was not understood: {error}"),
                functions: Vec::new(),
            })),
        }
    }

    /// # Safety
    /// As for [`with_sites`].
    unsafe fn with_sites<R>(&self, look: impl FnOnce(&Registry) -> R) -> Option<R> {
        // SAFETY: the caller's promise.
        unsafe { with_sites(&self.program, look) }
    }

    fn transaction(&self, load: Load) -> Result<Transaction, String> {
        let mut transaction = Transaction::new()
            .copies_in(self.program.copies.as_deref())
            .in_image(target(&self.program)?);
        for plugin in load.plugins {
            transaction = transaction.plugin(plugin);
        }
        for restore in load.restore {
            transaction = transaction.restore(restore.unit, restore.name);
        }
        Ok(transaction)
    }

    /// Answers now if there is an answer; else says that the program keeps us waiting, and answers
    /// when it did what it was asked for. The connection isn't held up by that.
    fn follow<E>(
        self: &Arc<Self>,
        task: Task,
        progress: Result<Progress<E>, E>,
        functions: fn(&E) -> Vec<String>,
    ) -> io::Result<()>
    where
        E: From<Interrupted> + fmt::Display + Send + 'static,
    {
        let waiting = match progress {
            Ok(Progress::Waiting(result)) => Progress::Waiting(result),
            Ok(Progress::Done(report)) => return self.finish(task, Ok(report), functions),
            Err(error) => return self.finish(task, Err(error), functions),
        };
        self.send(&FromProgram::Waiting(Waiting { id: task.id }))?;
        let connection = Arc::clone(self);
        signals::spawn(THREAD, move || {
            let result = waiting.wait();
            // A peer that went away meanwhile needs no answer.
            let _ = undisturbed(|| connection.finish(task, result, functions));
        })
        .map(drop)
    }

    fn finish<E: fmt::Display>(
        self: &Arc<Self>,
        task: Task,
        result: Result<Report, E>,
        functions: fn(&E) -> Vec<String>,
    ) -> io::Result<()> {
        let Task {
            id,
            verb,
            plugins,
            calls,
        } = task;
        if result.is_ok() {
            fork::record_installed(plugins);
        }
        if let Some(peer) = self.program.logged {
            match &result {
                Ok(report) => log(peer, format_args!("{verb}: {report}")),
                Err(error) => log(peer, format_args!("refused: {error}")),
            }
        }
        let watched = result.as_ref().ok().map(|report| report.patch);
        self.send(&match result {
            Ok(report) => FromProgram::Loaded(Loaded { id, report }),
            Err(error) => FromProgram::Refused(Refused {
                id,
                error: error.to_string(),
                functions: functions(&error),
            }),
        })?;
        if let Some(patch) = watched.filter(|_| calls) {
            self.tell_first_calls(id, patch);
        }
        Ok(())
    }

    /// Tells when functions of a patch are called, for as long as the peer is there.
    fn tell_first_calls(self: &Arc<Self>, id: u64, patch: u64) {
        let connection = Arc::downgrade(self);
        let look = {
            let connection = Weak::clone(&connection);
            move || {
                let Some(connection) = connection.upgrade() else {
                    return Seen::Nothing;
                };
                let look = |sites: &Registry| installed_by(sites, patch);
                // SAFETY: texts and numbers.
                let seen = undisturbed(|| unsafe { connection.with_sites(look) });
                seen.map_or(Seen::Nothing, Seen::Functions)
            }
        };
        let tell = move |functions: Vec<Installed>, after: Duration| {
            let called = FromProgram::Called(Called {
                id,
                functions,
                after,
            });
            let connection = connection.upgrade();
            connection.is_some_and(|peer| undisturbed(|| peer.send(&called)).is_ok())
        };
        // Without a thread nothing is told, and the status has it all the same.
        let _ = signals::spawn(THREAD, move || first_calls::watch(look, tell));
    }
}

/// Whoever changes a program that listens leaves a trace: an event if the program collects those, a
/// line on its standard error if not.
fn log(peer: u32, what: fmt::Arguments<'_>) {
    if tracing::dispatcher::has_been_set() {
        tracing::info!(target: "soft_mock", peer, "{what}");
    } else {
        // Not `eprintln!`: a closed standard error must not end the reloader.
        let _ = writeln!(io::stderr(), "soft-mock: for process {peer}: {what}");
    }
}

/// None: the library is gone.
fn hello(program: &Program) -> Option<Hello> {
    let units = |sites: &Registry| sites.units().iter().map(unit_info).collect();
    // SAFETY: texts and numbers.
    let units = unsafe { with_sites(program, units) }?;
    Some(Hello {
        version: VERSION,
        pid: std::process::id(),
        exe: std::env::current_exe().unwrap_or_default(),
        units,
        program: program.name.clone(),
        image: program.image.map(|image| image.path().to_owned()),
        installed: match program.image {
            Some(_) => Vec::new(),
            None => fork::installed(),
        },
    })
}

/// Looks at the sites of the program, or at those of the library that this is about. None: it is
/// gone, or its sites can't be used.
///
/// # Safety
/// What `look` returns or leaves behind refers to none of the sites, unless a patch did so before:
/// then the library stays.
unsafe fn with_sites<R>(program: &Program, look: impl FnOnce(&Registry) -> R) -> Option<R> {
    let Some(image) = program.image else {
        return registry::registry().ok().map(look);
    };
    let inside = image.enter()?;
    // SAFETY: what `look` returns holds nothing of them, by the caller's promise.
    let sites = unsafe { inside.sites() }.ok()?;
    Some(look(&sites))
}

fn unit_info(unit: &registry::Unit) -> UnitInfo {
    UnitInfo {
        crate_name: unit.krate.name().to_owned(),
        unit: format!("{:016x}", unit.krate.unit()),
        rustc: unit.krate.rustc().to_owned(),
        sites: unit.sites,
    }
}

/// The library that a patch is for, which from now on stays for ever.
fn target(program: &Program) -> Result<Option<Arc<Target>>, String> {
    let Some(image) = program.image else {
        return Ok(None);
    };
    let inside = image.enter().ok_or("the plugin was unloaded")?;
    let sites = inside.pinned_sites().map_err(|error| error.to_string())?;
    let path = image.path().to_owned();
    Ok(Some(Arc::new(Target { sites, path })))
}

fn sites(registry: &Registry) -> Vec<SiteInfo> {
    let info = |site: &'static Site| SiteInfo {
        name: site.name().to_owned(),
        file: site.file().to_owned(),
        line: site.line(),
        signature: site.signature().to_owned(),
        unit: format!("{:016x}", site.unit()),
        patched: patch_of(site).is_some(),
        running: site.running().unwrap_or(0),
    };
    registry.sites().map(info).collect()
}
