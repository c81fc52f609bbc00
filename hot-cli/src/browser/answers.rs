//! What the proxy answers by itself.

use std::convert::Infallible;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{HeaderValue, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use hyper::{Response, StatusCode};

/// The body of an answer, whoever made it.
pub(super) type AnyBody = UnsyncBoxBody<Bytes, hyper::Error>;

/// Paths that are no server's begin with this.
pub(super) const OWN: &str = "/.hot/";
pub(super) const SCRIPT: &str = "/.hot/page.js";
pub(super) const NEXT: &str = "/.hot/next";

/// A page that says why there is no other, with the script's tag.
pub(super) fn note(status: StatusCode, why: &str, tag: &str) -> Response<AnyBody> {
    let text = include_str!("note.html")
        .replace("TAG", tag)
        .replace("WHY", why);
    answer(status, "text/html; charset=utf-8", text)
}

pub(super) fn text(status: StatusCode, text: impl Into<String>) -> Response<AnyBody> {
    answer(status, "text/plain; charset=utf-8", text.into())
}

pub(super) fn script() -> Response<AnyBody> {
    let script = include_str!("page.js").to_owned();
    answer(StatusCode::OK, "text/javascript; charset=utf-8", script)
}

/// How the script is asked for, by a page of this state.
pub(super) fn tag(state: &str, nonce: Option<&str>) -> String {
    let nonce = nonce.map_or(String::new(), |nonce| format!(" nonce=\"{nonce}\""));
    format!("<script src=\"{SCRIPT}\" data-at=\"{state}\"{nonce}></script>")
}

fn answer(status: StatusCode, kind: &'static str, text: String) -> Response<AnyBody> {
    let body = Full::from(text).map_err(|never: Infallible| match never {});
    let mut answer = Response::new(body.boxed_unsync());
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    answer
}
