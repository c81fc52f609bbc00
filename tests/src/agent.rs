//! Plays the part of `hot` for a program that was built under it: listens on the socket that the
//! program's agent calls, and says what is to be loaded.
//!
//! So a test can hand the loader of a real program whatever file it likes.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{json, Value};

/// A session's folder without a session: the agent's library and a socket.
#[derive(Debug)]
pub struct Peer {
    folder: PathBuf,
    listener: UnixListener,
}

/// The conversation with one program.
#[derive(Debug)]
pub struct Talk {
    stream: BufReader<UnixStream>,
    hello: Value,
}

impl Peer {
    /// Listens in a new folder. `agent` is the library that a real session has put into its own.
    pub fn new(folder: &Path, agent: &Path) -> Self {
        fs::create_dir(folder).expect("a new folder");
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).expect("its permissions");
        fs::copy(agent, folder.join("agent.so")).expect("a copy of the agent");
        let listener = UnixListener::bind(folder.join("socket")).expect("a socket");
        Self {
            folder: folder.to_owned(),
            listener,
        }
    }

    /// What the variable `HOT_SESSION` of the program has to be.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Waits for a program that was started with this folder.
    pub fn accept(&self) -> Talk {
        let (stream, _) = self.listener.accept().expect("the program calls");
        let limit = Some(Duration::from_secs(60));
        stream.set_read_timeout(limit).expect("a time limit");
        let mut talk = Talk {
            stream: BufReader::new(stream),
            hello: Value::Null,
        };
        talk.hello = talk.answer();
        talk
    }
}

impl Talk {
    /// What the program said of itself.
    pub fn hello(&self) -> &Value {
        &self.hello["hello"]
    }

    /// Asks the program to load a plugin: its report, or why it doesn't.
    pub fn load(&mut self, plugin: &Path) -> Result<Value, String> {
        self.transaction(json!([plugin]), json!([]))
    }

    /// Asks the program to give a function its original body back.
    pub fn restore(&mut self, unit: &str, name: &str) -> Result<Value, String> {
        self.transaction(json!([]), json!([{"unit": unit, "name": name}]))
    }

    fn transaction(&mut self, plugins: Value, restore: Value) -> Result<Value, String> {
        let answer = self.ask(&json!({"load": {"id": 1, "plugins": plugins, "restore": restore}}));
        match (&answer["loaded"], &answer["refused"]["error"]) {
            (Value::Null, Value::String(error)) => Err(error.clone()),
            (loaded, Value::Null) => Ok(loaded["report"].clone()),
            _ => panic!("not an answer: {answer}"),
        }
    }

    /// The names of the functions that don't run their original bodies.
    pub fn patched(&mut self) -> Vec<String> {
        let answer = self.ask(&json!({"sites": {"id": 2}}));
        let sites = answer["sites"]["sites"].as_array().expect("sites");
        let patched = sites.iter().filter(|site| site["patched"] == true);
        patched
            .map(|site| site["name"].as_str().expect("a name").to_owned())
            .collect()
    }

    fn ask(&mut self, question: &Value) -> Value {
        let line = format!("{question}\n");
        let sent = self.stream.get_mut().write_all(line.as_bytes());
        sent.expect("the program listens");
        self.answer()
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line);
        let read = read.expect("the program answers in time");
        assert_ne!(read, 0, "the program is gone");
        serde_json::from_str(&line).expect("an answer is JSON")
    }
}
