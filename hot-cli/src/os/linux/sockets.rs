//! At which sockets a process listens, by the kernel's table.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};

/// `SO_ACCEPTCON` in /proc/net/unix: somebody listens there.
const LISTENING: &str = "00010000";

/// The sockets at which a process of this user listens, in folders that are this user's alone: a
/// reloader listens nowhere else.
pub(crate) fn sockets_of(pid: u32) -> Result<Vec<PathBuf>> {
    let process = PathBuf::from(format!("/proc/{pid}"));
    let owner = super::owner(pid).with_context(|| format!("there is no process {pid}"))?;
    let own = rustix::process::geteuid().as_raw();
    if owner != own {
        bail!("process {pid} belongs to user {owner}, not to you (user {own})");
    }
    let inodes = inodes_of(&process)?;
    let table = std::fs::read_to_string(process.join("net/unix"))
        .with_context(|| format!("can't read the sockets of process {pid}"))?;
    let sockets = table.lines().filter_map(|line| listening(line, &inodes));
    Ok(sockets.filter(|socket| is_private(socket, own)).collect())
}

/// The sockets that a process holds, by inode.
pub(super) fn inodes_of(process: &Path) -> Result<Vec<String>> {
    let files = std::fs::read_dir(process.join("fd"))
        .with_context(|| format!("can't read the files of {}", process.display()))?;
    let inode = |entry: std::fs::DirEntry| {
        let target = std::fs::read_link(entry.path()).ok()?;
        let text = target.to_str()?.strip_prefix("socket:[")?;
        Some(text.strip_suffix(']')?.to_owned())
    };
    Ok(files.flatten().filter_map(inode).collect())
}

/// The path in a line of /proc/net/unix: `address refs protocol flags type state inode path`.
fn listening(line: &str, inodes: &[String]) -> Option<PathBuf> {
    let mut words = line.split_ascii_whitespace();
    let is_listening = words.nth(3)? == LISTENING;
    let inode = words.nth(2)?;
    let path = words.next()?;
    let is_path = is_listening && path.starts_with('/') && inodes.iter().any(|own| own == inode);
    // A path may hold spaces.
    is_path.then(|| PathBuf::from(&line[line.find(path).unwrap_or_default()..]))
}

fn is_private(socket: &Path, own: u32) -> bool {
    let folder = socket.parent().map(Path::metadata);
    matches!(folder, Some(Ok(folder)) if folder.uid() == own && folder.mode() & 0o077 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_socket_table() {
        let own = ["41".to_owned()];
        let check = |line: &str, expected: Option<&str>| {
            assert_eq!(listening(line, &own), expected.map(PathBuf::from), "{line}");
        };
        check(
            "0000000000000000: 00000002 00000000 00010000 0001 01 41 /run/a b/s",
            Some("/run/a b/s"),
        );
        check(
            "0000000000000000: 00000002 00000000 00010000 0001 01 42 /run/s",
            None,
        );
        check(
            "0000000000000000: 00000003 00000000 00000000 0001 03 41 /run/s",
            None,
        );
        check(
            "0000000000000000: 00000002 00000000 00010000 0001 01 41 @abstract",
            None,
        );
        check(
            "Num       RefCount Protocol Flags    Type St Inode Path",
            None,
        );
    }
}
