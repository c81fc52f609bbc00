//! What became of a save, by the words of `hot`. Knows nothing of how they come.

use serde_json::Value;

/// What became of a save.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    Patched,
    NothingToDo,
    /// It was compiled, and nothing that runs is other code.
    NothingDiffers,
    Restarted,
    Refused,
    NotCompiled,
    /// Nothing was said, although the code is another.
    Silent,
    /// Something is still under way after a long time.
    Hangs,
    /// The program has ended, or `hot` has.
    Ended,
}

impl Outcome {
    /// Where the program is what the files say, and runs on.
    pub(super) const LIVE: [Self; 2] = [Self::Patched, Self::NothingDiffers];

    /// Where something was to be done, and it compiles.
    pub(super) const TO_DO: [Self; 4] = [
        Self::Patched,
        Self::NothingDiffers,
        Self::Restarted,
        Self::Refused,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Patched => "patched",
            Self::NothingToDo => "nothing to do",
            Self::NothingDiffers => "nothing differs",
            Self::Restarted => "restarted",
            Self::Refused => "refused",
            Self::NotCompiled => "not compiled",
            Self::Silent => "SILENT",
            Self::Hangs => "HANGS",
            Self::Ended => "ENDED",
        }
    }

    /// Whether the program is said to be what the files say.
    pub(super) fn claims_to_be_there(self) -> bool {
        matches!(
            self,
            Self::Patched | Self::NothingToDo | Self::NothingDiffers | Self::Restarted
        )
    }

    /// What is wrong with it in any case.
    pub(super) fn fault(self) -> Option<&'static str> {
        match self {
            Self::Silent => Some("not a word, although the code is another"),
            Self::Hangs => Some("no answer"),
            Self::Ended => Some("`hot` or the program ended"),
            _ => None,
        }
    }
}

/// The answer to a save.
pub(super) struct Answer {
    pub(super) outcome: Outcome,
    /// The texts of all that was said.
    pub(super) said: Vec<String>,
}

impl Answer {
    /// Lines for who looks on.
    pub(super) fn reasons(&self) -> impl Iterator<Item = &str> {
        let shown = match self.outcome {
            Outcome::Patched | Outcome::NothingToDo => 0,
            _ => 4,
        };
        self.said.iter().flat_map(|text| text.lines()).take(shown)
    }
}

/// What a message of `hot` means for the save before it; none if it is no answer. A restart that
/// follows is another message.
pub(super) fn of_message(message: &Value) -> Option<Outcome> {
    let then = message["then"].as_str().unwrap_or_default();
    Some(match message["reason"].as_str()?.strip_prefix("hot-")? {
        "patched" | "restored" => Outcome::Patched,
        "nothing-differs" | "without-effect" => Outcome::NothingDiffers,
        "taken-back" => Outcome::NothingToDo,
        "not-compiled" | "build-failed" => Outcome::NotCompiled,
        "refused" if then == "runs-on" => Outcome::Refused,
        "still-refused" => Outcome::Refused,
        "restarted" | "started-again" => Outcome::Restarted,
        _ => return None,
    })
}

/// Whether a message says that a restart follows.
pub(super) fn announces_restart(message: &Value) -> bool {
    message["reason"] == "hot-refused" && message["then"] != "runs-on"
}
