//! What holds in a session: of the command line, the variables and the manifests of the project,
//! and else what is usual. And `hot config`, which shows it.
//!
//! Knows nothing of what a setting does.

use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::path::PathBuf;

use anyhow::{anyhow, bail, Result};
use clap::Args;

use super::options::{existing_path, Options};
use crate::browser::Ports;
use crate::cargo::command_line::{folder_of, CargoCommand};
use crate::child::Launch;
use crate::config::layers::{Key, Layer, Layers, Source, Value, KEYS};
use crate::config::settings;
use crate::ui::{shown, Format};

/// What holds for the settings of a session, and where each comes from
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// The project (default: that of this folder)
    #[arg(long, value_name = "PATH")]
    manifest_path: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// All that can be set, and the command.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) no_restart: bool,
    pub(crate) manual: bool,
    pub(crate) no_keys: bool,
    pub(crate) poll: bool,
    pub(crate) no_title: bool,
    pub(crate) clear: bool,
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
    pub(crate) watch: Vec<PathBuf>,
    /// What manifests include is looked up again at every build.
    pub(crate) include: Vec<String>,
    pub(crate) message_format: Format,
    pub(crate) log: Option<PathBuf>,
    pub(crate) on_patch: Option<String>,
    pub(crate) browser: Option<Ports>,
    pub(crate) command: Vec<OsString>,
    /// What manifests say of all this.
    pub(crate) of_manifests: Layers,
}

impl Settings {
    pub(super) fn of(options: Options) -> Result<Self> {
        let mut set = Layers(vec![options.layer(), variables()?]);
        let include = set.list("include");
        let of_manifests = project(&options.command)?;
        set.0.extend(of_manifests.0.iter().cloned());
        let settings = Self {
            include,
            of_manifests,
            command: options.command,
            ..Self::read(&set)?
        };
        Ok(settings)
    }

    /// What these layers come to. What can't be is said with its place.
    fn read(set: &Layers) -> Result<Self> {
        let (quiet, verbose) = match (set.flag("quiet"), set.flag("verbose")) {
            (true, true) => match set.rank("quiet").cmp(&set.rank("verbose")) {
                std::cmp::Ordering::Less => (true, false),
                std::cmp::Ordering::Greater => (false, true),
                std::cmp::Ordering::Equal => bail!("`quiet` and `verbose` can't both hold"),
            },
            both => both,
        };
        let format = set
            .text("message-format")
            .map_or(Ok(Format::Human), |name| {
                Format::named(name)
                    .ok_or_else(|| wrong(set, "message-format", "it has to be human or json"))
            })?;
        let browser = match set.of("browser").next() {
            Some((_, Value::Text(ports))) => {
                let ports: Result<Ports, _> = ports.parse();
                Some(ports.map_err(|why| wrong(set, "browser", &why.to_string()))?)
            }
            Some((_, Value::Flag(true))) => Some(Ports::default()),
            _ => None,
        };
        let mut watch = Vec::new();
        for path in set.list("watch") {
            let found = existing_path(&path);
            watch.push(found.map_err(|why| wrong(set, "watch", &format!("{path} {why}")))?);
        }
        Ok(Self {
            no_restart: set.flag("no-restart"),
            manual: set.flag("manual"),
            no_keys: set.flag("no-keys"),
            poll: set.flag("poll"),
            no_title: set.flag("no-title"),
            clear: set.flag("clear"),
            quiet,
            verbose,
            watch,
            include: set.list("include"),
            message_format: format,
            log: set.text("log").map(PathBuf::from),
            on_patch: set.text("on-patch").map(str::to_owned),
            browser,
            command: Vec::new(),
            of_manifests: Layers::default(),
        })
    }
}

fn wrong(set: &Layers, name: &str, why: &str) -> anyhow::Error {
    let key = KEYS.iter().find(|key| key.name == name);
    let places: Vec<String> = key.map_or(Vec::new(), |key| {
        set.of(name).map(|(source, _)| source.place(key)).collect()
    });
    anyhow!("{}: {why}", places.join(", "))
}

fn variables() -> Result<Layer> {
    Layers::of_variables(|name| std::env::var_os(name))
}

/// What the manifests of the project say that a command is for.
fn project(command: &[OsString]) -> Result<Layers> {
    let Some((program, args)) = command.split_first() else {
        return settings::of_project(&folder_of(None));
    };
    of_project_of(program, args)
}

