//! Puts the script's tag into an HTML page while it passes through.
//!
//! It stands first of all elements, right after the document's type: there it runs before the
//! page's own scripts, also of pages that are long in coming, and takes itself out again. Nothing
//! is held back but what comes before that place.

use std::pin::Pin;
use std::task::{ready, Context, Poll};

use hyper::body::{Body, Bytes, Frame};

/// What may come before the place, at most: else the page is passed on as it is.
const PREAMBLE: usize = 64 << 10;

/// A body with the tag in it.
#[derive(Debug)]
pub(super) struct WithScript<B> {
    body: B,
    /// None once it was put in.
    tag: Option<String>,
    /// What has come so far, until it was.
    begun: Vec<u8>,
    /// What has to come after it.
    held: Option<Frame<Bytes>>,
}

impl<B> WithScript<B> {
    pub(super) fn new(body: B, tag: String) -> Self {
        Self {
            body,
            tag: Some(tag),
            begun: Vec::new(),
            held: None,
        }
    }

    /// What has come, with the tag at its place; none as long as that may still come.
    fn placed(&mut self, is_end: bool) -> Option<Bytes> {
        let place = match place(&self.begun) {
            Some(place) => Some(place),
            None if is_end => Some(self.begun.len()),
            None if self.begun.len() > PREAMBLE => None,
            None => return None,
        };
        let mut begun = std::mem::take(&mut self.begun);
        let tag = self.tag.take()?;
        if let Some(place) = place {
            begun.splice(place..place, tag.into_bytes());
        }
        Some(begun.into())
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for WithScript<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        loop {
            if let Some(frame) = self.held.take() {
                return Poll::Ready(Some(Ok(frame)));
            }
            let frame = ready!(Pin::new(&mut self.body).poll_frame(context)).transpose()?;
            if self.tag.is_none() {
                return Poll::Ready(frame.map(Ok));
            }
            let is_end = match frame.map(Frame::into_data) {
                Some(Ok(data)) => {
                    self.begun.extend_from_slice(&data);
                    false
                }
                Some(Err(trailers)) => {
                    self.held = Some(trailers);
                    true
                }
                None => true,
            };
            if let Some(data) = self.placed(is_end) {
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
        }
    }
}

/// Where the tag goes, in the beginning of a page: after its type, else where its first element or
/// text begins. None: that may still come.
fn place(page: &[u8]) -> Option<usize> {
    let mut at = match page {
        [0xEF, 0xBB, 0xBF, ..] => 3,
        [0xEF] | [0xEF, 0xBB] => return None,
        _ => 0,
    };
    loop {
        let rest = &page[at..];
        at += rest.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let rest = &page[at..];
        let end = |word: &[u8]| {
            let mut windows = rest.windows(word.len());
            windows
                .position(|part| part == word)
                .map(|found| at + found + word.len())
        };
        if begins(rest, b"<!doctype")? {
            return end(b">");
        }
        at = if begins(rest, b"<!--")? {
            end(b"-->")?
        } else if begins(rest, b"<?")? {
            end(b">")?
        } else {
            return Some(at);
        };
    }
}

/// Whether a text begins with a word, in letters of either case; none if it is too short to tell.
fn begins(text: &[u8], word: &[u8]) -> Option<bool> {
    let common = text.len().min(word.len());
    let alike = text[..common].eq_ignore_ascii_case(&word[..common]);
    (!alike || common == word.len()).then_some(alike)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::task::Waker;

    use super::*;

    /// A page in pieces of this size.
    struct Pieces(Vec<u8>, usize);

    impl Body for Pieces {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let size = self.1.min(self.0.len());
            let piece: Vec<u8> = self.0.drain(..size).collect();
            Poll::Ready((!piece.is_empty()).then(|| Ok(Frame::data(piece.into()))))
        }
    }

    /// What comes out, each piece by itself.
    fn pieces(page: &str, size: usize) -> Vec<String> {
        let mut body = WithScript::new(Pieces(page.into(), size), "<TAG>".into());
        let mut context = Context::from_waker(Waker::noop());
        let mut all = Vec::new();
        while let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut body).poll_frame(&mut context) {
            let data = frame.into_data().expect("data");
            all.push(String::from_utf8(data.into()).expect("text"));
        }
        all
    }

    #[test]
    fn the_place_is_found_however_the_page_is_cut() {
        for expected in [
            "<!DOCTYPE html><TAG><html lang=\"en\">",
            "\u{feff}\n<!-- a > b --> <!doctype html><TAG>\n<p>x",
            "<?xml version=\"1.0\"?><!doctype html><TAG><html>",
            "<TAG><html><body>no type",
            "  <TAG>plain text",
            "<TAG><!- no comment>",
            "<!-- never ends <TAG>",
            "<TAG>",
        ] {
            let page = expected.replace("<TAG>", "");
            for size in [1, 2, 7, 1000] {
                assert_eq!(pieces(&page, size).concat(), expected, "{size}");
            }
        }
    }

    #[test]
    fn nothing_waits_behind_the_place() {
        let all = pieces("<!doctype html><p>one<p>two", 15);
        assert_eq!(all, ["<!doctype html><TAG>", "<p>one<p>two"]);
    }

    #[test]
    fn a_page_without_a_place_is_left_alone() {
        let page = format!("<!--{}--><!doctype html>", "x".repeat(2 * PREAMBLE));
        assert!(pieces(&page, 4096).concat() == page);
    }
}
