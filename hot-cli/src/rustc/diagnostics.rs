//! What rustc says in JSON, for people and by place.
//!
//! Knows nothing of what was compiled.

use std::path::Path;

use cargo_metadata::diagnostic::{Diagnostic as Message, DiagnosticLevel, DiagnosticSpan};

use crate::ui::{shown, CompilerOutput, Diagnostic, Span};

/// The arguments with which rustc says it so that [`read`] understands it.
pub(crate) fn arguments(coloured: bool) -> &'static [&'static str] {
    match coloured {
        true => &["--error-format=json", "--json=diagnostic-rendered-ansi"],
        false => &["--error-format=json"],
    }
}

/// What rustc, called in this folder, wrote to its stderr.
pub(crate) fn read(stderr: &str, folder: &Path) -> CompilerOutput {
    let mut output = CompilerOutput::default();
    for line in stderr.lines() {
        match serde_json::from_str::<Message>(line) {
            Ok(message) => {
                let rendered = message.rendered.as_deref().unwrap_or(&message.message);
                output.rendered.push_str(rendered);
                output.diagnostics.extend(diagnostic(&message, folder));
            }
            // A compiler that panics doesn't do it in JSON.
            Err(_) => {
                output.rendered.push_str(line);
                output.rendered.push('\n');
            }
        }
    }
    output
}

/// Nothing if it is about no place: `aborting due to 2 previous errors`.
fn diagnostic(message: &Message, folder: &Path) -> Option<Diagnostic> {
    let primary = message.spans.iter().filter(|span| span.is_primary);
    let others = message.spans.iter().filter(|span| !span.is_primary);
    let spans: Vec<Span> = primary
        .chain(others)
        .map(|span| self::span(span, folder))
        .collect();
    (!spans.is_empty()).then(|| Diagnostic {
        level: level(message.level).to_owned(),
        code: message.code.as_ref().map(|code| code.code.clone()),
        message: message.message.clone(),
        spans,
    })
}

fn level(level: DiagnosticLevel) -> &'static str {
    match level {
        DiagnosticLevel::Warning => "warning",
        DiagnosticLevel::Note | DiagnosticLevel::FailureNote => "note",
        DiagnosticLevel::Help => "help",
        _ => "error",
    }
}

fn span(span: &DiagnosticSpan, folder: &Path) -> Span {
    Span {
        file: shown(&folder.join(&span.file_name)),
        line: span.line_start,
        column: span.column_start,
        end_line: span.line_end,
        end_column: span.column_end,
        label: span.label.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rustc_says_in_json_has_its_main_place_first() {
        let span = |primary: bool, line: usize| {
            format!(
                r#"{{"file_name":"src/a.rs","byte_start":0,"byte_end":1,"line_start":{line},"line_end":{line},
                "column_start":5,"column_end":9,"is_primary":{primary},"text":[],"label":"here","suggested_replacement":null,
                "suggestion_applicability":null,"expansion":null}}"#
            )
        };
        let spans = [span(false, 1), span(true, 7)].join(",");
        let error = format!(
            r#"{{"message":"mismatched types","code":{{"code":"E0308","explanation":null}},"level":"error",
            "spans":[{spans}],"children":[],"rendered":"error[E0308]: mismatched types\n"}}"#
        );
        let last = r#"{"message":"aborting due to 1 previous error","code":null,"level":"error","spans":[],"children":[],"rendered":"error: aborting\n"}"#;
        let stderr = format!(
            "{}\n{last}\nthread 'rustc' panicked\n",
            error.replace('\n', " ")
        );
        let output = read(&stderr, Path::new("/app"));
        assert_eq!(
            output.rendered,
            "error[E0308]: mismatched types\nerror: aborting\nthread 'rustc' panicked\n"
        );
        let [found] = &output.diagnostics[..] else {
            panic!("{:?}", output.diagnostics);
        };
        assert_eq!(
            (found.level.as_str(), found.code.as_deref()),
            ("error", Some("E0308"))
        );
        let places = found
            .spans
            .iter()
            .map(|s| (s.file.as_str(), s.line, s.end_column));
        assert_eq!(
            places.collect::<Vec<_>>(),
            [("/app/src/a.rs", 7, 9), ("/app/src/a.rs", 1, 9)]
        );
    }
}
