//! Real processes. Signals are sent to a second process (this test program again), since they would
//! reach all tests.

use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{channel, Receiver};

use super::*;

const TIMEOUT: Duration = Duration::from_secs(20);

fn sh(script: &str) -> Launch {
    Launch {
        program: "sh".into(),
        args: vec!["-c".into(), script.into()],
        env: Vec::new(),
    }
}

fn supervisor() -> (Supervisor<ChildEvent>, Receiver<ChildEvent>) {
    let (sender, events) = channel();
    (Supervisor::new(sender).expect("signal handlers"), events)
}

fn next_exit(events: &Receiver<ChildEvent>) -> (u64, ExitStatus, bool) {
    loop {
        match events.recv_timeout(TIMEOUT).expect("an event") {
            ChildEvent::Exited {
                run,
                status,
                stopped,
            } => return (run, status, stopped),
            ChildEvent::Signal { .. } => {}
        }
    }
}

fn run(launch: &Launch) -> u8 {
    let (mut supervisor, events) = supervisor();
    let run = supervisor.start(launch).expect("started");
    let (ended, status, stopped) = next_exit(&events);
    assert_eq!((ended, stopped), (run, false));
    assert_eq!(supervisor.pid(), None);
    exit::of_command(status)
}

#[track_caller]
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::sleep(POLL);
    }
}

/// The whole lines that a script wrote into a file.
#[track_caller]
fn lines(file: &Path, count: usize) -> Vec<String> {
    until(&format!("{count} lines in {}", file.display()), || {
        let text = std::fs::read_to_string(file).ok()?;
        (text.matches('\n').count() >= count).then(|| text.lines().map(String::from).collect())
    })
}

fn is_alive(pid: &str) -> bool {
    let pid = pid.trim().parse().expect("a pid");
    Process::open(pid).is_some_and(|process| process.is_alive())
}

#[test]
fn exit_codes_are_the_childs() {
    assert_eq!(run(&sh("exit 0")), 0);
    assert_eq!(run(&sh("exit 7")), 7);
    assert_eq!(run(&sh("kill -9 $$")), 128 + 9);
    assert_eq!(run(&sh("kill -TERM $$")), 128 + 15);
}

#[test]
fn commands_that_cannot_start() {
    let (mut supervisor, _events) = supervisor();
    let mut start = |program: &str| {
        let launch = Launch {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
        };
        supervisor.start(&launch).expect_err(program)
    };
    let missing = start("no-such-command-here");
    assert_eq!(missing.exit_code(), exit::NOT_FOUND);
    assert!(
        missing.to_string().contains("`no-such-command-here`"),
        "{missing}"
    );
    assert_eq!(start("/").exit_code(), exit::NOT_EXECUTABLE);
}

