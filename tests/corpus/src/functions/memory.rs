//! Reads from a living process, from outside, what runs at its sites.
//!
//! Repeats in a few lines by which rules a call decides (`soft_mock_abi::site`,
//! `soft_mock_runtime::hook`); so what is found here doesn't depend on what the process says of
//! itself.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{bail, Context, Result};
use object::{Object, ObjectSection};

/// The version of the layouts that are read here.
const LAYOUT: u32 = 1;
const SITE: usize = 104;
/// Sites that stand for no function: sentinels, and those that only say why there is none.
const NO_FUNCTION: u32 = 1 | 16 | 32;

/// A process's memory.
pub(super) struct Memory {
    pid: u32,
    memory: File,
    pub(super) sites: Vec<Site>,
}

/// A place where a function can be redirected.
pub(super) struct Site {
    address: u64,
    pub(super) name: String,
    file: String,
    line: usize,
}

/// One line of `/proc/…/maps`.
struct Mapping {
    start: u64,
    end: u64,
    executable: bool,
    offset: u64,
    path: String,
}

impl Memory {
    /// Opens a process and finds its sites.
    pub(super) fn of(pid: u32) -> Result<Self> {
        let memory = File::open(format!("/proc/{pid}/mem")).context("can't read the process")?;
        let mut this = Self {
            pid,
            memory,
            sites: Vec::new(),
        };
        this.sites = this.find_sites()?;
        Ok(this)
    }

    fn find_sites(&self) -> Result<Vec<Site>> {
        let exe = fs::read_link(format!("/proc/{}/exe", self.pid))?;
        let bytes = fs::read(&exe)?;
        let file = object::File::parse(bytes.as_slice())?;
        let section = file
            .section_by_name("soft_mock_sites")
            .context("no sites")?;
        let maps = self.mappings()?;
        let own = maps
            .iter()
            .find(|map| map.offset == 0 && Path::new(&map.path) == exe);
        let start = own.context("the executable isn't mapped")?.start + section.address();
        let count = usize::try_from(section.size())? / SITE;
        let mut sites = Vec::with_capacity(count);
        for address in (0..count as u64).map(|index| start + index * SITE as u64) {
            if self.number::<4>(address + 16)? as u32 != LAYOUT {
                bail!("the sites have another layout");
            }
            if self.number::<4>(address + 20)? as u32 & NO_FUNCTION == 0 {
                sites.push(Site {
                    address,
                    name: self.text(address + 32)?,
                    file: self.text(address + 48)?,
                    line: usize::try_from(self.number::<4>(address + 64)?)?,
                });
            }
        }
        Ok(sites)
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether a site is that of this name at `(file:line)`.
    pub(super) fn is_at(&self, site: &usize, name: &str, place: &str) -> bool {
        let site = &self.sites[*site];
        site.name == name && place == format!("({}:{})", site.file, site.line)
    }

    /// All sites that lead to other code than the original body, and to which.
    pub(super) fn hooked(&self) -> Result<Vec<(usize, u64)>> {
        let (Some(first), Some(last)) = (self.sites.first(), self.sites.last()) else {
            return Ok(Vec::new());
        };
        let length = usize::try_from(last.address - first.address)? + 8;
        let mut bytes = vec![0; length];
        self.memory.read_exact_at(&mut bytes, first.address)?;
        let mut found = Vec::new();
        for (index, site) in self.sites.iter().enumerate() {
            let at = usize::try_from(site.address - first.address)?;
            if bytes[at..at + 8] != [0; 8] {
                found.extend(self.code(site)?.map(|code| (index, code)));
            }
        }
        Ok(found)
    }

    /// The address of the code that the next call at this site runs; none: the original body.
    fn code(&self, site: &Site) -> Result<Option<u64>> {
        let hook = self.pointer(site.address)?;
        if hook == 0 {
            return Ok(None);
        }
        let generation = self.pointer(self.pointer(hook + 8)? + 8)?;
        let mut node = self.pointer(hook + 16)?;
        while node != 0 && self.pointer(node)? > generation {
            node = self.pointer(node + 24)?;
        }
        match node {
            0 => Ok(None),
            node => Ok(Some(self.pointer(node + 8)?).filter(|code| *code != 0)),
        }
    }

    /// The library that holds this code.
    pub(super) fn library(&self, code: u64) -> Result<String> {
        let maps = self.mappings()?;
        let holds = |map: &Mapping| map.executable && (map.start..map.end).contains(&code);
        let library = maps
            .into_iter()
            .find(holds)
            .context("the code is nowhere")?;
        Ok(library.path)
    }

    /// Which of these numbers the machine code of a library names.
    pub(super) fn names(&self, library: &str, numbers: &[u64]) -> Result<BTreeSet<u64>> {
        let wanted: HashSet<u64> = numbers
            .iter()
            // Swapped: the compiler may have done at once what the mark asks for.
            .flat_map(|number| [*number, number.swap_bytes()])
            .collect();
        let mut held = HashSet::new();
        let maps = self.mappings()?;
        let parts = maps
            .iter()
            .filter(|map| map.executable && map.path == library);
        for part in parts {
            let mut bytes = vec![0; usize::try_from(part.end - part.start)?];
            self.memory.read_exact_at(&mut bytes, part.start)?;
            for window in bytes.windows(8) {
                let number = u64::from_le_bytes(window.try_into()?);
                if wanted.contains(&number) {
                    held.insert(number);
                }
            }
        }
        let is_held = |number: &&u64| held.contains(*number) || held.contains(&number.swap_bytes());
        Ok(numbers.iter().filter(is_held).copied().collect())
    }

    /// Whether the process is gone, or waits to be.
    pub(super) fn has_ended(&self) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        let state = status
            .rsplit_once(") ")
            .and_then(|(_, rest)| rest.chars().next());
        state.is_none_or(|state| matches!(state, 'Z' | 'X'))
    }

    fn mappings(&self) -> Result<Vec<Mapping>> {
        let text = fs::read_to_string(format!("/proc/{}/maps", self.pid))?;
        text.lines()
            .map(|line| Mapping::read(line).with_context(|| format!("not a mapping: {line}")))
            .collect()
    }

    fn number<const N: usize>(&self, address: u64) -> Result<u64> {
        let mut bytes = [0; 8];
        self.memory.read_exact_at(&mut bytes[..N], address)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn pointer(&self, address: u64) -> Result<u64> {
        self.number::<8>(address)
    }

    /// The text whose address and length lie at `address`.
    fn text(&self, address: u64) -> Result<String> {
        let mut bytes = vec![0; usize::try_from(self.pointer(address + 8)?)?];
        self.memory
            .read_exact_at(&mut bytes, self.pointer(address)?)?;
        Ok(String::from_utf8(bytes)?)
    }
}

impl Mapping {
    fn read(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let permissions = words.next()?;
        let offset = words.next()?;
        let path = words.skip(2).collect::<Vec<_>>().join(" ");
        Some(Self {
            start: u64::from_str_radix(start, 16).ok()?,
            end: u64::from_str_radix(end, 16).ok()?,
            executable: permissions.contains('x'),
            offset: u64::from_str_radix(offset, 16).ok()?,
            path,
        })
    }
}
