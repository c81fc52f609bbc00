//! The private folder of one session: `hot-<pid>-<random>`, mode 0700, removed when the session
//! ends.
//!
//! Knows what is put into it by name (the control socket, patches, copies of plugins), and nothing
//! of what that is for. A session that was killed leaves its folder behind; the next session of the
//! same user removes it. A held lock marks a folder as in use, so that also sessions in another pid
//! namespace (a container that shares `/tmp`) are left alone. Where a program of a killed session
//! lives on, the folder stays, and another session can take it over.

mod others;

pub(crate) use others::{orphans, running};

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, StatVfsMountFlags};

use others::remove_stale;

const PREFIX: &str = "hot-";
const SOCKET: &str = "socket";
const LOCK: &str = "lock";
const SAID: &str = "said";

/// Where a program with this pid keeps its copies of plugins.
const LOADED: &str = "loaded-";

/// Where a patch with this number is built.
const PATCH: &str = "patch-";

/// How the names of plugins begin that were made from whole crates.
pub(crate) const WHOLE_CRATE: &str = "whole-crate-";

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
    /// Another session was quicker.
    #[error("{} can't be taken over: {error}", folder.display())]
    Taken { folder: PathBuf, error: io::Error },
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
    folder: Folder,
    /// Held as long as the session lives; the kernel lets go of it however the process ends.
    _lock: File,
}

/// Removed with all that is in it when this is dropped.
#[derive(Debug)]
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        if self.0.as_os_str().is_empty() {
            return; // Somebody else's again.
        }
        // Best effort; the next session tries again.
        let _ = std::fs::remove_dir_all(&self.0);
    }
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
                    // Only now: our own folder is locked, and a place that is refused isn't
                    // touched.
                    remove_stale(place);
                    return Ok(session);
                }
                Err(why) => refused.push((place.clone(), why)),
            }
        }
        Err(SessionDirError::NoPlace(refused))
    }

    /// Takes over the folder of a session that was killed. Its sockets are gone then.
    pub(crate) fn take_over(folder: PathBuf) -> Result<Self, SessionDirError> {
        let take = || -> io::Result<File> {
            let lock = File::open(folder.join(LOCK))?;
            rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
            for entry in std::fs::read_dir(&folder)? {
                let entry = entry?;
                if entry.file_type()?.is_socket() {
                    std::fs::remove_file(entry.path())?;
                }
            }
            Ok(lock)
        };
        match take() {
            Ok(lock) => Ok(Self {
                folder: Folder(folder),
                _lock: lock,
            }),
            Err(error) => Err(SessionDirError::Taken { folder, error }),
        }
    }

    /// Lets go of the folder without removing it.
    pub(crate) fn leave(mut self) {
        self.folder.0 = PathBuf::new();
    }

    /// The folder, as an absolute path.
    pub(crate) fn path(&self) -> &Path {
        &self.folder.0
    }

    /// The highest number of a patch that was built here. The dynamic linker knows libraries by
    /// their names: none may be used again.
    pub(crate) fn last_patch(&self) -> u64 {
        numbered(self.path(), PATCH).max().unwrap_or(0)
    }

    /// Whether a patch was built here from whole crates.
    pub(crate) fn has_whole_crate_patches(&self) -> bool {
        numbered(self.path(), PATCH).any(|number| {
            let files = std::fs::read_dir(self.patch(number));
            let mut names = files.into_iter().flatten().flatten();
            names.any(|entry| {
                entry
                    .file_name()
                    .as_bytes()
                    .starts_with(WHOLE_CRATE.as_bytes())
            })
        })
    }

    /// Where a patch is built.
    pub(crate) fn patch(&self, number: u64) -> PathBuf {
        self.path().join(format!("{PATCH}{number}"))
    }

    /// Where the control socket belongs; short enough for a socket's address.
    pub(crate) fn socket(&self) -> PathBuf {
        self.path().join(SOCKET)
    }
}

/// The newest of what the session with this folder says.
pub(crate) fn said(folder: &Path) -> PathBuf {
    folder.join(SAID)
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
    let made = tempfile::Builder::new()
        .prefix(&format!("{PREFIX}{}-", std::process::id()))
        .rand_bytes(6)
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(place)?;
    let folder = Folder(made.keep());
    // A umask can take bits away from what was asked for at creation.
    std::fs::set_permissions(&folder.0, Permissions::from_mode(0o700))?;
    let lock = File::create_new(folder.0.join(LOCK))?;
    rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
    Ok(SessionDir {
        folder,
        _lock: lock,
    })
}

/// The numbers of what is called so in a folder.
fn numbered(folder: &Path, prefix: &'static str) -> impl Iterator<Item = u64> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(move |entry| {
        entry
            .file_name()
            .to_str()?
            .strip_prefix(prefix)?
            .parse()
            .ok()
    })
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::others::programs;
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
        // Closing it wouldn't do while a child that another test just forked has it as well.
        rustix::fs::flock(&lock, FlockOperation::Unlock).expect("unlocked");
        let again = session_in(place.path());
        assert!(!held.exists(), "its lock is free now");
        drop(again);
    }

    #[test]
    fn what_a_living_program_needs_stays_and_is_taken_over_once() {
        let place = TempDir::new().expect("place");
        let dead = place.path().join(format!("hot-{}-abcdef", dead_pid()));
        let own = dead.join(format!("{LOADED}{}", std::process::id()));
        std::fs::create_dir_all(&own).expect("folder");
        for part in ["loaded-0", "patch-3", "patch-12", "patch-x"] {
            std::fs::create_dir(dead.join(part)).expect("folder");
        }
        std::fs::write(dead.join(LOCK), "").expect("lock");
        let _listener = std::os::unix::net::UnixListener::bind(dead.join(SOCKET)).expect("socket");
        let _session = session_in(place.path());
        assert!(dead.exists(), "a program of it lives");
        assert_eq!(programs(&dead).collect::<Vec<_>>(), [std::process::id()]);

        let taken = SessionDir::take_over(dead.clone()).expect("free");
        assert!(!taken.socket().exists());
        assert_eq!(taken.last_patch(), 12);
        assert!(!taken.has_whole_crate_patches());
        std::fs::write(dead.join("patch-3/whole-crate-3-0.so"), "").expect("file");
        assert!(taken.has_whole_crate_patches());
        let error = SessionDir::take_over(dead.clone()).expect_err("taken");
        assert!(error.to_string().contains("can't be taken over"), "{error}");
        drop(taken);
        assert!(!dead.exists());
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
