//! Which session is meant: that of this project, or the one that was named.

use std::path::{Path, PathBuf};

use anyhow::{bail, Result};

use super::server;
use crate::os::session_dir;
use crate::protocol::{Reply, Request, SessionInfo};

/// A session that runs, and where its folder is.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) folder: PathBuf,
    pub(crate) info: SessionInfo,
}

/// All sessions of this user that answer.
pub(crate) fn all() -> Vec<Session> {
    let answering = session_dir::running().into_iter().filter_map(|folder| {
        match server::call(&folder, &Request::Who).ok()? {
            Reply::Who(info) => Some(Session { folder, info }),
            _ => None,
        }
    });
    answering.collect()
}

/// The one that is meant.
pub(crate) fn one(pid: Option<u32>) -> Result<Session> {
    let here = std::env::current_dir().unwrap_or_default();
    choose(all(), pid, &here)
}

/// All that answer, those of this project first.
pub(crate) fn all_in_order(here: &Path) -> Vec<Session> {
    in_order(all(), here)
}

fn in_order(mut sessions: Vec<Session>, here: &Path) -> Vec<Session> {
    sessions.sort_by_key(|session| !is_project(&session.info.folder, here));
    sessions
}

/// Those of this project that answer.
pub(crate) fn here() -> Vec<Session> {
    let here = std::env::current_dir().unwrap_or_default();
    let mut sessions = all();
    sessions.retain(|session| is_project(&session.info.folder, &here));
    sessions
}

fn choose(mut sessions: Vec<Session>, pid: Option<u32>, here: &Path) -> Result<Session> {
    let is_meant = |session: &Session| match pid {
        Some(pid) => session.info.pid == pid,
        None => is_project(&session.info.folder, here),
    };
    let meant: Vec<usize> = (0..sessions.len())
        .filter(|position| is_meant(&sessions[*position]))
        .collect();
    match (meant.as_slice(), pid) {
        ([position], _) => Ok(sessions.swap_remove(*position)),
        ([], Some(pid)) => bail!("no session of yours has pid {pid}{}", list(&sessions)),
        ([], None) if sessions.is_empty() => bail!("no session of `hot` runs"),
        ([], None) => bail!(
            "no session runs in this project; say which is meant with --session{}",
            list(&sessions)
        ),
        (_, _) => {
            sessions.retain(|session| is_meant(session));
            bail!(
                "several sessions run in this project; say which is meant with --session{}",
                list(&sessions)
            )
        }
    }
}

/// Whether a session that was started in `folder` is one of somebody who stands `here`.
fn is_project(folder: &Path, here: &Path) -> bool {
    folder.starts_with(here) || here.starts_with(folder)
}

fn list(sessions: &[Session]) -> String {
    let line = |session: &Session| {
        let SessionInfo { pid, folder, .. } = &session.info;
        let command = session.info.command.join(" ");
        format!("\n  {pid}: `{command}` in {}", folder.display())
    };
    sessions.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn sessions(list: &[(u32, &str)]) -> Vec<Session> {
        let session = |(pid, folder): &(u32, &str)| Session {
            folder: PathBuf::new(),
            info: SessionInfo {
                pid: *pid,
                folder: folder.into(),
                command: vec!["cargo".into(), "run".into()],
                since: SystemTime::UNIX_EPOCH,
            },
        };
        list.iter().map(session).collect()
    }

    #[track_caller]
    fn check(list: &[(u32, &str)], pid: Option<u32>, expected: Result<u32, &str>) {
        let found = choose(sessions(list), pid, Path::new("/work/app/src"));
        match (found, expected) {
            (Ok(session), Ok(pid)) => assert_eq!(session.info.pid, pid),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (found, _) => panic!("{found:?}"),
        }
    }

    #[test]
    fn those_of_this_project_come_first() {
        let all = sessions(&[(1, "/else"), (2, "/work/app"), (3, "/other"), (4, "/work")]);
        let ordered = in_order(all, Path::new("/work/app/src"));
        let pids: Vec<u32> = ordered.iter().map(|session| session.info.pid).collect();
        assert_eq!(pids, [2, 4, 1, 3]);
    }

    #[test]
    fn the_session_of_this_project_or_the_named_one() {
        let two = [(1, "/work/app"), (2, "/work/other")];
        check(&two, None, Ok(1));
        check(&two, Some(2), Ok(2));
        check(
            &two,
            Some(3),
            Err("no session of yours has pid 3\n  1: `cargo run` in /work/app"),
        );
        check(&[(1, "/work/app/src/deep")], None, Ok(1));
        check(
            &[(1, "/work/application")],
            None,
            Err("no session runs in this project"),
        );
        check(&[], None, Err("no session of `hot` runs"));
        let several = choose(
            sessions(&[(1, "/work"), (2, "/"), (3, "/other")]),
            None,
            Path::new("/work/app/src"),
        );
        let several = several.expect_err("two").to_string();
        let (first, listed) = several.split_once('\n').expect("a list");
        assert!(first.starts_with("several sessions run in this project"));
        assert_eq!(listed.lines().count(), 2, "those of this project: {listed}");
    }
}
