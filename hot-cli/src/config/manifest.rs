//! What stands in one manifest for `hot`, with the line of everything that is wrong.
//!
//! Knows nothing of which manifests there are.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use anyhow::{anyhow, Context, Result};
use toml::de::DeTable;

use super::layers::{Key, Value};

/// A table of settings.
pub(super) type Values = BTreeMap<&'static str, Value>;

/// The tables that a manifest may have.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) package: Option<Values>,
    pub(super) workspace: Option<Values>,
}

/// Reads a manifest. The error says where in it.
pub(super) fn read(file: &Path) -> Result<Tables> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let folder = file.parent().unwrap_or(Path::new(""));
    parse(&text, folder).map_err(|(place, why)| {
        let before = text.get(..place.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        anyhow!(
            "{}:{line}: the metadata for hot isn't understood: {why}",
            file.display()
        )
    })
}

type Wrong = (Range<usize>, String);

fn parse(text: &str, folder: &Path) -> Result<Tables, Wrong> {
    let mut tables = Tables::default();
    // Without the word there is nothing to read: most manifests are left alone.
    if !text.contains("hot") {
        return Ok(tables);
    }
    let manifest = DeTable::parse(text).map_err(|error| {
        let place = error.span().unwrap_or_default();
        (place, error.message().to_owned())
    })?;
    let manifest = manifest.get_ref();
    tables.package = section(manifest, "package", folder)?;
    tables.workspace = section(manifest, "workspace", folder)?;
    Ok(tables)
}

fn section(manifest: &DeTable<'_>, name: &str, folder: &Path) -> Result<Option<Values>, Wrong> {
    let Some(hot) = manifest
        .get(name)
        .and_then(|section| section.get_ref().get("metadata"))
        .and_then(|metadata| metadata.get_ref().get("hot"))
    else {
        return Ok(None);
    };
    let Some(table) = hot.get_ref().as_table() else {
        return Err((
            hot.span(),
            format!("`{name}.metadata.hot` has to be a table"),
        ));
    };
    let mut values = Values::new();
    for (name, value) in table {
        let key = Key::named(name.get_ref()).map_err(|why| (name.span(), why.to_string()))?;
        let value = key
            .of_toml(value.get_ref(), folder)
            .map_err(|why| (value.span(), why.to_string()))?;
        values.insert(key.name, value);
    }
    Ok(Some(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("Cargo.toml");
        let error = |body: &str| {
            std::fs::write(&file, format!("[package]\nname = \"app\"\n{body}\n")).expect("written");
            format!("{:#}", read(&file).expect_err("refused"))
        };
        for (body, line, why) in [
            (
                "[package.metadata.hot]\n\nskipp = []",
                5,
                "`skipp` is no setting of hot; did you mean `skip`?",
            ),
            (
                "[package.metadata.hot]\nskip = 1",
                4,
                "`skip` has to be a list of texts",
            ),
            (
                "metadata.hot.manual = \"yes\"",
                3,
                "`manual` has to be true or false",
            ),
            (
                "metadata.hot = 1",
                3,
                "`package.metadata.hot` has to be a table",
            ),
            ("[package.metadata.hot]\nskip =", 4, ""),
        ] {
            let error = error(body);
            let start = format!(
                "{}:{line}: the metadata for hot isn't understood: {why}",
                file.display()
            );
            assert!(error.starts_with(&start), "{error}");
        }
    }

    #[test]
    fn paths_are_meant_from_the_manifest() {
        let text = "[package]\nmetadata.hot.watch = [\"templates\"]\n[workspace.metadata.hot]\nclear = true\n";
        let tables = parse(text, Path::new("/w")).expect("understood");
        let watch = tables.package.expect("a table")["watch"].clone();
        assert_eq!(watch, Value::List(vec!["/w/templates".into()]));
        assert_eq!(
            tables.workspace.expect("a table")["clear"],
            Value::Flag(true)
        );
    }
}
