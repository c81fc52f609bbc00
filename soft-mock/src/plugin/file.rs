//! The files of managed plugins: they are read and checked like those of patches, but the library
//! that comes of one can be closed again, by who knows that nothing refers to it any more.
//!
//! Knows the file and the dynamic linker, not what the manifest's values mean.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use object::read::elf::ElfFile64;
use object::{Endianness, Object, ObjectSection, ObjectSymbol};
use serde::Deserialize;
use soft_mock_abi::checksum;
use soft_mock_abi::manifest::{ManifestError, FORMAT, MANAGED};
use soft_mock_abi::section;
use soft_mock_runtime::images::Image as SitesImage;
use soft_mock_runtime::loader::{self, Headers, LoadError, Refusal};
use soft_mock_runtime::platform;

/// Functions through which code can stay reachable after its library was closed.
const OUTLIVING: [&str; 8] = [
    "pthread_create",
    "clone",
    "clone3",
    "signal",
    "sigaction",
    "atexit",
    "on_exit",
    "pthread_atfork",
];

/// The bytes of a plugin's file, which nobody else could have written.
#[derive(Debug)]
pub(crate) struct ManagedBytes {
    path: PathBuf,
    bytes: Vec<u8>,
}

/// What a managed plugin's file says of itself.
#[derive(Debug)]
pub(crate) struct ManagedFile {
    bytes: ManagedBytes,
    pub(crate) manifest: ManagedManifest,
    /// The lines about the crates of shared types.
    pub(crate) shared: Vec<u8>,
    /// The memory that the library takes.
    pub(crate) memory: u64,
    /// The first imported function by which the code could outlive its library.
    pub(crate) outliving: Option<String>,
    /// Where it can be patched.
    patchable: Option<Patchable>,
    defines_entry: bool,
}

/// What a plugin that was built to be patched says of itself. Addresses are those in the file.
#[derive(Debug)]
struct Patchable {
    program: String,
    sites: u64,
    size: u64,
    entry: u64,
}

/// The manifest of a managed plugin.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ManagedManifest {
    /// The compiler that built it.
    pub(crate) rustc: String,
    /// The plugin's name.
    pub(crate) plugin: String,
}

#[derive(Deserialize)]
struct Head {
    format: u32,
    kind: String,
}

/// Reads the file, if only this user (or root) could have written it.
pub(crate) fn read(path: &Path) -> Result<ManagedBytes, LoadError> {
    match loader::read(path) {
        Ok(bytes) => Ok(ManagedBytes {
            path: path.to_owned(),
            bytes,
        }),
        Err(refusal) => Err(refusal.of(path)),
    }
}

impl ManagedBytes {
    /// A hash of the content.
    pub(crate) fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.bytes);
        hasher.finish()
    }

    /// Checks the file and reads what it says of itself; none of its code runs.
    pub(crate) fn parse(self, entry: &str) -> Result<ManagedFile, LoadError> {
        let path = self.path.clone();
        self.parse_file(entry).map_err(|refusal| refusal.of(path))
    }

    fn parse_file(self, entry: &str) -> Result<ManagedFile, Refusal> {
        let headers = Headers::read(&self.bytes)?;
        checksum::check(&self.bytes)?;
        let manifest = parse_manifest(headers.manifest)?;
        let memory = headers.memory;
        let defines_entry = headers.defines(entry);
        let file = ElfFile64::<Endianness>::parse(self.bytes.as_slice()).map_err(damaged)?;
        let shared = match file.section_by_name(section::SHARED) {
            Some(section) => section.data().map_err(damaged)?.to_vec(),
            None => Vec::new(),
        };
        let outliving = file
            .dynamic_symbols()
            .filter(|symbol| symbol.is_undefined())
            .filter_map(|symbol| symbol.name().ok())
            .find(|name| OUTLIVING.contains(name))
            .map(str::to_owned);
        let patchable = patchable(&file, entry);
        let file = ManagedFile {
            patchable,
            manifest,
            shared,
            memory,
            outliving,
            defines_entry,
            bytes: self,
        };
        match file.defines_entry {
            true => Ok(file),
            false => Err(Refusal::Symbol {
                name: file.manifest.plugin,
                symbol: entry.to_owned(),
            }),
        }
    }
}

/// None for a plugin that was not built to be patched.
fn patchable(file: &ElfFile64<'_, Endianness>, entry: &str) -> Option<Patchable> {
    let program = file.section_by_name(section::UNIT)?.data().ok()?;
    let program = std::str::from_utf8(program).ok()?.trim_end_matches('\0');
    let sites = file.section_by_name(section::SITES)?;
    let mut symbols = file.dynamic_symbols();
    let entry = symbols.find(|symbol| symbol.name() == Ok(entry))?;
    Some(Patchable {
        program: program.to_owned(),
        sites: sites.address(),
        size: sites.size(),
        entry: entry.address(),
    })
}

