//! From one "process" to the next, within one: what savers give is what is inherited.

use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::thread;

use serde::Deserialize;
use soft_mock_abi::handover::{receive, send, Contents, Message};

use super::*;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Counter {
    count: u64,
    #[serde(default)]
    step: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Odd(#[serde(skip_serializing)] u64, u64);

#[test]
fn what_is_saved_is_restored_once_and_checked_on_both_sides() {
    let shared = registry().expect("sites").shared();
    let saved = || Counter { count: 7, step: 2 };
    assert_eq!(
        state("counter", saved, |_| panic!("nothing there")),
        Ok(Handed::Nothing)
    );
    assert_eq!(
        state("broken", || -> u64 { panic!("on purpose") }, |_| {}),
        Ok(Handed::Nothing)
    );
    assert_eq!(state("odd", || Odd(1, 2), |_| {}), Ok(Handed::Nothing));
    let first = listener("socket", || TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = first.local_addr().expect("an address");

    let (contents, sockets, mut problems) = save_all(shared);
    problems.sort();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(
        problems[0].ends_with("`broken` isn't handed over: its `save` panicked"),
        "{problems:?}"
    );
    assert!(
        problems[1].contains("`odd` isn't handed over: what it writes can't be read"),
        "{problems:?}"
    );
    assert_eq!((contents.states.len(), contents.sockets.len()), (1, 1));

    // Across a socket, as it goes to `hot` and on.
    let (here, there) = UnixStream::pair().expect("a pair");
    let other = thread::spawn(move || receive(&there).expect("received"));
    send(&here, &Message::Give(contents.clone()), &sockets).expect("sent");
    let (message, files) = other.join().expect("no panic");
    assert_eq!((message, files.len()), (Message::Give(contents.clone()), 1));
    drop(first);
    let mut contents = contents;
    contents
        .states
        .push(("wrong".to_owned(), "{\"count\":\"many\"}".to_owned()));
    contents
        .states
        .push(("older".to_owned(), "{\"count\":3}".to_owned()));
    keep(shared, contents, files);

    let got: Arc<Mutex<Vec<Counter>>> = Arc::default();
    let restore = |counter| got.lock().expect("a list").push(counter);
    assert_eq!(
        state("counter", Counter::default, restore),
        Ok(Handed::Restored)
    );
    assert_eq!(
        state("older", Counter::default, restore),
        Ok(Handed::Restored)
    );
    let Ok(Handed::Refused(why)) = state("wrong", Counter::default, restore) else {
        panic!("restored")
    };
    assert!(why.contains("invalid type"), "{why}");
    assert_eq!(
        state("counter", Counter::default, restore),
        Ok(Handed::Nothing)
    );
    let expected = [Counter { count: 7, step: 2 }, Counter { count: 3, step: 0 }];
    assert_eq!(*got.lock().expect("a list"), expected);

    // Nobody listened for a moment, and yet the address is the same; another kind is refused.
    let connection = std::net::TcpStream::connect(address).expect("not refused");
    let again = listener("socket", || panic!("there is one")).expect("taken over");
    let again: TcpListener = again;
    assert_eq!(again.local_addr().expect("an address"), address);
    assert_eq!(
        again.accept().expect("accepted").1,
        connection.local_addr().expect("own")
    );
    let (_, sockets, _) = save_all(shared);
    let copies: Vec<OwnedFd> = sockets
        .iter()
        .map(|s| s.try_clone_to_owned().expect("a copy"))
        .collect();
    let contents = Contents {
        sockets: vec!["other".to_owned()],
        ..Default::default()
    };
    keep(shared, contents, copies);
    let folder = tempfile::tempdir().expect("a folder");
    let unix: UnixListener =
        listener("other", || UnixListener::bind(folder.path().join("s"))).expect("a new one");
    assert!(unix
        .local_addr()
        .expect("an address")
        .as_pathname()
        .is_some());
}
