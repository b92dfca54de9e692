// SPDX-License-Identifier: GPL-2.0-or-later
//! `/proc/PID/pagemap`: what a process' PTEs say (Documentation/admin-guide/mm/pagemap.rst).
//!
//! Not procfs' reader: that shows an absent and a hidden PFN as 0, so that two of them compare
//! equal, and reads 1024 entries to get at one.

use crate::sys::mem::page_size;
use crate::sys::scan;
use std::fs::File;
use std::io;
use std::num::NonZeroU64;
use std::os::unix::fs::FileExt;

/// A page frame number. Never 0: the kernel shows 0 to those who may not see PFNs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Pfn(pub NonZeroU64);

impl std::fmt::Display for Pfn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// One 64-bit entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Entry(pub u64);

/// What an entry says of its page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Nothing mapped, nothing swapped out. Perhaps with a mark for the page that comes next ([`Entry::uffd_wp`]).
    Empty,
    /// A page is mapped. `None` when the PFN is hidden from the reader.
    Present(Option<Pfn>),
    /// A swap (or migration, or poison) entry: type and offset, `None` when hidden (both read as zero without CAP_SYS_ADMIN).
    Swapped(Option<(u32, u64)>),
}

/// Bits 0-54: PFN, or swap type (5 bits) and offset (the other 50).
const LOW: u64 = (1 << 55) - 1;

/// The least type of an entry that is no swap: 32 types less those for devices, migration, poison and marks (MAX_SWAPFILES, where the kernel
/// has all of them).
pub const NO_SWAP: u32 = 23;

impl Entry {
    /// Decodes bits 63 (present), 62 (swapped) and 0-54.
    ///
    /// Type 0 with offset 0 is never a page: offset 0 of a swap area is its header, and entries that
    /// are no swap have types from the top. So it means hidden.
    pub fn state(self) -> State {
        let low = self.0 & LOW;
        if self.0 >> 63 & 1 != 0 {
            State::Present(NonZeroU64::new(low).map(Pfn))
        } else if self.0 >> 62 & 1 != 0 && !self.is_mark() {
            State::Swapped((low != 0).then_some(((low & 0x1f) as u32, low >> 5)))
        } else {
            State::Empty
        }
    }
    /// What stays of a page of a file that userfaultfd write-protects when the page is taken away: one bit in the place of the offset
    /// (PTE_MARKER_UFFD_WP), and bit 57. Its type depends on what the kernel is built with.
    fn is_mark(self) -> bool {
        let low = self.0 & LOW;
        self.uffd_wp() && (low & 0x1f) as u32 >= NO_SWAP && low >> 5 == 1
    }
    /// The PFN of a present page that the reader may see.
    pub fn pfn(self) -> Option<Pfn> {
        match self.state() {
            State::Present(pfn) => pfn,
            _ => None,
        }
    }
    /// Bit 56: the page is mapped exactly once.
    pub fn exclusive(self) -> bool {
        self.0 >> 56 & 1 != 0
    }
    /// Bit 61: page of a file or shared anonymous page.
    pub fn file_or_shared(self) -> bool {
        self.0 >> 61 & 1 != 0
    }
    /// Bit 57: write-protected by userfaultfd (Linux 5.13).
    pub fn uffd_wp(self) -> bool {
        self.0 >> 57 & 1 != 0
    }
    /// Bit 55: soft-dirty.
    pub fn soft_dirty(self) -> bool {
        self.0 >> 55 & 1 != 0
    }
}

impl std::fmt::Debug for Entry {
    /// The value in hex, what it means, and the names of the other set bits.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#018x} ", self.0)?;
        match self.state() {
            State::Empty => write!(f, "empty")?,
            State::Present(Some(pfn)) => write!(f, "pfn {pfn}")?,
            State::Present(None) => write!(f, "present, pfn hidden")?,
            State::Swapped(Some((kind, offset))) => write!(f, "swap {kind}:{offset:#x}")?,
            State::Swapped(None) => write!(f, "swapped, place hidden")?,
        }
        let bits = [
            (55, "soft-dirty"),
            (56, "exclusive"),
            (57, "uffd-wp"),
            (58, "guard"),
            (61, "file/shared"),
        ];
        for (_, name) in bits.iter().filter(|(bit, _)| self.0 >> bit & 1 != 0) {
            write!(f, " {name}")?;
        }
        Ok(())
    }
}

/// An open pagemap of one process.
///
/// It stays with the address space that the process had when it was opened: after an exec or the
/// end of the process reads end in `UnexpectedEof`.
pub struct Pagemap {
    file: File,
}

