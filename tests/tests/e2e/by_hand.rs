//! A server in the release profile: patched by hand without a session, at its safe points under
//! `hot`, and restarted with its state and its socket.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use soft_mock_tests::folder;
use soft_mock_tests::hot;
use soft_mock_tests::project::Project;
use soft_mock_tests::session::Session;

const RECEIPT: &str = "src/receipt.rs";

fn till() -> Project {
    Project::with_runtime(&folder::fixture("till"), "till")
}

/// One line to the server, and its answer.
#[track_caller]
fn say(address: &str, line: &str) -> String {
    let mut connection = TcpStream::connect(address).expect("the server listens");
    writeln!(connection, "{line}").expect("written");
    let mut answer = String::new();
    BufReader::new(connection)
        .read_line(&mut answer)
        .expect("an answer");
    answer.trim_end().to_owned()
}

#[track_caller]
fn address(session: &mut Session) -> String {
    let line = session.wait_for_stdout("listening on ");
    line.rsplit(' ').next().expect("an address").to_owned()
}

#[track_caller]
fn refused(project: &Project, arguments: &[&str]) -> String {
    let output = project.run(hot::binary(), arguments);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The server that listens for patches, and its socket.
fn listening(project: &mut Project) -> (Session, PathBuf) {
    let folder = project.scratch().join("private");
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o700)).expect("private");
    let socket = folder.join("till");
    project.env("TILL_SOCKET", &socket);
    let program = project.target().join("release/till");
    (project.start(program, &[]), socket)
}

#[test]
fn a_live_server_is_patched_by_hand_and_back() {
    let mut project = till();
    project.hot_to_end(&["cargo", "build", "--release"]);
    let (mut session, socket) = listening(&mut project);
    let address = address(&mut session);
    assert_eq!(say(&address, "sell"), "2 sold, thanks");

    let nothing = refused(&project, &["build-patch", "--release", "-o", "fix.so"]);
    assert!(nothing.contains("nothing to patch"), "{nothing}");
    project.edit(RECEIPT, ", thanks", ", come again");
    let program = project.target().join("release/till");
    let (told, _) = project.hot_to_end(&[
        "build-patch",
        &program.display().to_string(),
        "-o",
        "fix.so",
    ]);
    assert!(
        told.contains("fix.so") && told.contains("till::receipt::footer"),
        "{told}"
    );

    // By pid: its socket is found.
    let status = project
        .hot_to_end(&["status", "--socket", &socket.display().to_string()])
        .0;
    let pid = status.split(' ').nth(1).expect("a pid").to_owned();
    let (told, _) = project.hot_to_end(&["patch", "--pid", &pid, "fix.so"]);
    assert!(
        told.contains("patch 1: 1 function: till::receipt::footer"),
        "{told}"
    );
    assert_eq!(say(&address, "sell"), "4 sold, come again");
    session.wait_for_all(&["soft-mock: for process ", "installed: patch 1"]);
    let (past, _) = project.hot_to_end(&["history", "--pid", &pid]);
    assert!(
        past.starts_with("1  ") && past.contains("till::receipt::footer"),
        "{past}"
    );

    // And back.
    let socket = socket.display().to_string();
    let (told, _) = project.hot_to_end(&["rollback", "--socket", &socket]);
    assert!(
        told.contains("takes back 1") && told.contains("original restored"),
        "{told}"
    );
    assert_eq!(say(&address, "sell"), "6 sold, thanks");
    session.wait_for_all(&[
        "soft-mock: for process ",
        "rolled back: patch 2 (takes back 1)",
    ]);

    // What can't be is refused, and why is said on both sides.
    let again = refused(&project, &["rollback", "--socket", &socket]);
    assert!(again.contains("no patch is in effect"), "{again}");
    let missing = refused(&project, &["patch", "--socket", &socket, "no.so"]);
    assert!(
        missing.contains("no.so: there is no such file"),
        "{missing}"
    );
    session.wait_for_all(&["refused: ", "no.so: there is no such file"]);
    let plugin = project.path("fix.so");
    std::fs::set_permissions(&plugin, PermissionsExt::from_mode(0o666)).expect("open to all");
    let open = refused(&project, &["patch", "--socket", &socket, "fix.so"]);
    assert!(open.contains("may be written by everybody"), "{open}");
    let none = refused(
        &project,
        &["patch", "--pid", &std::process::id().to_string(), "fix.so"],
    );
    assert!(none.contains("has no reloader that listens"), "{none}");
    project.edit(
        "src/sales.rs",
        "count: u64,\n}",
        "count: u64,\n    more: u64,\n}",
    );
    let rude = refused(&project, &["build-patch", "--release", "-o", "rude.so"]);
    assert!(
        rude.contains("can't be patched") && rude.contains("src/sales.rs:"),
        "{rude}"
    );
    assert!(!project.path("rude.so").exists());
    assert_eq!(say(&address, "look"), "6 sold, thanks");

    // A plugin of another build is refused.
    std::fs::set_permissions(&plugin, PermissionsExt::from_mode(0o600)).expect("private");
    project.edit("src/sales.rs", "\n    more: u64,", "");
    project.hot_to_end(&["cargo", "build", "--release"]);
    project.edit(RECEIPT, ", come again", ", bye");
    project.hot_to_end(&["build-patch", "--release", "-o", "other.so"]);
    let other = refused(&project, &["patch", "--socket", &socket, "other.so"]);
    assert!(other.contains("which is not in this program"), "{other}");
}

