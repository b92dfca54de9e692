// SPDX-License-Identifier: GPL-2.0-or-later
//! PAGEMAP_SCAN (uapi/linux/fs.h, Linux 6.7): what was written, and its write protection, in one go; and where guards are.

use super::mem::{Sys, page_size};
use nix::errno::Errno;
use std::fs::File;
use std::ops::Range;
use std::os::fd::AsRawFd;

/// PM_SCAN_WP_MATCHING.
const WP_MATCHING: u64 = 1 << 0;
/// PM_SCAN_CHECK_WPASYNC: an area whose userfaultfd does not answer for itself is an error.
const CHECK_WPASYNC: u64 = 1 << 1;
/// PAGE_IS_WRITTEN.
const WRITTEN: u64 = 1 << 1;

/// PAGE_IS_PRESENT.
const PRESENT: u64 = 1 << 3;
/// PAGE_IS_SWAPPED.
const SWAPPED: u64 = 1 << 4;
/// PAGE_IS_GUARD (Linux 6.15).
const GUARD: u64 = 1 << 8;

/// PAGE_IS_ACCESSED (since there is UFFDIO_RWPROTECT).
const ACCESSED: u64 = 1 << 9;

/// What a scan has told.
pub struct Told {
    /// The addresses of the pages, in bytes.
    pub pages: Vec<usize>,
    /// Where it ended (walk_end), in bytes: the next one goes on there.
    pub end: usize,
}

/// struct page_region.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Region {
    start: u64,
    end: u64,
    categories: u64,
}

mod raw {
    nix::ioctl_readwrite!(scan, b'f', 16, [u64; 12]);
}

/// The addresses of the pages of a range, in bytes, that were written since they were write-protected; they are again afterwards. `pagemap` is
/// the file of the process. `wide` asks where they are as well: the kernel has a shorter way for who does not (pagemap_scan_pmd_entry()). It ends when
/// `most` pages are told, unless that is 0: the others are not write-protected.
///
/// # Errors
/// ENOTTY before Linux 6.7, EPERM where the range is not registered as needed.
pub fn written(pagemap: &File, start: usize, len: usize, wide: bool, most: usize) -> Sys<Told> {
    let told = match wide {
        true => WRITTEN | PRESENT | SWAPPED,
        false => WRITTEN,
    };
    let flags = WP_MATCHING | CHECK_WPASYNC;
    scan(pagemap, start..start + len, flags, WRITTEN, told, most)
}

/// The addresses of the pages of a range, in bytes, that have a guard.
///
/// # Errors
/// ENOTTY before Linux 6.7, EINVAL before 6.15.
pub fn guards(pagemap: &File, start: usize, len: usize) -> Sys<Vec<usize>> {
    Ok(scan(pagemap, start..start + len, 0, GUARD, GUARD, 0)?.pages)
}

/// The addresses of the pages of a range, in bytes, that were accessed since userfaultfd protected them from that.
///
/// # Errors
/// ENOTTY before Linux 6.7, EINVAL before there was UFFDIO_RWPROTECT.
pub fn accessed(pagemap: &File, start: usize, len: usize) -> Sys<Vec<usize>> {
    Ok(scan(pagemap, start..start + len, 0, ACCESSED, ACCESSED, 0)?.pages)
}

/// The pages that are all of `categories`, of which it is told whether they are `told`; `most` of them, or all where that is 0.
fn scan(
    pagemap: &File,
    range: Range<usize>,
    flags: u64,
    categories: u64,
    told: u64,
    most: usize,
) -> Sys<Told> {
    let page = page_size();
    let Range { start, end } = range;
    let mut regions = vec![Region::default(); (end - start) / page];
    let mut arg = [
        size_of::<[u64; 12]>() as u64,
        flags,
        start as u64,
        end as u64,
        0,
        regions.as_mut_ptr() as u64,
        regions.len() as u64,
        most as u64,
        0,
        categories,
        0,
        told,
    ];
    // SAFETY: struct pm_scan_arg is these twelve words, and what it points to has room for as many regions as it says; both live through the
    // call. What is write-protected is address space without Rust objects, mostly of another process.
    let found = unsafe { raw::scan(pagemap.as_raw_fd(), &mut arg) }?;
    // The scan ends early when it has told as many as it may.
    if most == 0 && arg[4] != end as u64 {
        return Err(Errno::ERANGE);
    }
    regions.truncate(found as usize);
    let pages = |r: Region| (r.start as usize..r.end as usize).step_by(page);
    Ok(Told {
        pages: regions.into_iter().flat_map(pages).collect(),
        end: arg[4] as usize,
    })
}
