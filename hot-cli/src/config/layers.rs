//! Settings by who makes them: the command line, variables, manifests.
//!
//! One precedence for all: the first layer that says something holds; of lists, all count. Knows
//! nothing of what a setting does.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail, Result};

/// What a setting holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Flag,
    Text,
    /// On, off, or on in some way.
    FlagOrText,
    Path,
    List,
    /// As `PATH` has them in a variable.
    Paths,
}

/// A setting that there is.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    kind: Kind,
    /// It concerns how crates are compiled, which no variable may change: cargo wouldn't know.
    only_in_manifests: bool,
}

const fn key(name: &'static str, kind: Kind) -> Key {
    Key {
        name,
        kind,
        only_in_manifests: false,
    }
}

/// All of them.
pub(crate) const KEYS: [Key; 15] = [
    key("no-restart", Kind::Flag),
    key("manual", Kind::Flag),
    key("no-keys", Kind::Flag),
    key("watch", Kind::Paths),
    key("poll", Kind::Flag),
    key("include", Kind::List),
    Key {
        only_in_manifests: true,
        ..key("skip", Kind::List)
    },
    key("message-format", Kind::Text),
    key("log", Kind::Path),
    key("on-patch", Kind::Text),
    key("browser", Kind::FlagOrText),
    key("no-title", Kind::Flag),
    key("clear", Kind::Flag),
    key("quiet", Kind::Flag),
    key("verbose", Kind::Flag),
];

impl Key {
    /// The variable that sets it.
    pub(crate) fn variable(&self) -> Option<String> {
        let name = self.name.replace('-', "_").to_uppercase();
        (!self.only_in_manifests).then(|| format!("HOT_{name}"))
    }

    /// What holds where nobody sets it.
    pub(crate) fn default(&self) -> &'static str {
        match self.kind {
            Kind::Flag | Kind::FlagOrText => "false",
            Kind::Text if self.name == "message-format" => "human",
            Kind::List | Kind::Text | Kind::Path | Kind::Paths => "",
        }
    }

    /// The one with this name, else what may have been meant.
    pub(super) fn named(name: &str) -> Result<&'static Self> {
        if let Some(key) = KEYS.iter().find(|key| key.name == name) {
            return Ok(key);
        }
        let wanted = name.replace('_', "-").to_lowercase();
        let alike = |key: &&Key| strsim::jaro_winkler(key.name, &wanted);
        let nearest = KEYS.iter().max_by(|a, b| alike(a).total_cmp(&alike(b)));
        match nearest.filter(|key| alike(key) > 0.8) {
            Some(key) => bail!(
                "`{name}` is no setting of hot; did you mean `{}`?",
                key.name
            ),
            None => {
                let all: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
                bail!(
                    "`{name}` is no setting of hot: there are {}",
                    all.join(", ")
                )
            }
        }
    }

    /// The value that a variable's text stands for; none if it is empty.
    fn of_variable(&self, text: &OsString) -> Result<Option<Value>> {
        if text.is_empty() {
            return Ok(None);
        }
        if self.kind == Kind::Paths {
            return Ok(Some(Value::List(
                std::env::split_paths(text)
                    .map(|path| path.display().to_string())
                    .collect(),
            )));
        }
        let text = text
            .to_str()
            .ok_or_else(|| anyhow!("what it holds is not Unicode"))?;
        Ok(Some(match self.kind {
            Kind::Flag => match flag(text) {
                Some(flag) => Value::Flag(flag),
                None => bail!("it has to be 1 or 0, not `{text}`"),
            },
            Kind::FlagOrText => Value::flag_or_text(text),
            Kind::List => Value::List(text.split(',').map(|word| word.trim().to_owned()).collect()),
            Kind::Text | Kind::Path | Kind::Paths => Value::Text(text.to_owned()),
        }))
    }

    /// The value that stands in a manifest in this folder.
    pub(super) fn of_toml(&self, value: &toml::de::DeValue<'_>, folder: &Path) -> Result<Value> {
        let path = |text: &str| match self.kind {
            Kind::Path | Kind::Paths => folder.join(text).display().to_string(),
            _ => text.to_owned(),
        };
        let found = match self.kind {
            Kind::Flag => value.as_bool().map(Value::Flag),
            Kind::Text | Kind::Path => value.as_str().map(path).map(Value::Text),
            Kind::FlagOrText => value.as_bool().map(Value::Flag).or_else(|| {
                let number = value.as_integer().map(|number| number.to_string());
                number.or_else(|| value.as_str().map(path)).map(Value::Text)
            }),
            Kind::List | Kind::Paths => value.as_array().and_then(|list| {
                let texts = list.iter().map(|one| one.get_ref().as_str().map(path));
                texts.collect::<Option<Vec<_>>>().map(Value::List)
            }),
        };
        found.ok_or_else(|| {
            let wanted = match self.kind {
                Kind::Flag => "true or false",
                Kind::Text | Kind::Path => "a text in quotes",
                Kind::FlagOrText => "true, false, a number or a text in quotes",
                Kind::List | Kind::Paths => "a list of texts",
            };
            anyhow!("`{}` has to be {wanted}", self.name)
        })
    }
}

/// What a setting is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Flag(bool),
    Text(String),
    List(Vec<String>),
}

impl Value {
    /// What a word stands for where both are understood.
    pub(crate) fn flag_or_text(text: &str) -> Self {
        flag(text).map_or_else(|| Self::Text(text.to_owned()), Self::Flag)
    }
}

fn flag(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Text(text) => f.write_str(text),
            Self::List(list) => f.write_str(&list.join(", ")),
        }
    }
}