/// The same for a command that was started.
pub(super) fn of_manifests(launch: &Launch) -> Result<Layers> {
    of_project_of(&launch.program, &launch.args)
}

fn of_project_of(program: &OsStr, args: &[OsString]) -> Result<Layers> {
    let cargo = CargoCommand::of(program, args);
    let folder = cargo.map_or_else(|| folder_of(None), |command| command.folder());
    settings::of_project(&folder)
}

/// `hot config`, with the options of a session that stand before it.
pub(crate) fn config(args: &ConfigArgs, options: &Options) -> Result<String> {
    let folder = folder_of(args.manifest_path.as_deref());
    let mut set = Layers(vec![options.layer(), variables()?]);
    set.0.extend(settings::of_project(&folder)?.0);
    Settings::read(&set)?;
    let rows: Vec<Row> = KEYS.iter().map(|key| Row::of(key, &set)).collect();
    if args.json {
        return Ok(format!("{}\n", serde_json::to_string_pretty(&rows)?));
    }
    let width = |of: fn(&Row) -> &str| rows.iter().map(|row| of(row).chars().count()).max();
    let (names, values) = (width(|row| &row.name), width(|row| &row.value));
    let (names, values) = (names.unwrap_or_default(), values.unwrap_or_default());
    let mut text = String::new();
    for row in &rows {
        let from = match row.from.is_empty() {
            true => "default".to_owned(),
            false => row.from.join(", "),
        };
        let _ = writeln!(text, "{:names$}  {:values$}  {from}", row.name, row.value);
    }
    Ok(text)
}

/// A setting, as `hot config` shows it.
#[derive(Debug, serde::Serialize)]
struct Row {
    name: String,
    value: String,
    /// Who says so; of lists, all who do.
    from: Vec<String>,
}

impl Row {
    fn of(key: &Key, set: &Layers) -> Self {
        let all: Vec<(&Source, &Value)> = set.of(key.name).collect();
        let is_list = matches!(all.first(), Some((_, Value::List(_))));
        let deciding = if is_list { all.len() } else { 1 };
        let value = match all.first() {
            Some((_, Value::List(_))) => set.list(key.name).join(", "),
            Some((_, value)) => value.to_string(),
            None => key.default().to_owned(),
        };
        let from = all.iter().take(deciding);
        Self {
            name: key.name.to_owned(),
            value,
            from: from.map(|(source, _)| place(source, key)).collect(),
        }
    }
}

fn place(source: &Source, key: &Key) -> String {
    match source {
        Source::Package(file) => Source::Package(shown(file).into()).place(key),
        Source::Workspace(file) => Source::Workspace(shown(file).into()).place(key),
        other => other.place(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(list: &[&[(&'static str, Value)]]) -> Layers {
        let layer = |values: &&[(&'static str, Value)]| Layer {
            source: Source::Variable,
            values: values.iter().cloned().collect(),
        };
        Layers(list.iter().map(layer).collect())
    }

    #[test]
    fn the_stronger_of_two_that_exclude_each_other_holds() {
        let on = Value::Flag(true);
        let (quiet, verbose) = (("quiet", on.clone()), ("verbose", on));
        let (one, other) = ([verbose.clone()], [quiet.clone()]);
        let stronger = Settings::read(&layers(&[&one, &other])).expect("settings");
        assert!(stronger.verbose && !stronger.quiet);
        assert!(Settings::read(&layers(&[&[verbose, quiet]])).is_err());
    }

    #[test]
    fn what_can_not_be_is_said_with_its_place() {
        let error = |name, value| {
            let layers = layers(&[&[(name, value)]]);
            Settings::read(&layers).expect_err("refused").to_string()
        };
        assert_eq!(
            error("message-format", Value::Text("xml".into())),
            "HOT_MESSAGE_FORMAT: it has to be human or json"
        );
        for ports in ["http", "0", "3000:3000"] {
            let why = error("browser", Value::Text(ports.into()));
            assert!(
                why.starts_with("HOT_BROWSER: it has to be the server's port"),
                "{why}"
            );
        }
        let missing = error("watch", Value::List(vec!["/no/such".into()]));
        assert!(
            missing.starts_with("HOT_WATCH: /no/such can't be watched: "),
            "{missing}"
        );
    }
}