#[test]
fn arguments_and_environment_arrive() {
    let mut launch =
        sh(r#"test "$HOT_TEST_A" = "x y" && test -n "$PATH" && test "$1|$2" = "--|" && exit 5"#);
    launch.args.extend(["sh", "--", ""].map(OsString::from));
    launch.env.push(("HOT_TEST_A".into(), "x y".into()));
    assert_eq!(run(&launch), 5);
}

#[test]
fn one_run_at_a_time() {
    let (mut supervisor, events) = supervisor();
    let first = supervisor.start(&sh("sleep 60")).expect("started");
    assert!(supervisor.pid().is_some());
    assert!(matches!(
        supervisor.start(&sh("exit")),
        Err(ChildError::Running)
    ));
    supervisor.stop(&[], TIMEOUT);
    let second = supervisor.start(&sh("exit 4")).expect("started again");
    assert_ne!(first, second);
    assert_eq!(next_exit(&events).0, first);
    let (run, status, stopped) = next_exit(&events);
    assert_eq!((run, exit::of_command(status), stopped), (second, 4, false));
}

#[test]
fn stop_lets_the_child_end_by_itself() {
    let folder = tempfile::tempdir().expect("folder");
    let ready = folder.path().join("ready");
    let (mut supervisor, events) = supervisor();
    let script = format!(
        "trap 'exit 3' TERM; echo >{}; while :; do sleep 0.01; done",
        ready.display()
    );
    let run = supervisor.start(&sh(&script)).expect("started");
    lines(&ready, 1);
    let stopped = supervisor.stop(&[], TIMEOUT);
    assert_eq!(
        (stopped.status.map(exit::of_command), stopped.killed),
        (Some(3), 0)
    );
    let (ended, _, by_us) = next_exit(&events);
    assert_eq!((ended, by_us), (run, true));
    let nothing = supervisor.stop(&[], TIMEOUT);
    assert_eq!(nothing.killed, 0);
}

#[test]
fn stop_kills_after_the_grace() {
    let folder = tempfile::tempdir().expect("folder");
    let ready = folder.path().join("ready");
    let (mut supervisor, _events) = supervisor();
    let script = format!(
        "trap '' TERM; echo >{}; while :; do sleep 0.01; done",
        ready.display()
    );
    supervisor.start(&sh(&script)).expect("started");
    lines(&ready, 1);
    let before = Instant::now();
    let stopped = supervisor.stop(&[], Duration::from_millis(100));
    assert!(before.elapsed() >= Duration::from_millis(100));
    assert_eq!(stopped.status.map(exit::of_command), Some(128 + 9));
    assert!(stopped.killed >= 1);
}

#[test]
fn stop_ends_a_frozen_child() {
    let (mut supervisor, _events) = supervisor();
    supervisor
        .start(&sh("kill -STOP $$; exit 1"))
        .expect("started");
    let pid = supervisor.pid().and_then(Process::open).expect("running");
    until("frozen", || {
        std::fs::read_to_string(format!("/proc/{}/stat", pid.id()))
            .ok()?
            .contains(") T ")
            .then_some(())
    });
    let stopped = supervisor.stop(&[], TIMEOUT);
    assert_eq!(
        (stopped.status.map(exit::of_command), stopped.killed),
        (Some(128 + 15), 0)
    );
}

#[test]
fn stop_takes_along_what_the_child_started() {
    let folder = tempfile::tempdir().expect("folder");
    let pids = folder.path().join("pids");
    let (mut supervisor, _events) = supervisor();
    let script = format!("sh -c 'echo $$ >{0}; sleep 60; :'; :", pids.display());
    supervisor.start(&sh(&script)).expect("started");
    let inner = lines(&pids, 1);
    assert!(is_alive(&inner[0]));
    supervisor.stop(&[], TIMEOUT);
    assert!(!is_alive(&inner[0]));
}

#[test]
fn stop_ends_programs_that_left_the_family() {
    use std::os::unix::process::CommandExt;
    let mut program = Command::new("sleep")
        .arg("60")
        .process_group(0)
        .spawn()
        .expect("spawn");
    let pid = program.id();
    let reaper = thread::spawn(move || program.wait().expect("wait"));
    let (mut supervisor, _events) = supervisor();
    supervisor.start(&sh("sleep 60")).expect("started");
    // Init and this process itself must survive being named.
    let stopped = supervisor.stop(&[1, std::process::id(), 0, pid], TIMEOUT);
    assert_eq!(
        (stopped.status.map(exit::of_command), stopped.killed),
        (Some(128 + 15), 0)
    );
    assert_eq!(exit::of_command(reaper.join().expect("joined")), 128 + 15);
}

#[test]
fn the_child_starts_with_clean_signals() {
    let folder = tempfile::tempdir().expect("folder");
    let status = folder.path().join("status");
    assert_eq!(
        run(&sh(&format!(
            "exec grep ^Sig /proc/self/status >{}",
            status.display()
        ))),
        0
    );
    let text = std::fs::read_to_string(status).expect("status");
    let mask = |name: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .expect(name);
        u64::from_str_radix(line.trim(), 16).expect("hex")
    };
    assert_eq!(mask("SigBlk:"), 0, "{text}");
    // What `hot` itself was started with, but for SIGPIPE, which Rust's standard library ignores.
    // Beyond 31 are the C library's own, which it sets as it likes.
    let standard = (1 << 31) - 1;
    assert_eq!(
        mask("SigIgn:") & standard,
        crate::os::ignored() & standard & !(1 << 12),
        "{text}"
    );
}

