//! Which processes are connected, of which programs, and of which functions each consists.
//!
//! Knows nothing of what a program is made of.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use soft_mock_abi::protocol::{Hello, ListSites, SiteInfo, ToProgram};
use soft_mock_abi::report::Status;

use crate::control::Connection;
use crate::protocol::ProcessStatus;
use crate::session::engine::effect::Effect;

/// A process of a program.
#[derive(Debug)]
struct Process {
    pid: u32,
    exe: PathBuf,
    since: SystemTime,
    program: PathBuf,
    /// The functions it consists of, as soon as it has told them.
    sites: Vec<SiteInfo>,
}

/// The processes of the session.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    here: BTreeMap<Connection, Process>,
    have_been: bool,
}

/// What tells programs apart: the folder of a program's unit, or the very library that a plugin was
/// opened from. Two versions of a plugin are two libraries.
pub(crate) fn program_key(hello: &Hello) -> PathBuf {
    match &hello.image {
        Some(image) => image.clone(),
        None => PathBuf::from(&hello.program),
    }
}

impl Processes {
    pub(crate) fn joined(&mut self, conn: Connection, pid: u32, hello: &Hello) -> Vec<Effect> {
        self.have_been = true;
        let process = Process {
            pid,
            exe: hello.exe.clone(),
            since: SystemTime::now(),
            program: program_key(hello),
            sites: Vec::new(),
        };
        self.here.insert(conn, process);
        vec![Effect::Send(conn, ToProgram::Sites(ListSites { id: 0 }))]
    }

    /// A process has told its functions. Returns them with its program.
    pub(crate) fn told_sites(
        &mut self,
        conn: Connection,
        sites: Vec<SiteInfo>,
    ) -> Option<(&Path, &[SiteInfo])> {
        let process = self.here.get_mut(&conn)?;
        process.sites = sites;
        Some((&process.program, &process.sites))
    }

    /// Returns the program of a process that has left.
    pub(crate) fn left(&mut self, conn: Connection) -> Option<PathBuf> {
        self.here.remove(&conn).map(|process| process.program)
    }

    /// All are to be ended.
    pub(crate) fn restarted(&mut self) {
        self.here.clear();
    }

    pub(crate) fn all(&self) -> Vec<Connection> {
        self.here.keys().copied().collect()
    }

    /// Those of a program.
    pub(crate) fn of(&self, program: &Path) -> Vec<Connection> {
        let mine = self.here.iter().filter(|(_, p)| p.program == program);
        mine.map(|(conn, _)| *conn).collect()
    }

    pub(crate) fn run(&self, program: &Path) -> bool {
        self.here.values().any(|process| process.program == program)
    }

    /// The functions of a program, as far as one of its processes has told them.
    pub(crate) fn sites_of(&self, program: &Path) -> Option<&[SiteInfo]> {
        let mut mine = self.here.values().filter(|p| p.program == program);
        let told = mine.find(|process| !process.sites.is_empty())?;
        Some(&told.sites)
    }

    /// The program and the pid of a process.
    pub(crate) fn who(&self, conn: Connection) -> Option<(&Path, u32)> {
        let process = self.here.get(&conn)?;
        Some((&process.program, process.pid))
    }

    pub(crate) fn pids(&self) -> Vec<u32> {
        self.here.values().map(|process| process.pid).collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.here.is_empty()
    }

    /// Whether a process has ever joined.
    pub(crate) fn have_been_here(&self) -> bool {
        self.have_been
    }

    /// All of them, for people; with what each said of itself.
    pub(crate) fn status(&self, mut told: HashMap<Connection, Status>) -> Vec<ProcessStatus> {
        let mut all: Vec<ProcessStatus> = self
            .here
            .iter()
            .map(|(conn, process)| ProcessStatus {
                pid: process.pid,
                exe: process.exe.clone(),
                since: process.since,
                status: told.remove(conn),
            })
            .collect();
        all.sort_by_key(|process| process.since);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(program: &str, image: Option<&str>) -> Hello {
        Hello {
            version: 1,
            pid: 1,
            exe: "/app".into(),
            units: Vec::new(),
            program: program.into(),
            image: image.map(PathBuf::from),
            installed: Vec::new(),
        }
    }

    fn site(name: &str) -> SiteInfo {
        SiteInfo {
            name: name.into(),
            file: String::new(),
            line: 1,
            signature: String::new(),
            unit: String::new(),
            patched: false,
            running: 0,
        }
    }

    #[test]
    fn processes_come_and_go_with_their_programs() {
        let mut processes = Processes::default();
        assert!(processes.is_empty() && !processes.have_been_here());
        let [one, two, plugin] = [1, 2, 3].map(Connection::numbered);
        let effects = processes.joined(one, 11, &hello("/a", None));
        assert!(
            matches!(effects[..], [Effect::Send(conn, ToProgram::Sites(_))] if conn == one),
            "its functions are asked for"
        );
        processes.joined(two, 12, &hello("/a", None));
        processes.joined(plugin, 12, &hello("/a", Some("/p.so")));
        assert_eq!(processes.of(Path::new("/a")), [one, two]);
        assert_eq!(processes.of(Path::new("/p.so")), [plugin]);
        assert_eq!(processes.who(plugin), Some((Path::new("/p.so"), 12)));

        assert!(processes.sites_of(Path::new("/a")).is_none());
        let (program, _) = processes.told_sites(two, vec![site("a::f")]).expect("here");
        assert_eq!(program, Path::new("/a"));
        let sites = processes.sites_of(Path::new("/a")).expect("told");
        assert_eq!(sites[0].name, "a::f");

        assert_eq!(processes.left(two).as_deref(), Some(Path::new("/a")));
        assert_eq!(processes.left(two), None);
        assert!(processes.run(Path::new("/a")));
        assert_eq!(processes.status(HashMap::new()).len(), 2);
        processes.restarted();
        assert!(processes.is_empty() && processes.have_been_here());
    }
}
