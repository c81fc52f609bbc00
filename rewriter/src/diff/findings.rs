//! What a comparison finds: changed bodies, indirect edits, rude edits. Knows nothing of what is
//! compared.

use crate::analysis::declaration::Declaration;
use crate::analysis::eligibility::Kind;
use crate::syntax::normalize::Fingerprint;

// Reasons that several comparisons have.
pub(super) const HIDES: &str =
    "a type or signature mentions this name, which may mean something else now";
pub(super) const GLOB_HIDES: &str =
    "a name in a type or signature may mean something else with it than without";
pub(super) const REACHES: &str = "it may reach the layout of a type";

/// What changed in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileDiff {
    /// Functions with a site whose body changed.
    pub changed: Vec<ChangedFunction>,
    /// Changes of code that aren't the body of a function with a site, by line.
    pub indirect: Vec<IndirectEdit>,
    /// What can't be patched, by line.
    pub rude: Vec<RudeEdit>,
}

/// A function whose body changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFunction {
    /// Its index in the old file's functions.
    pub old: usize,
    /// Its index in the new file's functions.
    pub new: usize,
    /// How it is replaced.
    pub kind: Kind,
}

/// A change whose users become new with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndirectEdit {
    /// The line: in the new file, or in the old one for what is gone.
    pub line: usize,
    /// What changed, in people's words.
    pub what: String,
    /// All that it is now: another one when the same thing changes again in any way.
    pub now: Fingerprint,
    /// The static whose initial value it is: the one that exists keeps the value that it has.
    pub kept: Option<String>,
    /// What of the file it is, if that can be told.
    pub turn: Option<Turn>,
    /// Nothing but what code does, or a value.
    pub is_of_code: bool,
}

/// A declaration that came, went or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// It is in the new file.
    Added(Declaration),
    /// It is in the old file.
    Removed(Declaration),
    /// It is in both; its position in the new one.
    Changed(Declaration),
    /// Others may name a field than before: what compiles means what it meant.
    FieldVisibility,
}

impl Turn {
    /// The declaration, and the one of two states of its file that has it. None: it is about none.
    pub(super) fn found_in<T>(self, old: T, new: T) -> Option<(T, Declaration)> {
        match self {
            Self::Removed(declaration) => Some((old, declaration)),
            Self::Added(declaration) | Self::Changed(declaration) => Some((new, declaration)),
            Self::FieldVisibility => None,
        }
    }
}

/// A change that can't be patched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RudeEdit {
    /// The line: in the new file, or in the old one for what is gone.
    pub line: usize,
    /// What changed, in people's words.
    pub what: String,
}

impl FileDiff {
    /// Whether nothing changed that means anything.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.indirect.is_empty() && self.rude.is_empty()
    }

    pub(super) fn rude(&mut self, line: usize, what: impl Into<String>) {
        let what = what.into();
        self.rude.push(RudeEdit { line, what });
    }

    pub(super) fn indirect(&mut self, line: usize, what: impl Into<String>, now: Fingerprint) {
        self.indirect.push(IndirectEdit {
            line,
            what: what.into(),
            now,
            kept: None,
            turn: None,
            is_of_code: false,
        });
    }

    /// A declaration came, went or changed.
    pub(super) fn turned(
        &mut self,
        line: usize,
        what: impl Into<String>,
        now: Fingerprint,
        turn: Turn,
    ) {
        self.indirect(line, what, now);
        if let Some(edit) = self.indirect.last_mut() {
            edit.turn = Some(turn);
        }
    }

    /// A body or a value changed, and nothing else of what declares it.
    pub(super) fn code_changed(
        &mut self,
        line: usize,
        what: impl Into<String>,
        now: Fingerprint,
        of: Declaration,
    ) {
        self.turned(line, what, now, Turn::Changed(of));
        if let Some(edit) = self.indirect.last_mut() {
            edit.is_of_code = true;
        }
    }
}
