//! The edits of the day, in their order: each a change of text in one file, and what the server
//! answers once it is live.

use std::path::Path;

use anyhow::{bail, Context, Result};

/// What an edit reaches.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Body,
    /// Something new, and the bodies that use it.
    Addition,
    Other,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Body, Self::Addition, Self::Other];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Addition => "addition",
            Self::Other => "other",
        }
    }

    /// What it may take at most, of what `cargo build` takes.
    pub(super) const fn aim(self) -> f64 {
        match self {
            Self::Body => 0.10,
            Self::Addition => 0.15,
            Self::Other => 0.90,
        }
    }
}

/// An edit.
pub(super) struct Edit {
    pub(super) what: &'static str,
    pub(super) kind: Kind,
    file: &'static str,
    /// Texts that stand once in the file, and what stands there afterwards.
    changes: &'static [(&'static str, &'static str)],
    /// A command, and how the answer begins.
    pub(super) seen: Option<(&'static [&'static str], &'static str)>,
}

impl Edit {
    const fn new(
        what: &'static str,
        kind: Kind,
        file: &'static str,
        changes: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self {
            what,
            kind,
            file,
            changes,
            seen: None,
        }
    }

    const fn seen(mut self, command: &'static [&'static str], answer: &'static str) -> Self {
        self.seen = Some((command, answer));
        self
    }

    /// Writes the edited file below `folder`.
    pub(super) fn apply(&self, folder: &Path) -> Result<()> {
        let path = folder.join(self.file);
        let mut text = std::fs::read_to_string(&path)
            .with_context(|| format!("can't read {}", path.display()))?;
        for (from, to) in self.changes {
            if text.matches(from).count() != 1 {
                bail!("{}: {} doesn't hold `{from}` once", self.what, self.file);
            }
            text = text.replacen(from, to, 1);
        }
        std::fs::write(&path, text).with_context(|| format!("can't write {}", path.display()))
    }
}

pub(super) const PUBLISH: &[&str] = &["PUBLISH", "nobody", "word"];
pub(super) const UNKNOWN: &[&str] = &["WHAT"];

use Kind::{Addition, Body, Other};

pub(super) const EDITS: [Edit; 18] = [
    Edit::new(
        "body of an async method, fresh session",
        Body,
        "src/cmd/publish.rs",
        &[("num_subscribers as u64);", "num_subscribers as u64 + 100);")],
    )
    .seen(PUBLISH, ":100\r\n"),
    Edit::new(
        "body of a method",
        Body,
        "src/db.rs",
        &[(".unwrap_or(0)\n    }", ".unwrap_or(7)\n    }")],
    )
    .seen(PUBLISH, ":107\r\n"),
    Edit::new(
        "helper, constant and import, with the body that uses them",
        Addition,
        "src/cmd/publish.rs",
        &[
            (
                "use bytes::Bytes;",
                "use bytes::Bytes;\nuse std::cmp::min;\n\nconst MOST: u64 = 50;\n\n\
                 fn limited(count: usize) -> u64 {\n    min(count as u64, MOST)\n}",
            ),
            (
                "num_subscribers as u64 + 100",
                "limited(num_subscribers + 100)",
            ),
        ],
    )
    .seen(PUBLISH, ":50\r\n"),
    Edit::new(
        "body of that helper",
        Body,
        "src/cmd/publish.rs",
        &[("min(count as u64, MOST)", "min(count as u64, MOST) + 1")],
    )
    .seen(PUBLISH, ":51\r\n"),
    Edit::new(
        "value of that constant",
        Addition,
        "src/cmd/publish.rs",
        &[("MOST: u64 = 50", "MOST: u64 = 60")],
    )
    .seen(PUBLISH, ":61\r\n"),
    Edit::new(
        "type with an impl, with the body that uses it",
        Addition,
        "src/cmd/publish.rs",
        &[
            (
                "fn limited(",
                "struct Count(u64);\n\nimpl Count {\n    fn shown(&self) -> u64 {\n        \
                 self.0 * 2\n    }\n}\n\nfn limited(",
            ),
            (
                "limited(num_subscribers + 100)",
                "Count(limited(num_subscribers + 100)).shown()",
            ),
        ],
    )
    .seen(PUBLISH, ":122\r\n"),
    Edit::new(
        "signature of a private method, with its caller",
        Other,
        "src/db.rs",
        &[
            (
                "fn next_expiration(&self)",
                "fn next_expiration(&self, _id: u64)",
            ),
            (".next_expiration()", ".next_expiration(id)"),
        ],
    ),
    Edit::new(
        "body after it",
        Body,
        "src/cmd/publish.rs",
        &[("min(count as u64, MOST) + 1", "min(count as u64, MOST) + 2")],
    )
    .seen(PUBLISH, ":124\r\n"),
    Edit::new(
        "generic function",
        Other,
        "src/cmd/unknown.rs",
        &[("key.to_string(),", "key.to_string().to_uppercase(),")],
    )
    .seen(UNKNOWN, "-ERR unknown command 'WHAT'\r\n"),
    Edit::new(
        "body that mentions a private name",
        Body,
        "src/parse.rs",
        &[("but there was more", "but there is more")],
    ),
    Edit::new(
        "async method under `#[instrument]`",
        Other,
        "src/cmd/unknown.rs",
        &[("ERR unknown command '{}'", "ERR no command '{}'")],
    )
    .seen(UNKNOWN, "-ERR no command 'WHAT'\r\n"),
    Edit::new(
        "the same once more",
        Other,
        "src/cmd/unknown.rs",
        &[("ERR no command '{}'", "ERR never heard of '{}'")],
    )
    .seen(UNKNOWN, "-ERR never heard of 'WHAT'\r\n"),
    Edit::new(
        "`impl Display`",
        Other,
        "src/frame.rs",
        &[("\"(nil)\".fmt(fmt)", "\"(nothing)\".fmt(fmt)")],
    ),
    Edit::new(
        "`impl Display` once more",
        Other,
        "src/frame.rs",
        &[("\"(nothing)\".fmt(fmt)", "\"(none)\".fmt(fmt)")],
    ),
    Edit::new(
        "new static, with the body that uses it",
        Other,
        "src/cmd/publish.rs",
        &[
            (
                "const MOST",
                "static PUBLISHED: std::sync::atomic::AtomicU64 = \
                 std::sync::atomic::AtomicU64::new(1000);\n\nconst MOST",
            ),
            (
                "Count(limited(num_subscribers + 100)).shown()",
                "Count(limited(num_subscribers + 100)).shown()\n                + \
                 PUBLISHED.fetch_add(1, std::sync::atomic::Ordering::Relaxed)",
            ),
        ],
    )
    .seen(PUBLISH, ":1124\r\n"),
    Edit::new(
        "another trait derived",
        Other,
        "src/cmd/unknown.rs",
        &[("#[derive(Debug)]", "#[derive(Debug, Clone)]")],
    ),
    Edit::new(
        "constant used by several",
        Other,
        "src/parse.rs",
        &[("invalid number\"", "no number\"")],
    ),
    Edit::new(
        "body at the end of the day",
        Body,
        "src/cmd/publish.rs",
        &[("self.0 * 2", "self.0 * 3")],
    )
    .seen(PUBLISH, ":1187\r\n"),
];
