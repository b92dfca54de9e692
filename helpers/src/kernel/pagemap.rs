// SPDX-License-Identifier: GPL-2.0-or-later
//! `/proc/PID/pagemap`: what a process' PTEs say (Documentation/admin-guide/mm/pagemap.rst).

use std::io;
use std::num::NonZeroU64;

/// A page frame number. Never 0: the kernel shows 0 to those who may not see PFNs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Pfn(pub NonZeroU64);

/// One 64-bit entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Entry(pub u64);

/// What an entry says of its page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Nothing mapped, nothing swapped out.
    Empty,
    /// A page is mapped. `None` when the PFN is hidden from the reader.
    Present(Option<Pfn>),
    /// A swap (or migration, or poison) entry: type and offset, `None` when hidden (both read as zero without CAP_SYS_ADMIN).
    Swapped(Option<(u32, u64)>),
}

impl Entry {
    /// Decodes bits 63 (present), 62 (swapped) and 0-54.
    pub fn state(self) -> State {
        unimplemented!()
    }
    /// Bit 56: the page is mapped exactly once.
    pub fn exclusive(self) -> bool {
        self.0 >> 56 & 1 != 0
    }
    /// Bit 61: page of a file or shared anonymous page.
    pub fn file_or_shared(self) -> bool {
        self.0 >> 61 & 1 != 0
    }
    /// Bit 55: soft-dirty.
    pub fn soft_dirty(self) -> bool {
        self.0 >> 55 & 1 != 0
    }
}

/// An open pagemap of one process.
pub struct Pagemap {
    _private: (),
}

impl Pagemap {
    /// Opens `/proc/PID/pagemap`.
    ///
    /// # Errors
    /// ENOENT when the process is gone or the kernel has no pagemap, EACCES/EPERM.
    pub fn open(_pid: i32) -> io::Result<Pagemap> {
        unimplemented!()
    }
    /// The entries of `pages` pages from `addr` (bytes, page aligned).
    pub fn read(&self, _addr: usize, _pages: usize) -> io::Result<Vec<Entry>> {
        unimplemented!()
    }
}