/// What has no site of its own (`Sales::count` is inlined), and what the program didn't have.
#[test]
fn edits_that_reach_others_are_patched_by_hand() {
    let mut project = till();
    project.hot_to_end(&["cargo", "build", "--release"]);
    let (mut session, socket) = listening(&mut project);
    let address = address(&mut session);
    let socket = socket.display().to_string();
    assert_eq!(say(&address, "sell"), "2 sold, thanks");
    let build_patch = ["build-patch", "--release", "-o", "fix.so"];
    let patch = ["patch", "--socket", &socket, "fix.so"];

    project.edit("src/sales.rs", "self.count\n", "times(self.count)\n");
    let helper = "const TIMES: u64 = 10;\n\nfn times<T: std::ops::Mul<u64>>(n: T) -> T::Output {\n    n * TIMES\n}\n\n";
    project.edit("src/sales.rs", "impl Sales", &format!("{helper}impl Sales"));
    let (told, _) = project.hot_to_end(&build_patch);
    assert!(told.contains("till::receipt::receipt"), "{told}");
    project.hot_to_end(&patch);
    assert_eq!(say(&address, "sell"), "40 sold, thanks");

    // The next one has all of it, and more.
    project.edit("src/sales.rs", "TIMES: u64 = 10", "TIMES: u64 = 100");
    project.edit(RECEIPT, ", thanks", ", bye");
    project.hot_to_end(&build_patch);
    project.hot_to_end(&patch);
    assert_eq!(say(&address, "look"), "400 sold, bye");
    project.hot_to_end(&["rollback", "--socket", &socket]);
    assert_eq!(say(&address, "look"), "40 sold, thanks");

    // A static would be another one in each patch.
    let counted = "static RECEIPTS: AtomicU64 = AtomicU64::new(0);\n\n#[inline(never)]\npub fn receipt(sales: &Sales) -> String {\n    RECEIPTS.fetch_add(1, Ordering::Relaxed);\n";
    let old = "#[inline(never)]\npub fn receipt(sales: &Sales) -> String {\n";
    project.edit(RECEIPT, old, counted);
    let import = "use std::sync::atomic::{AtomicU64, Ordering};\n\nuse crate";
    project.edit(RECEIPT, "use crate", import);
    std::fs::remove_file(project.path("fix.so")).expect("it was made");
    let lasting = refused(&project, &build_patch);
    assert!(
        lasting.contains("src/receipt.rs:") && lasting.contains("it brings a static"),
        "{lasting}"
    );
    assert!(!project.path("fix.so").exists());
    assert_eq!(say(&address, "look"), "40 sold, thanks");
}