impl Pagemap {
    /// Opens `/proc/PID/pagemap`; `pid` 0 means the caller.
    ///
    /// # Errors
    /// ENOENT when the process is gone or the kernel has no pagemap, EACCES/EPERM.
    pub fn open(pid: i32) -> io::Result<Pagemap> {
        Ok(Pagemap {
            file: File::open(super::proc_path(pid, "pagemap"))?,
        })
    }
    /// The pages of a range (bytes, page aligned) that were written since they were write-protected: now they are again. See
    /// [`scan::written`].
    ///
    /// # Errors
    /// Of the ioctl.
    pub fn written(
        &self,
        addr: usize,
        len: usize,
        wide: bool,
        most: usize,
    ) -> nix::Result<scan::Told> {
        scan::written(&self.file, addr, len, wide, most)
    }
    /// The addresses of the pages of a range (bytes, page aligned) that were accessed since they were protected from it. See [`scan::accessed`].
    ///
    /// # Errors
    /// Of the ioctl.
    pub fn accessed(&self, addr: usize, len: usize) -> nix::Result<Vec<usize>> {
        scan::accessed(&self.file, addr, len)
    }
    /// The addresses of the pages of a range (bytes, page aligned) that have a guard. See [`scan::guards`].
    ///
    /// # Errors
    /// Of the ioctl.
    pub fn guards(&self, addr: usize, len: usize) -> nix::Result<Vec<usize>> {
        scan::guards(&self.file, addr, len)
    }
    /// The entries of `pages` pages from `addr` (bytes, page aligned).
    ///
    /// # Errors
    /// `UnexpectedEof` beyond the end of the address space, or when that is gone.
    pub fn read(&self, addr: usize, pages: usize) -> io::Result<Vec<Entry>> {
        let mut bytes = vec![0; pages * 8];
        self.file
            .read_exact_at(&mut bytes, (addr / page_size()) as u64 * 8)?;
        Ok(bytes
            .as_chunks()
            .0
            .iter()
            .map(|&b| Entry(u64::from_ne_bytes(b)))
            .collect())
    }
    /// The entry of the page at `addr`.
    ///
    /// # Errors
    /// As [`Pagemap::read`].
    pub fn entry(&self, addr: usize) -> io::Result<Entry> {
        Ok(self.read(addr, 1)?[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::mem;

    #[test]
    fn bits() {
        let pfn = |n| NonZeroU64::new(n).map(Pfn);
        assert_eq!(Entry(0).state(), State::Empty);
        assert_eq!(Entry(1 << 63).state(), State::Present(None));
        assert_eq!(
            Entry(1 << 63 | 1 << 61 | 0x42).state(),
            State::Present(pfn(0x42))
        );
        assert_eq!(Entry(1 << 62).state(), State::Swapped(None));
        assert_eq!(
            Entry(1 << 62 | 7 << 5 | 3).state(),
            State::Swapped(Some((3, 7)))
        );
        assert_eq!(
            Entry(1 << 55).state(),
            State::Empty,
            "flags are not part of the PFN"
        );
        // A mark of userfaultfd, and two entries that look nearly like it.
        let marked = 1 << 62 | 1 << 57 | 1 << 5 | 31;
        assert_eq!(Entry(marked).state(), State::Empty);
        assert_eq!(Entry(marked ^ 1).state(), State::Empty);
        for other in [marked & !(1 << 57), marked ^ 3 << 5, marked ^ 31] {
            assert!(matches!(Entry(other).state(), State::Swapped(Some(_))));
        }
        let shown = format!("{:?}", Entry(1 << 63 | 1 << 56 | 0x42));
        assert_eq!(shown, "0x8100000000000042 pfn 0x42 exclusive");
    }

    #[test]
    fn own_pages() {
        let page = mem::page_size();
        let rw = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let a = mem::mmap(0, 3 * page, rw, flags, -1, 0).unwrap();
        // EINVAL on a kernel without THP, where there is nothing to switch off.
        let _ = mem::madvise(a, 3 * page, mem::advice::NOHUGEPAGE);
        // Other tests fork this process meanwhile: their children would map the
        // pages too, and then the kernel rightly calls none of them exclusive.
        mem::madvise(a, 3 * page, mem::advice::DONTFORK).unwrap();
        mem::fill(a, page, 1);
        mem::fill(a + page, page, 2);
        let Ok(map) = Pagemap::open(0) else {
            return eprintln!("skipped: no pagemap");
        };
        let e = map.read(a, 3).unwrap();
        assert!(matches!(e[0].state(), State::Present(_)), "{e:?}");
        assert!(e[0].exclusive() && !e[0].file_or_shared(), "{e:?}");
        assert_eq!(e[2].state(), State::Empty, "{e:?}");
        match (e[0].pfn(), e[1].pfn()) {
            (Some(x), Some(y)) => assert_ne!(x, y),
            _ => eprintln!("skipped: PFNs are hidden"),
        }
        mem::munmap(a, 3 * page).unwrap();
        assert_eq!(map.entry(0).unwrap().state(), State::Empty);
        assert!(Pagemap::open(i32::MAX).is_err());
    }
}
