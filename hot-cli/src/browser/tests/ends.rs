//! The two ends of a proxy: a server that answers what a test says, and a client that shows each
//! byte. Heads are in small letters.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{channel, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::browser::{Browser, News, Ports};

/// Only a test that fails waits so long.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A server on this machine; each connection is for one request.
pub(super) struct Server {
    pub(super) port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(super) fn start(answer: impl Fn(TcpStream, &str) + Send + 'static) -> Self {
        Self::start_at(0, answer)
    }

    pub(super) fn start_at(port: u16, answer: impl Fn(TcpStream, &str) + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&heads);
        thread::spawn(move || {
            for mut connection in listener.incoming().map_while(Result::ok) {
                let head = head(&mut connection);
                all.lock().expect("no panic").push(head.clone());
                answer(connection, &head);
            }
        });
        Self { port, heads }
    }

    pub(super) fn requests(&self) -> usize {
        self.heads.lock().expect("no panic").len()
    }

    pub(super) fn last_request(&self) -> String {
        let heads = self.heads.lock().expect("no panic");
        heads.last().cloned().expect("a request")
    }
}

/// A server whose pages are shown.
pub(super) struct Shown {
    pub(super) server: Server,
    pub(super) port: u16,
    pub(super) news: Receiver<News>,
    _browser: Browser,
}

impl Shown {
    /// One that answers so, by path.
    pub(super) fn new(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Self {
        Self::of(Server::start(move |mut connection, head| {
            let mut words = head.split(' ');
            let is_head = words.next() == Some("head");
            let mut answer = answer(words.next().expect("a path"));
            if is_head {
                let end = answer.windows(4).position(|part| part == b"\r\n\r\n");
                answer.truncate(end.expect("a head") + 4);
            }
            connection.write_all(&answer).expect("written");
        }))
    }

    pub(super) fn of(server: Server) -> Self {
        let ports = Ports {
            server: Some(server.port),
            pages: Some(free_port()),
        };
        let (port, browser, news) = start(ports);
        Self {
            server,
            port,
            news,
            _browser: browser,
        }
    }

    /// Asks as a browser does for a page.
    pub(super) fn page(&self, path: &str, headers: &str) -> (String, String) {
        ask(self.port, &page(path, headers))
    }

    pub(super) fn ask(&self, request: &str) -> (String, String) {
        self.ask_with(request, "")
    }

    pub(super) fn ask_with(&self, request: &str, body: &str) -> (String, String) {
        let rest = "Host: localhost\r\nConnection: close\r\n\r\n";
        ask(self.port, &format!("{request}{rest}{body}"))
    }
}

/// A proxy, where it shows pages, and what it tells.
pub(super) fn start(ports: Ports) -> (u16, Browser, Receiver<News>) {
    let (sender, news) = channel();
    let browser = Browser::start(ports, move |news| drop(sender.send(news)));
    let port = ports.pages().expect("a port for the pages");
    (port, browser.expect("started"), news)
}

/// One that nobody listened at just now.
pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

pub(super) fn answer(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

pub(super) fn page(path: &str, headers: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost:1\r\nSec-Fetch-Dest: document\r\nAccept-Encoding: gzip\r\n\
         Connection: close\r\n{headers}\r\n"
    )
}

pub(super) fn connect(port: u16, request: &str) -> TcpStream {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).expect("somebody listens");
    connection
        .set_read_timeout(Some(TIMEOUT))
        .expect("a time limit");
    connection.write_all(request.as_bytes()).expect("written");
    connection
}

/// A head, in small letters.
pub(super) fn head(connection: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && connection.read(&mut byte).expect("a head") == 1 {
        head.push(byte[0]);
    }
    String::from_utf8(head).expect("text").to_lowercase()
}

/// The head and the body of an answer, the body as it is meant.
pub(super) fn ask(port: u16, request: &str) -> (String, String) {
    let mut connection = connect(port, request);
    let head = head(&mut connection);
    let mut body = String::new();
    connection.read_to_string(&mut body).expect("a body");
    if !head.contains("transfer-encoding: chunked") {
        return (head, body);
    }
    let mut whole = String::new();
    let mut rest = body.as_str();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("a size");
        whole.push_str(&after[..size]);
        rest = &after[size + 2..];
    }
    (head, whole)
}

/// Asks what runs, as a page of this state does.
pub(super) fn next(port: u16, state: &str) -> Receiver<String> {
    let request = format!(
        "GET /.hot/next?after={state} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    );
    let (answered, answers) = channel();
    thread::spawn(move || drop(answered.send(ask(port, &request).1)));
    answers
}
