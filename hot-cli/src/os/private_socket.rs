//! Sockets in the file system for processes of one user: made with mode 0600, and the kernel is
//! asked who is at the other end. Knows nothing of what is said there.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

/// Listens at `path`, which lies in a private folder.
pub(crate) fn listen(path: &Path) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// The pid of the process at the other end, if it is one of this user.
pub(crate) fn peer_pid(stream: &UnixStream) -> Result<u32, String> {
    let peer = rustix::net::sockopt::socket_peercred(stream.as_fd())
        .map_err(|error| format!("the user of a connection can't be told: {error}"))?;
    let pid = peer.pid.as_raw_nonzero().get();
    check_user(pid, peer.uid.as_raw(), rustix::process::geteuid().as_raw())?;
    u32::try_from(pid).map_err(|_| format!("process {pid} has no valid pid"))
}

fn check_user(pid: i32, uid: u32, own: u32) -> Result<(), String> {
    if uid == own {
        return Ok(());
    }
    Err(format!(
        "process {pid} belongs to user {uid}, this session to user {own}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_users_are_refused() {
        assert_eq!(check_user(7, 1000, 1000), Ok(()));
        let why = check_user(7, 1001, 1000).expect_err("refused");
        assert!(why.contains("1001") && why.contains("1000"), "{why}");
    }
}
