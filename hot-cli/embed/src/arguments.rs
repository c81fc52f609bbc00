//! The arguments of the rustc that runs this macro, as far as they say what is linked and with
//! what.

use std::path::{Path, PathBuf};

/// What was found among the arguments.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    links: bool,
    dependencies: Vec<(String, PathBuf)>,
}

impl Arguments {
    /// A macro runs within rustc, so these are rustc's.
    pub(crate) fn of_this_process() -> Result<Self, String> {
        let arguments = std::env::args_os().skip(1);
        Self::new(arguments.map(|argument| argument.to_string_lossy().into_owned()))
    }

    pub(crate) fn new(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut found = Self::default();
        let mut option = None;
        for argument in expanded(arguments)? {
            match option.take() {
                Some(Kind::Emit) => found.emit(&argument),
                Some(Kind::Extern) => found.dependency_named(&argument),
                None => match argument.split_once('=') {
                    Some(("--emit", kinds)) => found.emit(kinds),
                    Some(("--extern", dependency)) => found.dependency_named(dependency),
                    _ if argument == "--emit" => option = Some(Kind::Emit),
                    _ if argument == "--extern" => option = Some(Kind::Extern),
                    _ => {}
                },
            }
        }
        Ok(found)
    }

    /// Whether an executable or a library is made.
    pub(crate) fn links(&self) -> bool {
        self.links
    }

    /// The file of a dependency.
    pub(crate) fn dependency(&self, name: &str) -> Option<&Path> {
        let mut named = self.dependencies.iter().filter(|(other, _)| other == name);
        named.next().map(|(_, path)| path.as_path())
    }

    /// `link`, `dep-info`, `metadata`, each with or without a file: `link=out/hot`.
    fn emit(&mut self, kinds: &str) {
        self.links |= kinds
            .split(',')
            .any(|kind| kind == "link" || kind.starts_with("link="));
    }

    /// `name=path`, with options before a colon: `priv,noprelude:name=path`.
    fn dependency_named(&mut self, text: &str) {
        let Some((name, path)) = text.split_once('=') else {
            return;
        };
        let name = name.rsplit_once(':').map_or(name, |(_, name)| name);
        self.dependencies.push((name.to_owned(), path.into()));
    }
}

enum Kind {
    Emit,
    Extern,
}

/// `@file` stands for the lines of the file. Cargo uses that where the arguments are too many for
/// one command.
fn expanded(arguments: impl Iterator<Item = String>) -> Result<Vec<String>, String> {
    let mut list = Vec::new();
    for argument in arguments {
        match argument.strip_prefix('@') {
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .map_err(|error| format!("can't read rustc's arguments in {file}: {error}"))?;
                list.extend(text.lines().map(str::to_owned));
            }
            None => list.push(argument),
        }
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Arguments {
        Arguments::new(arguments.iter().map(|argument| (*argument).to_owned())).expect("readable")
    }

    #[test]
    fn dependencies_in_all_spellings() {
        let found = read(&[
            "--extern",
            "agent=/t/libagent.rlib",
            "--extern=serde=/t/libserde.rlib",
            "--extern",
            "priv,noprelude:log=/t/a=b/liblog.rlib",
            "--extern",
            "proc_macro",
        ]);
        let path = |name| found.dependency(name).and_then(Path::to_str);
        assert_eq!(path("agent"), Some("/t/libagent.rlib"));
        assert_eq!(path("serde"), Some("/t/libserde.rlib"));
        assert_eq!(path("log"), Some("/t/a=b/liblog.rlib"));
        assert_eq!(path("proc_macro"), None);
    }

    #[test]
    fn what_links_and_what_does_not() {
        assert!(read(&["--emit=dep-info,link"]).links());
        assert!(read(&["--emit", "link=out/hot"]).links());
        assert!(!read(&["--emit=dep-info,metadata"]).links());
        assert!(!read(&["-C", "link-arg=-s"]).links());
        // Another option's value is none of ours.
        assert!(!read(&["--extern", "--emit=link"]).links());
    }

    #[test]
    fn arguments_in_a_file() {
        let file = std::env::temp_dir().join(format!("arguments-{}", std::process::id()));
        std::fs::write(&file, "--emit=link\n--extern\nagent=/t/libagent.rlib\n").expect("a file");
        let found = read(&[&format!("@{}", file.display())]);
        std::fs::remove_file(&file).expect("it was made here");
        assert!(found.links());
        assert!(found.dependency("agent").is_some());
        assert!(Arguments::new(["@/nowhere".to_owned()].into_iter()).is_err());
    }
}