fn damaged(cause: object::Error) -> Refusal {
    Refusal::Damaged {
        cause: cause.to_string(),
    }
}

fn parse_manifest(section: &[u8]) -> Result<ManagedManifest, ManifestError> {
    let padding = section.iter().rev().take_while(|byte| **byte == 0).count();
    let text = &section[..section.len() - padding];
    let head: Head = serde_json::from_slice(text)?;
    match head {
        Head { format, .. } if format != FORMAT => Err(ManifestError::Format { found: format }),
        Head { kind, .. } if kind != MANAGED => Err(ManifestError::NotManaged { found: kind }),
        _ => Ok(serde_json::from_slice(text)?),
    }
}

impl ManagedFile {
    /// The file that it was read from.
    pub(crate) fn path(&self) -> &Path {
        &self.bytes.path
    }

    /// Opens a private copy of the bytes that were checked.
    ///
    /// # Safety
    /// The library's initialisers run. The caller has compared compiler and shared types.
    pub(crate) unsafe fn open(&self) -> Result<ManagedLibrary, LoadError> {
        let copy = loader::copy(self.path(), &self.bytes.bytes)
            .map_err(|refusal| refusal.of(self.path()))?;
        // SAFETY: the caller's promise; the copy lies where nobody else can write.
        match unsafe { Library::open(Some(&copy), RTLD_NOW | RTLD_LOCAL) } {
            Ok(library) => Ok(ManagedLibrary {
                library: ManuallyDrop::new(library),
                copy,
            }),
            Err(error) => {
                // Best effort: what stays is removed with its folder when the process ends.
                let _ = fs::remove_file(&copy);
                Err(Refusal::Dlopen {
                    cause: error.to_string(),
                }
                .of(self.path()))
            }
        }
    }
}

/// An open library. Dropping it leaves the code where it is; only [`ManagedLibrary::close`] takes
/// it away.
#[derive(Debug)]
pub(crate) struct ManagedLibrary {
    library: ManuallyDrop<Library>,
    copy: PathBuf,
}

impl ManagedLibrary {
    /// Makes an image of a library that can be patched. None, also, if its sites can't be used:
    /// then it can't be patched, but serves as well as any.
    ///
    /// # Safety
    /// None of the library's own code has run but its initialisers, and it is closed only after
    /// [`SitesImage::try_close`].
    pub(crate) unsafe fn image(
        &self,
        file: &ManagedFile,
        entry: &str,
    ) -> Option<&'static SitesImage> {
        let patchable = file.patchable.as_ref()?;
        // SAFETY: only its address is used.
        let address = unsafe { self.function::<unsafe extern "C" fn()>(entry) }? as *const u8;
        // The library lies in memory as its headers say, moved by some distance.
        let start = address.map_addr(|entry_at| {
            let moved = entry_at.wrapping_sub(patchable.entry as usize);
            moved.wrapping_add(patchable.sites as usize)
        });
        let stop = start.wrapping_add(patchable.size as usize);
        // SAFETY: the section's bounds by the headers of this very file, which holds only sites;
        // the rest is the caller's promise.
        let made =
            unsafe { SitesImage::new(start.cast(), stop.cast(), &self.copy, &patchable.program) };
        made.inspect_err(|error| {
            tracing::warn!(plugin = file.manifest.plugin, %error, "plugin can't be patched");
        })
        .ok()
    }

    /// # Safety
    /// `F` is the type of a function pointer, and the symbol a function of that type.
    pub(crate) unsafe fn function<F: Copy>(&self, symbol: &str) -> Option<F> {
        // SAFETY: `Option` of a function pointer is a pointer that may be null; the rest is
        // promised.
        let found = unsafe { self.library.get::<Option<F>>(symbol.as_bytes()) };
        *found.ok()?
    }

    /// Closes the library; says whether its code is really gone. It stays when a thread has still
    /// to run destructors of the library's thread-locals.
    ///
    /// # Safety
    /// Nothing refers to the library's code or data any more.
    pub(crate) unsafe fn close(self) -> bool {
        let copy = self.copy;
        // An error means that the dynamic linker keeps it, which is asked below.
        let _ = ManuallyDrop::into_inner(self.library).close();
        let gone = !platform::is_mapped(&copy);
        // Best effort, as above.
        let _ = fs::remove_file(&copy);
        gone
    }
}
