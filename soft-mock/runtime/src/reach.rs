//! Which functions of the program are entered: a bit for each site, set when its prologue asks for
//! the first time.
//!
//! Every site gets one and the same hook, which answers "the original" and takes itself away. So a
//! function costs what it costs without, from its second call on; and a program that isn't watched
//! pays nothing. Knows nothing of patches and of who wants to know.
//!
//! # Not beside the rest of the runtime
//! Whoever patches or mocks a site owns its hook, and this would take that away. So it is refused
//! where the program has a runtime of its own; and a process in which it was begun gets no patches.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU64, Ordering};

use object::elf;
use object::read::elf::{FileHeader, SectionHeader};
use object::Endianness;
use soft_mock_abi::section;
use thiserror::Error;

use crate::registry::Site;
use crate::sync::{Code, HookHead};

/// Why it can't be told which functions are entered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReachError {
    /// The file of the program can't be read.
    #[error("the program's file can't be read: {0}")]
    File(String),
    /// No crate of it was built with sites, or they are of another version.
    #[error("the program has no sites that this runtime knows")]
    NoSites,
    /// The program can change the hooks by itself.
    #[error("the program has a runtime of its own")]
    OwnRuntime,
}

/// The functions that were entered.
pub struct Reach {
    sites: &'static [Site],
    recorder: &'static Recorder,
}

/// The hook of all sites.
#[repr(C)]
struct Recorder {
    /// What prologues know of it. First, so that a pointer to it is one to the recorder.
    head: HookHead,
    first: *const Site,
    bits: Vec<AtomicU64>,
}

// SAFETY: the only cells that change are atomics; `first` is only compared with.
unsafe impl Sync for Recorder {}

impl Reach {
    /// Watches the program of this process from now on.
    ///
    /// # Safety
    /// None of the program's own code has run, and no other copy of the runtime uses its sites.
    pub unsafe fn of_the_program() -> Result<Self, ReachError> {
        // SAFETY: the file is that of this program, so what it says of its memory is so.
        let sites = unsafe { sites() }?;
        // SAFETY: the caller's promise; the sites are those of the program, for ever.
        unsafe { Self::of(sites) }
    }

    /// # Safety
    /// Nobody else changes the hooks of these sites.
    unsafe fn of(sites: &'static [Site]) -> Result<Self, ReachError> {
        if sites
            .iter()
            .any(|site| site.is_sentinel() && site.unit() == 0)
        {
            return Err(ReachError::OwnRuntime);
        }
        let words = sites.len().div_ceil(64);
        let recorder: &'static Recorder = Box::leak(Box::new(Recorder {
            head: HookHead { enter },
            first: sites.as_ptr(),
            bits: (0..words).map(|_| AtomicU64::new(0)).collect(),
        }));
        for site in sites.iter().filter(|site| site.is_function()) {
            // SAFETY: the recorder lives for ever and begins with its head; `enter` may be called
            // with any of these sites, by any thread and in a signal handler.
            unsafe { site.set_hook((&raw const recorder.head).cast_mut()) };
        }
        Ok(Self { sites, recorder })
    }

    /// All sites, in the order of the bits.
    pub fn sites(&self) -> &'static [Site] {
        self.sites
    }

    /// A bit for each site, eight of them a byte, the lowest first.
    pub fn bits(&self) -> Vec<u8> {
        let words = self.recorder.bits.iter();
        let bytes = words.flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes());
        bytes.take(self.sites.len().div_ceil(8)).collect()
    }
}

/// What the prologue calls when a function is entered for the first time, or by several threads
/// before one of them was here.
///
/// # Safety
/// `site` is one of the sites for which `hook` was made, which is a recorder's head.
#[allow(improper_ctypes_definitions)] // As for `HookHead`.
unsafe extern "C" fn enter(site: *const Site, hook: *const HookHead) -> Option<Code> {
    // SAFETY: the caller's promise; recorders are never freed, and sites neither.
    let (recorder, site): (&Recorder, &Site) = unsafe { (&*hook.cast::<Recorder>(), &*site) };
    let index = ((&raw const *site).addr() - recorder.first.addr()) / size_of::<Site>();
    // Set before the hook goes away: who finds none knows that it was recorded.
    recorder.bits[index / 64].fetch_or(1 << (index % 64), Ordering::Relaxed);
    // SAFETY: null; nobody else changes the hooks of these sites.
    unsafe { site.set_hook(std::ptr::null_mut()) };
    None
}

