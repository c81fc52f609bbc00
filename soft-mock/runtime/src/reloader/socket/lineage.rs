//! Which processes belong to a session: for those that a program of the session starts or becomes
//! without handing its environment on.
//!
//! Each process that the agent was started in leaves a file with its number beside the records of
//! the programs, which holds the session's folder. The generated main of a program looks for the
//! numbers of its ancestors there.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use soft_mock_abi::start::LINEAGE;

/// Records that this process is one of the session's. `program`: the folder with the records of its
/// unit.
pub(super) fn record(program: &Path, session: &Path) -> io::Result<()> {
    let Some(folder) = program.parent().filter(|folder| folder.is_dir()) else {
        return Ok(()); // Not built by `hot`: nothing would look for it.
    };
    let folder = folder.join(LINEAGE);
    fs::create_dir_all(&folder)?;
    forget_ended(&folder);
    let number = std::process::id();
    // Whoever reads it sees all of it or nothing.
    let new = folder.join(format!("{number}.new"));
    fs::write(&new, session.as_os_str().as_bytes())?;
    fs::rename(&new, folder.join(number.to_string()))
}

/// Removes what sessions left that have ended: their numbers are given to other processes.
fn forget_ended(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let ended = fs::read(&path).is_ok_and(|text| !session_in(&text).is_dir());
        if ended {
            // Another process may have been quicker.
            let _ = fs::remove_file(path);
        }
    }
}

fn session_in(text: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_sessions_left_is_removed() {
        let dir = tempfile::tempdir().expect("a folder");
        let (program, session) = (dir.path().join("hot/app-1"), dir.path().join("session"));
        fs::create_dir_all(&program).expect("a folder");
        fs::create_dir_all(&session).expect("a folder");
        let folder = dir.path().join("hot").join(LINEAGE);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("1"), "/there/is/none").expect("a file");
        record(&program, &session).expect("recorded");
        let own = std::process::id().to_string();
        let names: Vec<_> = fs::read_dir(&folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        assert_eq!(names, [own.as_str()]);
        let text = fs::read(folder.join(own)).expect("the file");
        assert_eq!(session_in(&text), session);
    }
}