/// Not a test: the process that the following tests send signals to. It does what `hot` does with
/// its child.
#[test]
#[ignore = "started by other tests"]
fn hot_in_a_process() {
    let Some(script) = std::env::var_os("HOT_TEST_SCRIPT") else {
        return;
    };
    let (mut supervisor, events) = supervisor();
    let launch = Launch {
        program: "sh".into(),
        args: vec!["-c".into(), script],
        env: Vec::new(),
    };
    supervisor.start(&launch).expect("started");
    let (_, status, _) = next_exit(&events);
    std::process::exit(exit::of_command(status).into());
}

/// A command that becomes `hot` with the script as its child, in a process group of its own.
fn hot(script: &str) -> Command {
    use std::os::unix::process::CommandExt;
    let (_crate, module) = module_path!()
        .split_once("::")
        .expect("a module of the crate");
    let mut command = Command::new("env");
    // Tests may themselves run where these are ignored, as a background job of a script.
    command
        .arg("--default-signal=INT,QUIT,HUP")
        .arg(std::env::current_exe().expect("own path"));
    command.args([
        "--exact",
        &format!("{module}::hot_in_a_process"),
        "--ignored",
        "--nocapture",
    ]);
    command.env("HOT_TEST_SCRIPT", script).process_group(0);
    command
}

fn send(pid: u32, signal: Signal) {
    Process::open(pid).expect("alive").signal(signal);
}

#[track_caller]
fn check_passed_on(name: &str, signal: Signal) {
    let folder = tempfile::tempdir().expect("folder");
    let ready = folder.path().join("ready");
    let script = format!(
        "trap 'exit 9' {name}; echo >{}; while :; do sleep 0.01; done",
        ready.display()
    );
    let mut hot = hot(&script).spawn().expect("hot");
    lines(&ready, 1);
    send(hot.id(), signal);
    assert_eq!(exit::of_command(hot.wait().expect("ended")), 9, "{name}");
}

#[test]
fn signals_sent_to_hot_reach_the_child() {
    check_passed_on("TERM", Signal::TERM);
    check_passed_on("HUP", Signal::HUP);
    check_passed_on("INT", Signal::INT);
    check_passed_on("USR1", Signal::USR1);
    check_passed_on("USR2", Signal::USR2);
    check_passed_on("WINCH", Signal::WINCH);
}

#[test]
fn a_build_ends_as_a_whole() {
    let folder = tempfile::tempdir().expect("folder");
    let pids = folder.path().join("pids");
    // As cargo with its rustc: the inner one would go on if only the outer one were ended. It is
    // the one to tell its pid: a shell that got the signal just before it starts a command
    // would wait for that command.
    let script = format!(
        "sh -c 'sh -c \"echo \\$\\$ >{}; exec sleep 60\"; :'; :",
        pids.display()
    );
    for signal in [Signal::INT, Signal::TERM] {
        let mut hot = hot(&script).spawn().expect("hot");
        let inner = lines(&pids, 1);
        send(hot.id(), signal);
        assert_eq!(
            exit::of_command(hot.wait().expect("ended")),
            exit::of_signal(signal.as_raw())
        );
        until("the inner process is gone", || {
            (!is_alive(&inner[0])).then_some(())
        });
        std::fs::remove_file(&pids).expect("removed");
    }
}

