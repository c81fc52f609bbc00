//! What a session rests on changes under it: the clock, the compiler, files that can't be read.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{symlink, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use soft_mock_tests::project::{Project, Save};
use soft_mock_tests::session::Session;

use crate::ledger::{start, FILE};

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Saves a file whose last change was at this time, as a clock that was wrong, an archive or `cp
/// -p` leaves it.
fn save_as_of(project: &Project, time: SystemTime, file: &str, from: &str, to: &str) {
    let text = project.read(file);
    assert_eq!(text.matches(from).count(), 1, "{from}");
    let new = project.scratch().join("new.rs");
    fs::write(&new, text.replace(from, to)).expect("written");
    let opened = File::options().write(true).open(&new).expect("opened");
    opened.set_modified(time).expect("a time");
    fs::rename(&new, project.path(file)).expect("renamed");
}

fn restarts(session: &Session) -> usize {
    let output = session.output().to_string();
    output.matches("hot: restarted").count()
}

#[test]
fn times_of_files_that_jump() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    let (past, future) = (SystemTime::now() - YEAR, SystemTime::now() + YEAR);
    for (time, from, to) in [
        (past, "account", "purse"),
        (future, "purse", "pocket"),
        (past, "pocket", "sack"),
    ] {
        save_as_of(
            &project,
            time,
            FILE,
            &format!("\"{from} of"),
            &format!("\"{to} of"),
        );
        session.wait_for_patch();
        assert!(session.ask("x").starts_with(&format!("{to} of ada")));
    }
    // Cargo goes by the time; what was changed a year ago is built all the same.
    let account = "src/account.rs";
    save_as_of(
        &project,
        past,
        account,
        "balance: u64,\n}",
        "balance: u64,\n    limit: u64,\n}",
    );
    session.wait_for_stderr("the build failed: the old code runs on");
    save_as_of(
        &project,
        past,
        account,
        "balance: 0,",
        "balance: 0,\n            limit: 1,",
    );
    session.wait_for_stderr("restarted");
    session.ask_until("x", "sack of ada");
    save_as_of(
        &project,
        future,
        account,
        "limit: u64,\n}",
        "limit: u32,\n}",
    );
    session.wait_for_stderr("restarted");
    project.edit(FILE, "sack of", "bag of");
    session.ask_until("x", "bag of ada");
    assert_eq!(restarts(&session), 2, "{}", session.output());
    session.send_line("end");
    session.finish();
}

/// A toolchain that says of itself which version it is.
struct Toolchain(PathBuf);

impl Toolchain {
    fn new(place: PathBuf) -> Self {
        let real = Command::new("rustc").args(["--print", "sysroot"]).output();
        let real = String::from_utf8(real.expect("a compiler").stdout).expect("text");
        fs::create_dir_all(place.join("bin")).expect("a folder");
        symlink(Path::new(real.trim()).join("lib"), place.join("lib")).expect("a link");
        symlink(Path::new(real.trim()).join("bin/rustc"), place.join("real")).expect("a link");
        Self(place)
    }

    fn rustc(&self) -> PathBuf {
        self.0.join("bin/rustc")
    }

    fn become_version(&self, version: &str) {
        let here = self.0.display();
        let script = format!(
            "#!/bin/sh\n\
             case \"$*\" in\n\
             '--print sysroot') echo '{here}' ;;\n\
             -V|-vV|--version*) '{here}/real' \"$@\" | sed -E 's/^(rustc|release:) *[0-9][0-9.]*/\\1 {version}/' ;;\n\
             *) exec '{here}/real' \"$@\" ;;\n\
             esac\n"
        );
        let new = self.0.join("new");
        fs::write(&new, script).expect("written");
        fs::set_permissions(&new, Permissions::from_mode(0o755)).expect("a mode");
        fs::rename(new, self.rustc()).expect("renamed");
    }
}

#[test]
fn another_compiler_in_the_place_of_the_one_that_built_the_program() {
    let mut project = Project::fixture("ledger");
    let toolchain = Toolchain::new(project.scratch().join("toolchain"));
    toolchain.become_version("1.91.7");
    project.env("RUSTC", toolchain.rustc());
    let mut session = start(&project);
    project.edit(FILE, "account of", "purse of");
    session.wait_for_patch();
    toolchain.become_version("1.92.3");
    project.edit(FILE, "purse of", "pocket of");
    session.wait_for_all(&["1.91.7", "is now rustc 1.92.3"]);
    // Built again with it, and then as ever.
    session.ask_until("x", "pocket of ada");
    session.wait_for_stderr("hot: restarted");
    assert_eq!(restarts(&session), 1, "{}", session.output());
    project.edit(FILE, "pocket of", "sack of");
    session.wait_for_patch();
    session.ask_until("x", "sack of ada");
    // Gone altogether: no patch, and the program runs on.
    fs::remove_file(toolchain.rustc()).expect("removed");
    project.edit(FILE, "sack of", "bag of");
    session.wait_for_stderr("can't be run any more");
    session.wait_for_stderr("the build failed: the old code runs on");
    assert!(session.ask("x").starts_with("sack of ada"));
    toolchain.become_version("1.92.3");
    project.edit(FILE, "bag of", "net of");
    session.ask_until("x", "net of ada");
}

#[test]
fn sources_that_cannot_be_read() {
    let project = Project::fixture("ledger");
    let mut session = start(&project);
    let text = project.read(FILE);
    fs::write(project.path(FILE), b"//! \xff\xfe\n").expect("written");
    session.wait_for_all(&[FILE]);
    session.wait_for_stderr("the build failed: the old code runs on");
    assert!(session.ask("x").starts_with("account of ada"));
    project.save(Save::Rename, FILE, &text.replace("account of", "purse of"));
    session.wait_for_patch();
    assert!(session.ask("x").starts_with("purse of ada"));

    fs::remove_file(project.path(FILE)).expect("removed");
    session.wait_for_all(&[FILE]);
    session.wait_for_stderr("the build failed: the old code runs on");
    assert!(session.ask("x").starts_with("purse of ada"));
    project.save(
        Save::InPlace,
        FILE,
        &text.replace("account of", "pocket of"),
    );
    session.wait_for_patch();
    assert!(session.ask("x").starts_with("pocket of ada"));

    if rustix::process::geteuid().is_root() {
        eprintln!("not tested: root can read every file");
        return;
    }
    fs::set_permissions(project.path(FILE), Permissions::from_mode(0o0)).expect("a mode");
    session.wait_for_all(&[FILE]);
    fs::set_permissions(project.path(FILE), Permissions::from_mode(0o644)).expect("a mode");
    project.edit(FILE, "pocket of", "sack of");
    session.ask_until("x", "sack of ada");
}