/// The sites of the program, by what its file says.
///
/// # Safety
/// The file has not been replaced since it was started.
unsafe fn sites() -> Result<&'static [Site], ReachError> {
    let said = |error: object::Error| ReachError::File(error.to_string());
    let data = Mapped::program().map_err(|error| ReachError::File(error.to_string()))?;
    let header = elf::FileHeader64::<Endianness>::parse(&*data).map_err(said)?;
    let endian = header.endian().map_err(said)?;
    let sections = header.sections(endian, &*data).map_err(said)?;
    let section = sections.section_by_name(endian, section::SITES.as_bytes());
    let (_, section) = section.ok_or(ReachError::NoSites)?;
    let size = section.sh_size(endian) as usize;
    let start = program_base().wrapping_add(section.sh_addr(endian) as usize) as *const Site;
    if size == 0 || size % size_of::<Site>() != 0 || !start.is_aligned() {
        return Err(ReachError::NoSites);
    }
    // SAFETY: the section holds nothing but sites, and is mapped as long as the process lives. Of
    // another version, only that is looked at, which stands at the same place in all of them.
    let sites: &'static [Site] =
        unsafe { std::slice::from_raw_parts(start, size / size_of::<Site>()) };
    match sites
        .iter()
        .all(|site| site.version() == soft_mock_abi::site::LAYOUT)
    {
        true => Ok(sites),
        false => Err(ReachError::NoSites),
    }
}

/// The bytes of the program's file. Of a large one, only what is looked at is read.
struct Mapped {
    start: *const u8,
    size: usize,
}

impl Mapped {
    fn program() -> io::Result<Self> {
        let file = File::open("/proc/self/exe")?;
        let size = file.metadata()?.len() as usize;
        // SAFETY: a new mapping, wherever there is room, of a file that is open.
        let start = unsafe {
            let (protection, flags) = (libc::PROT_READ, libc::MAP_PRIVATE);
            libc::mmap(
                std::ptr::null_mut(),
                size,
                protection,
                flags,
                file.as_raw_fd(),
                0,
            )
        };
        match start == libc::MAP_FAILED {
            true => Err(io::Error::last_os_error()),
            false => Ok(Self {
                start: start.cast_const().cast(),
                size,
            }),
        }
    }
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: mapped until this is dropped; the kernel lets nobody write to a file that is
        // being executed.
        unsafe { std::slice::from_raw_parts(self.start, self.size) }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: the mapping is this one's own, and nothing borrows from it any more.
        unsafe { libc::munmap(self.start.cast_mut().cast(), self.size) };
    }
}

/// Where the program was loaded, as a distance from the addresses in its file.
fn program_base() -> usize {
    unsafe extern "C" fn first(
        info: *mut libc::dl_phdr_info,
        _size: libc::size_t,
        base: *mut libc::c_void,
    ) -> libc::c_int {
        // SAFETY: the dynamic linker passes a valid record, and our own pointer as it was given.
        unsafe { *base.cast::<usize>() = (*info).dlpi_addr as usize };
        1 // The program is the first of all: enough.
    }
    let mut base = 0_usize;
    // SAFETY: `first` keeps to what is asked of it, and `base` outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(first), (&raw mut base).cast()) };
    base
}

#[cfg(test)]
mod tests {
    use super::*;
    use soft_mock_abi::site::flag;

    fn leaked(flags: &[u32]) -> &'static [Site] {
        let sites = flags
            .iter()
            .map(|flags| Site::new(*flags, "f", "f.rs", 1, "fn()", None));
        Box::leak(sites.collect::<Vec<_>>().into_boxed_slice())
    }

    #[test]
    fn the_first_call_is_recorded_and_later_ones_cost_nothing() {
        let mut flags = vec![0; 70];
        flags[3] = flag::INSTANCES;
        let sites = leaked(&flags);
        // SAFETY: they are this test's own.
        let reach = unsafe { Reach::of(sites) }.expect("no runtime");
        assert!(
            !sites[3].is_hooked(),
            "instances have checks of another form"
        );
        assert_eq!(reach.bits(), [0; 9]);
        for entered in [0, 9, 69] {
            assert!(sites[entered].is_hooked());
            assert!(sites[entered].code().is_none(), "the original runs");
            assert!(!sites[entered].is_hooked());
        }
        assert_eq!(reach.bits(), [1, 2, 0, 0, 0, 0, 0, 0, 32]);
    }

    #[test]
    fn a_runtime_in_the_program_has_the_hooks_to_itself() {
        let sites = leaked(&[0, flag::SENTINEL]);
        // SAFETY: they are this test's own.
        let refused = unsafe { Reach::of(sites) };
        assert!(matches!(refused, Err(ReachError::OwnRuntime)));
        assert!(!sites[0].is_hooked());
    }
}
