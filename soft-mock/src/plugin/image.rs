//! Libraries of plugins: opening them, and taking them away when that is safe.
//!
//! A library can be closed only when no pointer into it is left anywhere. That is shown, not hoped
//! for:
//!
//! - what is handed out by this crate is counted ([`Life`](super::life::Life));
//! - what could leave uncounted is noted ([`Escape`](super::life::Escape)): a library with a note
//!   stays;
//! - what could go from plugin to plugin goes along imports, in both directions. So libraries that
//!   are linked by imports go together, when all of them are free and none has a note.
//!
//! Plain data holds no pointer into the library that made it: its memory is the host's allocator's.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use soft_mock_abi::symbol::PLUGIN_ENTRY;

use super::border::{own_table, Entry};
use super::error::PluginError;
use super::file::{ManagedFile, ManagedLibrary};
use super::hooks::Declaration;
use super::life::{Escape, Escapes};
use soft_mock_runtime::images::{self, ImageEvent};

/// The libraries that this process has opened and not closed.
static OPEN: Mutex<Vec<Opened>> = Mutex::new(Vec::new());

/// The next library's number; never used twice.
static NUMBERS: AtomicU64 = AtomicU64::new(0);

#[derive(Debug)]
struct Opened {
    number: u64,
    plugin: String,
    memory: u64,
    escapes: Arc<Escapes>,
    library: Option<ManagedLibrary>,
    /// Its plugin's value is dropped, and nobody holds anything of it.
    free: bool,
    /// Those that it imports from and that import from it.
    links: Vec<u64>,
    /// Where it can be patched.
    patchable: Option<&'static images::Image>,
    kept_by_system: bool,
}

/// A version that is no longer used but whose library is still loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retained {
    /// The plugin.
    pub plugin: String,
    /// The memory of its library, in bytes.
    pub memory: u64,
    /// Why it stays.
    pub reason: String,
}

/// One opened library.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) number: u64,
    pub(crate) escapes: Arc<Escapes>,
    pub(crate) memory: u64,
    /// The compiler, and the lines about the shared crates.
    pub(crate) built_by: String,
    pub(crate) shared: Vec<u8>,
    /// Where it can be patched.
    patchable: Option<&'static images::Image>,
}

impl Image {
    /// Tells whoever patches this process that calls go to this version from now on, or no longer.
    pub(crate) fn tell(&self, event: ImageEvent) {
        if let Some(patchable) = self.patchable {
            patchable.tell(event);
        }
    }
}

/// Opens a checked file and asks it for its declaration.
///
/// # Safety
/// Its compiler and the types that it shares are those of the host: they have been compared.
pub(crate) unsafe fn open(file: &ManagedFile) -> Result<(Image, Declaration), PluginError> {
    let plugin = file.manifest.plugin.clone();
    // SAFETY: the caller's promise.
    let library = unsafe { file.open() }?;
    // SAFETY: it was just opened, and `release` closes it.
    let patchable = unsafe { library.image(file, PLUGIN_ENTRY) };
    let refuse = |cause: String| PluginError::Entry {
        plugin: plugin.clone(),
        cause,
    };
    // SAFETY: that the symbol is a function was checked; the plugin's macro defines it with this
    // type.
    let entry = unsafe { library.function::<Entry>(PLUGIN_ENTRY) };
    let entry = entry.ok_or_else(|| refuse(format!("it has no `{PLUGIN_ENTRY}`")))?;
    let mut declaration = None;
    // SAFETY: the table is a static of this image, which stays: it is the program's, or that of a
    // plugin that has plugins of its own, which starts threads and so is never closed. The types
    // are compared.
    let wanted = unsafe { entry(own_table(), &raw mut declaration) };
    let declaration: Declaration =
        declaration.ok_or_else(|| refuse(format!("its entry has version {wanted}")))?;
    if !declaration.fits() {
        return Err(refuse(
            "the ids of the types that cross the border differ".to_owned(),
        ));
    }
    let escapes = Arc::new(Escapes::default());
    if file.outliving.is_some() {
        escapes.note(Escape::Threads);
    }
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
    open.push(Opened {
        number,
        plugin,
        memory: file.memory,
        escapes: Arc::clone(&escapes),
        library: Some(library),
        free: false,
        links: Vec::new(),
        patchable,
        kept_by_system: false,
    });
    let image = Image {
        number,
        escapes,
        memory: file.memory,
        built_by: file.manifest.rustc.clone(),
        shared: file.shared.clone(),
        patchable,
    };
    Ok((image, declaration))
}

