//! A program as it was built: its units, what their files declared, and the tools to build patches.
//!
//! Read once, when a process of the program joins the session, and never changed: it is what every
//! later edit is compared with.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{bail, Context, Result};
use soft_mock_abi::protocol::Hello;
use soft_mock_rewriter::analysis::{
    fields_seen, DeclaredFunction, FieldsSeen, FileItems, LayoutNames,
};

use super::plan::SiteKey;
use super::shared;
use super::twin::{twin, NoTwin, Twin};
use crate::os;
use crate::os::files::{below, examine, hash_of, Stamp};
use crate::os::process::Cancel;
use crate::rustc::inputs::{Input, Role};
use crate::rustc::toolchain;
use crate::rustc::unit::{Unit, UnitKind};
use crate::wrapper::shadow;
use soft_mock_compiled::library::{dynamic_symbols, needed, DynamicSymbols};
use soft_mock_compiled::select::ProgramSymbols;

/// A program and everything it was built from.
#[derive(Debug)]
pub(crate) struct Program {
    /// Those that other programs of this process have as well are read once.
    pub(crate) units: Vec<Arc<LoadedUnit>>,
    /// The names on which its values depend.
    pub(crate) layout_names: LayoutNames,
    /// The compiler's own binary.
    pub(crate) rustc: PathBuf,
    /// Its file when the program joined.
    stamp: Option<Stamp>,
    pub(crate) linker: Option<PathBuf>,
    /// Folders with the libraries that the program was linked from.
    pub(crate) libraries: Vec<PathBuf>,
    /// A file that holds the running program, also after its own file was replaced.
    executable: PathBuf,
    /// It is the library of a managed plugin in a program of its own.
    pub(crate) is_plugin: bool,
    symbols: OnceLock<DynamicSymbols>,
    exported: OnceLock<ProgramSymbols>,
    /// The functions whose closures and async blocks may outlive their calls, once that is known.
    pub(crate) kept_closures: OnceLock<BTreeSet<String>>,
    watched: BTreeSet<PathBuf>,
}

/// By the names of types, who can see their fields.
pub(crate) type FieldsOfTypes = BTreeMap<String, BTreeSet<FieldsSeen>>;

/// A unit and its files.
#[derive(Debug)]
pub(crate) struct LoadedUnit {
    pub(crate) folder: PathBuf,
    pub(crate) unit: Unit,
    /// What each file declared when it was compiled, by its path.
    pub(crate) files: BTreeMap<PathBuf, Arc<FileItems>>,
    /// The folders of the units whose libraries it names.
    uses: Vec<PathBuf>,
    /// Files that stand in more than one module: an edit of one would be several.
    pub(crate) repeated: BTreeSet<PathBuf>,
    /// What each file held when it was compiled: the copies on disk are replaced by the next
    /// build.
    texts: BTreeMap<PathBuf, u64>,
    /// Who can see the fields of its types, once that was asked.
    fields_seen: OnceLock<FieldsOfTypes>,
    no_twin: Mutex<Option<NoTwin>>,
}

impl Program {
    /// Reads the records of the program that `hello` greets for; `pid` is one of its processes.
    pub(crate) fn load(hello: &Hello, pid: u32) -> Result<Self> {
        let executable = match &hello.image {
            Some(image) => image.clone(),
            None => os::executable(pid),
        };
        let mut program = Self::recorded(&PathBuf::from(&hello.program), executable)?;
        program.is_plugin = hello.image.is_some();
        check_build(hello, &program.units)?;
        Ok(program)
    }

    /// Reads the records of the program in the unit's folder; `executable` is what it was linked
    /// to.
    pub(crate) fn recorded(folder: &Path, executable: PathBuf) -> Result<Self> {
        let mut units = Vec::new();
        for (folder, unit) in units_of(folder)? {
            units.push(shared::unit(folder, unit)?);
        }
        let main = &units.first().context("the program has no unit")?.unit;
        let rustc = toolchain::real_rustc(&main.rustc, &main.env, &main.cwd)?;
        if let Some(why) = toolchain::changed(&rustc, &main.version) {
            bail!("{why}; build it again");
        }
        let stamp = Stamp::of(&rustc);
        let linker = toolchain::bundled_linker(&rustc);
        let libraries = library_folders(&units, &rustc);
        let layout_names =
            LayoutNames::of(files(&units).map(|(position, _, items)| (position, items)));
        let watched = units
            .iter()
            .flat_map(|loaded| loaded.unit.sources.iter().chain(loaded.unit.inputs.keys()))
            .cloned()
            .collect();
        Ok(Self {
            watched,
            layout_names,
            rustc,
            stamp,
            linker,
            libraries,
            executable,
            is_plugin: false,
            symbols: OnceLock::new(),
            exported: OnceLock::new(),
            kept_closures: OnceLock::new(),
            units,
        })
    }

