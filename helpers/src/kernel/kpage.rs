// SPDX-License-Identifier: GPL-2.0-or-later
//! `/proc/kpagecount` and `/proc/kpageflags`, all 64 bits of them.

use super::pagemap::Pfn;
use std::io;

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

impl std::fmt::Debug for Flags {
    /// The value in hex and the names of the set bits.
    fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        unimplemented!()
    }
}

/// Both files, opened once.
pub struct Kpage {
    _private: (),
}

impl Kpage {
    /// Opens what is there; each of the two may be missing (CONFIG_PROC_PAGE_MONITOR, privilege).
    pub fn open() -> Kpage {
        unimplemented!()
    }
    /// `/proc/kpagecount` can be read.
    pub fn has_counts(&self) -> bool {
        unimplemented!()
    }
    /// `/proc/kpageflags` can be read.
    pub fn has_flags(&self) -> bool {
        unimplemented!()
    }
    /// How often the page is mapped; `None` when the file cannot be read.
    pub fn count(&self, _pfn: Pfn) -> io::Result<Option<u64>> {
        unimplemented!()
    }
    /// Its flags; `None` when the file cannot be read.
    pub fn flags(&self, _pfn: Pfn) -> io::Result<Option<Flags>> {
        unimplemented!()
    }
}
