//! A real browser without a window, led over two pipes (Chrome's DevTools protocol).

use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{json, Value};
use tempfile::TempDir;

use crate::session::TIMEOUT;

/// What it may be called.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// Standard input and output become the two descriptors that it talks over.
const OVER_PIPES: &str = "exec \"$@\" 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null";

/// A browser with one page.
pub struct Chromium {
    process: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    last: u64,
    page: Option<String>,
    _profile: TempDir,
}

impl Chromium {
    /// Shows this address.
    #[track_caller]
    pub fn open(address: &str) -> Self {
        let profile = tempfile::tempdir().expect("a folder for its profile");
        let mut process = Command::new("sh")
            .args(["-c", OVER_PIPES, "sh"])
            .arg(binary())
            .args([
                "--headless",
                "--no-sandbox",
                "--remote-debugging-pipe",
                "--disable-gpu",
            ])
            .args([
                "--no-first-run",
                "--disable-dev-shm-usage",
                "--window-size=800,600",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("a browser can't be started: {error}"));
        let (sender, from) = channel();
        let output = BufReader::new(process.stdout.take().expect("a pipe"));
        thread::spawn(move || {
            for message in output.split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).expect("JSON");
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut browser = Self {
            to: process.stdin.take().expect("a pipe"),
            process,
            from,
            last: 0,
            page: None,
            _profile: profile,
        };
        let page = browser.call("Target.createTarget", json!({ "url": address }));
        let session = json!({ "targetId": page["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", session);
        browser.page = session["sessionId"].as_str().map(str::to_owned);
        browser
    }

    /// What an expression is in the page. None: the page goes away at the moment.
    pub fn evaluate(&mut self, expression: &str) -> Option<Value> {
        let asked =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", asked);
        assert!(
            answer["exceptionDetails"].is_null(),
            "{expression}: {answer}"
        );
        answer.get("result").map(|result| result["value"].clone())
    }

    /// Waits until an expression is this in the page.
    #[track_caller]
    pub fn wait_for(&mut self, expression: &str, expected: &Value) {
        let end = Instant::now() + TIMEOUT;
        loop {
            let found = self.evaluate(expression);
            if found.as_ref() == Some(expected) {
                return;
            }
            assert!(
                Instant::now() < end,
                "{expression} is {found:?}, not {expected}"
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Goes where a link would lead.
    pub fn go_to(&mut self, address: &str) {
        self.call("Page.navigate", json!({ "url": address }));
    }

    /// The result; empty if there is none.
    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": parameters });
        if let Some(page) = &self.page {
            message["sessionId"] = page.as_str().into();
        }
        self.to
            .write_all(format!("{message}\0").as_bytes())
            .unwrap_or_else(|error| panic!("the browser is gone: {error}"));
        loop {
            let mut answer = match self.from.recv_timeout(TIMEOUT) {
                Ok(answer) => answer,
                Err(RecvTimeoutError::Timeout) => panic!("the browser doesn't answer {method}"),
                Err(RecvTimeoutError::Disconnected) => panic!("the browser ended"),
            };
            if answer["id"] == self.last {
                return answer["result"].take();
            }
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // The others of its processes end with it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The one that `CHROMIUM` names, else one in the PATH.
fn binary() -> OsString {
    if let Some(named) = env::var_os("CHROMIUM") {
        return named;
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let all = NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let found = all.into_iter().find(|file| file.is_file());
    found.map_or_else(
        || {
            panic!(
                "the tests of `--browser` need Chromium: install it (`apt-get install chromium`), or \
                 name its binary in the variable CHROMIUM"
            )
        },
        PathBuf::into_os_string,
    )
}
