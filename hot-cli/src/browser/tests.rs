//! The proxy between plain sockets: what comes out on the other side, byte by byte.

mod ends;

use std::io::{Read, Write};
use std::sync::mpsc::{channel, RecvTimeoutError};
use std::time::Duration;

use super::{listen, News, Ports, Untouched};
use ends::{answer, ask, connect, free_port, head, page, Server, Shown};

const SHORT: Duration = Duration::from_millis(200);

#[test]
fn a_page_has_the_tag_and_nothing_else_has() {
    let shown = Shown::new(|path| match path {
        "/page" => answer(
            "Content-Type: text/html\r\nETag: \"1\"\r\n",
            b"<!doctype html><p>hi",
        ),
        "/part" => answer("Content-Type: text/html\r\n", b"<p>part"),
        _ => answer(
            "Content-Type: image/png\r\nETag: \"1\"\r\n",
            b"<!doctype html>",
        ),
    });
    let (head, body) = shown.page("/page", "If-None-Match: \"1\"\r\n");
    let begin = "<!doctype html><script src=\"/.hot/page.js\" data-at=\"";
    assert!(
        body.starts_with(begin) && body.ends_with("\"></script><p>hi"),
        "{body}"
    );
    assert!(head.contains("cache-control: no-store"), "{head}");
    assert!(
        !head.contains("etag") && !head.contains("content-length"),
        "{head}"
    );
    let asked = shown.server.last_request();
    assert!(asked.contains("accept-encoding: identity"), "{asked}");
    assert!(!asked.contains("if-none-match"), "{asked}");
    assert!(asked.contains("host: localhost:1"), "{asked}");

    // A script of the page asks for a part; an image is opened as a page.
    let (_, part) =
        shown.ask("GET /part HTTP/1.1\r\nSec-Fetch-Dest: empty\r\nAccept: text/html\r\n");
    assert_eq!(part, "<p>part");
    let (head, image) = shown.page("/image", "");
    assert_eq!(image, "<!doctype html>");
    assert!(
        head.contains("etag: \"1\"") && head.contains("content-length: 15"),
        "{head}"
    );
    let (_, posted) =
        shown.ask("POST /page HTTP/1.1\r\nSec-Fetch-Dest: document\r\nContent-Length: 0\r\n");
    assert_eq!(posted, "<!doctype html><p>hi");
    let (head, body) = shown.ask("HEAD /page HTTP/1.1\r\n");
    assert!(
        head.contains("content-length: 20") && body.is_empty(),
        "{head}{body}"
    );

    let (head, script) = shown.ask("GET /.hot/page.js HTTP/1.1\r\n");
    assert!(
        head.contains("text/javascript") && script.contains("location.reload()"),
        "{head}"
    );
}

#[test]
fn what_was_compressed_is_left_alone_and_told_once() {
    const BYTES: &[u8] = &[0x1F, 0x8B, 8, 0, 255, 0, 13, 10];
    let shown = Shown::new(|_| {
        answer(
            "Content-Type: text/html\r\nContent-Encoding: gzip\r\n",
            BYTES,
        )
    });
    for path in ["/a", "/b"] {
        let mut connection = connect(shown.port, &page(path, ""));
        let mut all = Vec::new();
        connection.read_to_end(&mut all).expect("an answer");
        assert!(all.ends_with(BYTES), "{all:?}");
    }
    let untouched = News::Untouched {
        page: "/a".into(),
        why: Untouched::Compressed,
    };
    assert_eq!(shown.news.try_iter().collect::<Vec<_>>(), [untouched]);
}

#[test]
fn policies_are_kept_and_obeyed() {
    let shown = Shown::new(|path| {
        let policy = match path {
            "/nonce" => "script-src 'nonce-abc' 'strict-dynamic'",
            _ => "default-src 'none'",
        };
        let headers = format!("Content-Type: text/html\r\nContent-Security-Policy: {policy}\r\n");
        answer(&headers, b"<!doctype html><p>hi")
    });
    let (head, body) = shown.page("/nonce", "");
    assert!(body.contains(" nonce=\"abc\"></script>"), "{body}");
    assert!(
        head.contains("script-src 'nonce-abc' 'strict-dynamic'"),
        "{head}"
    );
    let (_, body) = shown.page("/none", "");
    assert_eq!(body, "<!doctype html><p>hi");
    let untouched = News::Untouched {
        page: "/none".into(),
        why: Untouched::Policy,
    };
    assert_eq!(shown.news.try_recv(), Ok(untouched));
}

#[test]
fn an_answer_comes_as_it_is_made() {
    let (go_on, wait) = channel();
    let server = Server::start(move |mut connection, _| {
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n";
        write!(connection, "{head}f\r\n<!doctype html>\r\n5\r\n<p>1 \r\n").expect("written");
        wait.recv().expect("the first part has come");
        write!(connection, "2\r\n2 \r\n0\r\n\r\n").expect("written");
    });
    let shown = Shown::of(server);
    let mut connection = connect(shown.port, &page("/", ""));
    let mut so_far = Vec::new();
    while !String::from_utf8_lossy(&so_far).contains("<p>1 ") {
        let mut some = [0; 512];
        let count = connection.read(&mut some).expect("the first part");
        assert_ne!(count, 0, "{so_far:?}");
        so_far.extend_from_slice(&some[..count]);
    }
    go_on.send(()).expect("the server lives");
    connection.read_to_end(&mut so_far).expect("the rest");
    let text = String::from_utf8(so_far).expect("text");
    assert!(
        text.contains("</script>") && text.contains("2 ") && text.ends_with("0\r\n\r\n"),
        "{text}"
    );
}

