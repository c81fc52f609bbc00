//! A few settings in the text of somebody's TOML file, each in a line that can be told by its end:
//! taken away, the text is what it was, byte for byte.
//!
//! ```text
//! [build]
//! rustc-workspace-wrapper = "/home/a/.cache/hot/…/hot-rustc" # by `hot init`
//! jobs = 4
//! ```
//!
//! Knows nothing of what the settings mean.

use anyhow::{bail, Context, Result};
use toml::{Table, Value};

/// What the lines end with.
const MARK: &str = " # by `hot init`";

#[derive(Debug)]
pub(super) struct Setting {
    pub(super) table: Vec<String>,
    pub(super) key: &'static str,
    pub(super) value: Value,
}

impl Setting {
    fn line(&self) -> String {
        format!("{} = {}{MARK}", self.key, self.value)
    }

    fn header(&self) -> String {
        let bare = |name: &String| {
            let mut chars = name.chars();
            chars.all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        };
        let names = self.table.iter().map(|name| match bare(name) {
            true => name.clone(),
            false => Value::from(name.as_str()).to_string(),
        });
        format!("[{}]", names.collect::<Vec<_>>().join("."))
    }

    /// Sets it in what was read. Fails if it is set.
    fn set(&self, all: &mut Table) -> Result<()> {
        let mut table = all;
        for name in &self.table {
            let inner = table
                .entry(name)
                .or_insert_with(|| Value::Table(Table::new()));
            let Value::Table(inner) = inner else {
                bail!("`{name}` is no table");
            };
            table = inner;
        }
        if table.contains_key(self.key) {
            bail!(
                "`{}` is set already below {}: take that line away first",
                self.key,
                self.header()
            );
        }
        table.insert(self.key.to_owned(), self.value.clone());
        Ok(())
    }
}

/// The text without our lines.
pub(super) fn without(text: &str) -> String {
    let lines = text.split('\n').filter(|line| !line.ends_with(MARK));
    lines.collect::<Vec<_>>().join("\n")
}

/// The text with the settings and none of our other lines.
pub(super) fn with(text: &str, settings: &[Setting]) -> Result<String> {
    let plain = without(text);
    let mut wanted: Table = plain.parse().context("it isn't understood")?;
    for setting in settings {
        setting.set(&mut wanted)?;
    }
    let mut lines: Vec<String> = plain.split('\n').map(str::to_owned).collect();
    for setting in settings {
        let header = setting.header();
        let is_header = |line: &String| line.split('#').next().unwrap_or_default().trim() == header;
        if let Some(place) = lines.iter().position(is_header) {
            lines.insert(place + 1, setting.line());
            continue;
        }
        // Behind all that is there, and before the end of the last line, if it has one.
        let last = lines.last().is_some_and(String::is_empty);
        let end = lines.len() - usize::from(last);
        lines.splice(end..end, [header + MARK, setting.line()]);
    }
    let text = lines.join("\n");
    if text.parse::<Table>().ok() != Some(wanted) {
        let lines = settings
            .iter()
            .map(|one| format!("{}\n{}", one.header(), one.line()));
        bail!(
            "it is written in a way that lines can't be put into; add these by hand (`hot init --remove` knows them):\n{}",
            lines.collect::<Vec<_>>().join("\n")
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Vec<Setting> {
        let build = |key, value: &str| Setting {
            table: vec!["build".to_owned()],
            key,
            value: value.into(),
        };
        let tokio = Setting {
            table: ["profile", "dev", "package", "tokio@1.2.3"]
                .map(str::to_owned)
                .to_vec(),
            key: "codegen-units",
            value: 1_234_567_890_i64.into(),
        };
        vec![
            build("rustc-wrapper", "/a b/\"c\""),
            build("jobs", "x"),
            tokio,
        ]
    }

    #[track_caller]
    fn check(before: &str) -> String {
        let after = with(before, &settings()).expect("lines can be put into it");
        assert_eq!(without(&after), before);
        assert_eq!(
            with(&after, &settings()).expect("again"),
            after,
            "another time"
        );
        assert_eq!(
            with(&after, &settings()[..1]).expect("fewer"),
            with(before, &settings()[..1]).expect("fewer")
        );
        after
    }

    #[test]
    fn they_come_and_go_and_leave_nothing() {
        let new = check("");
        assert!(new.starts_with("[build] # by `hot init`\n"), "{new}");
        assert!(
            new.ends_with("codegen-units = 1234567890 # by `hot init`\n"),
            "{new}"
        );
        check("[alias]\nt = \"test\"");
        check("\n\n[build]\n");
        check("[build]\r\ntarget-dir = \"t\"\r\n\r\n[alias]\r\n");
        let among =
            check("# mine\n[build] # faster\nincremental = true\n\n[net]\noffline = false\n");
        assert!(
            among
                .contains("\n\n[net]\noffline = false\n[profile.dev.package.\"tokio@1.2.3\"] # by"),
            "{among}"
        );
        check("[profile.dev.package.\"tokio@1.2.3\"]\nopt-level = 3\n[profile.dev.package.a]\nopt-level = 1\n");
    }

    #[track_caller]
    fn refused(before: &str, why: &str) {
        let error = with(before, &settings()).expect_err("refused");
        let error = format!("{error:#}");
        assert!(error.contains(why), "{error}");
    }

    #[test]
    fn what_is_set_or_written_otherwise_is_left_alone() {
        refused("[build]\njobs = 1\n", "`jobs` is set already below [build]");
        refused("build.jobs = 1\n", "`jobs` is set already");
        refused("build = { incremental = true }\n", "add these by hand");
        refused("build.incremental = true\n", "add these by hand");
        refused("build = 1\n", "`build` is no table");
        refused("[build\n", "it isn't understood");
        refused(
            "a = \"\"\"\n[build]\n\"\"\"\n[build]\n",
            "add these by hand",
        );
    }
}
