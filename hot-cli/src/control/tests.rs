//! The socket with real connections, well-behaved and not.

use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc::{channel, Receiver};

use super::*;

const TIMEOUT: Duration = Duration::from_secs(20);
const HELLO: &str = r#"{"hello":{"version":1,"pid":1,"exe":"/bin/app","units":[{"crate":"app","unit":"00000000000000aa","rustc":"rustc 1.95.0","sites":12}],"program":"p"}}"#;

struct Session {
    control: Control,
    events: Receiver<ControlEvent>,
    folder: tempfile::TempDir,
}

fn session() -> Session {
    let folder = tempfile::tempdir().expect("folder");
    let (sender, events) = channel();
    let control = Control::listen(&folder.path().join("socket"), sender).expect("listening");
    Session {
        control,
        events,
        folder,
    }
}

impl Session {
    fn connect(&self) -> UnixStream {
        UnixStream::connect(self.folder.path().join("socket")).expect("connected")
    }

    fn next(&self) -> ControlEvent {
        self.events.recv_timeout(TIMEOUT).expect("an event")
    }

    fn join(&self) -> (Connection, UnixStream) {
        let mut stream = self.connect();
        say(&mut stream, HELLO);
        match self.next() {
            ControlEvent::Joined { conn, pid, hello } => {
                let hello = serde_json::to_value(hello).expect("json");
                assert_eq!(
                    (pid, &hello["exe"]),
                    (std::process::id(), &"/bin/app".into())
                );
                (conn, stream)
            }
            other => panic!("{other:?}"),
        }
    }

    /// Who refused what.
    #[track_caller]
    fn next_refused(&self) -> (Connection, u64) {
        match self.next() {
            ControlEvent::Message { conn, message } => {
                let message = serde_json::to_value(message).expect("json");
                (conn, message["refused"]["id"].as_u64().expect("an id"))
            }
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn check_left(&self, who: Connection, part: Option<&str>) {
        match (self.next(), part) {
            (ControlEvent::Left { conn, why: None }, None) => assert_eq!(conn, who),
            (
                ControlEvent::Left {
                    conn,
                    why: Some(why),
                },
                Some(part),
            ) => {
                assert_eq!(conn, who);
                assert!(why.contains(part), "{why}");
            }
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn check_rejected(&self, part: &str) {
        match self.next() {
            ControlEvent::Rejected { why } => assert!(why.contains(part), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}

fn say(stream: &mut UnixStream, line: &str) {
    stream
        .write_all(line.as_bytes())
        .and_then(|()| stream.write_all(b"\n"))
        .expect("said");
}

fn hear(stream: &UnixStream) -> String {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).expect("heard");
    line
}

fn ask(id: u64) -> ToProgram {
    serde_json::from_value(serde_json::json!({"sites": {"id": id}})).expect("a message")
}

fn refused(id: u64) -> String {
    format!(r#"{{"refused":{{"id":{id},"error":"no","functions":[]}}}}"#)
}

#[test]
fn several_programs_at_once() {
    let session = session();
    let mut programs: Vec<_> = (0..3).map(|_| session.join()).collect();
    for (index, (conn, stream)) in programs.iter_mut().enumerate() {
        let id = u64::try_from(index).expect("small");
        session.control.send(*conn, &ask(id)).expect("sent");
        assert_eq!(hear(stream), format!("{{\"sites\":{{\"id\":{id}}}}}\n"));
        say(stream, &refused(id));
        assert_eq!(session.next_refused(), (*conn, id));
    }
    let (first, stream) = programs.remove(0);
    drop(stream);
    session.check_left(first, None);
    assert!(matches!(
        session.control.send(first, &ask(1)),
        Err(SendError::Gone)
    ));
    session
        .control
        .send(programs[0].0, &ask(9))
        .expect("the others stay");
}

#[test]
fn lines_may_come_in_pieces() {
    let session = session();
    let mut stream = session.connect();
    for piece in [&HELLO[..20], &HELLO[20..], "\n"] {
        stream.write_all(piece.as_bytes()).expect("said");
        thread::sleep(Duration::from_millis(5));
    }
    assert!(matches!(session.next(), ControlEvent::Joined { .. }));
    let two = format!("{}\n{}\n", refused(1), refused(2));
    stream.write_all(two.as_bytes()).expect("said");
    assert_eq!([session.next_refused().1, session.next_refused().1], [1, 2]);
}

#[test]
fn garbage_closes_only_its_own_connection() {
    let session = session();
    let (good, good_stream) = session.join();
    for garbage in ["", "{}", "\u{0}\u{1}", "{\"unknown\":{}}", "[[[[", HELLO] {
        let (bad, mut stream) = session.join();
        say(&mut stream, garbage);
        session.check_left(
            bad,
            Some(if garbage == HELLO {
                "hello twice"
            } else {
                "not a message"
            }),
        );
        assert_eq!(hear(&stream), "", "closed");
    }
    let (bad, mut stream) = session.join();
    stream.write_all(b"{\"half").expect("said");
    drop(stream);
    session.check_left(bad, Some("in the middle of a line"));

    session.control.send(good, &ask(4)).expect("sent");
    assert!(hear(&good_stream).contains('4'));
}

#[test]
fn strangers_are_rejected() {
    let session = session();
    say(&mut session.connect(), &refused(1));
    session.check_rejected("no hello");
    say(
        &mut session.connect(),
        &HELLO.replace("\"version\":1", "\"version\":99"),
    );
    session.check_rejected("version 99");
    say(&mut session.connect(), "GET / HTTP/1.1");
    session.check_rejected("GET / HTTP/1.1");
    // A look without a word is not worth one.
    drop(session.connect());
    session.join();
}

#[test]
fn endless_lines_are_refused() {
    let mut endless = BufReader::new(io::repeat(b'x'));
    let why = read_message(&mut endless).expect_err("refused");
    assert!(why.contains("64 MiB"), "{why}");
}

#[test]
fn the_socket_is_private_and_goes_away() {
    let session = session();
    let path = session.folder.path().join("socket");
    let mode = path.metadata().expect("meta").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (_, stream) = session.join();
    drop(session.control);
    assert!(!path.exists());
    assert_eq!(hear(&stream), "", "closed");
    // The accepting thread is gone when nobody can send any more.
    let left = session
        .events
        .iter()
        .filter(|event| matches!(event, ControlEvent::Left { .. }))
        .count();
    assert_eq!(left, 1);
}

#[test]
fn a_path_that_is_too_long_is_named() {
    let path = PathBuf::from(format!("/tmp/{}", "x".repeat(120)));
    let (sender, _events) = channel::<ControlEvent>();
    let error = Control::listen(&path, sender)
        .expect_err("too long")
        .to_string();
    assert!(error.contains("xxxx"), "{error}");
}