#[test]
fn uploads_of_any_length() {
    let server = Server::start(|mut connection, head| {
        let mut length = 0;
        if head.contains("transfer-encoding: chunked") {
            let mut last = Vec::new();
            let mut some = vec![0; 1 << 16];
            while !last.ends_with(b"0\r\n\r\n") {
                let count = connection.read(&mut some).expect("a part");
                length += some[..count].iter().filter(|byte| **byte == b'x').count();
                last = some[count.saturating_sub(5)..count].to_vec();
            }
        } else {
            let count = 9_000_000;
            length = std::io::copy(&mut (&connection).take(count), &mut std::io::sink())
                .and_then(|count| usize::try_from(count).map_err(std::io::Error::other))
                .expect("all");
        }
        let text = length.to_string();
        connection
            .write_all(&answer("", text.as_bytes()))
            .expect("written");
    });
    let shown = Shown::of(server);
    let long = "x".repeat(9_000_000);
    let (_, body) = shown.ask_with("POST / HTTP/1.1\r\nContent-Length: 9000000\r\n", &long);
    assert_eq!(body, "9000000");
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(1 << 16));
    let chunked = chunk.repeat(20) + "0\r\n\r\n";
    let (_, body) = shown.ask_with("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", &chunked);
    assert_eq!(body, (20 * (1 << 16)).to_string());
}

#[test]
fn a_connection_becomes_a_socket_of_both() {
    let server = Server::start(|mut connection, head| {
        assert!(
            head.contains("upgrade: websocket") && head.contains("connection: upgrade"),
            "{head}"
        );
        let answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: a\r\n\r\nfirst";
        connection.write_all(answer.as_bytes()).expect("written");
        let mut word = [0; 4];
        while connection.read_exact(&mut word).is_ok() {
            word.reverse();
            connection.write_all(&word).expect("written");
        }
    });
    let shown = Shown::of(server);
    let request = "GET /ws HTTP/1.1\r\nHost: localhost:1\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let mut connection = connect(shown.port, request);
    let head = head(&mut connection);
    assert!(
        head.starts_with("http/1.1 101") && head.contains("upgrade: websocket"),
        "{head}"
    );
    let mut word = [0; 5];
    connection
        .read_exact(&mut word)
        .expect("what the server says");
    assert_eq!(&word, b"first");
    for text in ["abcd", "\0\u{1}\r\n"] {
        connection.write_all(text.as_bytes()).expect("written");
        let mut word = [0; 4];
        connection.read_exact(&mut word).expect("an answer");
        word.reverse();
        assert_eq!(word, text.as_bytes());
    }
}

#[test]
fn other_names_get_nothing() {
    let shown = Shown::new(|_| answer("", b"secret"));
    for host in ["evil.example:13000", "localhost.evil.example", ""] {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let (head, body) = ask(shown.port, &request);
        assert!(
            head.starts_with("http/1.1 403") && !body.contains("secret"),
            "{head}{body}"
        );
    }
    let (head, _) = ask(shown.port, "GET / HTTP/1.0\r\n\r\n");
    assert!(head.starts_with("http/1.0 403"), "{head}");
    let request =
        "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert!(ask(shown.port, request).0.starts_with("http/1.1 403"));
    assert_eq!(shown.server.requests(), 0);
}

#[test]
fn a_page_waits_for_its_server() {
    let port = free_port();
    let (pages, browser, _) = ends::start(Ports {
        server: Some(port),
        pages: Some(free_port()),
    });
    let (head, body) = ask(pages, &page("/", ""));
    assert!(
        head.starts_with("http/1.1 503") && head.contains("retry-after"),
        "{head}"
    );
    assert!(
        body.contains("data-at=\"nothing\"") && body.contains(&port.to_string()),
        "{body}"
    );
    let (head, body) = ask(
        pages,
        "GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    );
    assert!(
        head.starts_with("http/1.1 503") && body.starts_with("hot: Nothing answers"),
        "{head}{body}"
    );

    let asks = ends::next(pages, "nothing");
    assert_eq!(
        asks.recv_timeout(SHORT),
        Err(RecvTimeoutError::Timeout),
        "nobody listens yet"
    );
    let server = Server::start_at(port, |mut connection, _| {
        connection
            .write_all(&answer("Content-Type: text/html\r\n", b"<p>x"))
            .expect("written");
    });
    let state = asks.recv().expect("a state");
    let (_, body) = ask(pages, &page("/", ""));
    assert!(body.contains(&format!("data-at=\"{state}\"")), "{body}");

    // Nothing changes, and then something does.
    let asks = ends::next(pages, &state);
    assert_eq!(asks.recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
    browser.changed();
    assert_ne!(asks.recv().expect("another"), state);
    assert_eq!(server.requests(), 1, "only pages are asked for");
}

#[test]
fn the_server_is_found_among_the_ports_of_its_processes() {
    let server = Server::start(|_, _| {});
    let (expected, browser, news) = ends::start(Ports {
        server: None,
        pages: Some(free_port()),
    });
    browser.joined(vec![std::process::id()]);
    let Ok(News::Shown {
        pages,
        server: port,
        others,
    }) = news.recv()
    else {
        panic!("it is shown");
    };
    assert_eq!(pages, expected);
    // Tests beside this one listen as well.
    assert!(
        port == server.port || others.contains(&server.port),
        "{port} {others:?}"
    );
}

#[test]
fn a_port_that_is_taken() {
    let taken = Server::start(|_, _| {});
    let why = listen(taken.port).expect_err("it is taken").to_string();
    assert!(
        why.contains(&taken.port.to_string()) && why.contains("--browser=SERVER:PORT"),
        "{why}"
    );
}
