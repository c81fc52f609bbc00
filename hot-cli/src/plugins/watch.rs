//! `hot watch-plugins`: builds again whenever a source file is saved.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use notify::{Event, RecursiveMode, Watcher};

use super::error::BuildError;
use super::options::WatchOptions;
use super::package::{self, Package};
use super::{build_one, rules};

/// How long after a change nothing more may change before plugins are built.
const QUIET: Duration = Duration::from_millis(50);

/// Builds all, then watches until the process is ended.
pub(crate) fn run(options: &WatchOptions) -> Result<(), BuildError> {
    let build_options = &options.build;
    if build_options.patchable {
        return Err(BuildError::WatchPatchable);
    }
    let folders = package::folders(
        &build_options.plugin_dir,
        &build_options.include,
        &build_options.exclude,
    )?;
    let (sender, changes) = channel();
    let mut watcher = notify::recommended_watcher(sender)?;
    let mut watched = Vec::new();
    for folder in &folders {
        let package = Package::read(folder, &build_options.versions())?;
        // The plugin first, then the crates that it shares.
        let sources: Vec<PathBuf> = std::iter::once(package.folder.clone())
            .chain(rules::shared_folders(&package))
            .collect();
        for source in &sources {
            watcher.watch(source, RecursiveMode::Recursive)?;
        }
        watched.push((folder.clone(), sources));
    }
    let mut told = BTreeSet::new();
    build_changed(options, &folders, &mut told);
    eprintln!("hot: watching {} plugin(s)", folders.len());
    let roots: Vec<PathBuf> = watched.iter().flat_map(|(_, s)| s.clone()).collect();
    while let Some(paths) = next_change(&changes, &roots) {
        let is_meant = |sources: &[PathBuf]| {
            paths
                .iter()
                .any(|path| sources.iter().any(|source| path.starts_with(source)))
        };
        let changed: Vec<PathBuf> = watched
            .iter()
            .filter(|(_, sources)| is_meant(sources))
            .map(|(folder, _)| folder.clone())
            .collect();
        build_changed(options, &changed, &mut told);
    }
    Ok(())
}

/// Builds what has changed; a failure is told, and the next save tries again.
fn build_changed(options: &WatchOptions, folders: &[PathBuf], told: &mut BTreeSet<String>) {
    let begun = Instant::now();
    let mut made = 0;
    for folder in folders {
        match build_one(folder, &options.build, told) {
            Ok(file) => {
                made += 1;
                println!("{}", file.display());
            }
            Err(error) => eprintln!("hot: {error}"),
        }
    }
    if made == 0 {
        return;
    }
    eprintln!(
        "hot: built {made} plugin(s) in {:.2} s",
        begun.elapsed().as_secs_f64()
    );
    if let Some(process) = options.signal.and_then(rustix::process::Pid::from_raw) {
        if let Err(error) = rustix::process::kill_process(process, rustix::process::Signal::HUP) {
            eprintln!(
                "hot: process {} can't be sent SIGHUP: {error}",
                process.as_raw_nonzero()
            );
        }
    }
}

/// The files that change next, once it is quiet again. None when the watcher is gone.
fn next_change(
    changes: &Receiver<notify::Result<Event>>,
    roots: &[PathBuf],
) -> Option<BTreeSet<PathBuf>> {
    let mut paths = BTreeSet::new();
    loop {
        let event = match paths.is_empty() {
            true => changes.recv().ok()?,
            false => match changes.recv_timeout(QUIET) {
                Ok(event) => event,
                Err(RecvTimeoutError::Timeout) => return Some(paths),
                Err(RecvTimeoutError::Disconnected) => return None,
            },
        };
        match event {
            Ok(event) if !event.kind.is_access() => paths.extend(
                event
                    .paths
                    .into_iter()
                    .filter(|path| is_source(path, roots)),
            ),
            Ok(_) => {}
            Err(error) => eprintln!("hot: {error}"),
        }
    }
}

/// Whether a change of the file can matter: not those of editors, version control and cargo. Where
/// the watched folders themselves lie says nothing.
fn is_source(path: &Path, roots: &[PathBuf]) -> bool {
    let is_ours = |name: &OsStr| !name.as_encoded_bytes().starts_with(b".") && name != "target";
    let kinds = ["rs", "toml", "txt", "json", "html", "sql"];
    let inside = roots.iter().find_map(|root| path.strip_prefix(root).ok());
    inside.is_some_and(|inside| inside.iter().all(is_ours))
        && path
            .extension()
            .is_some_and(|kind| kinds.iter().any(|known| kind == *known))
}
