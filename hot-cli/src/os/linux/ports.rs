//! At which TCP ports somebody listens, by the kernel's tables. Nothing is connected to: some
//! servers take an empty connection badly.

use std::path::Path;

/// `TCP_LISTEN` in /proc/net/tcp.
const LISTENING: &str = "0A";

/// Addresses that a connection to `127.0.0.1` or to `[::1]` reaches, as the tables write them:
/// those two and all addresses, each also as the other family has it.
const REACHED: [&str; 6] = [
    "0100007F",
    "00000000",
    "00000000000000000000000001000000",
    "00000000000000000000000000000000",
    "0000000000000000FFFF00000100007F",
    "0000000000000000FFFF000000000000",
];

/// Whether somebody listens at this port of this machine.
pub(crate) fn is_listened_at(port: u16) -> bool {
    ports(Path::new("/proc/self"), None).contains(&port)
}

/// The ports of this machine at which a process listens, in order. None if it isn't this user's.
pub(crate) fn ports_of(pid: u32) -> Vec<u16> {
    let process = format!("/proc/{pid}");
    let process = Path::new(&process);
    match super::sockets::inodes_of(process) {
        Ok(inodes) => ports(process, Some(&inodes)),
        Err(_) => Vec::new(),
    }
}

/// Those in the tables of a process; all sockets count, or those with these inodes.
fn ports(process: &Path, inodes: Option<&[String]>) -> Vec<u16> {
    let mut found = Vec::new();
    for table in ["net/tcp", "net/tcp6"] {
        let lines = std::fs::read_to_string(process.join(table)).unwrap_or_default();
        found.extend(lines.lines().filter_map(|line| listening(line, inodes)));
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The port in a line: `number local remote state queues timer retransmits user timeout inode`.
fn listening(line: &str, inodes: Option<&[String]>) -> Option<u16> {
    let mut words = line.split_ascii_whitespace();
    let (address, port) = words.nth(1)?.split_once(':')?;
    let is_listening = words.nth(1)? == LISTENING && REACHED.contains(&address);
    let inode = words.nth(5)?;
    let is_own = inodes.is_none_or(|own| own.iter().any(|own| own == inode));
    let port = u16::from_str_radix(port, 16).ok()?;
    (is_listening && is_own).then_some(port)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn lines_of_the_tables() {
        let check = |line: &str, expected: Option<u16>| {
            let own = ["41".to_owned()];
            assert_eq!(listening(line, Some(&own)), expected, "{line}");
        };
        let line = |address: &str, state: &str, inode: &str| {
            format!("  0: {address}:0BB8 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  0  0 {inode} 1 0")
        };
        check(&line("0100007F", "0A", "41"), Some(3000));
        check(&line("00000000", "0A", "41"), Some(3000));
        check(&line("0100007F", "01", "41"), None);
        check(&line("0100007F", "0A", "42"), None);
        check(&line("0105A8C0", "0A", "41"), None);
        check(
            "  sl  local_address rem_address   st tx_queue rx_queue",
            None,
        );
        assert_eq!(
            listening(&line("00000000", "0A", "42"), None),
            Some(3000),
            "whoever it is"
        );
    }

    #[test]
    fn own_ports_are_found() {
        for address in ["127.0.0.1:0", "[::]:0"] {
            let Ok(listener) = TcpListener::bind(address) else {
                continue; // No IPv6 here.
            };
            let port = listener.local_addr().expect("an address").port();
            assert!(is_listened_at(port) && ports_of(std::process::id()).contains(&port));
            drop(listener);
            assert!(!ports_of(std::process::id()).contains(&port));
        }
    }
}
