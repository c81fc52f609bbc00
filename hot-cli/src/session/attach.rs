//! `hot attach`: the programs of a session that was killed live on, and call for it every second.
//! Its folder is taken over, and so they get edits again. Knows nothing of what a session does.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{bail, Result};
use clap::Args;

use super::settings::Settings;
use crate::child::Launch;
use crate::include::Include;
use crate::os::session_dir::{orphans, SessionDir};

/// Takes up programs that live on after `hot` was killed: saved edits reach them again
#[derive(Debug, Args)]
pub(crate) struct AttachArgs {
    /// The program's pid, where several live on
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,
    /// Say what is being done and how long each step takes
    #[arg(long, short)]
    verbose: bool,
}

const PAUSE: Duration = Duration::from_millis(50);
const ATTEMPTS: usize = 10;

/// A killed session's folder, and its programs that live.
type Orphan = (PathBuf, Vec<u32>);

pub(super) fn attach(options: &AttachArgs) -> Result<u8> {
    let folder = SessionDir::take_over(find(options.pid)?)?;
    if folder.has_whole_crate_patches() {
        // Dropping it would take the programs' plugins, and the chance for another try.
        folder.leave();
        bail!(
            "the session that was killed made patches from whole crates; what these have brought into the program \
             is known no more, so it can't be patched again: restart it under `hot`"
        );
    }
    let settings = Settings {
        no_restart: true,
        verbose: options.verbose,
        command: vec!["attach".into()],
        ..Settings::default()
    };
    let launch = Launch {
        program: "attach".into(),
        args: Vec::new(),
        env: Vec::new(),
    };
    let (mut engine, events) = super::engine(&settings, Include::nothing(launch), folder)?;
    engine.attach(&events)
}

/// A process that was killed just now holds its lock for a moment.
fn find(pid: Option<u32>) -> Result<PathBuf> {
    for _ in 0..ATTEMPTS {
        if let Ok(folder) = choose(orphans(), pid) {
            return Ok(folder);
        }
        std::thread::sleep(PAUSE);
    }
    choose(orphans(), pid)
}

fn choose(mut orphans: Vec<Orphan>, pid: Option<u32>) -> Result<PathBuf> {
    if let Some(pid) = pid {
        orphans.retain(|(_, pids)| pids.contains(&pid));
    }
    match (orphans.len(), orphans.pop(), pid) {
        (1, Some((folder, _)), _) => Ok(folder),
        (_, None, Some(pid)) => bail!("process {pid} is no program of a session that was killed"),
        (_, None, None) => bail!("no program lives whose session was killed"),
        (_, Some(last), _) => {
            orphans.push(last);
            let all = orphans.iter().flat_map(|(_, pids)| pids);
            let all: Vec<String> = all.map(ToString::to_string).collect();
            bail!(
                "programs of several killed sessions live; say which is meant with --pid: {}",
                all.join(", ")
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(orphans: &[(&str, &[u32])], pid: Option<u32>, expected: Result<&str, &str>) {
        let orphans = orphans
            .iter()
            .map(|(folder, pids)| (folder.into(), pids.to_vec()));
        match (choose(orphans.collect(), pid), expected) {
            (Ok(folder), Ok(expected)) => assert_eq!(folder, PathBuf::from(expected)),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (found, _) => panic!("{found:?}"),
        }
    }

    #[test]
    fn the_only_one_or_the_named_one() {
        let two: [(&str, &[u32]); 2] = [("/a", &[1, 2]), ("/b", &[3])];
        check(&two[..1], None, Ok("/a"));
        check(&two, Some(3), Ok("/b"));
        check(&two, Some(2), Ok("/a"));
        check(&two, None, Err("--pid: 1, 2, 3"));
        check(&two, Some(9), Err("process 9 is no program"));
        check(&[], None, Err("no program lives"));
    }
}
