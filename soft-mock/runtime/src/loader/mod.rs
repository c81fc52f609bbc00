//! From the path of a plugin to the code of its functions, or to one clear refusal.
//!
//! ```text
//! path → bytes (place) → ELF (elf) → checksum → manifest → sites of this program → private copy → dlopen → code
//!        └──────────── none of the plugin's code can run up to here ────────────┘
//! ```
//!
//! A plugin is never unloaded: strings, vtables and futures of the program may point into it. This
//! is the only module that knows dlopen; it changes no site, that is `patch`'s business.

mod elf;
mod error;
mod image;
mod late;
mod place;
mod slots;

use std::any::TypeId;
use std::path::{Path, PathBuf};

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_LOCAL, RTLD_NOW};
use soft_mock_abi::checksum;
use soft_mock_abi::late::LateCell;
use soft_mock_abi::manifest::{parse_unit, Function, Manifest};
use soft_mock_abi::site::{Code, Crate, Site};

use crate::registry::{FindError, Registry, Unit};
use crate::shared::{Shared, Turn};

pub use elf::Headers;
pub(crate) use error::Interrupted;
pub use error::{LoadError, Refusal};
pub use place::{copy, read};
pub(crate) use place::{is_own_folder, is_private};

/// A plugin that may be installed, as far as one can say without running any of its code.
#[derive(Debug)]
pub(crate) struct Checked {
    path: PathBuf,
    bytes: Vec<u8>,
    memory: u64,
    functions: Vec<(Function, &'static Site)>,
}

/// A plugin that is loaded; none of its functions is installed.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The memory that it takes.
    pub(crate) memory: u64,
    pub(crate) replacements: Vec<Replacement>,
}

/// The code that a plugin has for a function: of the type of that function, and never unloaded.
/// Only this module makes one, after it has compared them.
#[derive(Debug)]
pub(crate) struct Replacement {
    site: &'static Site,
    code: Code,
    pub(crate) file: String,
    pub(crate) line: u32,
}

impl Replacement {
    pub(crate) fn site(&self) -> &'static Site {
        self.site
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }
}

/// Checks all that can be checked before any code of the plugin runs.
pub(crate) fn check(path: &Path, registry: &Registry) -> Result<Checked, LoadError> {
    check_file(path, registry).map_err(|refusal| refusal.of(path))
}

fn check_file(path: &Path, registry: &Registry) -> Result<Checked, Refusal> {
    let bytes = place::read(path)?;
    let headers = Headers::read(&bytes)?;
    checksum::check(&bytes)?;
    let manifest = Manifest::parse(headers.manifest)?;
    let unit = unit_of(&manifest, &registry.units())?;
    let mut functions = Vec::with_capacity(manifest.functions.len());
    for function in manifest.functions {
        let site = match function.late.is_some() || function.sharing.is_some() {
            false => site_of(registry, unit.unit(), &function)?,
            true => late::site((registry.shared(), registry.domain()), unit, &function),
        };
        check_symbols(&headers, &function)?;
        functions.push((function, site));
    }
    let memory = headers.memory;
    Ok(Checked {
        path: path.to_owned(),
        bytes,
        memory,
        functions,
    })
}

/// The unit of this program that the plugin was built for, by the compiler that built the program.
fn unit_of(manifest: &Manifest, units: &[Unit]) -> Result<&'static Crate, Refusal> {
    let id = manifest.unit_id()?;
    let other_compiler = |unit: &Unit| Refusal::OtherCompiler {
        plugin: manifest.rustc.clone(),
        program: unit.krate.rustc().to_owned(),
    };
    match units.iter().find(|unit| unit.krate.unit() == id) {
        Some(unit) if unit.krate.rustc() == manifest.rustc => Ok(unit.krate),
        Some(unit) => Err(other_compiler(unit)),
        None => match units
            .iter()
            .find(|unit| unit.krate.name() == manifest.crate_name)
        {
            // Another compiler makes another unit; the compiler is what the user can do something
            // about.
            Some(unit) if unit.krate.rustc() != manifest.rustc => Err(other_compiler(unit)),
            _ => Err(other_unit(manifest, units)),
        },
    }
}