    /// Why nothing of ours runs in it, if that is so: its own crate was built as it is.
    pub(crate) fn out_of_reach(&self) -> Option<String> {
        let main = &self.units.first()?.unit;
        let reason = main.unmodified.as_ref()?;
        let name = &main.crate_name;
        Some(format!("crate `{name}` was built unmodified: {reason}"))
    }

    /// All files of its crates, with the positions of the units.
    pub(crate) fn files(&self) -> impl Iterator<Item = (usize, &Path, &FileItems)> {
        files(&self.units)
    }

    /// The units that a unit uses directly.
    pub(crate) fn used_by(&self, position: usize) -> impl Iterator<Item = usize> + '_ {
        let folders = self.units[position].uses.iter();
        folders.filter_map(|used| self.units.iter().position(|unit| unit.folder == *used))
    }

    /// A unit, and those that use it, directly or through others.
    pub(crate) fn with_users(&self, position: usize) -> BTreeSet<usize> {
        let mut users = BTreeSet::from([position]);
        loop {
            let known = users.len();
            for user in 0..self.units.len() {
                if self.used_by(user).any(|used| users.contains(&used)) {
                    users.insert(user);
                }
            }
            if users.len() == known {
                return users;
            }
        }
    }

    /// A crate that was compiled as it is, and uses the unit, directly or through others.
    pub(crate) fn fixed_user(&self, position: usize) -> Option<&Unit> {
        let mut users = self.with_users(position);
        users.remove(&position);
        let mut users = users.iter().map(|user| &self.units[*user].unit);
        users.find(|unit| unit.unmodified.is_some() || unit.kind == UnitKind::Macro)
    }

    /// What the program exports, and the Rust libraries that it is started with. Read at the first
    /// call.
    pub(crate) fn symbols(&self) -> Result<&DynamicSymbols> {
        if let Some(known) = self.symbols.get() {
            return Ok(known);
        }
        let mut read = examine(&self.executable, dynamic_symbols)?;
        for library in self.needed_libraries()? {
            let more = examine(&library, dynamic_symbols)?;
            read.defined.extend(more.defined);
            read.folded.extend(more.folded);
        }
        Ok(self.symbols.get_or_init(|| read))
    }

    /// What the program exports of its units. Read at the first call.
    pub(crate) fn exported(&self) -> Result<&ProgramSymbols> {
        let symbols = self.symbols()?;
        Ok(self.exported.get_or_init(|| {
            let crates = self
                .units
                .iter()
                .map(|loaded| loaded.unit.crate_name.clone());
            ProgramSymbols::new(symbols, &crates.collect())
        }))
    }

    /// Whether closures or async blocks of a function may outlive its calls. Yes, as long as that
    /// is not known.
    pub(crate) fn keeps_closures_of(&self, site: &str) -> bool {
        let known = self.kept_closures.get();
        known.is_none_or(|functions| functions.contains(site))
    }

    /// A function as the program was built.
    pub(crate) fn function(&self, (position, name): &SiteKey) -> Option<&DeclaredFunction> {
        let loaded = self.units.get(*position)?;
        let mut functions = loaded.files.values().flat_map(|items| &items.functions);
        functions.find(|function| function.site_name(&loaded.unit.crate_name) == *name)
    }

    /// The library itself, where patches have to name it: where it isn't the program.
    pub(crate) fn library(&self) -> Option<&Path> {
        self.is_plugin.then_some(&*self.executable)
    }

    /// The libraries that the program is started with and that cargo or the compiler made: `std`'s
    /// own under `prefer-dynamic`, crates of the type `dylib`.
    fn needed_libraries(&self) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        let mut waiting = vec![self.executable.clone()];
        while let Some(file) = waiting.pop() {
            for name in examine(&file, needed)? {
                let mut places = self.libraries.iter().map(|folder| folder.join(&name));
                if let Some(library) = places.find(|path| path.is_file()) {
                    if !found.contains(&library) {
                        waiting.push(library.clone());
                        found.push(library);
                    }
                }
            }
        }
        Ok(found)
    }

    /// Says so if the compiler was replaced since the program joined.
    pub(crate) fn other_compiler(&self) -> Option<String> {
        let main = &self.units.first()?.unit;
        let is_same = self.stamp.is_some() && Stamp::of(&self.rustc) == self.stamp;
        match is_same {
            true => None,
            false => toolchain::changed(&self.rustc, &main.version),
        }
    }

    /// The crate that was built again since the program was: its records are of another build now.
    pub(crate) fn outdated(&self) -> Option<&str> {
        let is_other = |loaded: &&Arc<LoadedUnit>| {
            Unit::read(&loaded.folder).map_or(true, |now| now.id != loaded.unit.id)
        };
        let loaded = self.units.iter().find(is_other)?;
        Some(&loaded.unit.crate_name)
    }

    /// Files whose changes concern the program: sources, and what was read when they were compiled.
    pub(crate) fn watched_files(&self) -> &BTreeSet<PathBuf> {
        &self.watched
    }

    /// How many of them the compiler read: sources of its crates and of others in reach, and what
    /// macros include.
    pub(crate) fn source_files(&self) -> usize {
        let is_read = |input: &Input| matches!(input.role, Role::Read | Role::Dependency(_));
        let files = self.units.iter().flat_map(|loaded| {
            let inputs = loaded.unit.inputs.iter();
            let read = inputs.filter(move |(_, input)| is_read(input));
            loaded.unit.sources.iter().chain(read.map(|(path, _)| path))
        });
        files.collect::<BTreeSet<_>>().len()
    }

    /// The manifests and lock files that its crates were built with, with hashes of what they held.
    pub(crate) fn manifests(&self) -> impl Iterator<Item = (&PathBuf, u64)> {
        let inputs = self.units.iter().flat_map(|loaded| &loaded.unit.inputs);
        let is_manifest = |input: &Input| matches!(input.role, Role::Manifest | Role::LockFile);
        let manifests = inputs.filter(move |(_, input)| is_manifest(input));
        manifests.map(|(path, input)| (path, input.hash))
    }

    /// Folders in which new files do so as well.
    pub(crate) fn watched_folders(&self) -> impl Iterator<Item = &Path> {
        let units = self.units.iter();
        units.flat_map(|loaded| loaded.unit.folders_of_build_script())
    }
}

