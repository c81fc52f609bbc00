//! What goes wrong around a session: files and folders that vanish, loops, floods of changes, a
//! full disk, the death of `hot`. After each the program is in the right state, and the next edit
//! works.

use std::fs;
use std::os::unix::fs::{symlink, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use soft_mock_tests::hot;
use soft_mock_tests::project::{Project, Save};
use soft_mock_tests::session::Session;

use crate::ledger::{start, FILE};

const ORIGINAL: &str = "account of {}";

/// Edits the title from one text to another, and waits for it.
#[track_caller]
fn rename(project: &Project, session: &mut Session, from: &str, to: &str) {
    project.edit(FILE, &format!("{from} of {{}}"), &format!("{to} of {{}}"));
    session.ask_until("x", &format!("{to} of ada"));
}

/// The folder of the one session that runs.
fn session_folder(project: &Project) -> PathBuf {
    let folders = fs::read_dir(project.scratch().join("run")).expect("a folder");
    let mut sessions = folders.map(|entry| entry.expect("an entry").path());
    sessions
        .find(|path| path.join("socket").exists())
        .expect("a session")
}

fn restarts(session: &Session) -> usize {
    session
        .output()
        .to_string()
        .matches("hot: restarted")
        .count()
}

#[test]
fn sockets_loops_and_floods() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);

    // Patched: so the connection is there. Who comes later can't join.
    rename(&project, &mut session, "account", "wallet");
    fs::remove_file(session_folder(&project).join("socket")).expect("the socket");
    rename(&project, &mut session, "wallet", "purse");

    // Links that lead into themselves, nowhere, and to a folder.
    symlink(".", project.path("src/loop")).expect("a link");
    symlink("round.rs", project.path("src/round.rs")).expect("a link");
    symlink("/nowhere/at/all.rs", project.path("src/dangling.rs")).expect("a link");
    fs::create_dir(project.path("src/folder.rs")).expect("a folder");
    rename(&project, &mut session, "purse", "pocket");

    // Ten thousand files at once, among them the one that matters.
    let many = project.path("src/many");
    fs::create_dir(&many).expect("a folder");
    for number in 0..10_000 {
        fs::write(many.join(format!("file{number}.rs")), "fn f() {}\n").expect("a file");
    }
    rename(&project, &mut session, "pocket", "sack");
    fs::remove_dir_all(&many).expect("removed");
    rename(&project, &mut session, "sack", "bag");

    // The file itself is gone, then a loop, then a folder, then it is back.
    let text = project.read(FILE);
    let path = project.path(FILE);
    fs::remove_file(&path).expect("removed");
    symlink("report.rs", &path).expect("a link");
    std::thread::sleep(std::time::Duration::from_millis(400));
    fs::remove_file(&path).expect("removed");
    fs::create_dir(&path).expect("a folder");
    std::thread::sleep(std::time::Duration::from_millis(400));
    fs::remove_dir(&path).expect("removed");
    project.save(Save::InPlace, FILE, &text);
    rename(&project, &mut session, "bag", "account");
    let finished = session.finish();
    assert_eq!(finished.status.code(), Some(0), "{finished:#?}");
}

/// Root reads what it likes, unless it gives that up.
#[test]
fn a_file_that_must_not_be_read() {
    let project = Project::fixture("ledger");
    let hot = hot::binary().display().to_string();
    let rights = "-dac_override,-dac_read_search";
    let without = [
        format!("--bounding-set={rights}"),
        format!("--inh-caps={rights}"),
    ];
    let mut session = match rustix::process::geteuid().is_root() {
        true => project.start("setpriv", &[&without[0], &without[1], &hot, "cargo", "run"]),
        false => project.hot(&["cargo", "run"]),
    };
    session.wait_for_stdout("ready");
    rename(&project, &mut session, "account", "purse");
    let path = project.path(FILE);
    fs::set_permissions(&path, PermissionsExt::from_mode(0o000)).expect("its mode");
    session.wait_for_all(&[FILE, "can't be read: Permission denied"]);
    session.ask_until("x", "purse of ada");
    fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("its mode");
    rename(&project, &mut session, "purse", "pocket");
}

