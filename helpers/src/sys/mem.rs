// SPDX-License-Identifier: GPL-2.0-or-later
//! Memory system calls by raw address.
//!
//! Actors obey commands that carry addresses, in areas that no Rust object lives in (a carve-out
//! reserved with PROT_NONE), so these take plain `usize` addresses and byte lengths.
//!
//! Not nix: it wants non-zero lengths and closed enums of flags and advice, but a test must be able
//! to hand the kernel a length of 0 or an advice that is newer than nix. And by number where a
//! wrapper does more than pass on: musl's mprotect(2) rounds a range to whole pages that the kernel
//! would have refused.
//!
//! The functions are safe to call by one rule, which the compiler cannot see: **an address comes
//! from a mapping that [`mmap`] returned and that holds no Rust object.** Then a wrong address ends
//! in an errno or a signal, which is a result like any other here.

/// Flags of mremap(2).
pub use nix::libc::{MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE};

use nix::errno::Errno;
use nix::unistd::{SysconfVar, sysconf};
use std::ptr::{with_exposed_provenance, with_exposed_provenance_mut};
use std::sync::OnceLock;

/// Result of a raw system call.
pub type Sys<T> = Result<T, Errno>;

/// Advice values of madvise(2), by their numbers in uapi/asm-generic/mman-common.h.
pub mod advice {
    #![allow(missing_docs)]
    pub const NORMAL: i32 = 0;
    pub const RANDOM: i32 = 1;
    pub const SEQUENTIAL: i32 = 2;
    pub const WILLNEED: i32 = 3;
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
    pub const GUARD_INSTALL: i32 = 102;
    pub const GUARD_REMOVE: i32 = 103;
}

/// What a mapping may be besides private or shared: MAP_* of mmap(2).
pub mod map {
    #![allow(missing_docs)]
    pub use libc::{MAP_GROWSDOWN as GROWSDOWN, MAP_NORESERVE as NORESERVE, MAP_STACK as STACK};
}

/// Page size in bytes, from sysconf(3).
pub fn page_size() -> usize {
    static SIZE: OnceLock<usize> = OnceLock::new();
    *SIZE.get_or_init(|| {
        sysconf(SysconfVar::PAGE_SIZE)
            .ok()
            .flatten()
            .and_then(|n| usize::try_from(n).ok())
            // The C library takes it from the auxiliary vector; there is no kernel without it.
            .expect("sysconf(_SC_PAGESIZE)")
    })
}

/// A system call that takes at most five words.
///
/// # Safety
/// That of the call `number` with `args`.
unsafe fn syscall(number: libc::c_long, args: [usize; 5]) -> Sys<usize> {
    let [a, b, c, d, e] = args;
    // SAFETY: the caller's.
    Errno::result(unsafe { libc::syscall(number, a, b, c, d, e) }).map(|r| r as usize)
}

/// mmap(2). `addr` 0 lets the kernel choose; `fd` -1 for anonymous memory; `len` and `off` in
/// bytes. Returns the address.
///
/// # Errors
/// The errno of mmap(2); EOVERFLOW for an offset that `off_t` cannot hold.
pub fn mmap(addr: usize, len: usize, prot: i32, flags: i32, fd: i32, off: u64) -> Sys<usize> {
    let off = libc::off_t::try_from(off).map_err(|_| Errno::EOVERFLOW)?;
    // SAFETY: without MAP_FIXED the kernel takes an unused range; with it the caller names a range
    // that holds no Rust object (the rule of this module).
    let p = unsafe { libc::mmap(with_exposed_provenance_mut(addr), len, prot, flags, fd, off) };
    if p == libc::MAP_FAILED {
        return Err(Errno::last());
    }
    Ok(p.expose_provenance())
}

/// munmap(2). `len` in bytes.
///
/// # Errors
/// The errno of munmap(2).
pub fn munmap(addr: usize, len: usize) -> Sys<()> {
    // SAFETY: no Rust object lives in the range (the rule of this module).
    unsafe { syscall(libc::SYS_munmap, [addr, len, 0, 0, 0]) }.map(drop)
}

/// mprotect(2). `len` in bytes.
///
/// # Errors
/// The errno of mprotect(2).
pub fn mprotect(addr: usize, len: usize, prot: i32) -> Sys<()> {
    // SAFETY: no Rust object lives in the range (the rule of this module).
    unsafe { syscall(libc::SYS_mprotect, [addr, len, prot as usize, 0, 0]) }.map(drop)
}

