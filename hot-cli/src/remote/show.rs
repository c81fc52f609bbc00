//! How answers are shown to people.

use std::fmt::Write;
use std::time::SystemTime;

use soft_mock_abi::protocol::{Hello, History};
use soft_mock_abi::report::{self, Installed, Status};

use crate::protocol::{PastPatch, RolledBack, SessionStatus};
use crate::ui::address;

pub(super) fn session(status: &SessionStatus) -> String {
    let info = &status.session;
    let mut text = format!(
        "session {}: `{}` in {}, since {}\n",
        info.pid,
        info.command.join(" "),
        info.folder.display(),
        ago(info.since)
    );
    for process in &status.processes {
        let what = match &process.status {
            Some(status) => counts(status),
            None => "it doesn't answer".to_owned(),
        };
        let _ = writeln!(
            text,
            "  pid {} {}, joined {}: {what}",
            process.pid,
            process.exe.display(),
            ago(process.since)
        );
    }
    if status.processes.is_empty() {
        text.push_str("  no program has joined\n");
    }
    if let Some(port) = status.pages {
        let _ = writeln!(text, "  pages refresh themselves at {}", address(port));
    }
    if status.paused {
        text.push_str("  paused: saves are collected until `hot resume`\n");
    }
    let said = [
        ("not patched", &status.refused),
        ("restarted last because of", &status.restarted_because),
    ];
    for (what, why) in said {
        if let Some(why) = why {
            let _ = writeln!(text, "  {what}:");
            for line in why.lines() {
                let _ = writeln!(text, "    {line}");
            }
        }
    }
    text
}

pub(super) fn program(hello: &Hello, history: &History) -> String {
    format!(
        "pid {} {}: {}\n",
        hello.pid,
        hello.exe.display(),
        counts(&history.status)
    )
}

fn counts(status: &Status) -> String {
    let mut text = format!(
        "{} of {} functions patched, {} in effect ({} installed), {}",
        status.patched,
        status.sites,
        patches(status.in_effect),
        status.patches,
        memory(status.bytes)
    );
    if let Some(first) = status.not_called.first() {
        let others = match status.not_called.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let _ = write!(text, ", not called yet: {first}{others}");
    }
    if status.waiting > 0 {
        let _ = write!(text, ", {} waiting for its safe point", status.waiting);
    }
    text
}

pub(super) fn history(past: &[PastPatch], several: bool) -> String {
    let mut text = String::new();
    for patch in past {
        let program = match several {
            true => format!(" {}", patch.program),
            false => String::new(),
        };
        let line = entry(patch);
        let _ = writeln!(text, "{line}{program}");
        functions(&mut text, &patch.functions);
    }
    match text.is_empty() {
        true => "no patches yet\n".to_owned(),
        false => text,
    }
}

pub(super) fn program_history(history: &History) -> String {
    let past = |patch: &report::PastPatch| PastPatch {
        patch: patch.patch,
        at: patch.at,
        program: String::new(),
        functions: patch.functions.clone(),
        bytes: patch.bytes,
        undone: patch.undone.clone(),
        undone_by: patch.undone_by,
    };
    let past: Vec<PastPatch> = history.patches.iter().map(past).collect();
    self::history(&past, false)
}

fn entry(patch: &PastPatch) -> String {
    let mut line = format!("{}  {}, ", patch.patch, ago(patch.at));
    if patch.undone.is_empty() {
        line.push_str(&memory(patch.bytes));
    } else {
        let _ = write!(line, "rollback of {}", numbers(&patch.undone));
    }
    if let Some(by) = patch.undone_by {
        let _ = write!(line, ", taken back by {by}");
    }
    line
}

fn functions(text: &mut String, functions: &[Installed]) {
    for function in functions {
        let _ = writeln!(text, "     {function}");
    }
}

pub(super) fn rolled_back(done: &RolledBack) -> String {
    let mut text = format!("rolled back {}\n", numbers(&done.undone));
    functions(&mut text, &done.functions);
    for why in &done.refused {
        let _ = writeln!(text, "not everywhere: {why}");
    }
    text
}

pub(crate) fn numbers(patches: &[u64]) -> String {
    let numbers: Vec<String> = patches.iter().map(u64::to_string).collect();
    let noun = if numbers.len() == 1 {
        "patch"
    } else {
        "patches"
    };
    format!("{noun} {}", numbers.join(", "))
}

fn patches(count: usize) -> String {
    match count {
        1 => "1 patch".to_owned(),
        count => format!("{count} patches"),
    }
}

fn memory(bytes: u64) -> String {
    match bytes {
        0..=10_239 => format!("{bytes} bytes"),
        10_240..=10_485_759 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

fn ago(at: SystemTime) -> String {
    let seconds = at.elapsed().unwrap_or_default().as_secs();
    match seconds {
        0..=119 => format!("{seconds} s ago"),
        120..=7_199 => format!("{} min ago", seconds / 60),
        7_200..=172_799 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::protocol::{ProcessStatus, SessionInfo};

    #[test]
    fn a_session_in_words() {
        let ago = |seconds| SystemTime::now() - Duration::from_secs(seconds);
        let status = SessionStatus {
            session: SessionInfo {
                pid: 7,
                folder: "/app".into(),
                command: vec!["cargo".into(), "run".into()],
                since: ago(240),
            },
            processes: vec![ProcessStatus {
                pid: 8,
                exe: "/app/target/debug/app".into(),
                since: ago(30),
                status: Some(Status {
                    sites: 12,
                    not_called: vec!["app::f".into(), "app::g".into()],
                    patched: 2,
                    patches: 3,
                    in_effect: 1,
                    waiting: 0,
                    bytes: 65_536,
                }),
            }],
            paused: true,
            refused: Some("src/a.rs:3: one\nsrc/b.rs:4: two".into()),
            restarted_because: None,
            pages: Some(13000),
        };
        assert_eq!(
            session(&status),
            "session 7: `cargo run` in /app, since 4 min ago\n  pid 8 /app/target/debug/app, joined 30 s ago: \
             2 of 12 functions patched, 1 patch in effect (3 installed), 64 KiB, \
             not called yet: app::f and 1 more\n  pages refresh themselves at \
             http://localhost:13000\n  paused: saves are collected until \
             `hot resume`\n  not patched:\n    src/a.rs:3: one\n    src/b.rs:4: two\n"
        );
    }

    #[test]
    fn the_past_in_words() {
        let function = Installed {
            name: "app::f".into(),
            file: "src/main.rs".into(),
            line: 3,
            running: 0,
            restored: true,
            called: None,
        };
        let patch = PastPatch {
            patch: 2,
            at: UNIX_EPOCH,
            program: "app".into(),
            functions: vec![function],
            bytes: 0,
            undone: vec![1],
            undone_by: None,
        };
        let text = history(&[patch], true);
        assert!(text.starts_with("2  "), "{text}");
        assert!(
            text.ends_with(
                "rollback of patch 1 app\n     app::f (src/main.rs:3), original restored\n"
            ),
            "{text}"
        );
        assert_eq!(history(&[], false), "no patches yet\n");
    }
}
