// SPDX-License-Identifier: GPL-2.0-or-later
//! Transparent huge pages: sizes, debugfs split.

use std::io;

/// Directory of the knobs.
pub const DIR: &str = "/sys/kernel/mm/transparent_hugepage";
/// Bytes of a PMD-mapped huge page (hpage_pmd_size); `None` without THP.
pub fn pmd_size() -> Option<usize> {
    unimplemented!()
}
/// The mTHP sizes on offer, bytes, ascending (directories hugepages-*kB).
pub fn anon_sizes() -> Vec<usize> {
    unimplemented!()
}
/// Path of debugfs' split_huge_pages; `None` when it is not to be had. `debugfs` is where debugfs is mounted.
pub fn split_file(_debugfs: &std::path::Path) -> Option<std::path::PathBuf> {
    unimplemented!()
}
/// Asks debugfs to split the huge pages of process `pid` in `[start, end)`.
pub fn split(_file: &std::path::Path, _pid: i32, _start: usize, _end: usize) -> io::Result<()> {
    unimplemented!()
}
