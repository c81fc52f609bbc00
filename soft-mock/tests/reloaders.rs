//! Reloaders in real processes: plugins over the standard input, a folder, a socket.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use common::{eventually, folder, Function, Plugin};
use soft_mock::reloader::protocol::{FromProgram, ListSites, Load, Restore, ToProgram};
use soft_mock::reloader::{self, socket, StartError};

#[allow(unreachable_pub)]
mod app {
    crate::sites! {
        as fn(u32) -> u32, "fn(u32) -> u32";
        pub fn by_stdin(x: u32) -> u32 { x }

        as fn(u32) -> u32, "fn(u32) -> u32";
        pub fn by_folder(x: u32) -> u32 { x }

        as fn(u32) -> u32, "fn(u32) -> u32";
        pub fn by_socket(x: u32) -> u32 { x }

        as fn(u32) -> u32, "fn(u32) -> u32";
        pub fn by_session(x: u32) -> u32 { x }
    }
}

const UNIT: &str = "00abcdef01234567";

fn plugin(name: &str, code: &'static str) -> Plugin {
    let function = Function::new(format!("reloaders::app::{name}"), "fn(u32) -> u32", code);
    Plugin::of(&[function.checked_as("fn(u32) -> u32")])
}

/// Set in the process that [`stdin_in_a_child`] starts.
const CHILD: &str = "SOFT_MOCK_TEST_CHILD";

#[test]
fn stdin_in_a_child() {
    if std::env::var_os(CHILD).is_some() {
        return child();
    }
    let folder = folder();
    let good = plugin("by_stdin", "(x: u32) -> u32 { x + 5 }").build(folder.path(), "good");
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "stdin_in_a_child", "--nocapture"])
        .env(CHILD, "1")
        .env("TMPDIR", folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let mut input = child.stdin.take().expect("its input");
    writeln!(input, "/no/such.so\n{}", good.display()).expect("written");
    let mut output = String::new();
    let mut lines = BufReader::new(child.stdout.take().expect("its output"));
    while !output.contains("installed") || !output.contains("blocked") {
        assert_ne!(lines.read_line(&mut output).expect("text"), 0, "{output}");
    }
    drop(input); // The end of its input is the end of the reloader.
    lines.read_to_string(&mut output).expect("text");
    assert!(child.wait().expect("it ends").success());
    assert!(
        output.contains("refused: /no/such.so: there is no such file"),
        "{output}"
    );
    assert!(
        output
            .contains("installed: patch 1: 1 function: reloaders::app::by_stdin (src/edited.rs:1)"),
        "{output}"
    );
    assert!(
        output.contains("blocked true") && output.contains("result 6"),
        "{output}"
    );
    let left = fs::read_dir(folder.path()).expect("a folder").flatten();
    let left: Vec<_> = left.filter(|entry| entry.path().is_dir()).collect();
    assert!(left.is_empty(), "copies are removed at exit: {left:?}");
}

fn child() {
    let handle = reloader::stdin::start(|answer| println!("{answer}")).expect("started");
    // A thread gives itself its name, soon after it began.
    let blocked = eventually("a named thread", all_of_ours_block_signals);
    println!("blocked {blocked}");
    handle.join();
    println!("result {}", app::by_stdin(1));
}

/// Whether the threads of the runtime block SIGTERM and SIGINT, as the kernel sees it. None while
/// there are none.
fn all_of_ours_block_signals() -> Option<bool> {
    let threads = fs::read_dir("/proc/self/task").expect("threads").flatten();
    let ours = threads.filter(|thread| {
        fs::read_to_string(thread.path().join("comm")).is_ok_and(|name| name.trim() == "soft-mock")
    });
    let blocked: Vec<u64> = ours
        .map(|thread| {
            let status = fs::read_to_string(thread.path().join("status")).expect("its status");
            let mask = status
                .lines()
                .find_map(|line| line.strip_prefix("SigBlk:"))
                .expect("its mask");
            u64::from_str_radix(mask.trim(), 16).expect("a number")
        })
        .collect();
    let (int, term) = (1 << 1, 1 << 14);
    let all = blocked
        .iter()
        .all(|mask| mask & int != 0 && mask & term != 0);
    (!blocked.is_empty()).then_some(all)
}