#[test]
fn what_was_ignored_stays_ignored() {
    let folder = tempfile::tempdir().expect("folder");
    let status = folder.path().join("status");
    let hot = hot(&format!(
        "exec grep SigIgn /proc/self/status >{}",
        status.display()
    ));
    // `nohup` in other words.
    let done = Command::new("sh")
        .args(["-c", "trap '' HUP; exec \"$@\"", "sh"])
        .args(hot.get_args().skip(1))
        .envs(
            hot.get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .status()
        .expect("run");
    assert!(done.success());
    let line = lines(&status, 1).remove(0);
    let mask = u64::from_str_radix(line.trim_start_matches("SigIgn:").trim(), 16).expect("hex");
    assert_eq!(mask & 1, 1, "SIGHUP was ignored before: {line}");
}

#[test]
fn the_program_outlives_a_killed_hot() {
    let folder = tempfile::tempdir().expect("folder");
    let pids = folder.path().join("pids");
    let mut hot = hot(&format!("echo $$ >{}; exec sleep 60", pids.display()))
        .spawn()
        .expect("hot");
    let program = lines(&pids, 1);
    hot.kill().and_then(|()| hot.wait()).expect("killed");
    assert!(is_alive(&program[0]));
    send(program[0].parse().expect("pid"), Signal::KILL);
}

#[test]
fn ctrl_c_in_a_terminal_comes_once() {
    let folder = tempfile::tempdir().expect("folder");
    let counted = folder.path().join("counted");
    let script = format!(
        "trap 'echo int >>{0}' INT; trap 'exit 6' USR1; echo ready >{0}; while :; do sleep 0.01; done",
        counted.display()
    );
    let (mut terminal, mut session) = in_terminal(&hot(&script));
    lines(&counted, 1);
    thread::sleep(JUST_STARTED * 3);
    terminal.write_all(b"\x03").expect("ctrl-c");
    lines(&counted, 2);
    thread::sleep(Duration::from_millis(200));
    assert_eq!(
        lines(&counted, 2),
        ["ready", "int"],
        "the terminal sent it; hot must not repeat it"
    );
    // hot itself is unharmed and still passes on what is sent to it alone.
    let hot = process_in_terminal(session.id());
    send(hot, Signal::USR1);
    assert_eq!(exit::of_command(session.wait().expect("ended")), 6);
}

#[test]
fn ctrl_c_ends_both() {
    let folder = tempfile::tempdir().expect("folder");
    let pids = folder.path().join("pids");
    let (mut terminal, mut session) =
        in_terminal(&hot(&format!("echo $$ >{}; exec sleep 60", pids.display())));
    let program = lines(&pids, 1);
    thread::sleep(JUST_STARTED * 3);
    terminal.write_all(b"\x03").expect("ctrl-c");
    assert_eq!(exit::of_command(session.wait().expect("ended")), 128 + 2);
    assert!(!is_alive(&program[0]));
}

/// Runs a command as the only job of a new terminal; `setsid` waits for it and gives its exit code.
fn in_terminal(command: &Command) -> (std::fs::File, Child) {
    use rustix::pty::{grantpt, openpt, ptsname, unlockpt, OpenptFlags};
    let control =
        openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("pty");
    grantpt(&control)
        .and_then(|()| unlockpt(&control))
        .expect("pty");
    let name = ptsname(&control, Vec::new())
        .expect("pty name")
        .into_string()
        .expect("utf-8");
    let side = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(name)
        .expect("terminal");
    let session = Command::new("setsid")
        .args(["--ctty", "--wait"])
        .arg(command.get_program())
        .args(command.get_args())
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdin(side.try_clone().expect("dup"))
        .stdout(side.try_clone().expect("dup"))
        .stderr(side)
        .spawn()
        .expect("setsid");
    (control.into(), session)
}

/// `setsid` forks only if it leads a group already.
fn process_in_terminal(session: u32) -> u32 {
    let children = std::fs::read_to_string(format!("/proc/{session}/task/{session}/children"))
        .unwrap_or_default();
    let name = std::fs::read_to_string(format!("/proc/{session}/comm")).unwrap_or_default();
    match children.split_whitespace().next() {
        Some(child) if name.trim() == "setsid" => child.parse().expect("pid"),
        _ => session,
    }
}
