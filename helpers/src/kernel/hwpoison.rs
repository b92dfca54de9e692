// SPDX-License-Identifier: GPL-2.0-or-later
//! Memory failure made to order: debugfs' `hwpoison` (CONFIG_HWPOISON_INJECT).

use super::pagemap::Pfn;
use super::sysfs;
use std::io;
use std::path::Path;

/// Poisons a page from outside, as a machine check that nobody's access brought about (memory_failure()).
///
/// # Errors
/// Those of the file; EBUSY when the kernel could not handle the failure.
pub fn inject(debugfs: &Path, pfn: Pfn) -> io::Result<()> {
    sysfs::write(debugfs.join("hwpoison/corrupt-pfn"), &pfn.0.to_string())
}

/// Gives a poisoned page that nobody uses any more back (unpoison_memory()).
///
/// # Errors
/// Those of the file; EBUSY while somebody uses it.
pub fn unpoison(debugfs: &Path, pfn: Pfn) -> io::Result<()> {
    sysfs::write(debugfs.join("hwpoison/unpoison-pfn"), &pfn.0.to_string())
}

/// Whether pages can be poisoned from outside and given back.
pub fn injectable(debugfs: &Path) -> bool {
    let there = |name| {
        let path = debugfs.join("hwpoison").join(name);
        // A locked down kernel shows it and refuses to open it.
        std::fs::OpenOptions::new().write(true).open(path).is_ok()
    };
    there("corrupt-pfn") && there("unpoison-pfn")
}

/// Bytes of memory that are poisoned. `None` without CONFIG_MEMORY_FAILURE.
pub fn corrupted() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|l| l.strip_prefix("HardwareCorrupted:"))?;
    let kib: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kib << 10)
}