/// Notes that one imports from the other.
pub(crate) fn link(one: &Image, other: &Image) {
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    for (from, to) in [(one.number, other.number), (other.number, one.number)] {
        if let Some(opened) = open.iter_mut().find(|opened| opened.number == from) {
            opened.links.push(to);
        }
    }
}

/// Notes that nothing that is counted uses the library any more, and closes what can be closed now.
///
/// # Safety
/// The plugin's value, its items and its export are dropped, and no call is inside the library.
pub(crate) unsafe fn release(image: &Image) {
    image.tell(ImageEvent::Replaced);
    let mut closing = Vec::new();
    {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = open.iter_mut().find(|opened| opened.number == image.number) {
            opened.free = true;
        }
        let group = group_of(&open, image.number);
        let closable = |number: &u64| {
            open.iter()
                .any(|opened| opened.number == *number && opened.is_closable())
        };
        if group.iter().all(closable) {
            for opened in open
                .iter_mut()
                .filter(|opened| group.contains(&opened.number))
            {
                closing.extend(
                    opened
                        .library
                        .take()
                        .map(|library| (opened.number, library)),
                );
            }
        }
    }
    // Outside of the lock: finalisers of the library run.
    for (number, library) in closing {
        // SAFETY: free, without a note, and so are all that it was linked with.
        let gone = unsafe { library.close() };
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        match gone {
            true => open.retain(|opened| opened.number != number),
            false => {
                for opened in open.iter_mut().filter(|opened| opened.number == number) {
                    opened.kept_by_system = true;
                }
            }
        }
    }
}

impl Opened {
    fn is_closable(&self) -> bool {
        let is_free = self.free && !self.escapes.any() && self.library.is_some();
        is_free && self.patchable.is_none_or(images::Image::try_close)
    }
}

/// The libraries that are linked with this one, by however many steps.
fn group_of(open: &[Opened], number: u64) -> Vec<u64> {
    let mut group = vec![number];
    let mut next = 0;
    while let Some(number) = group.get(next).copied() {
        next += 1;
        let links = open
            .iter()
            .find(|opened| opened.number == number)
            .map(|opened| opened.links.as_slice());
        for link in links.unwrap_or_default() {
            // Closed ones are gone, and with them every pointer that they held.
            if open.iter().any(|opened| opened.number == *link) && !group.contains(link) {
                group.push(*link);
            }
        }
    }
    group
}

/// The versions that are free but not unloaded.
pub(crate) fn retained() -> Vec<Retained> {
    let open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    let free = open.iter().filter(|opened| opened.free);
    free.map(|opened| Retained {
        plugin: opened.plugin.clone(),
        memory: opened.memory,
        reason: opened.reason(&open),
    })
    .collect()
}

impl Opened {
    fn reason(&self, open: &[Opened]) -> String {
        if self.escapes.any() {
            return self.escapes.to_string();
        }
        if self.patchable.is_some_and(images::Image::is_pinned) {
            return "a function of it was patched".to_owned();
        }
        if self.kept_by_system {
            return "the system keeps it for destructors of thread-locals".to_owned();
        }
        let group = group_of(open, self.number);
        let others = open
            .iter()
            .filter(|opened| group.contains(&opened.number) && !opened.is_closable());
        match others.map(|other| &other.plugin).next() {
            Some(other) => format!("`{other}`, which it is linked with, is in use or retained"),
            None => "it is being unloaded".to_owned(),
        }
    }
}

/// A hash of a file's content, as text.
pub(crate) fn hash_text(hash: u64) -> String {
    format!("{hash:016x}")
}
