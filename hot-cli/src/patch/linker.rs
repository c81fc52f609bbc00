//! From an object to a plugin: a shared library that leaves everything to the running program.
//!
//! What the program doesn't contain (a function of a dependency that nothing called before) comes
//! from the libraries it was built from; what would bring a second copy of some state is refused.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};
use soft_mock_abi::checksum;

use crate::os::files::examine;
use crate::os::process::{Cancel, Cancelled, Process};
use soft_mock_compiled::library::{self, dynamic_symbols, DynamicSymbols};
use soft_mock_compiled::symbols::demangled;

/// What a plugin is linked with.
pub(crate) struct Linker<'a> {
    /// The linker of the toolchain, called directly, or none: the system's, through cc.
    pub(crate) bundled: Option<&'a Path>,
    /// What the program exports.
    pub(crate) program: &'a DynamicSymbols,
    /// The library itself, where it isn't the program.
    pub(crate) library: Option<&'a Path>,
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
        checksum::append(output)
            .with_context(|| format!("can't write the checksum of {}", output.display()))
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
            brought.extend(examine(plugin, dynamic_symbols)?.defined);
        }
        run(&[])?;
        let missing = self.missing(output, &brought)?;
        if missing.is_empty() {
            return Ok(());
        }
        let archives = self.archives_with(&missing)?;
        run(&archives)?;
        if let Some(symbol) = self.missing(output, &brought)?.first() {
            bail!("the program does not contain `{}`", demangled(symbol));
        }
        let mut own = HashSet::new();
        for path in objects {
            own.extend(examine(path, library::state)?);
        }
        let brought: Vec<String> = examine(output, library::state)?
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
        let symbols = examine(plugin, dynamic_symbols)?;
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
                if archive && defines(&path, &wanted) {
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
        let (linker, own): (&Path, &[&str]) = match self.bundled {
            Some(linker) => (linker, &["-flavor", "gnu", "--hash-style=gnu", "-z", "now"]),
            None => (Path::new("cc"), &["-nostdlib", "-Wl,-z,now"]),
        };
        let flag = |text: &str| match self.bundled {
            Some(_) => text.to_owned(),
            None => format!("-Wl,{text}"),
        };
        let mut process = Process::new(linker)
            .args(own)
            .arg("-shared")
            .args([flag("--eh-frame-hdr"), flag("--gc-sections")])
            // What a plugin defines is its own: nothing of it is looked for in other modules.
            .arg(flag("-Bsymbolic"))
            .args(soname.map(flag))
            .arg("-o")
            .arg(output)
            .args(inputs);
        if let Some(library) = self.library {
            process = process.arg(flag("--no-as-needed")).arg(library);
        }
        let output = process.output_unless(cancel)?.ok_or(Cancelled)?;
        process.check(&output).context("the patch can't be linked")
    }
}

/// Whether a library defines one of the symbols. One that can't be read doesn't.
fn defines(archive: &Path, wanted: &HashSet<&str>) -> bool {
    let file = std::fs::File::open(archive);
    file.is_ok_and(|file| library::archive_defines(file, wanted).unwrap_or(false))
}

fn is_rust(name: &str) -> bool {
    name.starts_with("_R") || name.starts_with("_ZN") || name.starts_with("__rust")
}
