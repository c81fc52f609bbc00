//! Slots: places in the data of the program and its libraries that hold an address because the
//! dynamic linker put it there, such as those of vtables. Which they are is read in the tables that
//! it worked from.
//!
//! # Ordering
//! A slot is replaced with one Release store of a whole address, if it still holds the old one.
//! Other threads read it as they always did, with plain loads: on x86-64 these see the old address
//! or the new one, and who sees the new one sees all that was written before it.
//!
//! Knows nothing of what stands at the addresses.

use std::collections::HashMap;
use std::ffi::{c_int, c_void};
use std::io;
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::mm::{mprotect, MprotectFlags};

/// Kinds of relocations that put an address into a word: `R_X86_64_64`, `…_GLOB_DAT`,
/// `…_RELATIVE`.
const ADDRESSES: [u64; 3] = [1, 6, 8];

/// Tags of a dynamic section.
const DT_NULL: u64 = 0;
const DT_RELA: u64 = 7;
const DT_RELASZ: u64 = 8;
const DT_RELRSZ: u64 = 35;
const DT_RELR: u64 = 36;

const WORD: usize = size_of::<usize>();

/// The program or a library, as it is loaded.
#[derive(Debug, Default)]
struct Image {
    base: usize,
    /// Where it is in memory.
    parts: Vec<Part>,
    /// Its dynamic section.
    dynamic: Option<usize>,
    /// What can't be written any more since it was loaded.
    fixed: Range<usize>,
}

#[derive(Debug)]
struct Part {
    range: Range<usize>,
    /// It could be written when it was loaded.
    is_data: bool,
}

/// Puts into all slots that hold one of the addresses in `new` the address that stands there for
/// it, but for slots in `except`. Returns how many there were. After an error, some may have it.
///
/// # Safety
/// Of each pair, either can be used for the other, by any thread and from now on. Nobody else calls
/// this meanwhile: what one makes writable, the other would make read-only before it is written.
pub(super) unsafe fn replace(
    new: &HashMap<usize, usize>,
    except: &[Range<usize>],
) -> io::Result<usize> {
    let mut known = 0;
    each_image(&mut |image| {
        let is_here = |address: &&usize| image.base != 0 && image.part(**address).is_some();
        known += new.keys().filter(is_here).count();
    });
    if known != new.len() {
        return Err(io::Error::other(
            "it was linked to a fixed address, so its slots aren't known",
        ));
    }
    let mut written = Ok(0);
    each_image(&mut |image| {
        if let Ok(count) = written {
            // SAFETY: the caller's promise.
            written = unsafe { image.replace(new, except) }.map(|more| count + more);
        }
    });
    written
}

/// Calls `look` for all that is loaded. Until that returns, the dynamic linker unloads nothing: it
/// waits for whoever looks at its list, as it does for a panic that unwinds.
fn each_image(look: &mut dyn FnMut(&Image)) {
    let mut look = look;
    // SAFETY: `visit` takes what it is called with for what it is, and isn't called after this.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut look).cast()) };
}

/// # Safety
/// `look` points to a `&mut dyn FnMut(&Image)` that nobody else uses.
unsafe extern "C" fn visit(
    info: *mut libc::dl_phdr_info,
    _size: usize,
    look: *mut c_void,
) -> c_int {
    // SAFETY: the dynamic linker describes an image that is loaded; the rest is promised.
    let (info, look) = unsafe { (&*info, &mut *look.cast::<&mut dyn FnMut(&Image)>()) };
    if info.dlpi_phdr.is_null() {
        return 0;
    }
    let base = info.dlpi_addr as usize;
    let mut image = Image {
        base,
        ..Image::default()
    };
    // SAFETY: the image has that many headers.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    for header in headers {
        let start = base.wrapping_add(header.p_vaddr as usize);
        let range = start..start.wrapping_add(header.p_memsz as usize);
        match header.p_type {
            libc::PT_LOAD => image.parts.push(Part {
                range,
                is_data: header.p_flags & libc::PF_W != 0,
            }),
            libc::PT_DYNAMIC => image.dynamic = Some(start),
            libc::PT_GNU_RELRO => {
                let size = rustix::param::page_size();
                image.fixed = start & !(size - 1)..range.end & !(size - 1);
            }
            _ => {}
        }
    }
    look(&image);
    0
}

impl Image {
    fn part(&self, address: usize) -> Option<&Part> {
        self.parts.iter().find(|part| part.range.contains(&address))
    }

    /// # Safety
    /// As for [`replace`]; and the image stays until this returns.
    unsafe fn replace(
        &self,
        new: &HashMap<usize, usize>,
        except: &[Range<usize>],
    ) -> io::Result<usize> {
        let mut count = 0;
        for slot in self.slots().into_iter().filter(|slot| slot % WORD == 0) {
            let place: *const AtomicUsize = ptr::with_exposed_provenance(slot);
            // SAFETY: a word of the image, into which the dynamic linker has put an address.
            let held = unsafe { &*place };
            let old = held.load(Ordering::Relaxed);
            let new = new.get(&old);
            let Some(new) = new.filter(|_| !except.iter().any(|range| range.contains(&slot)))
            else {
                continue;
            };
            // SAFETY: it can be used for the one that is there, and nobody else writes, by the
            // caller's promise.
            unsafe { self.write(held, (old, *new)) }?;
            count += 1;
        }
        Ok(count)
    }