#[test]
fn patches_wait_for_the_programs_safe_point() {
    let mut project = till();
    // Its dependencies may take longer than any answer.
    project.hot_to_end(&["cargo", "build", "--release"]);
    project.env("TILL_SAFE", "1");
    let mut session = project.hot(&["cargo", "run", "--release"]);
    let address = address(&mut session);
    assert_eq!(say(&address, "sell"), "2 sold, thanks");
    project.edit(RECEIPT, "{} sold{}", "sold: {}{}");
    session.wait_for_stderr("waiting for the program's safe point: till::receipt::receipt");
    assert_eq!(say(&address, "sell"), "4 sold, thanks");
    let waiting = project.hot_to_end(&["status"]).0;
    assert!(
        waiting.contains("1 waiting for its safe point"),
        "{waiting}"
    );
    let early = refused(&project, &["rollback"]);
    assert!(early.contains("on its way"), "{early}");

    assert_eq!(say(&address, "point"), "sold: 4, thanks");
    session.wait_for_stdout("Before: till::receipt::receipt");
    session.wait_for_stdout("After: till::receipt::receipt");
    session.wait_for_patch();

    // A listener that panics is reported; the patch is there all the same.
    project.edit(RECEIPT, ", thanks", ", bye");
    session.wait_for_stderr("waiting for the program's safe point");
    assert_eq!(say(&address, "point"), "sold: 4, bye");
    session.wait_for_patch();
    session.wait_for_mention("an `on_patch` listener panicked: no new footers");

    // A rollback waits as well.
    let told = project.hot_to_end(&["rollback"]).0;
    assert!(
        told.contains("waiting for the program's safe point"),
        "{told}"
    );
    assert_eq!(say(&address, "look"), "sold: 4, bye");
    assert_eq!(say(&address, "point"), "sold: 4, thanks");
    session.wait_for_stderr("rolled back 1 function");
}

/// Clients come all the time, also while nobody listens: none is refused.
/// Ends the client also where the test fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_restart_keeps_the_state_and_the_listening_socket() {
    let project = till();
    // Its dependencies may take longer than any answer.
    project.hot_to_end(&["cargo", "build", "--release"]);
    let mut session = project.hot(&["cargo", "run", "--release"]);
    let address = address(&mut session);
    assert_eq!(say(&address, "sell"), "2 sold, thanks");

    let (ended, served) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let _end = End(&ended);
        let client = scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                // A build takes its time, and each connection takes a port for a minute.
                std::thread::sleep(Duration::from_millis(5));
                let mut connection = TcpStream::connect(&address).expect("not refused");
                // The process that took it may be the one that ends.
                let _ = writeln!(connection, "look");
                let mut answer = String::new();
                if BufReader::new(connection)
                    .read_line(&mut answer)
                    .is_ok_and(|count| count > 0)
                {
                    assert_eq!(answer, "2 sold, thanks\n");
                    served.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        project.edit_all(
            "src/sales.rs",
            &[
                (
                    "count: u64,\n}",
                    "count: u64,\n    #[serde(default)]\n    refunds: u64,\n}",
                ),
                (
                    "        self.count\n",
                    "        self.count - self.refunds\n",
                ),
            ],
        );
        session.wait_for_stderr("handed over: sales, till");
        session.wait_for_stderr("restarted");
        let before = served.load(Ordering::Relaxed);
        assert!(session.wait_for_stdout("listening on ").ends_with(&address));
        while served.load(Ordering::Relaxed) < before + 3 && !client.is_finished() {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    assert_eq!(say(&address, "sell"), "4 sold, thanks");

    // What can't be restored is said, and the rest goes over all the same.
    project.edit_all(
        "src/sales.rs",
        &[
            (
                "    #[serde(default)]\n    refunds: u64",
                "    returns: u64",
            ),
            ("self.refunds", "self.returns"),
        ],
    );
    session.wait_for_stderr(
        "the state `sales` can't be restored, it starts fresh: missing field `returns`",
    );
    assert!(session.wait_for_stdout("listening on ").ends_with(&address));
    assert_eq!(say(&address, "sell"), "2 sold, thanks");
}
