//! From an object to a plugin: a shared library that leaves everything to the running program.
//!
//! What the program doesn't contain (a function of a dependency that nothing called before) comes
//! from the libraries it was built from; what would bring a second copy of some state is refused.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{bail, Context, Result};
use soft_mock::seal;

use crate::compiled::elf::{self, DynamicSymbols};
use crate::rustc::run::{self, Cancel};

/// What a plugin is linked with.
pub(crate) struct Linker<'a> {
    /// The linker of the toolchain, called directly, or none: the system's, through cc.
    pub(crate) bundled: Option<&'a Path>,
    /// What the program exports.
    pub(crate) program: &'a DynamicSymbols,
    /// Folders with the libraries that the program was built from.
    pub(crate) libraries: &'a [PathBuf],
}

/// What becomes a plugin.
#[derive(Default)]
pub(crate) struct Inputs<'a> {
    pub(crate) objects: &'a [PathBuf],
    /// Other plugins, whose variables it uses.
    pub(crate) plugins: &'a [PathBuf],
    /// Its name among plugins.
    pub(crate) soname: Option<&'a str>,
}

impl Linker<'_> {
    /// Links the plugin `output`, and seals it.
    pub(crate) fn link(&self, inputs: &Inputs<'_>, output: &Path, cancel: &Cancel) -> Result<()> {
        self.link_unsealed(inputs, output, cancel)?;
        seal::seal(output).with_context(|| format!("can't seal {}", output.display()))
    }

    fn link_unsealed(&self, inputs: &Inputs<'_>, output: &Path, cancel: &Cancel) -> Result<()> {
        let Inputs {
            objects,
            plugins,
            soname,
        } = *inputs;
        let soname = soname.map(|name| format!("-soname={name}"));
        let run = |archives: &[PathBuf]| {
            let inputs = [objects, archives, plugins].concat();
            self.run(&inputs, soname.as_deref(), output, cancel)
        };
        let mut brought = HashSet::new();
        for plugin in plugins {
            brought.extend(elf::dynamic_symbols(plugin)?.defined);
        }
        run(&[])?;
        let missing = self.missing(output, &brought)?;
        if missing.is_empty() {
            return Ok(());
        }
        let archives = self.archives_with(&missing)?;
        run(&archives)?;
        if let Some(symbol) = self.missing(output, &brought)?.first() {
            bail!("the program does not contain `{}`", elf::demangled(symbol));
        }
        let mut own = HashSet::new();
        for path in objects {
            own.extend(elf::state(path)?);
        }
        let brought: Vec<String> = elf::state(output)?
            .into_iter()
            .filter(|name| !own.contains(name))
            .collect();
        if let Some(name) = brought.first() {
            bail!("it needs code that the program does not contain, and with it a second copy of `{name}`");
        }
        Ok(())
    }

    /// Rust symbols that neither the plugin nor the program defines.
    fn missing(&self, plugin: &Path, brought: &HashSet<String>) -> Result<Vec<String>> {
        let symbols = elf::dynamic_symbols(plugin)?;
        let mut missing: Vec<String> = symbols
            .undefined
            .into_iter()
            .filter(|name| is_rust(name) && !self.program.defined.contains(name))
            .filter(|name| !brought.contains(name))
            .collect();
        missing.sort();
        Ok(missing)
    }

    fn archives_with(&self, missing: &[String]) -> Result<Vec<PathBuf>> {
        let wanted: HashSet<&str> = missing.iter().map(String::as_str).collect();
        let mut found = Vec::new();
        for folder in self.libraries {
            let Ok(entries) = std::fs::read_dir(folder) else {
                continue;
            };
            for path in entries.flatten().map(|entry| entry.path()) {
                let archive = path.extension().is_some_and(|ext| ext == "rlib");
                if archive && elf::archive_defines(&path, &wanted).unwrap_or(false) {
                    found.push(path);
                }
            }
        }
        Ok(found)
    }

    fn run(
        &self,
        inputs: &[PathBuf],
        soname: Option<&str>,
        output: &Path,
        cancel: &Cancel,
    ) -> Result<()> {
        let mut command = match self.bundled {
            Some(linker) => {
                let mut command = Command::new(linker);
                command.args(["-flavor", "gnu", "--hash-style=gnu", "-z", "now"]);
                command
            }
            None => {
                let mut command = Command::new("cc");
                command.args(["-nostdlib", "-Wl,-z,now"]);
                command
            }
        };
        let flag = |text: &str| match self.bundled {
            Some(_) => text.to_owned(),
            None => format!("-Wl,{text}"),
        };
        command
            .arg("-shared")
            .args([flag("--eh-frame-hdr"), flag("--gc-sections")])
            // What a plugin defines is its own: nothing of it is looked for in other modules.
            .arg(flag("-Bsymbolic"))
            .args(soname.map(flag))
            .arg("-o")
            .arg(output)
            .args(inputs);
        if let Some(library) = &self.program.library {
            command.arg(flag("--no-as-needed")).arg(library);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let finished = run::finish(&mut command, cancel)?;
        if !finished.success {
            bail!("linking the patch failed: {}", finished.stderr.trim());
        }
        Ok(())
    }
}

fn is_rust(name: &str) -> bool {
    name.starts_with("_R") || name.starts_with("_ZN") || name.starts_with("__rust")
}
