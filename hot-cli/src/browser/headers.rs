//! What the headers of a request or an answer say, and which of them don't go on.

use hyper::body::Incoming;
use hyper::header::{self, AsHeaderName, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

/// What concerns one connection. How a body ends is said anew for each.
const OF_A_CONNECTION: [&str; 5] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "upgrade",
];

/// The values of a header that are text.
pub(super) fn values(headers: &HeaderMap, name: impl AsHeaderName) -> impl Iterator<Item = &str> {
    let all = headers.get_all(name).into_iter();
    all.filter_map(|value| value.to_str().ok())
}

fn has_word(headers: &HeaderMap, name: HeaderName, word: &str) -> bool {
    let mut words = values(headers, name).flat_map(|value| value.split(','));
    words.any(|found| found.trim().eq_ignore_ascii_case(word))
}

/// What the connection becomes, if it is no longer one for HTTP: `websocket`.
pub(super) fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let wanted = headers.get(header::UPGRADE)?;
    has_word(headers, header::CONNECTION, "upgrade").then(|| wanted.clone())
}

/// Takes out what concerns the connection that it came by; says again what it becomes.
pub(super) fn pass_on(headers: &mut HeaderMap, upgrade: Option<HeaderValue>) {
    let named: Vec<HeaderName> = values(headers, header::CONNECTION)
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in OF_A_CONNECTION {
        headers.remove(name);
    }
    if let Some(upgrade) = upgrade {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, upgrade);
    }
}

/// The name that a request is for, if it is one of this machine: `localhost:13000`. Other names may
/// be led here by whoever owns them, for a page of theirs to read what it gets.
pub(super) fn own_host(request: &Request<Incoming>) -> Option<&str> {
    let mut named = values(request.headers(), header::HOST);
    let (Some(host), None) = (named.next(), named.next()) else {
        return None;
    };
    let absolute = request.uri().authority();
    let is_one = absolute.is_none_or(|authority| authority.as_str() == host);
    (is_one && is_own(host)).then_some(host)
}

fn is_own(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.to_ascii_lowercase();
    ["localhost", "127.0.0.1", "[::1]"].contains(&name.as_str()) || name.ends_with(".localhost")
}

/// Whether somebody opens a page: no script of a page that asks for a part, no image.
pub(super) fn opens_a_page(request: &Request<Incoming>) -> bool {
    let headers = request.headers();
    let wants_page = match headers.get("sec-fetch-dest") {
        Some(wanted) => wanted == "document",
        None => values(headers, header::ACCEPT).any(|accepted| accepted.contains("text/html")),
    };
    request.method() == Method::GET && wants_page && !headers.contains_key(header::RANGE)
}

/// Asks for a page that a tag can be put into: as it is now, and as text.
pub(super) fn ask_for_text(headers: &mut HeaderMap) {
    headers.remove(header::IF_NONE_MATCH);
    headers.remove(header::IF_MODIFIED_SINCE);
    let identity = HeaderValue::from_static("identity");
    headers.insert(header::ACCEPT_ENCODING, identity);
}

/// How an answer is to be taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A page in letters that a tag can be written in.
    Page,
    /// One that was made smaller.
    Compressed,
    Other,
}

pub(super) fn form<B>(answer: &Response<B>) -> Form {
    let headers = answer.headers();
    let kind = values(headers, header::CONTENT_TYPE)
        .next()
        .unwrap_or_default();
    let kind = kind.to_ascii_lowercase();
    let is_html = kind
        .split(';')
        .next()
        .is_some_and(|kind| kind.trim() == "text/html");
    let is_whole =
        ![StatusCode::PARTIAL_CONTENT, StatusCode::NO_CONTENT].contains(&answer.status());
    if !is_html || !is_whole || ["utf-16", "utf-32"].iter().any(|wide| kind.contains(wide)) {
        return Form::Other;
    }
    let mut encodings = values(headers, header::CONTENT_ENCODING);
    match encodings.all(|encoding| encoding.eq_ignore_ascii_case("identity")) {
        true => Form::Page,
        false => Form::Compressed,
    }
}

