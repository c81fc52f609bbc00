//! The private folder of one session: `hot-<pid>-<random>`, mode 0700, removed when the session ends.
//!
//! Knows nothing of what is put into it, besides the name of the control socket. A session that was killed leaves its
//! folder behind; the next session of the same user removes it. A held lock marks a folder as in use, so that also
//! sessions in another pid namespace (a container that shares `/tmp`) are left alone.

use std::ffi::OsString;
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, StatVfsMountFlags};
use rustix::process::Pid;
use tempfile::TempDir;

const PREFIX: &str = "hot-";
const SOCKET: &str = "socket";
const LOCK: &str = "lock";

/// `sun_path` holds 108 bytes, one of them the closing zero.
const SOCKET_PATH_MAX: usize = 107;

/// `-<pid>-<random>/socket` with the longest pid there is.
const NAME_ROOM: usize = "/hot-4194304-abcdef/socket".len();

/// Why no folder for the session could be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionDirError {
    /// None of the places can hold it.
    #[error("no place for a private session folder:{}\nSet TMPDIR to a folder of your own with a short path.", list(.0))]
    NoPlace(Vec<(PathBuf, String)>),
}

fn list(places: &[(PathBuf, String)]) -> String {
    places
        .iter()
        .map(|(place, why)| format!("\n  {}: {why}", place.display()))
        .collect()
}

/// The folder of this session; it is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct SessionDir {
    folder: TempDir,
    /// Held as long as the session lives; the kernel lets go of it however the process ends.
    _lock: File,
}

impl SessionDir {
    /// Makes the folder, after those of dead sessions were removed.
    pub(crate) fn create() -> Result<Self, SessionDirError> {
        Self::create_in(&places())
    }

    fn create_in(places: &[PathBuf]) -> Result<Self, SessionDirError> {
        let mut refused = Vec::new();
        for place in places {
            match check_place(place).and_then(|()| make(place).map_err(|error| error.to_string())) {
                Ok(session) => {
                    // Only now: our own folder is locked, and a place that is refused isn't touched.
                    remove_stale(place);
                    return Ok(session);
                }
                Err(why) => refused.push((place.clone(), why)),
            }
        }
        Err(SessionDirError::NoPlace(refused))
    }

    /// The folder, as an absolute path.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where the control socket belongs; short enough for a socket's address.
    pub(crate) fn socket(&self) -> PathBuf {
        self.path().join(SOCKET)
    }
}

/// Places to try, best first.
fn places() -> Vec<PathBuf> {
    let mut places: Vec<PathBuf> = Vec::new();
    let wanted = std::env::var_os("XDG_RUNTIME_DIR")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .into_iter()
        .chain([
            std::env::temp_dir(),
            PathBuf::from("/tmp"),
            PathBuf::from("/dev/shm"),
        ]);
    for place in wanted {
        if place.is_absolute() && !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

fn check_place(place: &Path) -> Result<(), String> {
    if place.as_os_str().len() + NAME_ROOM > SOCKET_PATH_MAX {
        return Err("its path is too long for a socket".into());
    }
    let meta = place.metadata().map_err(|error| error.to_string())?;
    if !meta.is_dir() {
        return Err("not a folder".into());
    }
    let me = rustix::process::geteuid().as_raw();
    if meta.uid() != me && meta.uid() != 0 {
        return Err("belongs to another user".into());
    }
    // Others may write into it: only the sticky bit keeps them from replacing our folder by theirs.
    if meta.mode() & 0o022 != 0 && meta.mode() & 0o1000 == 0 {
        return Err("other users can replace what is in it".into());
    }
    let mount = rustix::fs::statvfs(place).map_err(|error| error.to_string())?;
    if mount.f_flag.contains(StatVfsMountFlags::NOEXEC) {
        return Err("mounted noexec, so plugins can't be loaded from it".into());
    }
    Ok(())
}

fn make(place: &Path) -> io::Result<SessionDir> {
    let folder = tempfile::Builder::new()
        .prefix(&format!("{PREFIX}{}-", std::process::id()))
        .rand_bytes(6)
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(place)?;
    // A umask can take bits away from what was asked for at creation.
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o700))?;
    let lock = File::create_new(folder.path().join(LOCK))?;
    rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
    Ok(SessionDir {
        folder,
        _lock: lock,
    })
}

