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

#[cfg(test)]
mod tests {
    use super::*;

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
