//! Events as JSON, one a line, for programs that read along: `docs/messages.md` has the form.
//!
//! Knows nothing of how events are worded for people, but takes those words along.

use std::time::Duration;

use serde_json::{json, Map, Value};

use super::brief::written;
use super::diagnostic::{CompilerOutput, Span};
use super::event::{Consequence, Event, FunctionPlace, KeptPlace, Reason};
use super::overview::Saved;
use super::Tone;

/// The version of the form. A field or a reason that is new doesn't change it.
const VERSION: u64 = 1;

/// The lines of an event, each an object with `reason` and `version` first; the rest is in the
/// order of the alphabet. `text` is what people are told.
pub(super) fn lines(event: &Event, text: &str) -> String {
    let mut out = String::new();
    for (reason, mut fields) in messages(event) {
        if ![DIAGNOSTIC, SAVED, TEST_ENDED].contains(&reason) {
            fields.insert("text".to_owned(), text.into());
        }
        out.push_str(&format!(
            "{{\"reason\":\"hot-{reason}\",\"version\":{VERSION}"
        ));
        for (name, value) in &fields {
            out.push_str(&format!(",\"{name}\":{value}"));
        }
        out.push_str("}\n");
    }
    out
}

/// The reason of what is said of one place.
const DIAGNOSTIC: &str = "diagnostic";

/// That of what begins the answer to a save.
const SAVED: &str = "saved";

/// That of what is told of each test.
const TEST_ENDED: &str = "test-ended";

/// Whether it is told although people aren't.
pub(super) fn needs_no_words(event: &Event) -> bool {
    matches!(event, Event::Saved { .. } | Event::TestEnded(_))
}

type Message = (&'static str, Map<String, Value>);

fn message(reason: &'static str, fields: Value) -> Message {
    match fields {
        Value::Object(fields) => (reason, fields),
        _ => (reason, Map::new()),
    }
}

fn messages(event: &Event) -> Vec<Message> {
    let one = |reason, fields| vec![message(reason, fields)];
    match event {
        Event::Patched {
            functions,
            elapsed,
            because,
            keep,
        } => one(
            "patched",
            json!({
                "functions": places(functions),
                "elapsed_ms": millis(*elapsed),
                "because": because,
                "keep_old_bodies": kept(keep),
            }),
        ),
        Event::Restored {
            functions,
            elapsed,
            keep,
        } => one(
            "restored",
            json!({
                "functions": places(functions),
                "elapsed_ms": millis(*elapsed),
                "keep_old_bodies": kept(keep),
            }),
        ),
        Event::RolledBack { done, elapsed } => one(
            "rolled-back",
            json!({
                "patches": done.undone,
                "functions": places(&done.functions.iter().map(Into::into).collect::<Vec<_>>()),
                "elapsed_ms": millis(*elapsed),
                "refused": done.refused,
            }),
        ),
        Event::FirstCall { functions, after } => one(
            "first-call",
            json!({ "functions": places(functions), "after_ms": millis(*after) }),
        ),
        Event::NotCalled(functions) => one("not-called", json!({ "functions": places(functions) })),
        Event::Saved { files } => one(SAVED, json!({ "files": files })),
        Event::StillRunning(functions) => {
            one("still-running", json!({ "functions": places(functions) }))
        }
        Event::WithoutEffect(functions) => {
            one("without-effect", json!({ "functions": places(functions) }))
        }
        Event::Refused { edits, then, again } => {
            let mut all = diagnostics_of(edits, "warning");
            all.push(message(
                "refused",
                json!({ "edits": reasons(edits), "then": consequence(*then), "again": again }),
            ));
            all
        }
        Event::StillWithout(edits) => one("still-refused", json!({ "edits": reasons(edits) })),
        Event::WaitAsWell(edits) => one("waiting", json!({ "edits": reasons(edits) })),
        Event::SyntaxError { at, again } => {
            let mut all = diagnostics_of(std::slice::from_ref(at), "error");
            all.push(message("not-compiled", json!({ "again": again })));
            all
        }
        Event::CompileError { compiler, again } => {
            let mut all = diagnostics(compiler);
            all.push(message("not-compiled", json!({ "again": again })));
            all
        }
        Event::RestartWanted(then) => one("restart-wanted", json!({ "then": consequence(*then) })),
        Event::Ready { overview, named } => {
            let crates = overview.functions.iter();
            let crates: Vec<Value> = crates
                .map(|(name, functions)| json!({ "name": name, "functions": functions }))
                .collect();
            let fields = json!({ "crates": crates, "files": overview.files, "named": named });
            one("ready", fields)
        }
        Event::Ended(all) => {
            let saved = all.saved.as_ref();
            let difference =
                |saved: &Saved| signed(saved.by_building).saturating_sub(signed(saved.by_patching));
            one(
                "ended",
                json!({
                    "patches": all.patches,
                    "restarts": all.restarts,
                    "saved_ms": saved.map(difference),
                    "build_ms": saved.map(|saved| signed(saved.build)),
                }),
            )
        }
        Event::PagesShown {
            server,
            pages,
            others,
        } => one(
            "pages-shown",
            json!({ "server": server, "pages": pages, "others": others }),
        ),
        Event::TestEnded(test) => one(
            TEST_ENDED,
            json!({
                "name": test.name,
                "binary": test.binary,
                "passed": test.failure.is_none(),
                "retries": test.retries,
                "elapsed_ms": millis(test.elapsed),
                "failure": test.failure,
            }),
        ),
        Event::TestsRan(ran, ..) => one(
            "tests-ran",
            json!({
                "all": ran.all,
                "ignored": ran.ignored,
                "passed": ran.passed,
                "failed": ran.failed,
                "by_reach": ran.by_reach,
                "still_failing": ran.still_failing,
                "left_out": ran.left_out,
                "elapsed_ms": millis(ran.elapsed),
            }),
        ),
        Event::Joined { pid, exe } => one("joined", json!({ "pid": pid, "exe": exe })),
        other => one(named(other), json!({})),
    }
}

/// The reasons of events of which the words say all.
fn named(event: &Event) -> &'static str {
    match event {
        Event::Compiling(_) => "compiling",
        Event::NotRolledBack(_) => "not-rolled-back",
        Event::WaitsForSafePoint(_) => "waits-for-safe-point",
        Event::NothingUsesIt(_) | Event::NothingDiffers | Event::ManifestsMeanNothing { .. } => {
            "nothing-differs"
        }
        Event::NobodyRuns => "nobody-runs",
        Event::KeepBodies(_) => "keep-bodies",
        Event::KeepsValue { .. } | Event::KeepsUsedValue { .. } | Event::Succeeds { .. } => {
            "keeps-value"
        }
        Event::TakenBack => "taken-back",
        Event::Restarted => "restarted",
        Event::StartedAgain => "started-again",
        Event::Paused => "paused",
        Event::SavedInPause { .. } => "saved-in-pause",
        Event::Resumed { .. } => "resumed",
        Event::BuildFailed => "build-failed",
        Event::PluginBuilt => "plugin-built",
        Event::HandedOver(_) => "handed-over",
        Event::HandoverTooSlow
        | Event::CargosCopyEdited { .. }
        | Event::MeansOther { .. }
        | Event::CompilesAlone { .. }
        | Event::Told(Tone::Warning, _)
        | Event::Warning(_) => "warning",
        Event::Told(Tone::Bad, _) | Event::Error(_) => "error",
        _ => "note",
    }
}

