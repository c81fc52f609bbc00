//! Kinds of edits that come again and again in one session: each with a number in it, so that no
//! patch is one that there was, and what the server answers once it is live.

use std::path::Path;

use anyhow::{bail, Context, Result};

use super::edits::{PUBLISH, UNKNOWN};

/// A kind of edit. Of those of one piece of text only the last is in effect.
pub(super) struct Repeated {
    pub(super) what: &'static str,
    piece: usize,
    /// What stands in place of the piece's texts; `#` is the number. None: what stood there first.
    to: Option<&'static [&'static str]>,
    seen: Seen,
}

/// How it is seen.
enum Seen {
    Not,
    /// By the number that is answered to `PUBLISH`, without what the first kind adds to it.
    Count(fn(usize) -> usize),
    /// By the answer to an unknown command.
    Unknown,
}

/// Texts that stand once in a file.
struct Piece {
    file: &'static str,
    from: &'static [&'static str],
}

const PIECES: [Piece; 6] = [
    Piece {
        file: "src/cmd/publish.rs",
        from: &["num_subscribers as u64);"],
    },
    Piece {
        file: "src/db.rs",
        from: &[".unwrap_or(0)\n    }", "impl Drop for Db {"],
    },
    Piece {
        file: "src/db.rs",
        from: &["fn next_expiration(&self)", ".next_expiration()"],
    },
    Piece {
        file: "src/cmd/unknown.rs",
        from: &["key.to_string(),"],
    },
    Piece {
        file: "src/cmd/unknown.rs",
        from: &["ERR unknown command"],
    },
    Piece {
        file: "src/frame.rs",
        from: &["\"(nil)\".fmt(fmt)"],
    },
];

const fn kind(
    what: &'static str,
    piece: usize,
    to: &'static [&'static str],
    seen: Seen,
) -> Repeated {
    Repeated {
        what,
        piece,
        to: Some(to),
        seen,
    }
}

/// In the order in which they are made, again and again.
pub(super) const KINDS: [Repeated; 10] = [
    kind(
        "body of an async method",
        0,
        &["num_subscribers as u64 + #);"],
        Seen::Count(|_| 0),
    ),
    kind(
        "body of a method",
        1,
        &[".unwrap_or(#)\n    }", DROP],
        Seen::Count(|number| number),
    ),
    kind(
        "helper, constant and import, with the body that uses them",
        1,
        &[
            ".map_or_else(|| limited(1), |count| limited(count))\n    }",
            "use std::cmp::max;\n\nconst LEAST: usize = #;\n\nfn limited(count: usize) -> usize \
             {\n    max(count, LEAST)\n}\n\nimpl Drop for Db {",
        ],
        Seen::Count(|number| number),
    ),
    kind(
        "body of that helper",
        1,
        &[
            ".map_or_else(|| limited(1), |count| limited(count))\n    }",
            "use std::cmp::max;\n\nconst LEAST: usize = 7;\n\nfn limited(count: usize) -> usize \
             {\n    max(count, LEAST) + #\n}\n\nimpl Drop for Db {",
        ],
        Seen::Count(|number| number + 7),
    ),
    kind(
        "type with an impl, with the body that uses it",
        1,
        &[
            ".map_or(Least(#), Least)\n            .shown()\n    }",
            "struct Least(usize);\n\nimpl Least {\n    fn shown(&self) -> usize {\n        \
             self.0\n    }\n}\n\nimpl Drop for Db {",
        ],
        Seen::Count(|number| number),
    ),
    Repeated {
        what: "all of that removed",
        piece: 1,
        to: None,
        seen: Seen::Count(|_| 0),
    },
    kind(
        "async method under `#[instrument]`",
        4,
        &["ERR # command"],
        Seen::Unknown,
    ),
    kind("`impl Display`", 5, &["\"(nil #)\".fmt(fmt)"], Seen::Not),
    kind(
        "generic function",
        3,
        &["key.to_string() + &\"\".repeat(#),"],
        Seen::Not,
    ),
    kind(
        "signature of a private method, with its caller",
        2,
        &[
            "fn next_expiration(&self, _: [u8; #])",
            ".next_expiration([0; #])",
        ],
        Seen::Not,
    ),
];

const DROP: &str = "impl Drop for Db {";

/// What stands in the pieces of a project's files.
pub(super) struct Texts<'a> {
    folder: &'a Path,
    now: [Vec<String>; PIECES.len()],
    /// What the first kind adds to the number of subscribers.
    added: usize,
}

impl<'a> Texts<'a> {
    pub(super) fn new(folder: &'a Path) -> Self {
        let first = |piece: &Piece| piece.from.iter().map(|text| (*text).to_owned()).collect();
        Self {
            folder,
            now: PIECES.each_ref().map(first),
            added: 0,
        }
    }

    /// Writes the file with this edit.
    pub(super) fn write(&mut self, kind: &Repeated, number: usize) -> Result<()> {
        let piece = &PIECES[kind.piece];
        let path = self.folder.join(piece.file);
        let mut text = std::fs::read_to_string(&path)
            .with_context(|| format!("can't read {}", path.display()))?;
        let next = kind.to.unwrap_or(piece.from).iter();
        let next: Vec<String> = next.map(|text| with(text, number)).collect();
        for (from, to) in self.now[kind.piece].iter().zip(&next) {
            if text.matches(from.as_str()).count() != 1 {
                bail!("{}: {} doesn't hold `{from}` once", kind.what, piece.file);
            }
            text = text.replacen(from, to, 1);
        }
        self.now[kind.piece] = next;
        if kind.piece == 0 {
            self.added = number;
        }
        std::fs::write(&path, text).with_context(|| format!("can't write {}", path.display()))
    }

    /// What is asked once the edit is live, and the answer.
    pub(super) fn seen(
        &self,
        kind: &Repeated,
        number: usize,
    ) -> Option<(&'static [&'static str], String)> {
        match kind.seen {
            Seen::Not => None,
            Seen::Count(count) => Some((PUBLISH, format!(":{}\r\n", self.added + count(number)))),
            Seen::Unknown => Some((UNKNOWN, format!("-ERR {number} command 'what'\r\n"))),
        }
    }
}

fn with(text: &str, number: usize) -> String {
    text.replace('#', &number.to_string())
}