impl LoadedUnit {
    pub(super) fn load(folder: PathBuf, unit: Unit) -> Result<Self> {
        let mut files = BTreeMap::new();
        let mut repeated = BTreeSet::new();
        let mut texts = BTreeMap::new();
        if unit.unmodified.is_none() {
            let read = |path: &Path| {
                let copy = below(&folder.join("sources"), path);
                std::fs::read_to_string(copy)
            };
            for file in shadow::tree(&unit, &read)?.files {
                let path = file.path.clone();
                texts.insert(path.clone(), hash_of(file.text.as_bytes()));
                let items = FileItems::of_parsed(unit.compiled_as(), file);
                if files.insert(path.clone(), Arc::new(items)).is_some() {
                    repeated.insert(path);
                }
            }
        }
        Ok(Self {
            uses: used_by(&unit).collect(),
            folder,
            unit,
            files,
            repeated,
            texts,
            fields_seen: OnceLock::new(),
            no_twin: Mutex::new(None),
        })
    }

    /// Whether a file still has the text that was compiled.
    pub(crate) fn compiled_text_is(&self, path: &Path, text: &str) -> bool {
        self.texts.get(path) == Some(&hash_of(text.as_bytes()))
    }

    /// The text that was compiled, as long as no later build has replaced it.
    pub(crate) fn compiled_text(&self, path: &Path) -> Option<String> {
        let copy = below(&self.folder.join("sources"), path);
        let text = std::fs::read_to_string(copy).ok()?;
        self.compiled_text_is(path, &text).then_some(text)
    }