/// Best effort: what can't be read or removed stays.
fn remove_stale(place: &Path) {
    let Ok(entries) = std::fs::read_dir(place) else {
        return;
    };
    for entry in entries.flatten() {
        if is_stale(&entry.path(), &entry.file_name()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn is_stale(folder: &Path, name: &OsString) -> bool {
    is_own(folder, name).is_some_and(is_dead) && !is_locked(folder)
}

/// The folders of all sessions of this user that run, wherever they may be.
pub(crate) fn running() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for place in places() {
        let Ok(entries) = std::fs::read_dir(&place) else {
            continue;
        };
        let own = entries
            .flatten()
            .filter(|entry| is_own(&entry.path(), &entry.file_name()).is_some());
        folders.extend(own.map(|entry| entry.path()).filter(|path| is_locked(path)));
    }
    folders.sort();
    folders.dedup();
    folders
}

/// The pid in the name of a session's folder, if it is one of this user.
fn is_own(folder: &Path, name: &OsString) -> Option<Pid> {
    let pid = pid_of(name)?;
    // Not through a symbolic link: it might lead to a folder of ours that is no session's.
    let meta = folder.symlink_metadata().ok()?;
    let is_own = meta.is_dir() && meta.uid() == rustix::process::geteuid().as_raw();
    is_own.then_some(pid)
}

/// The pid in `hot-<pid>-<random>`.
fn pid_of(name: &OsString) -> Option<Pid> {
    let rest = name.as_bytes().strip_prefix(PREFIX.as_bytes())?;
    let (pid, random) = std::str::from_utf8(rest).ok()?.split_once('-')?;
    if random.is_empty() || !random.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    Pid::from_raw(pid.parse().ok().filter(|pid| *pid > 0)?)
}

fn is_dead(pid: Pid) -> bool {
    rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH)
}

fn is_locked(folder: &Path) -> bool {
    match File::open(folder.join(LOCK)) {
        Ok(lock) => rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pid that was ours a moment ago.
    fn dead_pid() -> u32 {
        let mut child = std::process::Command::new("true").spawn().expect("spawn");
        child.wait().expect("wait");
        child.id()
    }

    fn session_in(place: &Path) -> SessionDir {
        SessionDir::create_in(&[place.to_owned()]).expect("created")
    }

    #[test]
    fn private_and_removed_on_drop() {
        let place = TempDir::new().expect("place");
        let session = session_in(place.path());
        let path = session.path().to_owned();
        assert_eq!(path.metadata().expect("meta").mode() & 0o7777, 0o700);
        assert!(path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("name")
            .starts_with(&format!("hot-{}-", std::process::id())));
        assert_eq!(session.socket(), path.join("socket"));
        std::fs::create_dir(path.join("sub"))
            .and_then(|()| std::fs::write(path.join("sub/p.so"), "x"))
            .expect("fill");
        drop(session);
        assert!(!path.exists());
    }

    #[test]
    fn folders_of_dead_sessions_go_away() {
        let place = TempDir::new().expect("place");
        let dead = place.path().join(format!("hot-{}-abcdef", dead_pid()));
        let held = place.path().join(format!("hot-{}-ghijkl", dead_pid()));
        let alive = place
            .path()
            .join(format!("hot-{}-abcdef", std::process::id()));
        let other = place.path().join("hot-deals");
        for folder in [&dead, &held, &alive, &other] {
            std::fs::create_dir(folder).expect("folder");
            std::fs::write(folder.join(LOCK), "").expect("lock");
        }
        let lock = File::open(held.join(LOCK)).expect("open");
        rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).expect("locked");

        let session = session_in(place.path());
        assert!(!dead.exists(), "of a dead process");
        assert!(held.exists() && alive.exists() && other.exists() && session.path().exists());
        drop(lock);
        let again = session_in(place.path());
        assert!(!held.exists(), "its lock is free now");
        drop(again);
    }

    #[test]
    fn a_link_is_no_session() {
        let place = TempDir::new().expect("place");
        let precious = place.path().join("precious");
        std::fs::create_dir(&precious).expect("folder");
        std::os::unix::fs::symlink(
            &precious,
            place.path().join(format!("hot-{}-abcdef", dead_pid())),
        )
        .expect("link");
        let _session = session_in(place.path());
        assert!(precious.exists());
    }

    #[test]
    fn unfit_places_are_passed_over() {
        let fit = TempDir::new().expect("place");
        let long = fit.path().join("x".repeat(100));
        let open = fit.path().join("open");
        std::fs::create_dir(&long)
            .and_then(|()| std::fs::create_dir(&open))
            .expect("folders");
        std::fs::set_permissions(&open, Permissions::from_mode(0o777)).expect("mode");
        let bad = [long, open, fit.path().join("missing")];

        let error = SessionDir::create_in(&bad)
            .expect_err("no place")
            .to_string();
        for part in [
            "too long for a socket",
            "other users can replace",
            "No such file",
            "Set TMPDIR",
        ] {
            assert!(error.contains(part), "{part} is missing in: {error}");
        }
        let places: Vec<PathBuf> = bad.into_iter().chain([fit.path().to_owned()]).collect();
        let session = SessionDir::create_in(&places).expect("the last one fits");
        assert!(session.path().starts_with(fit.path()));
        assert!(session.socket().as_os_str().len() <= SOCKET_PATH_MAX);
    }
}