fn other_unit(manifest: &Manifest, units: &[Unit]) -> Refusal {
    let alike = |unit: &&Unit| unit.krate.name() == manifest.crate_name;
    let mut program: Vec<&Unit> = units.iter().filter(alike).collect();
    if program.is_empty() {
        program = units.iter().collect();
    }
    let describe = |unit: &&Unit| format!("{:016x} of `{}`", unit.krate.unit(), unit.krate.name());
    Refusal::OtherUnit {
        unit: manifest.unit.clone(),
        krate: manifest.crate_name.clone(),
        program: program.iter().map(describe).collect(),
    }
}

/// The site that a function of a manifest is meant for.
fn site_of(registry: &Registry, unit: u64, function: &Function) -> Result<&'static Site, Refusal> {
    let named: Vec<_> = in_unit(registry, unit, &function.name).collect();
    let mut same_signature = named
        .iter()
        .filter(|site| site.signature() == function.signature);
    match (
        named.as_slice(),
        same_signature.next(),
        same_signature.next(),
    ) {
        ([], _, _) => Err(unknown(registry, &function.name)),
        (_, Some(site), None) => Ok(site),
        ([site, ..], None, _) => Err(Refusal::Signature {
            name: function.name.clone(),
            plugin: function.signature.clone(),
            program: site.signature().to_owned(),
        }),
        (_, Some(_), Some(_)) => Err(ambiguous(&function.name, &named)),
    }
}

/// The site of a function that is to get its original body back. Of one that plugins have brought
/// with several signatures: those of all.
pub(crate) fn sites_to_restore(
    registry: &Registry,
    unit: &str,
    name: &str,
) -> Result<Vec<&'static Site>, Refusal> {
    let id = parse_unit(unit).ok_or_else(|| soft_mock_abi::manifest::ManifestError::Unit {
        found: unit.to_owned(),
    })?;
    let named: Vec<_> = in_unit(registry, id, name).collect();
    match named.as_slice() {
        [] => {
            let late = late::named(registry.shared(), registry.domain(), id, name);
            match late[..] {
                [] => Err(unknown(registry, name)),
                [_] => Ok(late),
                _ if late
                    .iter()
                    .all(|site| late::is_brought(registry.shared(), site)) =>
                {
                    Ok(late)
                }
                ref several => Err(ambiguous(name, several)),
            }
        }
        [site] => Ok(vec![*site]),
        several => Err(ambiguous(name, several)),
    }
}

fn in_unit<'a>(
    registry: &'a Registry,
    unit: u64,
    name: &str,
) -> impl Iterator<Item = &'static Site> + 'a {
    let named = registry.named(name).iter().copied();
    named.filter(move |site| site.unit() == unit)
}

fn unknown(registry: &Registry, name: &str) -> Refusal {
    Refusal::Function(FindError::Unknown {
        name: name.to_owned(),
        nearest: registry.nearest(name),
    })
}

