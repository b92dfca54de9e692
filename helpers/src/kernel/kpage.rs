// SPDX-License-Identifier: GPL-2.0-or-later
//! `/proc/kpagecount`, `/proc/kpageflags`, all 64 bits of them, and `/proc/kpagecgroup`
//! (Documentation/admin-guide/mm/pagemap.rst, fs/proc/page.c).
//!
//! Not procfs' reader: that drops the bits above 26, and bit 34 is the best that user space can see
//! of the state of an anonymous page.

use super::pagemap::Pfn;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bits of `/proc/kpageflags` (uapi/linux/kernel-page-flags.h, and linux/kernel-page-flags.h for those from 32 on).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Flags(pub u64);

#[allow(missing_docs)]
impl Flags {
    pub const LOCKED: u64 = 1 << 0;
    pub const REFERENCED: u64 = 1 << 2;
    pub const UPTODATE: u64 = 1 << 3;
    pub const DIRTY: u64 = 1 << 4;
    pub const LRU: u64 = 1 << 5;
    pub const ACTIVE: u64 = 1 << 6;
    pub const WRITEBACK: u64 = 1 << 8;
    pub const BUDDY: u64 = 1 << 10;
    pub const MMAP: u64 = 1 << 11;
    pub const ANON: u64 = 1 << 12;
    pub const SWAPCACHE: u64 = 1 << 13;
    pub const SWAPBACKED: u64 = 1 << 14;
    pub const COMPOUND_HEAD: u64 = 1 << 15;
    pub const COMPOUND_TAIL: u64 = 1 << 16;
    pub const HUGE: u64 = 1 << 17;
    pub const UNEVICTABLE: u64 = 1 << 18;
    pub const HWPOISON: u64 = 1 << 19;
    pub const NOPAGE: u64 = 1 << 20;
    pub const KSM: u64 = 1 << 21;
    pub const THP: u64 = 1 << 22;
    pub const OFFLINE: u64 = 1 << 23;
    pub const ZERO_PAGE: u64 = 1 << 24;
    pub const IDLE: u64 = 1 << 25;
    pub const MLOCKED: u64 = 1 << 33;
    /// KPF_OWNER_2 / PG_owner_2: PageAnonExclusive on anonymous pages. An internal bit: verify its meaning on a fresh page before use.
    pub const ANON_EXCLUSIVE: u64 = 1 << 34;

    /// Whether all bits of `mask` are set.
    pub fn has(self, mask: u64) -> bool {
        self.0 & mask == mask
    }
}

/// Names of bits 0 to 26 and, from 32 on, of the kernel-internal ones. Empty: no name.
const NAMES: [&str; 43] = [
    "LOCKED",
    "ERROR",
    "REFERENCED",
    "UPTODATE",
    "DIRTY",
    "LRU",
    "ACTIVE",
    "SLAB",
    "WRITEBACK",
    "RECLAIM",
    "BUDDY",
    "MMAP",
    "ANON",
    "SWAPCACHE",
    "SWAPBACKED",
    "COMPOUND_HEAD",
    "COMPOUND_TAIL",
    "HUGE",
    "UNEVICTABLE",
    "HWPOISON",
    "NOPAGE",
    "KSM",
    "THP",
    "OFFLINE",
    "ZERO_PAGE",
    "IDLE",
    "PGTABLE",
    "",
    "",
    "",
    "",
    "",
    "RESERVED",
    "MLOCKED",
    "OWNER_2",
    "PRIVATE",
    "PRIVATE_2",
    "OWNER_PRIVATE",
    "ARCH",
    "UNCACHED",
    "SOFTDIRTY",
    "ARCH_2",
    "ARCH_3",
];

impl std::fmt::Debug for Flags {
    /// The value in hex and the names of the set bits, as in
    /// `0x400005868 UPTODATE|LRU|ACTIVE|MMAP|ANON|SWAPBACKED|ANON_EXCLUSIVE`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#x}", self.0)?;
        let mut separator = ' ';
        for bit in (0..64).filter(|bit| self.0 >> bit & 1 != 0) {
            write!(f, "{separator}")?;
            separator = '|';
            match NAMES.get(bit) {
                // PG_owner_2 means it on anonymous pages only.
                Some(&"OWNER_2") if self.has(Flags::ANON) => write!(f, "ANON_EXCLUSIVE")?,
                None | Some(&"") => write!(f, "BIT_{bit}")?,
                Some(name) => write!(f, "{name}")?,
            }
        }
        Ok(())
    }
}

/// The files, opened once.
pub struct Kpage {
    counts: Option<File>,
    flags: Option<File>,
    cgroups: Option<File>,
}

/// A file with a word for each page. A container may have something empty in its place.
fn readable(path: &str) -> Option<File> {
    let file = File::open(path).ok()?;
    file.read_exact_at(&mut [0; 8], 0).ok()?;
    Some(file)
}

