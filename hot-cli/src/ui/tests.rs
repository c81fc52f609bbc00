//! Every event's words, to the byte.

use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::protocol::RolledBack;

const QUICK: Duration = Duration::from_micros(93_700);

fn get() -> FunctionPlace {
    FunctionPlace {
        name: "their_crate::store::Store::get".into(),
        file: "src/store.rs".into(),
        line: 41,
    }
}

fn run() -> FunctionPlace {
    FunctionPlace {
        name: "their_crate::run".into(),
        file: "src/main.rs".into(),
        line: 7,
    }
}

fn kept() -> KeptPlace {
    KeptPlace {
        function: "their_crate::run".into(),
        place: Some(("src/main.rs".into(), 9)),
    }
}

fn reason(file: &str, line: u32, why: &str) -> Reason {
    Reason {
        file: file.into(),
        line,
        why: why.into(),
    }
}

fn patched(functions: Vec<FunctionPlace>, elapsed: Duration) -> Event {
    Event::Patched {
        functions,
        elapsed,
        because: None,
        keep: Vec::new(),
    }
}

#[track_caller]
fn check(event: &Event, expected: &str) {
    let reporter = Reporter::new(Vec::new(), false, false);
    reporter.tell(event);
    assert_eq!(said(reporter), expected);
}

fn said(reporter: Reporter<Vec<u8>>) -> String {
    String::from_utf8(reporter.out.into_inner().expect("not poisoned").to).expect("utf-8")
}

#[test]
fn patched_as_promised() {
    check(
        &patched(vec![get()], QUICK),
        "hot: patched 1 function in 93 ms: their_crate::store::Store::get (src/store.rs:41)\n",
    );
    check(
        &patched(vec![run(), run(), run()], QUICK),
        "hot: patched 3 functions in 93 ms: their_crate::run (src/main.rs:7), their_crate::run (src/main.rs:7), \
         their_crate::run (src/main.rs:7)\n",
    );
    check(
        &patched(
            vec![get(), run(), run(), run(), get()],
            Duration::from_millis(12_340),
        ),
        "hot: patched 5 functions in 12.3 s: their_crate::store::Store::get (src/store.rs:41), \
         their_crate::run (src/main.rs:7), their_crate::run (src/main.rs:7) +2 more\n",
    );
    check(&patched(vec![], QUICK), "");
    check(
        &Event::Patched {
            functions: vec![run()],
            elapsed: QUICK,
            because: Some("value of const LIMIT changed".into()),
            keep: Vec::new(),
        },
        "hot: patched 1 function in 93 ms: their_crate::run (src/main.rs:7) (because of: value of const LIMIT changed)\n",
    );
    check(
        &Event::Restored {
            functions: vec![run()],
            elapsed: QUICK,
            keep: vec![kept(), KeptPlace { place: None, ..kept() }],
        },
        "hot: restored 1 function in 93 ms: their_crate::run (src/main.rs:7); closures and tasks that \
         were made earlier at src/main.rs:9, their_crate::run keep their old bodies until a restart (`hot restart`)\n",
    );
}

#[test]
fn running_code_is_said() {
    check(
        &Event::StillRunning(vec![get()]),
        "hot: their_crate::store::Store::get (src/store.rs:41) is running: the call in progress keeps its old \
         body, the next one is new\n",
    );
    check(
        &Event::WithoutEffect(vec![run()]),
        "hot: their_crate::run (src/main.rs:7) is running and won't be called again: the edit needs a restart (`hot restart`)\n",
    );
    check(
        &Event::NotCalled(vec![run()]),
        "hot: not called yet: their_crate::run (src/main.rs:7); what runs only at the start does so after a restart \
         (`hot restart`)\n",
    );
}

#[test]
fn refused_edits_name_their_place() {
    let edit = reason(
        "src/model.rs",
        12,
        "field added to struct User: its layout changes",
    );
    let refused = |edits, again| Event::Refused {
        edits,
        then: Consequence::BuildAndRestart,
        again,
    };
    check(
        &refused(vec![edit.clone()], false),
        "hot: src/model.rs:12: field added to struct User: its layout changes\nhot: building again, then restarting\n",
    );
    check(
        &refused(vec![edit.clone(), edit], true),
        "hot: still can't be patched: src/model.rs:12: field added to struct User: its layout changes +1 more\n\
         hot: building again, then restarting\n",
    );
}

#[test]
fn why_nothing_is_rolled_back_is_short_and_says_what_helps() {
    let no = |why: String, stays| Event::NotRolledBack(NoWayBack { why, stays });
    check(
        &no("no patch is in effect".into(), false),
        "hot: not rolled back: no patch is in effect\n",
    );
    let reporter = Reporter::new(Vec::new(), false, false);
    reporter.tell(&no(format!("`{}` is gone", "a::<B>::".repeat(200)), true));
    let said = said(reporter);
    assert!(said.trim_end().chars().count() <= 200, "{said}");
    assert!(
        said.ends_with("` is gone; take the edit back in its file, or restart\n"),
        "{said}"
    );
}

