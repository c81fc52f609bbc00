//! The second way to a plugin: the whole crate once more, and of it just the changed functions.
//!
//! ```text
//! sources as they are now ─► prepared (soft_mock_rewriter::whole) ─► rustc, incremental ─► objects
//!     ─► code of the changed functions and what it needs, all else bound to the program ─► plugin
//! ```
//!
//! For functions that a micro-crate can't express: they mention a private name that can't be
//! widened, or declare statics and types in their body. Slower, since rustc reads the whole crate.
//! Knows nothing of sessions, and does not decide which functions need it.
//!
//! It relies on what the planner made sure of: nothing but bodies of functions with a site differs
//! from the program. One limit: where two async functions changed and one awaits the other, undoing
//! the other alone leaves the first with the body that this plugin holds.

mod code;
mod edit;
mod manifest;
mod objects;
mod select;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use object::read::elf::ElfFile64;
use object::{LittleEndian, Object as _, ObjectSection, ObjectSymbol};
use soft_mock_rewriter::{whole, CrateTree, Output, WholeFunction, WholeSource};

use super::linker::Linker;
use super::object::{self as elf, demangled, DynamicSymbols};
use super::rustc::{self, Cancel, Cancelled};
use crate::unit::{below, Unit, UnitKind};
use crate::wrapper::shadow;

/// A plugin to build.
pub(crate) struct WholeRequest<'a> {
    pub(crate) unit: &'a Unit,
    /// The unit's folder.
    pub(crate) folder: &'a Path,
    /// Reads a source file as it is now.
    pub(crate) read: &'a dyn Fn(&Path) -> std::io::Result<String>,
    /// The code of function `k` is exported as `__soft_mock_patch_k`.
    pub(crate) functions: &'a [WholeFunction],
    /// The compiler's own binary.
    pub(crate) rustc: &'a Path,
    /// The linker of the toolchain, if there is one.
    pub(crate) linker: Option<&'a Path>,
    /// What the program exports.
    pub(crate) program: &'a DynamicSymbols,
    /// Folders with the libraries that the program was built from.
    pub(crate) libraries: &'a [PathBuf],
    /// The text of the section `soft_mock_manifest`.
    pub(crate) manifest: &'a str,
    pub(crate) output: &'a Path,
    pub(crate) cancel: &'a Cancel,
}

/// Why there is no plugin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WholeError {
    /// The crate does not compile: the user's error, or a future that isn't `Send`.
    #[error("{stderr}")]
    Compile { stderr: String },
    /// It compiles, but the functions can't be taken out of it safely.
    #[error("{reason}")]
    Refused { reason: String },
    /// A newer change made the result useless.
    #[error("{Cancelled}")]
    Cancelled,
    /// Something broke that should not.
    #[error("{0:#}")]
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for WholeError {
    fn from(error: anyhow::Error) -> Self {
        match error.is::<Cancelled>() {
            true => Self::Cancelled,
            false => Self::Failed(error),
        }
    }
}

/// Builds the plugin `request.output`.
pub(crate) fn build(request: &WholeRequest<'_>) -> Result<PathBuf, WholeError> {
    let tree = shadow::tree(&request.unit.root, request.read)?;
    if let Some(error) = tree.errors.first() {
        return Err(WholeError::Compile {
            stderr: error.to_string(),
        });
    }
    let source = prepare(request.unit, tree, request.functions)?;
    let place = request.folder.join("whole");
    let library = compile(request, &place, &source)?;
    let written = take_out(request, &place, &library, &source)?;
    let linker = Linker {
        bundled: request.linker,
        program: request.program,
        libraries: request.libraries,
    };
    match linker.link(&written.objects, request.output, request.cancel) {
        Err(error) if error.is::<Cancelled>() => return Err(WholeError::Cancelled),
        Err(error) => return Err(refused(format!("{error:#}"))),
        Ok(()) => {}
    }
    check_state(request.output, &written.state)?;
    Ok(request.output.to_owned())
}

fn refused(reason: impl Into<String>) -> WholeError {
    WholeError::Refused {
        reason: reason.into(),
    }
}

fn prepare(
    unit: &Unit,
    tree: CrateTree,
    functions: &[WholeFunction],
) -> Result<WholeSource, WholeError> {
    whole(
        tree,
        &unit.crate_name,
        unit.rustc_args().edition(),
        functions,
    )
    .map_err(|refusal| refused(refusal.to_string()))
}