/// madvise(2) with any advice number, also ones that libc does not know.
///
/// # Errors
/// The errno of madvise(2); EINVAL also for an advice that this kernel does not have.
pub fn madvise(addr: usize, len: usize, advice: i32) -> Sys<()> {
    // SAFETY: some advice throws content away; no Rust object lives in the range (the rule of this
    // module).
    unsafe { syscall(libc::SYS_madvise, [addr, len, advice as usize, 0, 0]) }.map(drop)
}

/// mremap(2). `new_addr` counts only with MREMAP_FIXED or MREMAP_DONTUNMAP in `flags`. Lengths in
/// bytes. Returns the new address.
///
/// # Errors
/// The errno of mremap(2).
pub fn mremap(
    addr: usize,
    old_len: usize,
    new_len: usize,
    flags: i32,
    new_addr: usize,
) -> Sys<usize> {
    // SAFETY: neither the range that is left nor the one that is taken holds a Rust object (the
    // rule of this module).
    unsafe {
        syscall(
            libc::SYS_mremap,
            [addr, old_len, new_len, flags as usize, new_addr],
        )
    }
}

/// mlock2(2); `flags` 0 or MLOCK_ONFAULT. `len` in bytes.
///
/// # Errors
/// The errno of mlock2(2).
pub fn mlock(addr: usize, len: usize, flags: i32) -> Sys<()> {
    // SAFETY: locking changes no content, whatever lies there.
    unsafe { syscall(libc::SYS_mlock2, [addr, len, flags as usize, 0, 0]) }.map(drop)
}

/// munlock(2). `len` in bytes.
///
/// # Errors
/// The errno of munlock(2).
pub fn munlock(addr: usize, len: usize) -> Sys<()> {
    // SAFETY: unlocking changes no content, whatever lies there.
    unsafe { syscall(libc::SYS_munlock, [addr, len, 0, 0, 0]) }.map(drop)
}

/// mlockall(2): MCL_FUTURE and its like.
///
/// # Errors
/// The errno of mlockall(2).
pub fn mlockall(flags: i32) -> Sys<()> {
    // SAFETY: locking changes no content, whatever lies there.
    unsafe { syscall(libc::SYS_mlockall, [flags as usize, 0, 0, 0, 0]) }.map(drop)
}

/// mincore(2): a byte for each page, whose lowest bit says whether the page is in memory. `len` in bytes.
///
/// # Errors
/// The errno of mincore(2).
pub fn mincore(addr: usize, len: usize) -> Sys<Vec<u8>> {
    let mut seen = vec![0u8; len.div_ceil(page_size())];
    // SAFETY: the kernel writes one byte for each page of the range, and `seen` has as many.
    unsafe {
        let into = seen.as_mut_ptr().expose_provenance();
        syscall(libc::SYS_mincore, [addr, len, into, 0, 0])?;
    }
    Ok(seen)
}

/// process_madvise(2) of a range of another process. `len` in bytes; how many of them were advised.
///
/// # Errors
/// Those of pidfd_open(2) and process_madvise(2): ENOSYS before Linux 5.10, EINVAL for an advice that it does not take, EPERM, ESRCH.
pub fn process_madvise(pid: i32, addr: usize, len: usize, advice: i32) -> Sys<usize> {
    let range = [addr, len];
    let ranges = range.as_ptr().expose_provenance();
    // SAFETY: pidfd_open() takes two numbers. It returns a descriptor that nobody else has.
    let pidfd = unsafe { syscall(libc::SYS_pidfd_open, [pid as usize, 0, 0, 0, 0]) }?;
    let pidfd = super::fd::adopt(pidfd as i32);
    let fd = std::os::fd::AsRawFd::as_raw_fd(&pidfd) as usize;
    // SAFETY: one range, laid out as struct iovec, which the kernel only reads. No Rust object lives in the other process' range
    // (the rule of this module).
    unsafe {
        syscall(
            libc::SYS_process_madvise,
            [fd, ranges, 1, advice as usize, 0],
        )
    }
}

/// Writes the page pattern of `stamp` to every word of the page at `addr` (see [`pattern_word`]).
/// `len` in bytes, a multiple of 8; `addr` a multiple of 8.
pub fn fill(addr: usize, len: usize, stamp: u64) {
    debug_assert!(addr.is_multiple_of(8) && len.is_multiple_of(8));
    if let Some(word) = only_word(stamp) {
        fill(addr, len, 0);
        let p: *mut u64 = with_exposed_provenance_mut(addr + word * 8);
        assert!(word * 8 < len);
        // SAFETY: as below.
        return unsafe { p.write_volatile(stamp) };
    }
    let (mut word, step) = progression(stamp);
    let mut at = addr;
    // A plain loop, here and in compare(): every check of the world goes over every word of every page, and adapters of
    // iterators are calls in a build for size.
    while at < addr + len {
        let p: *mut u64 = with_exposed_provenance_mut(at);
        // SAFETY: aligned, in a mapping without Rust objects (the rule of this module). Volatile,
        // since the write itself (its fault, the COW) is what the caller wants, and since other
        // processes see this memory.
        unsafe { p.write_volatile(word) };
        word = word.wrapping_add(step);
        at += 8;
    }
}