#[test]
fn a_syntax_error_is_one_line() {
    let error = |again| Event::SyntaxError {
        at: reason("src/a.rs", 3, "expected `;`\n  more\n"),
        again,
    };
    check(
        &error(false),
        "hot: src/a.rs:3: expected `;` (waiting for the next save)\n",
    );
    check(
        &error(true),
        "hot: src/a.rs:3: it still can't be parsed (waiting for the next save)\n",
    );
}

#[test]
fn the_compiler_is_quoted_verbatim_and_once() {
    let text = "error[E0425]: x\n --> src/a.rs:1:2\n\x1b[1mbold\x1b[0m";
    let error = |compiler: &str, again| Event::CompileError {
        compiler: CompilerOutput {
            rendered: compiler.into(),
            diagnostics: vec![],
        },
        again,
    };
    check(
        &error(text, false),
        &format!("{text}\nhot: the edit doesn't compile: the old code runs on\n"),
    );
    check(
        &error("a\n", false),
        "a\nhot: the edit doesn't compile: the old code runs on\n",
    );
    check(
        &error(text, true),
        "hot: the edit still doesn't compile: saved edits wait until it does\n",
    );
    let span = Span {
        file: "src/a.rs".into(),
        line: 7,
        column: 1,
        end_line: 7,
        end_column: 2,
        label: None,
    };
    let placed = Diagnostic {
        level: "error".into(),
        code: None,
        message: "x".into(),
        spans: vec![span],
    };
    check(
        &Event::CompileError {
            compiler: CompilerOutput {
                rendered: text.into(),
                diagnostics: vec![placed],
            },
            again: true,
        },
        "hot: src/a.rs:7 still doesn't compile: saved edits wait until it does\n",
    );
}

#[test]
fn every_line_is_marked_and_harmless() {
    check(
        &Event::HandedOver(vec!["one\ntwo".into()]),
        "hot: handed over: one\nhot: two\n",
    );
    check(
        &Event::Warning("a\x1b[2Jb\rc\td".into()),
        "hot: a\u{fffd}[2Jb\u{fffd}c\td\n",
    );
    check(&Event::Error(String::new()), "");
}

#[test]
fn every_note_has_words() {
    for event in [
        Event::WaitsForSafePoint(vec!["a::b".into()]),
        Event::NothingUsesIt(reason("a.rs", 1, "x")),
        Event::KeepBodies(vec![kept()]),
        Event::KeepsValue { name: "X".into() },
        Event::KeepsUsedValue {
            edit: reason("a.rs", 1, "x"),
            name: "X".into(),
        },
        Event::Succeeds {
            name: "X".into(),
            gone: "Y".into(),
            same: false,
        },
        Event::StillWithout(vec![reason("a.rs", 1, "x")]),
        Event::WaitAsWell(vec![reason("a.rs", 1, "x")]),
        Event::TakenBack,
        Event::ManifestsMeanNothing {
            files: vec!["Cargo.toml".into()],
        },
        Event::SettingsWait(vec!["manual"]),
        Event::NothingDiffers,
        Event::NobodyRuns,
        Event::Restarted,
        Event::StartedAgain,
        Event::RestartWanted(Consequence::Restart),
        Event::Paused,
        Event::KeysReady,
        Event::KeysHelp,
        Event::KeysTaken,
        Event::SavedInPause { files: 1 },
        Event::Resumed {
            files: 0,
            manual: false,
        },
        Event::BuildFailed,
        Event::PluginBuilt,
        Event::Polls("x".into()),
        Event::HandoverTooSlow,
        Event::Joined {
            pid: 1,
            exe: "/a".into(),
        },
        Event::PagesShown {
            server: 3000,
            pages: 13000,
            others: vec![9090],
        },
        Event::CargosCopyEdited {
            folder: "/a".into(),
        },
    ] {
        let reporter = Reporter::new(Vec::new(), false, false);
        reporter.tell(&event);
        assert!(said(reporter).len() > MARK.len() + 2, "{event:?}");
    }
}

#[test]
fn only_trouble_is_told_to_who_wants_quiet() {
    let reporter = Reporter::new(Vec::new(), false, false).quiet(true);
    reporter.tell(&patched(vec![get()], QUICK));
    reporter.tell(&Event::Restarted);
    reporter.tell(&Event::SavedInPause { files: 1 });
    assert_eq!(
        String::from_utf8_lossy(&reporter.out.lock().expect("not poisoned").to),
        ""
    );
    reporter.tell(&Event::Warning("x".into()));
    reporter.tell(&Event::WithoutEffect(vec![run()]));
    // They have asked for pages.
    reporter.tell(&Event::PagesShown {
        server: 3000,
        pages: 13000,
        others: Vec::new(),
    });
    let said = said(reporter);
    assert_eq!(said.lines().count(), 3, "{said}");
}

