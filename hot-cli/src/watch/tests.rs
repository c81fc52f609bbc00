//! Real files, written in the ways that editors and git write them.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::*;

const TIMEOUT: Duration = Duration::from_secs(10);
/// Long enough for an event that must not come.
const SILENCE: Duration = Duration::from_millis(150);

struct Scene {
    _keep: tempfile::TempDir,
    root: PathBuf,
    watcher: Watcher,
    events: Receiver<WatchEvent>,
}

/// A folder with `files` (each holds `old`), which are watched.
fn scene(files: &[&str]) -> Scene {
    scene_with(files, false)
}

fn scene_with(files: &[&str], poll: bool) -> Scene {
    let keep = tempfile::tempdir().expect("folder");
    let root = keep.path().to_owned();
    for file in files {
        put(&root.join(file), "old");
    }
    let (sender, events) = channel();
    let watcher = Watcher::start(sender, poll).expect("watching");
    watcher
        .set_files(files.iter().map(|file| root.join(file)))
        .expect("set");
    Scene {
        _keep: keep,
        root,
        watcher,
        events,
    }
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
    fs::write(path, text).expect("written");
}

impl Scene {
    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Waits until all of `names` were told, and fails when anything else is.
    #[track_caller]
    fn check_told(&self, names: &[&str]) {
        let wanted: BTreeSet<PathBuf> = names.iter().map(|name| self.path(name)).collect();
        let mut told = BTreeSet::new();
        while told != wanted {
            match self.events.recv_timeout(TIMEOUT) {
                Ok(WatchEvent::Changed { paths, seen }) => {
                    assert!(seen.elapsed() < TIMEOUT);
                    told.extend(paths);
                }
                other => panic!("told {told:?}, wanted {wanted:?}, then {other:?}"),
            }
            assert!(told.is_subset(&wanted), "told {told:?}, wanted {wanted:?}");
        }
    }

    #[track_caller]
    fn check_silent(&self) {
        match self.events.recv_timeout(SILENCE) {
            Err(RecvTimeoutError::Timeout) => {}
            other => panic!("{other:?}"),
        }
    }

    /// After several steps in a row: what is told last must be what is there.
    fn settle(&self) -> BTreeSet<PathBuf> {
        let mut told = BTreeSet::new();
        while let Ok(event) = self.events.recv_timeout(SILENCE) {
            match event {
                WatchEvent::Changed { paths, .. } => told.extend(paths),
                other => panic!("{other:?}"),
            }
        }
        told
    }
}

#[test]
fn a_write_is_told_at_once_and_once() {
    let scene = scene(&["src/a.rs", "src/b.rs"]);
    for round in 0..5 {
        put(&scene.path("src/a.rs"), &format!("new {round}"));
        scene.check_told(&["src/a.rs"]);
        scene.check_silent();
    }
}

#[test]
fn the_same_content_is_not_told() {
    let scene = scene(&["a.rs"]);
    put(&scene.path("a.rs"), "old");
    fs::rename(scene.path("a.rs"), scene.path("x"))
        .and_then(|()| fs::rename(scene.path("x"), scene.path("a.rs")))
        .expect("renamed");
    fs::File::open(scene.path("a.rs"))
        .and_then(|file| file.set_modified(std::time::SystemTime::UNIX_EPOCH))
        .expect("touched");
    put(&scene.path("other.rs"), "not of interest");
    scene.check_silent();
}

#[test]
fn saved_by_rename() {
    let scene = scene(&["src/a.rs"]);
    for round in 0..3 {
        put(&scene.path("src/.a.rs.tmp"), &format!("new {round}"));
        fs::rename(scene.path("src/.a.rs.tmp"), scene.path("src/a.rs")).expect("renamed");
        scene.check_told(&["src/a.rs"]);
    }
    scene.check_silent();
}