/// Compares the memory at `addr` with the pattern of `stamp`: `None` when equal, else (byte
/// offset, word expected, word seen) of the first difference. `len` in bytes, a multiple of 8.
pub fn compare(addr: usize, len: usize, stamp: u64) -> Option<(usize, u64, u64)> {
    debug_assert!(addr.is_multiple_of(8) && len.is_multiple_of(8));
    let read = |at: usize| {
        let p: *const u64 = with_exposed_provenance(at);
        // SAFETY: aligned, in a mapping without Rust objects (the rule of this module). Volatile,
        // since the kernel may put another page below us at any time.
        unsafe { p.read_volatile() }
    };
    if only_word(stamp).is_some() {
        return (0..len / 8)
            .map(|i| (i * 8, pattern_word(stamp, i), read(addr + i * 8)))
            .find(|(_, expected, seen)| expected != seen);
    }
    let (mut expected, step) = progression(stamp);
    let mut at = addr;
    while at < addr + len {
        // Eight at a time. Each is read once: what was wrong is told, also if it is right by then.
        let mut seen = [0; 8];
        let mut wrong = 0;
        let words = seen.len().min((addr + len - at) / 8);
        let mut word = expected;
        for (i, seen) in seen[..words].iter_mut().enumerate() {
            *seen = read(at + i * 8);
            wrong |= *seen ^ word;
            word = word.wrapping_add(step);
        }
        if wrong != 0 {
            for (i, &seen) in seen[..words].iter().enumerate() {
                if seen != expected {
                    return Some((at - addr + i * 8, expected, seen));
                }
                expected = expected.wrapping_add(step);
            }
        }
        expected = word;
        at += words * 8;
    }
    None
}

/// Reads one byte at `addr` so that the fault happens here (read fault).
pub fn touch_read(addr: usize) {
    let p: *const u8 = with_exposed_provenance(addr);
    // SAFETY: in a mapping without Rust objects (the rule of this module). Volatile, so that the
    // compiler keeps a read whose value nobody wants.
    unsafe { p.read_volatile() };
}

/// Writes a zero to the first byte of a page.
pub fn touch_write(addr: usize) {
    let p: *mut u8 = with_exposed_provenance_mut(addr);
    // SAFETY: in a mapping without Rust objects (the rule of this module).
    unsafe { p.write_volatile(0) };
}

/// write(2) of `len` bytes that lie at `addr`, whether or not there is a page: the kernel looks.
///
/// # Errors
/// The errno of write(2); EFAULT or EHWPOISON when there is no page to be had.
pub fn write_from(fd: &impl std::os::fd::AsRawFd, addr: usize, len: usize) -> Sys<usize> {
    let fd = fd.as_raw_fd() as usize;
    // SAFETY: the kernel only reads the range, and answers a bad address with an error.
    unsafe { syscall(libc::SYS_write, [fd, addr, len, 0, 0]) }
}

/// read(2) of `len` bytes to `addr`, whether or not that may be written: the kernel looks.
///
/// # Errors
/// The errno of read(2); EFAULT when it may not be written.
pub fn read_into(fd: &impl std::os::fd::AsRawFd, addr: usize, len: usize) -> Sys<usize> {
    let fd = fd.as_raw_fd() as usize;
    // SAFETY: the range is of the carve-out (the rule of this module), where no Rust object lives, and the kernel answers a bad
    // address with an error.
    unsafe { syscall(libc::SYS_read, [fd, addr, len, 0, 0]) }
}

/// The pattern: word `i` of a page stamped `stamp`. Stamp 0 is the page of zeroes, [`sparse`] ones are all zeroes but for one word; any other stamp gives
/// a different word at every index, so that a page in a wrong place, a shifted page and a partly copied page all differ.
pub fn pattern_word(stamp: u64, i: usize) -> u64 {
    if stamp == 0 {
        return 0;
    }
    if let Some(word) = only_word(stamp) {
        return if i == word { stamp } else { 0 };
    }
    first_word(stamp).wrapping_add((i as u64).wrapping_mul(STEP))
}

/// The first byte of sparse stamps, which are even; those that a world gives out are odd.
const SPARSE: u64 = 0xee;

