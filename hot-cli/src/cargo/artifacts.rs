//! The messages in which cargo names the files that it has made (`--message-format=json`).

use std::path::{Path, PathBuf};

use cargo_metadata::Message;

/// The last shared library that was made of the package with this manifest.
pub(crate) fn shared_library(messages: &str, manifest: &Path) -> Option<PathBuf> {
    let messages = Message::parse_stream(messages.as_bytes()).flatten();
    let files = messages
        .filter_map(|message| match message {
            Message::CompilerArtifact(made) => Some(made),
            _ => None,
        })
        .filter(|made| made.manifest_path == *manifest)
        .flat_map(|made| made.filenames);
    let libraries = files.filter(|file| file.extension() == Some("so"));
    libraries.last().map(|file| file.into_std_path_buf())
}

/// An executable that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Executable {
    pub(crate) path: PathBuf,
    /// It was made to be tested, or to test.
    pub(crate) is_test: bool,
    /// The package's folder.
    pub(crate) package: PathBuf,
    /// The root file.
    pub(crate) root: PathBuf,
    /// It tests the package from outside: its programs may be run by it.
    pub(crate) is_outside: bool,
}

/// All executables, each once.
pub(crate) fn executables(messages: &str) -> Vec<Executable> {
    let mut found: Vec<Executable> = Vec::new();
    for message in Message::parse_stream(messages.as_bytes()).flatten() {
        let Message::CompilerArtifact(made) = message else {
            continue;
        };
        let Some(path) = made.executable.map(|path| path.into_std_path_buf()) else {
            continue;
        };
        if found.iter().any(|known| known.path == path) {
            continue;
        }
        let manifest = made.manifest_path.as_std_path();
        let mut kinds = made.target.kind.iter();
        found.push(Executable {
            path,
            is_test: made.profile.test,
            package: manifest.parent().unwrap_or(manifest).to_owned(),
            root: made.target.src_path.into_std_path_buf(),
            is_outside: kinds.any(|kind| ["test", "bench"].contains(&kind.to_string().as_str())),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_told_apart() {
        let artifact = |kind: &str, test: bool, executable: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"path+file:///w/a#0.1.0","manifest_path":"/w/a/Cargo.toml","target":{{"kind":["{kind}"],"crate_types":["bin"],"name":"a","src_path":"/w/a/src/{kind}.rs","edition":"2021","doc":true,"doctest":false,"test":true}},"profile":{{"opt_level":"0","debuginfo":2,"debug_assertions":true,"overflow_checks":true,"test":{test}}},"features":[],"filenames":[],"executable":{executable},"fresh":false}}"#
            )
        };
        let messages = [
            artifact("lib", false, "null"),
            artifact("lib", true, "\"/t/deps/a-1\""),
            artifact("test", true, "\"/t/deps/it-1\""),
            artifact("bin", false, "\"/t/a\""),
            artifact("bin", false, "\"/t/a\""),
        ]
        .join("\n");
        let found = executables(&messages);
        let told: Vec<_> = found
            .iter()
            .map(|made| {
                (
                    made.path.to_str().expect("text"),
                    made.is_test,
                    made.is_outside,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("/t/deps/a-1", true, false),
                ("/t/deps/it-1", true, true),
                ("/t/a", false, false)
            ]
        );
        assert_eq!(found[0].package, Path::new("/w/a"));
        assert_eq!(found[0].root, Path::new("/w/a/src/lib.rs"));
    }

    #[test]
    fn the_last_library_of_the_package_counts() {
        let artifact = |package: &str, files: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"path+file:///w/{package}#0.1.0","manifest_path":"/w/{package}/Cargo.toml","target":{{"kind":["cdylib"],"crate_types":["cdylib"],"name":"{package}","src_path":"/w/{package}/src/lib.rs","edition":"2021","doc":true,"doctest":false,"test":true}},"profile":{{"opt_level":"0","debuginfo":2,"debug_assertions":true,"overflow_checks":true,"test":false}},"features":[],"filenames":[{files}],"executable":null,"fresh":false}}"#
            )
        };
        let messages = [
            artifact("shared", "\"/t/libshared.so\""),
            artifact("plugin", "\"/t/libplugin.so\""),
            "no message of cargo's".to_owned(),
            artifact(
                "plugin",
                "\"/t/new/libplugin.rlib\",\"/t/new/libplugin.so\"",
            ),
            artifact("other", "\"/t/libother.so\""),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ]
        .join("\n");
        let found = |manifest: &str| shared_library(&messages, Path::new(manifest));
        assert_eq!(
            found("/w/plugin/Cargo.toml"),
            Some(PathBuf::from("/t/new/libplugin.so"))
        );
        assert_eq!(found("/w/none/Cargo.toml"), None);
    }
}