    /// The text of a source that was compiled as it is, as long as no later build has replaced it.
    pub(crate) fn unmodified_text(&self, path: &Path) -> Option<String> {
        let read = self.unit.inputs.get(path)?;
        let copy = below(&self.folder.join("sources"), path);
        let text = std::fs::read_to_string(copy).ok()?;
        (hash_of(text.as_bytes()) == read.hash).then_some(text)
    }

    /// Who can see the fields of its types as they were compiled.
    pub(crate) fn fields_seen(&self) -> Result<&FieldsOfTypes> {
        if let Some(known) = self.fields_seen.get() {
            return Ok(known);
        }
        let read = |path: &Path| {
            let text = self.compiled_text(path);
            text.ok_or_else(|| io::ErrorKind::NotFound.into())
        };
        let tree = shadow::tree(&self.unit, &read)?;
        if let Some(error) = tree.errors.first() {
            bail!("{error}");
        }
        let seen = fields_seen(&tree);
        Ok(self.fields_seen.get_or_init(|| seen))
    }

    /// The text of what was compiled as a value, as long as no later build has replaced it.
    pub(crate) fn input_text(&self, path: &Path) -> String {
        let copy = below(&self.folder.join("sources"), path);
        let bytes = std::fs::read(copy).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The unit's twin, made now if it isn't there: another build may have put its own in its
    /// place.
    pub(crate) fn twin(&self, rustc: &Path, cancel: &Cancel) -> Result<Twin> {
        let mut none = self.no_twin.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*none {
            return Err(known.clone().into());
        }
        twin(&self.unit, &self.folder, rustc, cancel).inspect_err(|error| {
            // It would not compile another time either.
            *none = error.downcast_ref::<NoTwin>().cloned();
        })
    }
}

/// The units that a program was linked from, its own first, given its folder: from each to the
/// libraries it names. Their folders and records.
pub(crate) fn units_of(program: &Path) -> Result<Vec<(PathBuf, Unit)>> {
    let mut folders = vec![program.to_owned()];
    let mut units = Vec::new();
    while let Some(folder) = folders.get(units.len()).cloned() {
        let unit = Unit::read(&folder)?;
        for next in used_by(&unit) {
            if !folders.contains(&next) {
                folders.push(next);
            }
        }
        units.push((folder, unit));
    }
    Ok(units)
}

/// The folders of the units whose libraries a unit names.
fn used_by(unit: &Unit) -> impl Iterator<Item = PathBuf> {
    let libraries: Vec<PathBuf> = unit
        .rustc_args()
        .externs()
        .map(|(_, library)| unit.cwd.join(library))
        .collect();
    libraries
        .into_iter()
        .filter_map(|library| Unit::of_library(&library))
}

fn files(units: &[Arc<LoadedUnit>]) -> impl Iterator<Item = (usize, &Path, &FileItems)> {
    units.iter().enumerate().flat_map(|(position, loaded)| {
        let files = loaded.files.iter();
        files.map(move |(path, items)| (position, path.as_path(), &**items))
    })
}

/// The records must be those of this very program: a build in between has replaced them.
fn check_build(hello: &Hello, units: &[Arc<LoadedUnit>]) -> Result<()> {
    for theirs in &hello.units {
        let known = units
            .iter()
            .any(|u| format!("{:016x}", u.unit.id) == theirs.unit);
        let named = units.iter().any(|u| u.unit.crate_name == theirs.crate_name);
        if named && !known {
            bail!(
                "crate `{}` was built again after the program was started; restart it",
                theirs.crate_name
            );
        }
    }
    Ok(())
}

fn library_folders(units: &[Arc<LoadedUnit>], rustc: &Path) -> Vec<PathBuf> {
    let mut folders: BTreeSet<PathBuf> = BTreeSet::new();
    for loaded in units {
        for folder in loaded.unit.rustc_args().dependency_folders() {
            folders.insert(loaded.unit.cwd.join(folder));
        }
        if matches!(loaded.unit.kind, UnitKind::Bin | UnitKind::Plugin) {
            folders.insert(loaded.folder.clone());
        }
    }
    let sysroot = rustc.parent().and_then(Path::parent);
    let libraries = |sysroot: &Path| sysroot.join("lib/rustlib").join(os::TARGET).join("lib");
    folders.extend(sysroot.map(libraries));
    folders.into_iter().collect()
}
