// SPDX-License-Identifier: GPL-2.0-or-later
//! What this kernel and this process' privileges offer, found by trying.

use std::path::PathBuf;

/// Found once per program.
#[derive(Debug, Clone)]
pub struct Features {
    /// Kernel release, as uname -r.
    pub release: String,
    /// Page size, bytes.
    pub page_size: usize,
    /// PMD-mapped THP size in bytes, `None` without THP.
    pub pmd_size: Option<usize>,
    /// Effective UID 0.
    pub root: bool,
    /// A PFN can be read from our own pagemap.
    pub pfn: bool,
    /// Our own pagemap can be read at all.
    pub pagemap: bool,
    /// /proc/kpagecount, and a fresh private page counts 1 there.
    pub kpagecount: bool,
    /// /proc/kpageflags, and a fresh private page shows ANON there.
    pub kpageflags: bool,
    /// Bit 34 of kpageflags was seen set on a fresh private page, clear while a fork shared it, and set again on a fresh one: it is PageAnonExclusive here.
    pub anon_exclusive: bool,
    /// Nodes with memory.
    pub nodes: Vec<i32>,
    /// KSM knobs can be written.
    pub ksm: bool,
    /// THP can be had with madvise.
    pub thp: bool,
    /// Where debugfs is mounted (a mount of our own in the private mount namespace counts).
    pub debugfs: Option<PathBuf>,
    /// /sys/kernel/mm/page_idle/bitmap.
    pub page_idle: bool,
    /// Per-page mapcounts of large folios are exact (no CONFIG_NO_PAGE_MAPCOUNT).
    pub page_mapcount: bool,
}

impl Features {
    /// Probes. Never fails: what can't be found out is absent.
    pub fn probe(_debugfs: Option<PathBuf>) -> Features {
        unimplemented!()
    }
}
