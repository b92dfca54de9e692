// SPDX-License-Identifier: GPL-2.0-or-later
//! Memory system calls by raw address.
//!
//! Actors obey commands that carry addresses, in areas that no Rust object lives in (a carve-out
//! reserved with PROT_NONE), so these take plain `usize` addresses and byte lengths.

use nix::errno::Errno;

/// Result of a raw system call.
pub type Sys<T> = Result<T, Errno>;

macro_rules! stub {
    () => {
        unimplemented!()
    };
}

/// Advice values of madvise(2), by their numbers in uapi/asm-generic/mman-common.h.
pub mod advice {
    #![allow(missing_docs)]
    pub const NORMAL: i32 = 0;
    pub const DONTNEED: i32 = 4;
    pub const FREE: i32 = 8;
    pub const REMOVE: i32 = 9;
    pub const DONTFORK: i32 = 10;
    pub const DOFORK: i32 = 11;
    pub const MERGEABLE: i32 = 12;
    pub const UNMERGEABLE: i32 = 13;
    pub const HUGEPAGE: i32 = 14;
    pub const NOHUGEPAGE: i32 = 15;
    pub const DONTDUMP: i32 = 16;
    pub const DODUMP: i32 = 17;
    pub const WIPEONFORK: i32 = 18;
    pub const KEEPONFORK: i32 = 19;
    pub const COLD: i32 = 20;
    pub const PAGEOUT: i32 = 21;
    pub const POPULATE_READ: i32 = 22;
    pub const POPULATE_WRITE: i32 = 23;
    pub const COLLAPSE: i32 = 25;
    pub const HWPOISON: i32 = 100;
    pub const SOFT_OFFLINE: i32 = 101;
}

/// Page size in bytes, from sysconf(3).
pub fn page_size() -> usize {
    stub!()
}
/// mmap(2). `addr` 0 lets the kernel choose; `fd` -1 for anonymous memory. Returns the address.
pub fn mmap(_addr: usize, _len: usize, _prot: i32, _flags: i32, _fd: i32, _off: u64) -> Sys<usize> {
    stub!()
}
/// munmap(2).
pub fn munmap(_addr: usize, _len: usize) -> Sys<()> {
    stub!()
}
/// mprotect(2).
pub fn mprotect(_addr: usize, _len: usize, _prot: i32) -> Sys<()> {
    stub!()
}
/// madvise(2) with any advice number, also ones that libc does not know.
pub fn madvise(_addr: usize, _len: usize, _advice: i32) -> Sys<()> {
    stub!()
}
/// mremap(2). `new_addr` counts only with MREMAP_FIXED or MREMAP_DONTUNMAP in `flags`.
pub fn mremap(
    _addr: usize,
    _old_len: usize,
    _new_len: usize,
    _flags: i32,
    _new_addr: usize,
) -> Sys<usize> {
    stub!()
}
/// mlock2(2); `flags` 0 or MLOCK_ONFAULT.
pub fn mlock(_addr: usize, _len: usize, _flags: i32) -> Sys<()> {
    stub!()
}
/// munlock(2).
pub fn munlock(_addr: usize, _len: usize) -> Sys<()> {
    stub!()
}
/// Writes the page pattern of `stamp` to every word of the page at `addr` (see [`pattern_word`]). `len` in bytes, a multiple of 8.
pub fn fill(_addr: usize, _len: usize, _stamp: u64) {
    stub!()
}
/// Compares the memory at `addr` with the pattern of `stamp`: `None` when equal, else (byte offset, word expected, word seen) of the first difference.
pub fn compare(_addr: usize, _len: usize, _stamp: u64) -> Option<(usize, u64, u64)> {
    stub!()
}
/// Reads one byte at `addr` so that the fault happens here (read fault).
pub fn touch_read(_addr: usize) {
    stub!()
}
/// The pattern: word `i` of a page stamped `stamp`. Stamp 0 is the page of zeroes; any other stamp gives a different word at every
/// index, so that a page in a wrong place, a shifted page and a partly copied page all differ.
pub fn pattern_word(stamp: u64, i: usize) -> u64 {
    if stamp == 0 {
        return 0;
    }
    // SplitMix64's finaliser: neighbouring stamps and indices differ in half of the bits.
    let mut z = stamp.wrapping_add((i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