#[test]
fn saved_with_a_backup_as_vim_does() {
    let scene = scene(&["a.rs"]);
    fs::rename(scene.path("a.rs"), scene.path("a.rs~")).expect("backup");
    put(&scene.path("a.rs"), "new");
    fs::remove_file(scene.path("a.rs~")).expect("removed");
    scene.check_told(&["a.rs"]);
}

#[test]
fn several_writes_are_one_change() {
    let scene = scene(&["a.rs"]);
    let mut file = fs::File::create(scene.path("a.rs")).expect("truncated");
    for part in 0..20 {
        writeln!(file, "line {part}").expect("written");
    }
    drop(file);
    scene.check_told(&["a.rs"]);
    scene.check_silent();
}

#[test]
fn a_slow_writer_is_told_to_the_end() {
    let scene = scene(&["a.rs"]);
    let mut file = fs::File::create(scene.path("a.rs")).expect("truncated");
    scene.check_told(&["a.rs"]);
    std::thread::sleep(Duration::from_millis(50));
    file.write_all(b"new").expect("written");
    scene.check_told(&["a.rs"]);
    drop(file);
    scene.check_silent();
}

#[test]
fn deleted_and_back() {
    let scene = scene(&["src/a.rs"]);
    fs::remove_file(scene.path("src/a.rs")).expect("removed");
    scene.check_told(&["src/a.rs"]);
    put(&scene.path("src/a.rs"), "old");
    scene.check_told(&["src/a.rs"]);
    // Faster than anyone looks: only the content counts.
    fs::remove_file(scene.path("src/a.rs")).expect("removed");
    put(&scene.path("src/a.rs"), "new");
    scene.check_told(&["src/a.rs"]);
}

#[test]
fn one_that_cannot_be_read_is_told_and_again_when_it_can() {
    let scene = scene(&["a", "b"]);
    fs::remove_file(scene.path("a")).expect("removed");
    symlink("a", scene.path("a")).expect("a link to itself");
    scene.check_told(&["a"]);
    scene.check_silent();
    fs::remove_file(scene.path("a")).expect("removed");
    put(&scene.path("a"), "old");
    scene.check_told(&["a"]);
    put(&scene.path("b"), "new");
    scene.check_told(&["b"]);
}

#[test]
fn many_files_replaced_as_git_does() {
    let names: Vec<String> = (0..200)
        .map(|number| format!("src/m{}/f{number}.rs", number % 7))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let scene = scene(&names);
    for name in &names {
        fs::remove_file(scene.path(name)).expect("removed");
        put(&scene.path(name), "new");
    }
    scene.check_told(&names);
    scene.check_silent();
}

#[test]
fn folders_vanish_and_come_back() {
    let scene = scene(&["crates/x/src/a.rs", "src/b.rs"]);
    for round in 0..3 {
        fs::remove_dir_all(scene.path("crates")).expect("removed");
        scene.check_told(&["crates/x/src/a.rs"]);
        put(&scene.path("crates/x/src/a.rs"), &format!("back {round}"));
        scene.check_told(&["crates/x/src/a.rs"]);
        put(&scene.path("crates/x/src/a.rs"), &format!("edited {round}"));
        scene.check_told(&["crates/x/src/a.rs"]);
        scene.check_silent();
    }
}

#[test]
fn a_folder_is_replaced_in_a_blink() {
    let scene = scene(&["crates/x/src/a.rs"]);
    for round in 0..20 {
        fs::remove_dir_all(scene.path("crates")).expect("removed");
        put(&scene.path("crates/x/src/a.rs"), &format!("new {round}"));
        assert_eq!(
            scene.settle(),
            BTreeSet::from([scene.path("crates/x/src/a.rs")]),
            "round {round}"
        );
        put(&scene.path("crates/x/src/a.rs"), &format!("edit {round}"));
        scene.check_told(&["crates/x/src/a.rs"]);
    }
}