/// The stamp of a page of zeroes but for its word number `word`, one of as many as there are `salt`s: two pages may differ in nothing but that.
pub fn sparse(word: usize, salt: u32) -> u64 {
    debug_assert!(word < 1 << 16);
    SPARSE << 56 | (word as u64) << 33 | u64::from(salt) << 1
}

fn only_word(stamp: u64) -> Option<usize> {
    (stamp >> 56 == SPARSE && stamp & 1 == 0).then_some((stamp >> 33 & 0xffff) as usize)
}

/// Odd, so that no word comes twice in a page, and far from anything that is in memory by itself.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64's finaliser: neighbouring stamps differ in half of the bits.
fn first_word(stamp: u64) -> u64 {
    let mut z = stamp;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The pattern as its first word and what each next one has more.
fn progression(stamp: u64) -> (u64, u64) {
    (pattern_word(stamp, 0), if stamp == 0 { 0 } else { STEP })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RW: i32 = libc::PROT_READ | libc::PROT_WRITE;
    const ANON: i32 = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;

    #[test]
    fn content_is_what_fill_wrote_and_a_difference_is_found() {
        let page = page_size();
        let a = mmap(0, 2 * page, RW, ANON, -1, 0).unwrap();
        assert_eq!(compare(a, 2 * page, 0), None, "fresh memory is zero");
        fill(a, page, 7);
        assert_eq!(compare(a, page, 7), None);
        assert_eq!(
            compare(a, page, 8),
            Some((0, pattern_word(8, 0), pattern_word(7, 0)))
        );
        // Only the last word of the second page differs from zero.
        fill(a + 2 * page - 8, 8, 9);
        assert_eq!(
            compare(a + page, page, 0),
            Some((page - 8, 0, pattern_word(9, 0)))
        );
        for word in [0, 1, page / 8 - 1] {
            let (one, other) = (sparse(word, 5), sparse(word, u32::MAX));
            fill(a, page, one);
            assert_eq!(compare(a, page, one), None);
            let differs = (word * 8, other, one);
            assert_eq!(compare(a, page, other), Some(differs));
            assert_eq!(compare(a, page, 0), Some((word * 8, 0, one)));
        }
        fill(a, page, 7);
        touch_read(a + page);

        let b = mremap(
            a,
            2 * page,
            2 * page,
            libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED,
            {
                let hole = mmap(0, 2 * page, libc::PROT_NONE, ANON, -1, 0).unwrap();
                assert_ne!(hole, a);
                hole
            },
        )
        .unwrap();
        assert_eq!(compare(b, page, 7), None, "mremap carries the content");
        mprotect(b, page, libc::PROT_READ).unwrap();
        madvise(b, page, advice::DONTNEED).unwrap();
        assert_eq!(compare(b, page, 0), None);
        munmap(b, 2 * page).unwrap();
    }

    #[test]
    fn pages_in_memory_are_told() {
        let page = page_size();
        let a = mmap(0, 3 * page, RW, ANON, -1, 0).unwrap();
        // EINVAL on a kernel without THP, where there is nothing to switch off.
        let _ = madvise(a, 3 * page, advice::NOHUGEPAGE);
        fill(a + page, page, 1);
        let seen = mincore(a, 3 * page).unwrap();
        assert_eq!(seen.iter().map(|b| b & 1).collect::<Vec<_>>(), [0, 1, 0]);
        match process_madvise(std::process::id() as i32, a, 3 * page, advice::COLD) {
            Ok(n) => assert_eq!(n, 3 * page),
            Err(e) => eprintln!("skipped: process_madvise: {e}"),
        }
        assert!(process_madvise(i32::MAX, a, page, advice::COLD).is_err());
        munmap(a, 3 * page).unwrap();
    }

    #[test]
    fn errors_are_the_kernels() {
        let page = page_size();
        assert_eq!(mmap(0, 0, RW, ANON, -1, 0), Err(Errno::EINVAL));
        assert_eq!(
            mmap(0, page, RW, libc::MAP_PRIVATE, -1, 0),
            Err(Errno::EBADF)
        );
        let a = mmap(0, page, RW, ANON, -1, 0).unwrap();
        assert_eq!(madvise(a, page, 4242), Err(Errno::EINVAL));
        assert_eq!(mprotect(a + 1, page, RW), Err(Errno::EINVAL));
        assert_eq!(mlock(a, page, !0), Err(Errno::EINVAL));
        mlock(a, page, libc::MLOCK_ONFAULT as i32).unwrap();
        munlock(a, page).unwrap();
        munmap(a, page).unwrap();
        // Nothing is ever mapped at 0 here.
        assert_eq!(madvise(0, page, advice::NORMAL), Err(Errno::ENOMEM));
    }
}