#[test]
fn details_only_when_asked_for() {
    let quiet = Reporter::new(Vec::new(), false, false);
    quiet.detail(|| unreachable!("not made"));
    quiet.tell(&Event::Detail("x".into()));
    let called = Event::FirstCall {
        functions: vec![get()],
        after: QUICK,
    };
    quiet.tell(&called);
    assert_eq!(said(quiet), "");
    let reporter = Reporter::new(Vec::new(), false, true);
    reporter.detail(|| "linked in 12 ms".into());
    reporter.tell(&called);
    let called = format!("called {} ms after the patch: {}", QUICK.as_millis(), get());
    assert_eq!(
        said(reporter),
        format!("hot: linked in 12 ms\nhot: {called}\n")
    );
}

#[test]
fn colour_where_it_is_wanted() {
    let reporter = Reporter::new(Vec::new(), true, false);
    reporter.tell(&Event::Restarted);
    assert_eq!(said(reporter), "\x1b[1;36mhot:\x1b[0m restarted\n");

    let env = |pairs: &'static [(&str, &str)]| {
        move |name: &str| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        }
    };
    assert!(wants_colour(env(&[])));
    assert!(wants_colour(env(&[("NO_COLOR", ""), ("TERM", "xterm")])));
    assert!(!wants_colour(env(&[("NO_COLOR", "1")])));
    assert!(!wants_colour(env(&[("TERM", "dumb")])));
}

#[test]
fn each_message_is_one_write_and_failures_are_no_panic() {
    struct Counting(usize);
    impl Write for Counting {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1 => Ok(bytes.len()),
                _ => Err(io::ErrorKind::BrokenPipe.into()),
            }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let reporter = Reporter::new(Counting(0), true, false);
    reporter.tell(&Event::CompileError {
        compiler: CompilerOutput {
            rendered: "one\ntwo".into(),
            diagnostics: vec![],
        },
        again: false,
    });
    assert_eq!(reporter.out.lock().expect("not poisoned").to.0, 1);
    reporter.error("nobody reads this");
}

/// What of a value isn't as the schema has it.
fn breaks(schema: &Value, root: &Value, value: &Value) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap_or_default();
        return breaks(&root["$defs"][name], root, value);
    }
    for (word, rule) in schema.as_object().expect("an object") {
        let wrong = match word.as_str() {
            "description" | "required" | "items" => false,
            "const" => rule != value,
            "enum" => !rule.as_array().expect("a list").contains(value),
            "type" => {
                let is = match value {
                    Value::Null => "null",
                    Value::Bool(_) => "boolean",
                    Value::Number(_) => "integer",
                    Value::String(_) => "string",
                    Value::Array(_) => "array",
                    Value::Object(_) => "object",
                };
                let is_listed = |list: &Vec<Value>| list.iter().any(|one| one == is);
                rule != is && !rule.as_array().is_some_and(is_listed)
            }
            "properties" => {
                let names = |value: &Value| -> Vec<String> {
                    value
                        .as_object()
                        .expect("an object")
                        .keys()
                        .cloned()
                        .collect()
                };
                if names(rule) != names(value) {
                    return Some(format!("{:?} instead of {:?}", names(value), names(rule)));
                }
                let mut fields = names(rule).into_iter();
                return fields.find_map(|name| breaks(&rule[&name], root, &value[&name]));
            }
            "additionalProperties" => *rule != Value::Bool(false),
            unknown => panic!("the test doesn't know {unknown}"),
        };
        if wrong {
            return Some(format!("{value} isn't {schema}"));
        }
    }
    let items = value.as_array().into_iter().flatten();
    items
        .filter(|_| !schema["items"].is_null())
        .find_map(|item| breaks(&schema["items"], root, item))
}