impl Kpage {
    /// Opens what is there; each may be missing (CONFIG_PROC_PAGE_MONITOR, CONFIG_MEMCG, privilege).
    pub fn open() -> Kpage {
        Kpage {
            counts: readable("/proc/kpagecount"),
            flags: readable("/proc/kpageflags"),
            cgroups: readable("/proc/kpagecgroup"),
        }
    }
    /// `/proc/kpagecount` can be read.
    pub fn has_counts(&self) -> bool {
        self.counts.is_some()
    }
    /// `/proc/kpageflags` can be read.
    pub fn has_flags(&self) -> bool {
        self.flags.is_some()
    }
    /// How often the page is mapped; `None` when the file cannot be read.
    ///
    /// Exact for small folios. For a page of a large one it is the folio's average on a kernel with
    /// CONFIG_NO_PAGE_MAPCOUNT (see [`Features::page_mapcount`](super::features::Features)).
    ///
    /// # Errors
    /// `UnexpectedEof` for a PFN beyond the end of memory.
    pub fn count(&self, pfn: Pfn) -> io::Result<Option<u64>> {
        self.counts.as_ref().map(|f| read_word(f, pfn)).transpose()
    }
    /// As [`Kpage::count`], of many pages; those beyond the end of memory, and maybe their neighbours, are left out.
    ///
    /// # Errors
    /// Those of reading the file.
    pub fn counts(&self, pfns: &[Pfn]) -> io::Result<Words> {
        read_all(self.counts.as_ref(), pfns)
    }
    /// As [`Kpage::flags`], of many pages, as [`Kpage::counts`].
    ///
    /// # Errors
    /// Those of reading the file.
    pub fn all_flags(&self, pfns: &[Pfn]) -> io::Result<Words> {
        read_all(self.flags.as_ref(), pfns)
    }
    /// The memory cgroups that pages are charged to, by the inode numbers of their directories, 0 for none; as [`Kpage::counts`].
    ///
    /// # Errors
    /// Those of reading the file.
    pub fn cgroups(&self, pfns: &[Pfn]) -> io::Result<Words> {
        read_all(self.cgroups.as_ref(), pfns)
    }
    /// Its flags; `None` when the file cannot be read.
    ///
    /// # Errors
    /// `UnexpectedEof` for a PFN beyond the end of memory.
    pub fn flags(&self, pfn: Pfn) -> io::Result<Option<Flags>> {
        self.flags
            .as_ref()
            .map(|f| read_word(f, pfn).map(Flags))
            .transpose()
    }
}

/// The words of one of the files for some pages; none when it cannot be read.
pub type Words = HashMap<Pfn, u64>;

fn read_word(file: &File, pfn: Pfn) -> io::Result<u64> {
    Ok(read_words(file, pfn, 1)?[0])
}

/// The words of `pages` pages from `first`.
fn read_words(file: &File, first: Pfn, pages: usize) -> io::Result<Vec<u64>> {
    let at = first
        .0
        .get()
        .checked_mul(8)
        .ok_or(io::ErrorKind::UnexpectedEof)?;
    let mut bytes = vec![0; pages * 8];
    file.read_exact_at(&mut bytes, at)?;
    let words = bytes.as_chunks().0.iter();
    Ok(words.map(|&w| u64::from_ne_bytes(w)).collect())
}

/// The words of many pages, in few reads where they ascend.
fn read_all(file: Option<&File>, pfns: &[Pfn]) -> io::Result<Words> {
    // A call costs as much as some words that nobody wants.
    const GAP: u64 = 8;
    let Some(file) = file else {
        return Ok(Words::new());
    };
    let mut all = Words::with_capacity(pfns.len());
    let near = |a: &Pfn, b: &Pfn| b.0.get().checked_sub(a.0.get()).is_some_and(|d| d <= GAP);
    for run in pfns.chunk_by(near) {
        let first = run[0].0.get();
        let pages = run[run.len() - 1].0.get() - first + 1;
        let words = match read_words(file, run[0], pages as usize) {
            Ok(words) => words,
            // Beyond the end of memory, at least in part.
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => continue,
            Err(e) => return Err(e),
        };
        all.extend(
            run.iter()
                .map(|p| (*p, words[(p.0.get() - first) as usize])),
        );
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::pagemap::Pagemap;
    use crate::sys::mem;
    use std::num::NonZeroU64;

    #[test]
    fn flags_have_names() {
        assert_eq!(
            format!("{:?}", Flags(0x4_0000_5868)),
            "0x400005868 UPTODATE|LRU|ACTIVE|MMAP|ANON|SWAPBACKED|ANON_EXCLUSIVE"
        );
        assert_eq!(format!("{:?}", Flags(0)), "0x0");
        assert_eq!(
            format!("{:?}", Flags(1 << 34 | 1 << 27 | 1 << 60)),
            "0x1000000408000000 BIT_27|OWNER_2|BIT_60"
        );
    }

    #[test]
    fn own_page() {
        let (kpage, page) = (Kpage::open(), mem::page_size());
        let rw = libc::PROT_READ | libc::PROT_WRITE;
        let a = mem::mmap(0, page, rw, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0).unwrap();
        mem::fill(a, page, 1);
        let pfn = Pagemap::open(0)
            .ok()
            .and_then(|m| m.entry(a).unwrap().pfn());
        let Some(pfn) = pfn.filter(|_| kpage.has_counts() && kpage.has_flags()) else {
            return eprintln!("skipped: no PFN, kpagecount or kpageflags");
        };
        assert_eq!(kpage.count(pfn).unwrap(), Some(1));
        let flags = kpage.flags(pfn).unwrap().unwrap();
        assert!(
            flags.has(Flags::ANON | Flags::MMAP | Flags::SWAPBACKED),
            "{flags:?}"
        );
        let near = Pfn(pfn.0.checked_add(3).unwrap());
        let many = kpage.counts(&[pfn, near]).unwrap();
        assert_eq!((many[&pfn], many.len()), (1, 2));
        let many = kpage.all_flags(&[pfn]).unwrap();
        assert!(Flags(many[&pfn]).has(Flags::ANON));
        mem::munmap(a, page).unwrap();
        let beyond = Pfn(NonZeroU64::new(1 << 54).unwrap());
        assert!(kpage.count(beyond).is_err() && kpage.flags(beyond).is_err());
        assert_eq!(kpage.counts(&[pfn, beyond]).unwrap().len(), 1);
    }
}