#[test]
fn a_folder_above_is_moved_away_and_another_takes_its_place() {
    let scene = scene(&["crates/x/src/a.rs"]);
    put(&scene.path("other/src/a.rs"), "old");
    fs::rename(scene.path("crates/x"), scene.path("away")).expect("moved");
    scene.check_told(&["crates/x/src/a.rs"]);
    fs::rename(scene.path("other"), scene.path("crates/x")).expect("moved");
    scene.check_told(&["crates/x/src/a.rs"]);
    put(&scene.path("crates/x/src/a.rs"), "new");
    scene.check_told(&["crates/x/src/a.rs"]);
    put(&scene.path("away/src/a.rs"), "nobody's");
    scene.check_silent();
}

#[test]
fn links_to_files_and_folders() {
    let scene = scene(&["real/a.rs", "next/a.rs"]);
    symlink("real", scene.path("current")).expect("link");
    symlink("../real/a.rs", scene.path("next/linked.rs")).expect("link");
    let files = ["current/a.rs", "next/linked.rs"];
    scene
        .watcher
        .set_files(files.iter().map(|file| scene.path(file)))
        .expect("set");
    put(&scene.path("real/a.rs"), "new");
    scene.check_told(&files);

    // The link gets another target, in one step as deployments do it.
    symlink("next", scene.path("current.new")).expect("link");
    fs::rename(scene.path("current.new"), scene.path("current")).expect("renamed");
    scene.check_told(&["current/a.rs"]);
    put(&scene.path("next/a.rs"), "newer");
    scene.check_told(&["current/a.rs"]);
}

#[test]
fn the_set_of_files_changes() {
    let scene = scene(&["a.rs"]);
    put(&scene.path("b/b.rs"), "old");
    scene
        .watcher
        .set_files([scene.path("b/b.rs"), scene.path("c/c.rs")])
        .expect("set");
    put(&scene.path("a.rs"), "new");
    scene.check_silent();
    put(&scene.path("b/b.rs"), "new");
    scene.check_told(&["b/b.rs"]);
    put(&scene.path("c/c.rs"), "it is there now");
    scene.check_told(&["c/c.rs"]);
}

#[test]
fn what_is_set_again_keeps_what_was_told() {
    let scene = scene(&["a.rs"]);
    // Both at once: the edit must not become the state to compare with.
    put(&scene.path("a.rs"), "new");
    scene
        .watcher
        .set_files([scene.path("a.rs"), scene.path("b.rs")])
        .expect("set");
    scene.check_told(&["a.rs"]);
}

#[test]
fn extra_folders_tell_of_new_files_too() {
    let scene = scene(&["src/a.rs"]);
    put(&scene.path("web/index.html"), "old");
    put(&scene.path("web/target/CACHEDIR.TAG"), "");
    scene.watcher.set_extra([scene.path("web")]).expect("set");
    put(&scene.path("web/index.html"), "new");
    scene.check_told(&["web/index.html"]);
    put(&scene.path("web/deep/er/style.css"), "new");
    scene.check_told(&["web/deep/er/style.css"]);
    put(&scene.path("web/deep/er/style.css"), "newer");
    scene.check_told(&["web/deep/er/style.css"]);
    for quiet in [
        "web/.index.html.swp",
        "web/index.html~",
        "web/target/out",
        "web/deep/4913",
    ] {
        put(&scene.path(quiet), "");
    }
    scene.check_silent();
    fs::remove_dir_all(scene.path("web/deep")).expect("removed");
    scene.check_told(&["web/deep/er/style.css"]);
    fs::remove_dir_all(scene.path("web")).expect("removed");
    scene.check_told(&["web/index.html"]);
    put(&scene.path("web/index.html"), "back");
    scene.check_told(&["web/index.html"]);
    scene.watcher.set_extra([]).expect("set");
    put(&scene.path("web/index.html"), "last");
    scene.check_silent();
}