#[test]
fn every_event_is_json_as_the_schema_has_it() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/messages.schema.json");
    let schema = std::fs::read_to_string(path).expect("the schema");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let mut left: Vec<&str> = kinds(&schema).collect();
    let at = || reason("src/a.rs", 3, "field added");
    let span = |label: Option<&str>| Span {
        file: "src/a.rs".into(),
        line: 1,
        column: 2,
        end_line: 1,
        end_column: 3,
        label: label.map(str::to_owned),
    };
    let kept = || KeptPlace {
        function: "a::b".into(),
        place: Some(("src/a.rs".into(), 9)),
    };
    let done = RolledBack {
        undone: vec![2],
        functions: Vec::new(),
        processes: 1,
        refused: vec!["no".into()],
    };
    let compiler = CompilerOutput {
        rendered: "error: x\n".into(),
        diagnostics: vec![Diagnostic {
            level: "error".into(),
            code: Some("E0308".into()),
            message: "mismatched \"types\"".into(),
            spans: vec![span(None), span(Some("here"))],
        }],
    };
    let overview = || Overview {
        functions: vec![("app".into(), 2)],
        files: 3,
    };
    let ended = |saved| {
        Event::Ended(Summary {
            patches: 1,
            restarts: 0,
            saved,
        })
    };
    let events = [
        Event::Compiling(Compiling::New),
        Event::Ready {
            overview: overview(),
            named: vec!["templates".into()],
        },
        ended(None),
        ended(Some(Saved {
            by_building: QUICK,
            by_patching: QUICK,
            build: QUICK,
        })),
        Event::Saved { files: 2 },
        Event::TestEnded(TestEnded {
            name: "app::tests::one".into(),
            binary: "unittests src/lib.rs".into(),
            elapsed: QUICK,
            retries: 0,
            failure: None,
        }),
        Event::TestsRan(
            TestsRan {
                all: 3,
                ignored: 0,
                passed: 1,
                failed: 0,
                by_reach: true,
                still_failing: vec!["app::tests::two".into()],
                left_out: 0,
                elapsed: QUICK,
            },
            Tone::Good,
            "1 of 3 tests reaches it".into(),
        ),
        Event::Told(Tone::Plain, "waiting for saves".into()),
        Event::Patched {
            functions: vec![get()],
            elapsed: QUICK,
            because: None,
            keep: vec![kept()],
        },
        Event::Restored {
            functions: vec![run()],
            elapsed: QUICK,
            keep: Vec::new(),
        },
        Event::RolledBack {
            done,
            elapsed: QUICK,
        },
        Event::FirstCall {
            functions: vec![get()],
            after: QUICK,
        },
        Event::NotCalled(vec![get()]),
        Event::StillRunning(vec![get()]),
        Event::WithoutEffect(vec![get()]),
        Event::Refused {
            edits: vec![at(), at()],
            then: Consequence::NoRestart,
            again: true,
        },
        Event::StillWithout(vec![at()]),
        Event::WaitAsWell(vec![at()]),
        Event::SyntaxError {
            at: at(),
            again: false,
        },
        Event::CompileError {
            compiler,
            again: false,
        },
        Event::RestartWanted(Consequence::BuildAndRestart),
        Event::Joined {
            pid: 1,
            exe: "/a".into(),
        },
        Event::PagesShown {
            server: 3000,
            pages: 13000,
            others: vec![9090],
        },
        Event::NotRolledBack(NoWayBack {
            why: "no".into(),
            stays: true,
        }),
        Event::WaitsForSafePoint(vec!["a::b".into()]),
        Event::NothingDiffers,
        Event::NobodyRuns,
        Event::KeepBodies(vec![kept()]),
        Event::KeepsValue { name: "X".into() },
        Event::TakenBack,
        Event::Restarted,
        Event::StartedAgain,
        Event::Paused,
        Event::SavedInPause { files: 1 },
        Event::Resumed {
            files: 0,
            manual: false,
        },
        Event::BuildFailed,
        Event::PluginBuilt,
        Event::HandedOver(vec!["x".into()]),
        Event::Warning("x".into()),
        Event::Error("x".into()),
        Event::KeysReady,
    ];
    for event in &events {
        let mut reporter = Reporter::new(Vec::new(), false, false);
        reporter.format = Format::Json;
        reporter.tell(event);
        let said = said(reporter);
        assert!(said.ends_with('\n'), "{event:?}: {said:?}");
        for line in said.lines() {
            let value: Value = serde_json::from_str(line).expect("a line is JSON");
            let kind = value["reason"].as_str().expect("a reason");
            let start = format!("{{\"reason\":\"{kind}\",\"version\":1,");
            assert!(line.starts_with(&start), "{line}");
            left.retain(|one| *one != kind);
            let of_kind = schema["oneOf"].as_array().expect("a list").iter();
            let mut of_kind = of_kind.filter(|one| one["properties"]["reason"]["const"] == kind);
            let form = of_kind
                .next()
                .unwrap_or_else(|| panic!("{kind} isn't documented"));
            assert_eq!(breaks(form, &schema, &value), None, "{line}");
        }
    }
    assert_eq!(left, [""; 0], "documented, and never said");
    let page = std::fs::read_to_string(path.replace(".schema.json", ".md")).expect("the page");
    for kind in kinds(&schema) {
        assert!(
            page.contains(&format!("| `{kind}` |")),
            "{kind} isn't on the page"
        );
    }
}

fn kinds(schema: &Value) -> impl Iterator<Item = &str> {
    let all = schema["oneOf"].as_array().expect("a list").iter();
    all.filter_map(|one| one["properties"]["reason"]["const"].as_str())
}
