//! How long a loaded plugin is in use, and whether something of it may have got out of sight.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

/// A loaded version of a plugin. Everything of the plugin that is handed out holds one, so that its
/// count tells whether the plugin is in use.
#[derive(Debug)]
pub(crate) struct Life {
    name: String,
    escapes: Arc<Escapes>,
}

impl Life {
    pub(crate) fn new(name: &str, escapes: Arc<Escapes>) -> Arc<Self> {
        Arc::new(Self {
            name: name.to_owned(),
            escapes,
        })
    }

    /// The plugin's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn note(&self, escape: Escape) {
        self.escapes.note(escape);
    }

    pub(crate) fn escapes(&self) -> Arc<Escapes> {
        Arc::clone(&self.escapes)
    }
}

/// A way by which a pointer into a plugin's library can outlive what is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escape {
    /// It can start threads, or register handlers with the system.
    Threads = 1,
    /// It gave an object away, rather than plain data.
    ObjectOut = 2,
    /// It got an object, and can have put something into it.
    ObjectIn = 4,
    /// It used the vault's extension.
    Extension = 8,
    /// A live function or type of its was looked up, or it looked one up.
    Live = 16,
    /// A symbol of its was looked up.
    Symbol = 32,
    /// Its export was looked up by the host.
    Export = 64,
}

const ALL: [(Escape, &str); 7] = [
    (Escape::Threads, "it can start threads or register handlers"),
    (Escape::ObjectOut, "it gave an object away"),
    (Escape::ObjectIn, "it was given an object"),
    (Escape::Extension, "it used the vault's extension"),
    (Escape::Live, "live functions or types were looked up"),
    (Escape::Symbol, "a symbol of its was looked up"),
    (Escape::Export, "its export was looked up"),
];

/// The ways that were taken, for one library.
#[derive(Debug, Default)]
pub(crate) struct Escapes(AtomicU32);

impl Escapes {
    pub(crate) fn note(&self, escape: Escape) {
        // Looked at first: this is on the way of every call, and most often nothing changes.
        if self.0.load(Ordering::Relaxed) & escape as u32 == 0 {
            // Relaxed: read only after the last holder of the version is gone, which synchronises.
            self.0.fetch_or(escape as u32, Ordering::Relaxed);
        }
    }

    pub(crate) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }
}

impl fmt::Display for Escapes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let taken = self.0.load(Ordering::Relaxed);
        let reasons = ALL.iter().filter(|(escape, _)| taken & *escape as u32 != 0);
        let reasons: Vec<&str> = reasons.map(|(_, reason)| *reason).collect();
        f.write_str(&reasons.join("; "))
    }
}