#[test]
fn events_that_were_lost() {
    let keep = tempfile::tempdir().expect("folder");
    let (told, events) = channel();
    let (inputs, received) = channel();
    // A notifier that reports nothing: all that the worker hears is that the queue ran over.
    let deaf = notify::recommended_watcher(|_: notify::Result<notify::Event>| ());
    let worker = Worker::new(deaf, false, received, move |event| told.send(event).is_ok());
    let thread = thread::spawn(move || worker.run());
    let watcher = Watcher { inputs };
    let (a, b) = (keep.path().join("a.rs"), keep.path().join("b.rs"));
    put(&a, "old");
    put(&b, "old");
    watcher.set_files([a.clone(), b]).expect("set");
    put(&a, "new");
    let lost = notify::Event::new(notify::EventKind::Other).set_flag(notify::event::Flag::Rescan);
    watcher.inputs.send(Input::Raw(Ok(lost))).expect("sent");
    match events.recv_timeout(TIMEOUT) {
        Ok(WatchEvent::Changed { paths, .. }) => assert_eq!(paths, [a]),
        other => panic!("{other:?}"),
    }
    let error = notify::Error::new(notify::ErrorKind::MaxFilesWatch);
    watcher.inputs.send(Input::Raw(Err(error))).expect("sent");
    match events.recv_timeout(TIMEOUT) {
        Ok(WatchEvent::Failed { why }) => assert!(why.contains("max_user_watches"), "{why}"),
        other => panic!("{other:?}"),
    }
    drop(watcher);
    thread.join().expect("ended without a panic");
}

#[test]
fn relative_paths_are_told_as_they_were_given() {
    let (sender, events) = channel::<WatchEvent>();
    let watcher = Watcher::start(sender, false).expect("watching");
    // The folder of tests is the package's.
    let keep = tempfile::tempdir_in(".").expect("folder");
    let file = Path::new(keep.path().file_name().expect("name")).join("a.rs");
    watcher.set_files([file.clone()]).expect("set");
    put(&file, "new");
    match events.recv_timeout(TIMEOUT) {
        Ok(WatchEvent::Changed { paths, .. }) => assert_eq!(paths, [file]),
        other => panic!("{other:?}"),
    }
}

/// A change that causes no event in the folder of `name`: by another name of the file elsewhere.
fn change_silently(scene: &Scene, name: &str, text: &str) {
    let other = tempfile::tempdir_in(&scene.root).expect("folder");
    let link = other.path().join("link");
    fs::hard_link(scene.path(name), &link).expect("another name");
    fs::write(&link, text).expect("written");
    fs::remove_file(link).expect("removed");
}

#[test]
fn missing_events_are_noticed_and_files_are_polled() {
    let scene = scene(&["src/a", "src/b"]);
    change_silently(&scene, "src/b", "new");
    match scene.events.recv_timeout(TIMEOUT) {
        Ok(WatchEvent::Polls { why }) => assert_eq!(why, Missing::Event(scene.path("src/b"))),
        other => panic!("{other:?}"),
    }
    scene.check_told(&["src/b"]);
    // Said once, and quickly from now on.
    change_silently(&scene, "src/a", "newer");
    scene.check_told(&["src/a"]);
    put(&scene.path("src/a"), "as ever");
    scene.check_told(&["src/a"]);
    scene.check_silent();
}

#[test]
fn polling_is_quick_and_unsaid_for_who_wants_it() {
    let scene = scene_with(&["src/a"], true);
    change_silently(&scene, "src/a", "new");
    let begin = Instant::now();
    scene.check_told(&["src/a"]);
    assert!(
        begin.elapsed() < Duration::from_secs(2),
        "{:?}",
        begin.elapsed()
    );
    for scratch in ["4913", ".a.swp", "a~", ".#a", "#a#"] {
        put(&scene.path("src").join(scratch), "x");
    }
    let watched = scene.watcher.set_extra([scene.path("src")]);
    watched.expect("set");
    put(&scene.path("src/.a.swp"), "y");
    put(&scene.path("src/new"), "x");
    scene.check_told(&["src/new"]);
    scene.check_silent();
}