    /// # Safety
    /// The slot is one of the image's, and the rest as for [`replace`].
    unsafe fn write(&self, slot: &AtomicUsize, (old, new): (usize, usize)) -> io::Result<()> {
        let address = ptr::from_ref(slot).addr();
        if !self.part(address).is_some_and(|part| part.is_data) {
            return Err(io::Error::other("an address stands in its code"));
        }
        let size = rustix::param::page_size();
        let start = address & !(size - 1);
        let page: *mut c_void = ptr::with_exposed_provenance_mut(start);
        let protect = |flags| -> io::Result<()> {
            match self.fixed.contains(&start) {
                // SAFETY: a whole page of the image's data, which the dynamic linker has made
                // read-only when it had written it, and which nobody else changes. It can always be
                // read, so no other thread notices. A child that is forked in between keeps a page
                // that could be written, which nobody does.
                true => Ok(unsafe { mprotect(page, size, flags) }?),
                false => Ok(()),
            }
        };
        protect(MprotectFlags::READ | MprotectFlags::WRITE)?;
        // If the program itself has changed it meanwhile, it is the program's.
        let _ = slot.compare_exchange(old, new, Ordering::Release, Ordering::Relaxed);
        protect(MprotectFlags::READ)
    }

    /// Where the dynamic linker has put addresses.
    fn slots(&self) -> Vec<usize> {
        let mut slots = Vec::new();
        for &[offset, kind, _] in self.table::<3>(DT_RELA, DT_RELASZ) {
            if ADDRESSES.contains(&(kind & 0xffff_ffff)) {
                slots.push(self.base.wrapping_add(offset as usize));
            }
        }
        let mut next = 0;
        for &[entry] in self.table::<1>(DT_RELR, DT_RELRSZ) {
            if entry & 1 == 0 {
                let slot = self.base.wrapping_add(entry as usize);
                slots.push(slot);
                next = slot.wrapping_add(WORD);
                continue;
            }
            // One bit for each of the words that follow.
            let bits = (0..63).filter(|bit| entry >> (bit + 1) & 1 == 1);
            slots.extend(bits.map(|bit| next.wrapping_add(bit * WORD)));
            next = next.wrapping_add(63 * WORD);
        }
        slots.retain(|slot| self.part(*slot).is_some());
        slots
    }

    /// A table of the dynamic section.
    fn table<const N: usize>(&self, start: u64, size: u64) -> &[[u64; N]] {
        let (Some(start), Some(size)) = (self.tag(start), self.tag(size)) else {
            return &[];
        };
        // The dynamic linker has made an address of it, unless it leaves the section as it is.
        let start = match start as usize {
            start if start < self.base => start + self.base,
            start => start,
        };
        if self.part(start).is_none() {
            return &[];
        }
        let table: *const [u64; N] = ptr::with_exposed_provenance(start);
        // SAFETY: the dynamic linker has read the same table at the same place, and the image is
        // there as long as it is looked at.
        unsafe { std::slice::from_raw_parts(table, size as usize / size_of::<[u64; N]>()) }
    }

    fn tag(&self, wanted: u64) -> Option<u64> {
        let mut entry: *const [u64; 2] = ptr::with_exposed_provenance(self.dynamic?);
        loop {
            // SAFETY: the section ends with an entry of the tag 0.
            match unsafe { *entry } {
                [DT_NULL, _] => return None,
                [tag, value] if tag == wanted => return Some(value),
                // SAFETY: it wasn't the last.
                _ => entry = unsafe { entry.add(1) },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;

    fn old(n: u32) -> u32 {
        n + 1
    }

    fn new(n: u32) -> u32 {
        n + 2
    }

    static TABLE: [fn(u32) -> u32; 2] = [old, old];

    fn read(at: usize) -> fn(u32) -> u32 {
        // SAFETY: a static.
        unsafe { ptr::read_volatile(&raw const TABLE[at]) }
    }

    #[test]
    fn slots_are_found_and_written() {
        let to = (new as *const ()).expose_provenance();
        let from = (read(0) as *const ()).addr();
        let second = (&raw const TABLE[1]).addr();
        let except = second..second + WORD;
        // SAFETY: both are functions of one type.
        let count = unsafe { replace(&HashMap::from([(from, to)]), slice::from_ref(&except)) };
        assert!(count.expect("replaced") >= 1);
        assert_eq!((read(0)(1), read(1)(1)), (3, 2));
        // What nothing leads to.
        // SAFETY: nothing is to be replaced.
        let none = unsafe { replace(&HashMap::from([(from + 1, to)]), &[]) };
        assert_eq!(none.expect("nothing to do"), 0);
        // What stands nowhere.
        // SAFETY: as above.
        let unknown = unsafe { replace(&HashMap::from([(1, to)]), &[]) };
        assert!(unknown.is_err());
    }
}