/// The headers of a page into which a tag is put: it is longer, and belongs to one state only.
pub(super) fn of_page_with_tag(headers: &mut HeaderMap) {
    for name in [
        header::CONTENT_LENGTH,
        header::ETAG,
        header::LAST_MODIFIED,
        header::ACCEPT_RANGES,
        header::EXPIRES,
    ] {
        headers.remove(name);
    }
    let no_store = HeaderValue::from_static("no-store");
    headers.insert(header::CACHE_CONTROL, no_store);
}

/// Leads where the server leads, but through the proxy, which has this name.
pub(super) fn keep_here(headers: &mut HeaderMap, server: u16, proxy: &str) {
    let Some(to) = values(headers, header::LOCATION).next() else {
        return;
    };
    let Some(address) = to.strip_prefix("http://") else {
        return;
    };
    let path = address.find(['/', '?', '#']).unwrap_or(address.len());
    let (host, path) = address.split_at(path);
    let is_server = is_own(host) && host.ends_with(&format!(":{server}"));
    let slash = if path.starts_with('/') { "" } else { "/" };
    let here = HeaderValue::try_from(format!("http://{proxy}{slash}{path}"));
    if let (true, Ok(here)) = (is_server, here) {
        headers.insert(header::LOCATION, here);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        let one = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        list.iter().map(one).collect()
    }

    #[test]
    fn names_of_this_machine() {
        for host in [
            "localhost:1",
            "LOCALHOST",
            "127.0.0.1:80",
            "[::1]:3000",
            "[::1]",
            "a.b.localhost:1",
        ] {
            assert!(is_own(host), "{host}");
        }
        for host in [
            "",
            "evil.example:13000",
            "localhost.evil.example",
            "xlocalhost",
            "10.0.0.1",
            "localhost:80:x",
        ] {
            assert!(!is_own(host), "{host}");
        }
    }

    #[test]
    fn what_concerns_one_connection_stays_there() {
        let mut all = headers(&[
            ("connection", "close, X-Own"),
            ("x-own", "1"),
            ("keep-alive", "timeout=5"),
            ("upgrade", "h2c"),
            ("x-other", "2"),
        ]);
        pass_on(&mut all, None);
        assert_eq!(all, headers(&[("x-other", "2")]));

        let mut all = headers(&[
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket"),
        ]);
        let wanted = upgrade(&all);
        pass_on(&mut all, wanted);
        assert_eq!(
            all,
            headers(&[("connection", "upgrade"), ("upgrade", "websocket")])
        );
        assert_eq!(upgrade(&headers(&[("upgrade", "websocket")])), None);
    }

    #[test]
    fn pages_that_a_tag_can_be_put_into() {
        let check = |list: &[(&'static str, &'static str)], status: u16, expected: Form| {
            let mut answer = Response::new(());
            *answer.headers_mut() = headers(list);
            *answer.status_mut() = StatusCode::from_u16(status).expect("a status");
            assert_eq!(form(&answer), expected, "{list:?}");
        };
        let html = ("content-type", "Text/HTML; charset=utf-8");
        check(&[html], 200, Form::Page);
        check(&[html, ("content-encoding", "identity")], 404, Form::Page);
        check(&[html, ("content-encoding", "br")], 200, Form::Compressed);
        check(&[html], 206, Form::Other);
        check(
            &[("content-type", "text/html; charset=UTF-16LE")],
            200,
            Form::Other,
        );
        check(&[("content-type", "text/htmlx")], 200, Form::Other);
        check(&[("content-type", "application/json")], 200, Form::Other);
        check(&[], 200, Form::Other);
    }

    #[test]
    fn redirects_stay_at_the_proxy() {
        for (to, here) in [
            ("http://localhost:3000/in?x=1#y", "http://here:1/in?x=1#y"),
            ("http://127.0.0.1:3000", "http://here:1/"),
            ("http://localhost:3000?x", "http://here:1/?x"),
            (
                "http://localhost:3000//shop.example",
                "http://here:1//shop.example",
            ),
            ("http://localhost:3001/in", "http://localhost:3001/in"),
            ("http://shop.example:3000/in", "http://shop.example:3000/in"),
            ("https://localhost:3000/in", "https://localhost:3000/in"),
            ("/in", "/in"),
        ] {
            let mut all = headers(&[("location", to)]);
            keep_here(&mut all, 3000, "here:1");
            assert_eq!(all["location"], here, "{to}");
        }
    }
}