#[test]
fn a_watched_folder() {
    let (watched, elsewhere) = (folder(), folder());
    let early = plugin("by_folder", "(x: u32) -> u32 { x + 1 }").build(watched.path(), "early");
    let (sender, answers) = mpsc::channel();
    let handle = reloader::folder::start(watched.path(), move |answer| {
        let _ = sender.send((answer.plugins[0].clone(), answer.to_string()));
    })
    .expect("started");
    let next = || {
        answers
            .recv_timeout(Duration::from_secs(20))
            .expect("an answer")
    };

    // Compiled in place, copied, linked; text is refused; other names are ignored.
    plugin("by_folder", "(x: u32) -> u32 { x + 2 }").build(watched.path(), "built");
    let (path, answer) = next();
    assert!(
        path.ends_with("built.so") && answer.starts_with("installed"),
        "{answer}"
    );
    assert_eq!(app::by_folder(0), 2);
    let three = plugin("by_folder", "(x: u32) -> u32 { x + 3 }").build(elsewhere.path(), "three");
    fs::copy(&three, watched.path().join("copied.so")).expect("a copy");
    assert!(next().0.ends_with("copied.so"));
    assert_eq!(app::by_folder(0), 3);
    fs::write(watched.path().join("note.txt"), "hello").expect("a file");
    fs::write(watched.path().join("text.so"), "hello").expect("a file");
    let (path, answer) = next();
    assert!(
        path.ends_with("text.so") && answer.contains("no ELF file"),
        "{answer}"
    );
    std::os::unix::fs::symlink(&early, watched.path().join("linked.so")).expect("a link");
    assert!(next().0.ends_with("linked.so"));
    assert_eq!(app::by_folder(0), 1);

    // Written in two parts: nothing happens before it is closed.
    let bytes = fs::read(&three).expect("a plugin");
    let mut slow = fs::File::create(watched.path().join("slow.so")).expect("a file");
    slow.write_all(&bytes[..1000]).expect("a part");
    std::thread::sleep(Duration::from_millis(100));
    slow.write_all(&bytes[1000..]).expect("the rest");
    drop(slow);
    let (path, answer) = next();
    assert!(
        path.ends_with("slow.so") && answer.starts_with("installed"),
        "{answer}"
    );
    assert!(answers.try_recv().is_err(), "one answer each");
    drop(watched);
    eventually("the end with the folder", || {
        (!handle.is_running()).then_some(())
    });
    handle.join();
}

#[test]
fn folders_that_cannot_be_used() {
    let folder = folder();
    let start = |path: &Path| reloader::folder::start(path, |_| ()).map(drop);
    assert!(matches!(
        start(&folder.path().join("no")),
        Err(StartError::Place { .. })
    ));
    let file = folder.path().join("file");
    fs::write(&file, "").expect("a file");
    assert!(matches!(start(&file), Err(StartError::Place { .. })));
    let open = folder.path().join("open");
    fs::create_dir(&open).expect("a folder");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).expect("permissions");
    let error = start(&open).expect_err("an open folder").to_string();
    assert!(error.contains("may be written by everybody"), "{error}");

    // A socket's folder must be closed to others altogether.
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).expect("permissions");
    let error = socket::start(open.join("s"))
        .expect_err("an open folder")
        .to_string();
    assert!(error.contains("open to others (mode 755)"), "{error}");
    assert!(socket::connect(&open, "").is_err());
}

/// The other end of a socket.
struct Peer {
    reader: BufReader<UnixStream>,
    writer: UnixStream,
}

impl Peer {
    fn of(stream: UnixStream) -> Self {
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a timeout");
        let writer = stream.try_clone().expect("a clone");
        Self {
            reader: BufReader::new(stream),
            writer,
        }
    }

    fn say(&mut self, words: &ToProgram) {
        let mut line = serde_json::to_vec(words).expect("JSON");
        line.push(b'\n');
        self.writer.write_all(&line).expect("written");
    }

    fn hear(&mut self) -> FromProgram {
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).expect("words")
    }

    fn load(&mut self, id: u64, plugins: &[&PathBuf], restore: &[&str]) -> FromProgram {
        let restore = restore.iter().map(|name| Restore {
            unit: UNIT.into(),
            name: format!("reloaders::app::{name}"),
        });
        self.say(&ToProgram::Load(Load {
            id,
            plugins: plugins.iter().map(PathBuf::from).collect(),
            restore: restore.collect(),
            calls: false,
        }));
        self.hear()
    }

    fn hello(&mut self) -> reloader::protocol::Hello {
        match self.hear() {
            FromProgram::Hello(hello) => hello,
            other => panic!("no hello: {other:?}"),
        }
    }
}