/// Who set something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    CommandLine,
    Variable,
    Package(PathBuf),
    Workspace(PathBuf),
}

impl Source {
    /// Where this setting of it stands.
    pub(crate) fn place(&self, key: &Key) -> String {
        match self {
            Self::CommandLine => format!("--{}", key.name),
            Self::Variable => key.variable().unwrap_or_default(),
            Self::Package(file) => format!("{} [package.metadata.hot]", file.display()),
            Self::Workspace(file) => format!("{} [workspace.metadata.hot]", file.display()),
        }
    }
}

/// What one of them set.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) source: Source,
    pub(crate) values: BTreeMap<&'static str, Value>,
}

/// All of it, the strongest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layers(pub(crate) Vec<Layer>);

impl Layers {
    /// What the environment sets.
    pub(crate) fn of_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Layer> {
        let mut values = BTreeMap::new();
        for key in &KEYS {
            let Some((name, text)) = key
                .variable()
                .and_then(|name| variable(&name).map(|text| (name, text)))
            else {
                continue;
            };
            let value = key
                .of_variable(&text)
                .map_err(|why| anyhow!("the variable {name} isn't understood: {why}"))?;
            values.extend(value.map(|value| (key.name, value)));
        }
        Ok(Layer {
            source: Source::Variable,
            values,
        })
    }

    /// The settings that come to something else than in these.
    pub(crate) fn changed_since(&self, before: &Self) -> Vec<&'static str> {
        let values = |layers: &Self, key: &Key| -> Vec<Value> {
            layers
                .of(key.name)
                .map(|(_, value)| value.clone())
                .collect()
        };
        let changed = KEYS
            .iter()
            .filter(|key| values(self, key) != values(before, key));
        changed.map(|key| key.name).collect()
    }

    /// Who sets this, the strongest first.
    pub(crate) fn of<'a>(&'a self, key: &str) -> impl Iterator<Item = (&'a Source, &'a Value)> {
        let key = key.to_owned();
        let layers = self.0.iter();
        layers.filter_map(move |layer| Some((&layer.source, layer.values.get(key.as_str())?)))
    }

    pub(crate) fn flag(&self, key: &str) -> bool {
        matches!(self.of(key).next(), Some((_, Value::Flag(true))))
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.of(key).next() {
            Some((_, Value::Text(text))) => Some(text),
            _ => None,
        }
    }

    /// What all of them say, without repetitions.
    pub(crate) fn list(&self, key: &str) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for (_, value) in self.of(key) {
            let Value::List(list) = value else { continue };
            for one in list.iter().filter(|one| !one.is_empty()) {
                if !all.contains(one) {
                    all.push(one.clone());
                }
            }
        }
        all
    }

    /// How strong who says this is; the lower, the stronger.
    pub(crate) fn rank(&self, key: &str) -> Option<usize> {
        let mut layers = self.0.iter();
        layers.position(|layer| layer.values.contains_key(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(source: Source, values: &[(&'static str, Value)]) -> Layer {
        Layer {
            source,
            values: values.iter().cloned().collect(),
        }
    }

    #[test]
    fn the_first_that_says_something_holds_and_lists_add_up() {
        let list = |words: &[&str]| Value::List(words.iter().map(|word| (*word).into()).collect());
        let layers = Layers(vec![
            layer(
                Source::Variable,
                &[("manual", Value::Flag(false)), ("include", list(&["a"]))],
            ),
            layer(
                Source::Workspace("/w".into()),
                &[
                    ("manual", Value::Flag(true)),
                    ("clear", Value::Flag(true)),
                    ("include", list(&["b", "a"])),
                ],
            ),
        ]);
        assert!(!layers.flag("manual") && layers.flag("clear") && !layers.flag("quiet"));
        assert_eq!(layers.list("include"), ["a", "b"]);
        assert_eq!(
            (layers.rank("manual"), layers.rank("clear")),
            (Some(0), Some(1))
        );
    }

    #[test]
    fn variables_are_read_or_refused() {
        let read = |name: &'static str, text: &'static str| {
            Layers::of_variables(move |asked| (asked == name).then(|| text.into()))
        };
        let value = |name, text| {
            let layer = read(name, text).expect("understood");
            layer.values.into_values().next()
        };
        assert_eq!(value("HOT_NO_RESTART", "1"), Some(Value::Flag(true)));
        assert_eq!(value("HOT_NO_RESTART", "off"), Some(Value::Flag(false)));
        assert_eq!(value("HOT_NO_RESTART", ""), None);
        assert_eq!(value("HOT_SKIP", "x"), None);
        assert_eq!(value("HOT_BROWSER", "on"), Some(Value::Flag(true)));
        assert_eq!(
            value("HOT_BROWSER", "3000"),
            Some(Value::Text("3000".into()))
        );
        let both = || vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(value("HOT_INCLUDE", "a, b"), Some(Value::List(both())));
        assert_eq!(value("HOT_WATCH", "a:b"), Some(Value::List(both())));
        let error = read("HOT_CLEAR", "maybe").expect_err("refused").to_string();
        assert!(
            error.contains("HOT_CLEAR") && error.contains("`maybe`"),
            "{error}"
        );
    }

    #[test]
    fn what_was_meant_is_suggested() {
        let error = |name| Key::named(name).expect_err("refused").to_string();
        for (wrong, right) in [
            ("no_restart", "no-restart"),
            ("skipp", "skip"),
            ("message-fromat", "message-format"),
        ] {
            let error = error(wrong);
            assert!(
                error.ends_with(&format!("did you mean `{right}`?")),
                "{error}"
            );
        }
        assert!(error("zzz").contains("there are no-restart, manual"));
    }
}
