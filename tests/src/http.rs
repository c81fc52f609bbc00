//! A small HTTP/1.1 client that keeps its one connection open, to show that a connection survives a
//! patch.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A connection to a server. It is never opened a second time.
#[derive(Debug)]
pub struct Client {
    connection: BufReader<TcpStream>,
}

impl Client {
    /// Connects to the address that a server printed, with or without `http://`.
    pub fn connect(address: &str) -> Self {
        let address = address.trim().trim_start_matches("http://");
        let connection =
            TcpStream::connect(address).unwrap_or_else(|error| panic!("{address}: {error}"));
        let time = Some(Duration::from_secs(60));
        connection.set_read_timeout(time).expect("a time limit");
        Self {
            connection: BufReader::new(connection),
        }
    }

    /// The body of an answer with status 200.
    pub fn get(&mut self, path: &str) -> String {
        self.request("GET", path)
    }

    /// As `get`, with an empty POST.
    pub fn post(&mut self, path: &str) -> String {
        self.request("POST", path)
    }

    fn request(&mut self, method: &str, path: &str) -> String {
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        self.connection
            .get_mut()
            .write_all(request.as_bytes())
            .expect("the connection is open");
        let status = self.line();
        assert!(
            status.starts_with("HTTP/1.1 200"),
            "{method} {path}: {status:?}"
        );
        let mut length = 0;
        loop {
            let header = self.line().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        self.connection
            .read_exact(&mut body)
            .expect("a body as long as promised");
        String::from_utf8(body).expect("text")
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let count = self
            .connection
            .read_line(&mut line)
            .expect("the connection is open");
        assert_ne!(count, 0, "the server closed the connection");
        line.trim_end().to_owned()
    }
}
