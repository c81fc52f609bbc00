//! A small client of the Redis protocol on one connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// `+OK`
    Simple(String),
    /// `-ERR …`
    Error(String),
    /// `:1`
    Integer(i64),
    /// `$3 abc`
    Bulk(String),
    /// `$-1`
    Null,
}

/// A connection to a server. It is never opened a second time.
#[derive(Debug)]
pub struct Client {
    connection: BufReader<TcpStream>,
}

impl Client {
    /// Connects as soon as a server listens on this port. Nothing when it doesn't in time.
    pub fn connect(port: u16, time: Duration) -> Option<Self> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            if let Ok(connection) = TcpStream::connect(("127.0.0.1", port)) {
                connection
                    .set_read_timeout(Some(Duration::from_secs(60)))
                    .expect("a time limit");
                return Some(Self {
                    connection: BufReader::new(connection),
                });
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        None
    }

    /// Sends a command and waits for the reply.
    pub fn command(&mut self, words: &[&str]) -> Reply {
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            request += &format!("${}\r\n{word}\r\n", word.len());
        }
        self.connection
            .get_mut()
            .write_all(request.as_bytes())
            .expect("the connection is open");
        self.reply()
    }

    fn reply(&mut self) -> Reply {
        let mut line = String::new();
        let count = self
            .connection
            .read_line(&mut line)
            .expect("the connection is open");
        assert_ne!(count, 0, "the server closed the connection");
        let line = line.trim_end();
        let (kind, rest) = line.split_at(1);
        match kind {
            "+" => Reply::Simple(rest.to_owned()),
            "-" => Reply::Error(rest.to_owned()),
            ":" => Reply::Integer(rest.parse().expect("a number")),
            "$" if rest == "-1" => Reply::Null,
            "$" => self.bulk(rest.parse().expect("a length")),
            _ => panic!("not a reply: {line:?}"),
        }
    }

    fn bulk(&mut self, length: usize) -> Reply {
        let mut bytes = vec![0; length + 2];
        self.connection
            .read_exact(&mut bytes)
            .expect("as many bytes as promised");
        bytes.truncate(length);
        Reply::Bulk(String::from_utf8(bytes).expect("text"))
    }
}
