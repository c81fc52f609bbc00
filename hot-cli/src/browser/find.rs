//! Finds out at which port a program's server listens.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, Instant};

use crate::os;

/// How often the system is asked.
const PAUSE: Duration = Duration::from_millis(50);

/// A server that listens at several ports doesn't begin at the same time.
const SETTLED: Duration = Duration::from_millis(300);

/// After that it is worth a word that nobody listens.
const LONG: Duration = Duration::from_secs(10);

/// What comes of looking.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// At that port, and at these others as well.
    Server(u16, Vec<u16>),
    /// Nobody has listened for long.
    Nobody,
}

/// Looks for the server among what these processes listen at; at this port only, if one is named,
/// whoever listens there. Says so once for each set of processes, and that there is none once.
pub(super) async fn find(
    mut processes: watch::Receiver<Vec<u32>>,
    named: Option<u16>,
    mut found: impl FnMut(Found),
) {
    let mut last = None;
    while processes.changed().await.is_ok() {
        let pids = processes.borrow_and_update().clone();
        let ports = || ports(&pids, named);
        let since = Instant::now();
        let mut is_long = false;
        while ports().is_empty() && !has_changed(&processes) {
            if since.elapsed() > LONG && !std::mem::replace(&mut is_long, true) {
                found(Found::Nobody);
            }
            sleep(PAUSE).await;
        }
        if named.is_none() {
            sleep(SETTLED).await;
        }
        if let Some((server, others)) = choose(ports(), last) {
            last = Some(server);
            found(Found::Server(server, others));
        }
    }
}

/// Also when nobody is left to change anything.
fn has_changed(processes: &watch::Receiver<Vec<u32>>) -> bool {
    processes.has_changed().unwrap_or(true)
}

fn ports(pids: &[u32], named: Option<u16>) -> Vec<u16> {
    match named {
        Some(port) => [port]
            .into_iter()
            .filter(|port| os::is_listened_at(*port))
            .collect(),
        None => {
            let mut all: Vec<u16> = pids.iter().flat_map(|pid| os::ports_of(*pid)).collect();
            all.sort_unstable();
            all.dedup();
            all
        }
    }
}

/// The one that it was, else the lowest: most often, others are for machines.
fn choose(mut ports: Vec<u16>, last: Option<u16>) -> Option<(u16, Vec<u16>)> {
    let place = ports
        .iter()
        .position(|port| Some(*port) == last)
        .unwrap_or(0);
    if ports.is_empty() {
        return None;
    }
    let server = ports.remove(place);
    Some((server, ports))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_or_the_lowest() {
        assert_eq!(choose(vec![], Some(1)), None);
        assert_eq!(choose(vec![3000, 9090], None), Some((3000, vec![9090])));
        assert_eq!(
            choose(vec![3000, 9090], Some(9090)),
            Some((9090, vec![3000]))
        );
        assert_eq!(choose(vec![3000], Some(9090)), Some((3000, vec![])));
    }
}