/// Compiles the prepared crate as the program's was compiled. Returns the library.
fn compile(
    request: &WholeRequest<'_>,
    place: &Path,
    source: &WholeSource,
) -> Result<PathBuf, WholeError> {
    let unit = request.unit;
    let shadow_root = place.join("shadow");
    let mut prepared = unit.clone();
    prepared.without.extend(source.without.iter().cloned());
    shadow::write(&prepared, &source.tree, Output::Program, &shadow_root)?;
    let library = place.join(format!("lib{}.rlib", unit.crate_name));
    match std::fs::remove_file(&library) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(WholeError::Failed(error.into()));
        }
        _ => {}
    }
    let call = unit.rustc_args();
    let metadata = match unit.kind {
        UnitKind::Bin | UnitKind::Plugin => crate::wrapper::program_metadata(&call),
        UnitKind::Lib | UnitKind::Test | UnitKind::Macro => {
            call.codegen("metadata").unwrap_or("").to_owned()
        }
    };
    let mut args = call.compile_flags().without(&[], &["debuginfo", "strip"]);
    args.all.retain(|arg| arg != "-g");
    args.push(&[&below(&shadow_root, &unit.root).to_string_lossy()]);
    args.push(&["--crate-name", &unit.crate_name, "--crate-type", "rlib"]);
    args.push(&[
        "-C",
        &format!("metadata={metadata}"),
        "--cap-lints",
        "allow",
    ]);
    args.push(&["-C", "symbol-mangling-version=v0", "-C", "link-dead-code"]);
    // Optimisation across objects would drop what nothing calls, and make symbols local.
    args.push(&["-C", "debuginfo=line-tables-only", "-C", "lto=off"]);
    let incremental = place.join("incremental");
    args.push(&["-C", &format!("incremental={}", incremental.display())]);
    args.push(&["--emit=link", "--out-dir", &place.to_string_lossy()]);
    let [everywhere, workspace] = shadow::remap(&shadow_root, &unit.cwd);
    args.push(&[&everywhere, &workspace]);
    let finished = rustc::run(request.rustc, unit, &args, request.cancel)?;
    match finished.success {
        true => Ok(library),
        false => Err(WholeError::Compile {
            stderr: finished.stderr,
        }),
    }
}

/// What is to be linked.
struct Written {
    objects: Vec<PathBuf>,
    /// Names of the variables that belong into the plugin.
    state: HashSet<String>,
}

/// Takes the new code out of the library and writes it as objects.
fn take_out(
    request: &WholeRequest<'_>,
    place: &Path,
    library: &Path,
    source: &WholeSource,
) -> Result<Written, WholeError> {
    let bytes =
        std::fs::read(library).with_context(|| format!("can't read {}", library.display()))?;
    let objects = objects::read(&bytes)?;
    let definitions = objects::definitions(&objects);
    let program = select::Program::new(request.program);
    let taken = select::select(&objects, &definitions, &program, source).map_err(refused)?;
    let folder = place.join("objects");
    let mut written = Written {
        objects: Vec::new(),
        state: state(&objects, &taken),
    };
    let manifest = manifest::object(request.manifest)?;
    let edited = taken
        .iter()
        .map(|(&position, taken)| (position.to_string(), edit::write(&objects[position], taken)));
    for (name, bytes) in edited.chain([("manifest".to_owned(), manifest)]) {
        let path = folder.join(format!("{name}.o"));
        crate::unit::replace_file(&path, &bytes)?;
        written.objects.push(path);
    }
    Ok(written)
}

/// Names of the variables that were taken, and of those that every plugin has.
fn state(
    objects: &[objects::Object<'_>],
    taken: &BTreeMap<usize, select::Taken>,
) -> HashSet<String> {
    let mut names = HashSet::from([select::OWN_SITE.to_owned()]);
    for (&position, taken) in taken {
        let object = &objects[position];
        for symbol in &object.symbols {
            let state = symbol
                .section
                .is_some_and(|at| taken.sections.contains(&at) && object.sections[at].is_state());
            if state {
                names.insert(demangled(symbol.name));
            }
        }
    }
    names
}

/// The plugin may not have a variable that wasn't taken on purpose, and nothing that runs by itself.
fn check_state(plugin: &Path, expected: &HashSet<String>) -> Result<(), WholeError> {
    // The linker's own tables, which only the dynamic linker writes to.
    const TABLES: [&str; 4] = [".got", ".got.plt", ".dynamic", ".relro_padding"];
    let unexpected = elf::state(plugin)?
        .into_iter()
        .find(|name| !expected.contains(name) && !TABLES.contains(&name.as_str()));
    if let Some(name) = unexpected {
        return Err(refused(format!("it would bring a second copy of `{name}`")));
    }
    let bytes =
        std::fs::read(plugin).with_context(|| format!("can't read {}", plugin.display()))?;
    let file: ElfFile64<'_, LittleEndian> =
        ElfFile64::parse(&*bytes).with_context(|| format!("{} is damaged", plugin.display()))?;
    let runs = file
        .sections()
        .filter_map(|section| section.name().ok().map(str::to_owned))
        .find(|name| name.starts_with(".init_array") || name.starts_with(".ctors"));
    let exported = file
        .dynamic_symbols()
        .filter(|symbol| !symbol.is_undefined());
    let foreign = exported
        .filter_map(|symbol| symbol.name().ok().map(str::to_owned))
        .find(|name| !name.starts_with("__soft_mock_"));
    match (runs, foreign) {
        (Some(name), _) => Err(refused(format!(
            "it would run code when it is loaded ({name})"
        ))),
        (_, Some(name)) => Err(refused(format!("it would export `{}`", demangled(&name)))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