fn ambiguous(name: &str, named: &[&'static Site]) -> Refusal {
    Refusal::Function(FindError::Ambiguous {
        name: name.to_owned(),
        candidates: named
            .iter()
            .map(|site| format!("{name}@{}", site.place()))
            .collect(),
    })
}

fn check_symbols(headers: &Headers<'_>, function: &Function) -> Result<(), Refusal> {
    let symbols = function.check.iter().chain(&function.type_id);
    let symbols = std::iter::once(&function.symbol).chain(symbols);
    match symbols.into_iter().find(|symbol| !headers.defines(symbol)) {
        None => Ok(()),
        Some(symbol) => Err(missing(function, symbol)),
    }
}

fn missing(function: &Function, symbol: &str) -> Refusal {
    Refusal::Symbol {
        name: function.name.clone(),
        symbol: symbol.to_owned(),
    }
}

impl Checked {
    /// The plugin's own file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The functions that it replaces.
    pub(crate) fn sites(&self) -> impl Iterator<Item = &'static Site> + '_ {
        self.functions.iter().map(|(_, site)| *site)
    }

    /// Loads the plugin: from here on its code is in the process, though nothing calls it. Its
    /// private copy goes into `copies`, a private folder that somebody else removes, or into one
    /// of this process's own. `image` is the library that it changes, if that isn't the program.
    pub(crate) fn load(
        self,
        copies: Option<&Path>,
        image: Option<&Path>,
        turn: &Turn,
    ) -> Result<Loaded, LoadError> {
        let path = self.path.clone();
        self.load_copy(copies, image, turn)
            .map_err(|refusal| refusal.of(path))
    }

    fn load_copy(
        mut self,
        copies: Option<&Path>,
        image: Option<&Path>,
        turn: &Turn,
    ) -> Result<Loaded, Refusal> {
        image::bind(&mut self.bytes, image)?;
        let copy = match copies {
            Some(folder) => place::copy_into(folder, &self.path, &self.bytes)?,
            None => place::copy(&self.path, &self.bytes)?,
        };
        // SAFETY: the constructors of a library can do anything; these bytes were built for this
        // program by its own user (`read` and `check_file`, which made `self`), who asked
        // for them, and nobody else can write the copy.
        let library = unsafe { open(&copy, image.is_some()) }.inspect_err(|_| {
            // Refused, so nothing refers to the copy.
            let _ = std::fs::remove_file(&copy);
        })?;
        let mut replacements = Vec::with_capacity(self.functions.len());
        for (function, site) in self.functions {
            let code = library.replacement(&function, site, turn)?;
            if let Some(cell) = &function.late {
                library.fill(turn.shared(), (&function, cell), site)?;
            }
            if let Some(sharing) = &function.sharing {
                library.share(turn.shared(), (&function, sharing), site)?;
            }
            replacements.push(Replacement {
                site,
                code,
                file: function.file,
                line: function.line,
            });
        }
        late::lead_slots(turn)?;
        Ok(Loaded {
            memory: self.memory,
            replacements,
        })
    }
}

/// A library that stays loaded when this value goes: see the module's documentation.
struct Kept(std::mem::ManuallyDrop<Library>);

/// # Safety
/// The library's initialisers run: the file is one that was checked, and nobody else can write it.
unsafe fn open(copy: &Path, for_image: bool) -> Result<Kept, Refusal> {
    open_mathematics();
    let how = RTLD_NOW | RTLD_LOCAL | if for_image { image::FIRST } else { 0 };
    // NOW, so that a symbol that is nowhere is found out here and not in the middle of a call.
    // SAFETY: the caller's promise.
    let library = unsafe { Library::open(Some(copy), how) };
    match library {
        Ok(library) => Ok(Kept(std::mem::ManuallyDrop::new(library))),
        Err(error) => Err(Refusal::Dlopen {
            cause: describe(&error, copy),
        }),
    }
}

/// New code may call what std has of the C library's mathematics (`f32::round`, `sin`). A program
/// that calls none was linked without, and a plugin finds only what the process has.
fn open_mathematics() {
    // SAFETY: the C library's own part, by its fixed name; nothing of it runs until it is called.
    let library = unsafe { Library::open(Some("libm.so.6"), RTLD_NOW | RTLD_GLOBAL) };
    // It stays for whoever uses it. Without one, a plugin that needs it is refused by name.
    std::mem::forget(library);
}

/// The dynamic linker's own words, without the name of the copy that nobody knows.
fn describe(error: &libloading::Error, copy: &Path) -> String {
    let words = match error {
        libloading::Error::DlOpen { desc } => format!("{desc:?}").trim_matches('"').to_owned(),
        other => other.to_string(),
    };
    words.replace(&format!("{}: ", copy.display()), "")
}

type Comparison = unsafe extern "C" fn(*const ()) -> u8;

impl Kept {
    /// The code for a site, if its type is the site's.
    fn replacement(&self, function: &Function, site: &Site, turn: &Turn) -> Result<Code, Refusal> {
        // SAFETY: the symbol is a function that the plugin defines (`check_symbols`); its real type
        // is erased in `Code`, and it is called only as what the site's prologue takes it for.
        let code = unsafe { self.function::<Code>(&function.symbol) };
        let code = code.ok_or_else(|| missing(function, &function.symbol))?;
        // Where there is no id to compare, the texts of the signatures were compared, and the
        // plugin was compiled against this very unit.
        let type_id = match &function.type_id {
            Some(symbol) => Some(self.type_id(turn, (function, symbol), site)?),
            // SAFETY: not called, but handed to the plugin, which is of the program's compiler
            // (`unit_of`).
            None => unsafe { site.type_id() },
        };
        if let (Some(check), Some(type_id)) = (&function.check, type_id) {
            self.compare(function, check, type_id)?;
        }
        Ok(code)
    }

    /// What says the type of a function that plugins bring.
    fn type_id(
        &self,
        turn: &Turn,
        (function, symbol): (&Function, &str),
        site: &Site,
    ) -> Result<fn() -> TypeId, Refusal> {
        // SAFETY: the manifest says that this symbol is of this type; it isn't called here.
        let own = unsafe { self.function::<fn() -> TypeId>(symbol) };
        let own = own.ok_or_else(|| missing(function, symbol))?;
        Ok(late::type_id(turn, site, own))
    }

    /// Fills the cell of a late site.
    fn fill(
        &self,
        shared: &Shared,
        (function, cell): (&Function, &str),
        site: &'static Site,
    ) -> Result<(), Refusal> {
        let cell: *mut LateCell = self.address(function, cell)?;
        // SAFETY: the manifest says that this symbol is the cell of the site's function, and the
        // library is never closed.
        unsafe { late::fill(shared, cell, site) }
        Ok(())
    }

    /// Makes a site of the plugin's own do what the site of all plugins does.
    fn share(
        &self,
        shared: &'static Shared,
        (function, symbol): (&Function, &str),
        site: &'static Site,
    ) -> Result<(), Refusal> {
        let own: *mut Site = self.address(function, symbol)?;
        // SAFETY: the manifest says that this symbol is room for a site of the function. The
        // library is never closed, and nothing calls its code before this returns.
        unsafe { late::share(shared, own, site) }
        Ok(())
    }

    /// Where a symbol is that a function needs.
    fn address<T>(&self, function: &Function, symbol: &str) -> Result<*mut T, Refusal> {
        // SAFETY: the address alone is taken.
        let found = unsafe { self.0.get::<*mut T>(symbol.as_bytes()) };
        let found = found.map_err(|_| missing(function, symbol))?;
        Ok(found.as_raw_ptr().cast())
    }

    fn compare(
        &self,
        function: &Function,
        check: &str,
        type_id: fn() -> TypeId,
    ) -> Result<(), Refusal> {
        // SAFETY: the manifest says that this symbol is of this type.
        let compare = unsafe { self.function::<Comparison>(check) };
        let compare = compare.ok_or_else(|| missing(function, check))?;
        // The id is of the user's compiler, and so is whoever looks at it: not we, but the plugin.
        // SAFETY: the plugin takes the pointer for the `fn() -> TypeId` that it is.
        match unsafe { compare(type_id as *const ()) } {
            1 => Ok(()),
            _ => Err(Refusal::Types {
                name: function.name.clone(),
                signature: function.signature.clone(),
            }),
        }
    }

    /// # Safety
    /// `F` is the type of a function pointer, and the symbol a function that may be taken for one.
    unsafe fn function<F: Copy>(&self, symbol: &str) -> Option<F> {
        // SAFETY: `Option` of a function pointer is a pointer that may be null; the rest is
        // promised.
        let found = unsafe { self.0.get::<Option<F>>(symbol.as_bytes()) };
        *found.ok()?
    }
}
