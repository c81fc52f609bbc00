//! A line of text that is typed while keys are read one by one: the terminal edits nothing then.
//!
//! Knows nothing of what it is for.

/// What has become of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Typed {
    /// So far it is this.
    So(String),
    /// It is finished.
    Done(String),
    GivenUp,
}

/// The line as it is typed.
#[derive(Debug, Default)]
pub(super) struct Line(Vec<u8>);

impl Line {
    /// Takes what was read at once: some keys, or the bytes of a key without a character.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Typed {
        const ESCAPE: u8 = 0x1b;
        match bytes {
            [ESCAPE] => return Typed::GivenUp,
            // An arrow, or another key of that kind.
            [ESCAPE, ..] => return self.so_far(),
            _ => {}
        }
        for &byte in bytes {
            match byte {
                b'\r' | b'\n' => return Typed::Done(self.text()),
                // What is deleted is a character, of however many bytes.
                0x08 | 0x7f => {
                    let mut text = self.text();
                    text.pop();
                    self.0 = text.into_bytes();
                }
                byte if byte.is_ascii_control() => {}
                byte => self.0.push(byte),
            }
        }
        self.so_far()
    }

    fn so_far(&self) -> Typed {
        Typed::So(self.text())
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_edited_until_it_is_finished_or_given_up() {
        let mut line = Line::default();
        assert_eq!(line.take(b"ta"), Typed::So("ta".into()));
        assert_eq!(line.take(b"\x1b[A"), Typed::So("ta".into()));
        assert_eq!(line.take("\u{e9}\x7fx".as_bytes()), Typed::So("tax".into()));
        assert_eq!(line.take(b"\n"), Typed::Done("tax".into()));
        assert_eq!(line.take(b"\x1b"), Typed::GivenUp);
    }
}