#[test]
fn a_listening_socket() {
    let folder = folder();
    // Longer than a socket's address may be.
    let deep = folder.path().join("a".repeat(60)).join("b".repeat(60));
    fs::create_dir_all(&deep).expect("folders");
    fs::set_permissions(&deep, fs::Permissions::from_mode(0o700)).expect("permissions");
    let path = deep.join("socket");
    let good = plugin("by_socket", "(x: u32) -> u32 { x + 5 }").build(folder.path(), "good");
    // Left behind by a process that was killed.
    let connect = || {
        let short = folder.path().join("short");
        let _ = std::os::unix::fs::symlink(&deep, &short);
        UnixStream::connect(short.join("socket"))
    };
    let _ = std::os::unix::fs::symlink(&deep, folder.path().join("short"));
    drop(UnixListener::bind(folder.path().join("short/socket")).expect("a socket"));
    assert!(connect().is_err());

    let handle = socket::start(&path).expect("started");
    assert!(matches!(socket::start(&path), Err(StartError::InUse(_))));
    let mut peer = Peer::of(connect().expect("a connection"));
    let hello = peer.hello();
    assert_eq!((hello.version, hello.pid), (1, std::process::id()));
    assert_eq!(hello.exe, std::env::current_exe().expect("this program"));
    assert_eq!(
        (
            hello.units[0].crate_name.as_str(),
            hello.units[0].unit.as_str(),
            hello.units[0].sites
        ),
        ("app", UNIT, 4)
    );

    let FromProgram::Loaded(loaded) = peer.load(7, &[&good], &[]) else {
        panic!("not loaded")
    };
    assert_eq!((loaded.id, loaded.report.functions.len()), (7, 1));
    assert_eq!(app::by_socket(1), 6);
    let FromProgram::Refused(refused) = peer.load(8, &[&good], &["nothing"]) else {
        panic!("not refused")
    };
    assert_eq!(
        (refused.id, refused.functions),
        (8, vec!["reloaders::app::nothing".to_owned()])
    );
    peer.say(&ToProgram::Sites(ListSites { id: 9 }));
    let FromProgram::Sites(list) = peer.hear() else {
        panic!("no list")
    };
    let site = list
        .sites
        .iter()
        .find(|site| site.name == "reloaders::app::by_socket")
        .expect("the site");
    assert!(site.patched && site.unit == UNIT && site.signature == "fn(u32) -> u32");
    peer.writer.write_all(b"what?\n").expect("written");
    let FromProgram::Refused(refused) = peer.hear() else {
        panic!("not refused")
    };
    assert!(refused.id == 0 && refused.error.contains("not understood"));
    // A second peer at the same time.
    let mut other = Peer::of(connect().expect("a connection"));
    other.hello();
    assert!(matches!(
        other.load(1, &[], &["by_socket"]),
        FromProgram::Loaded(_)
    ));
    assert_eq!(app::by_socket(1), 1);

    handle.stop();
    drop(connect());
    handle.join();
    assert!(!path.exists(), "the socket is removed");
}

#[test]
fn a_session_that_comes_and_goes() {
    let session = folder();
    let plugins = folder();
    let good = plugin("by_session", "(x: u32) -> u32 { x + 5 }").build(plugins.path(), "good");
    let handle =
        socket::connect(session.path(), "the program").expect("started before anybody listens");
    for round in 1..=2 {
        let path = session.path().join(socket::SOCKET);
        let _ = fs::remove_file(&path);
        let listener = UnixListener::bind(&path).expect("a socket");
        let mut peer = Peer::of(listener.accept().expect("a call").0);
        assert_eq!(peer.hello().program, "the program");
        assert!(matches!(
            peer.load(round, &[&good], &[]),
            FromProgram::Loaded(_)
        ));
        assert_eq!(app::by_session(1), 6);
        assert!(matches!(
            peer.load(round, &[], &["by_session"]),
            FromProgram::Loaded(_)
        ));
        assert_eq!(app::by_session(1), 1);
        // Gone without a word, in the middle of a line.
        peer.writer.write_all(b"{\"load\"").expect("written");
    }
    let copies = session
        .path()
        .join(format!("loaded-{}", std::process::id()));
    assert!(
        fs::read_dir(copies).expect("copies").count() >= 2,
        "copies are the session's"
    );
    drop(session);
    eventually("the end with the session", || {
        (!handle.is_running()).then_some(())
    });
    handle.join();
}