/// What is compiled ahead may be written there in the same moment.
#[track_caller]
fn until_it_works(mut remove: impl FnMut() -> bool) {
    let works = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        remove()
    });
    assert!(works, "it can't be removed");
}

#[test]
fn the_target_folder_vanishes() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    // After that, what was built has been read.
    rename(&project, &mut session, "account", "purse");
    until_it_works(|| fs::remove_dir_all(project.path("target")).is_ok());
    // What is left of it doesn't suffice for a patch, maybe: then it is built again.
    rename(&project, &mut session, "purse", "pocket");
    // Patched: so what was built again has been read, too.
    rename(&project, &mut session, "pocket", "pouch");
    until_it_works(|| project.run(Path::new("cargo"), &["clean"]).status.success());
    rename(&project, &mut session, "pouch", "sack");
    let before = (restarts(&session), session.patches().len());
    rename(&project, &mut session, "sack", "bag");
    let after = (restarts(&session), session.patches().len());
    assert!(
        after.0 > before.0 || after.1 > before.1,
        "{}",
        session.output()
    );
}

#[test]
fn the_program_outlives_hot() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    rename(&project, &mut session, "account", "purse");
    session.signal(Signal::KILL);
    // Patched as it was, and it goes on counting.
    let count = |answer: &str| {
        answer
            .rsplit(' ')
            .next()
            .and_then(|text| text.parse::<u32>().ok())
    };
    let first = session.ask("x");
    let second = session.ask("x");
    assert!(first.starts_with("purse of ada: "), "{first}");
    assert_eq!(count(&second), count(&first).map(|count| count + 1));

    // Another `hot` isn't disturbed by what the dead one left, and starts a program of its own.
    project.edit(FILE, "purse of {}", ORIGINAL);
    let mut next = start(&project);
    rename(&project, &mut next, "account", "pocket");
    assert!(session.ask("x").starts_with("purse of ada: "));
    next.send_line("end");
    assert_eq!(next.finish().status.code(), Some(0));
}

/// A small file system of its own; none if this user can't have one.
struct Disk(PathBuf);

impl Disk {
    fn new(place: &Path) -> Option<Self> {
        fs::create_dir(place).expect("a folder");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64m,mode=0700", "tmpfs"])
            .arg(place)
            .status();
        mount
            .is_ok_and(|status| status.success())
            .then(|| Self(place.to_owned()))
    }

    fn fill(&self) -> PathBuf {
        let file = self.0.join("filler");
        let mut size = 64 << 20;
        while size > 0 {
            let mut text = fs::read(&file).unwrap_or_default();
            text.resize(text.len() + size, 0);
            if fs::write(&file, &text).is_err() {
                size /= 2;
            }
        }
        file
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: the program may still have a file of it open.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_refuses_patches_until_there_is_room() {
    let mut project = Project::fixture("ledger");
    let place = project.scratch().join("disk");
    let Some(disk) = Disk::new(&place) else {
        eprintln!("not tested: this user can't mount a file system");
        return;
    };
    project.env("XDG_RUNTIME_DIR", &disk.0);
    project.env("TMPDIR", &disk.0);
    let mut session = project.hot(&["--no-restart", "cargo", "run"]);
    session.wait_for_stdout("ready");
    assert_eq!(session.ask("x"), "account of ada: 1");
    let filler = disk.fill();
    project.edit(FILE, ORIGINAL, "purse of {}");
    session.wait_for_stderr("the old code runs on");
    assert_eq!(session.ask("x"), "account of ada: 2");
    assert!(
        session.output().to_string().contains("No space left"),
        "{}",
        session.output()
    );
    fs::remove_file(filler).expect("room");
    project.edit(FILE, "purse of {}", "pocket of {}");
    session.wait_for_patch();
    assert_eq!(session.ask("x"), "pocket of ada: 3");
    session.send_line("end");
    session.finish();
}