/// What a compiler said, by place.
fn diagnostics(compiler: &CompilerOutput) -> Vec<Message> {
    let all = compiler.diagnostics.iter().filter_map(|diagnostic| {
        let first = diagnostic.spans.first()?;
        let fields = json!({
            "at": first,
            "code": diagnostic.code,
            "level": diagnostic.level,
            "message": diagnostic.message,
            "others": diagnostic.spans.get(1..),
        });
        Some(message(DIAGNOSTIC, fields))
    });
    all.collect()
}

/// What `hot` itself says of places.
fn diagnostics_of(reasons: &[Reason], level: &str) -> Vec<Message> {
    let one = |reason: &Reason| {
        let line = usize::try_from(reason.line).unwrap_or(usize::MAX);
        let at = Span {
            file: reason.file.clone(),
            line,
            column: 1,
            end_line: line,
            end_column: 1,
            label: None,
        };
        let fields = json!({
            "at": at, "code": null, "level": level, "message": written(&reason.why), "others": [],
        });
        message(DIAGNOSTIC, fields)
    };
    reasons.iter().map(one).collect()
}

fn places(functions: &[FunctionPlace]) -> Value {
    let all = functions.iter().map(
        |function| json!({ "name": function.name, "file": function.file, "line": function.line }),
    );
    all.collect()
}

fn kept(places: &[KeptPlace]) -> Value {
    let all = places.iter().map(|kept| {
        let (file, line) = kept.place.clone().unzip();
        json!({ "function": kept.function, "file": file, "line": line })
    });
    all.collect()
}

fn reasons(edits: &[Reason]) -> Value {
    let all = edits
        .iter()
        .map(|edit| json!({ "file": edit.file, "line": edit.line, "why": written(&edit.why) }));
    all.collect()
}

fn consequence(then: Consequence) -> &'static str {
    match then {
        Consequence::BuildAndRestart => "build-and-restart",
        Consequence::Restart => "restart",
        Consequence::BuildPlugin => "build-plugin",
        Consequence::NoRestart
        | Consequence::Attached
        | Consequence::RestartInVain
        | Consequence::Failed => "runs-on",
    }
}

/// Milliseconds that may be subtracted.
fn signed(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
