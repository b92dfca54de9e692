// SPDX-License-Identifier: GPL-2.0-or-later
//! System calls that cut, join, grow or close VMAs in other ways than mmap(2) does. Addresses by the rule of [`super::mem`].

use super::mem::Sys;
use nix::errno::Errno;

/// PR_SET_VMA and its only attribute (uapi/linux/prctl.h, Linux 5.17).
const PR_SET_VMA: i32 = 0x5356_4d41;
const PR_SET_VMA_ANON_NAME: libc::c_ulong = 0;

/// mseal(2): the same number on all architectures but Alpha (Linux 6.10).
const SYS_MSEAL: libc::c_long = 462;

/// prctl(PR_SET_VMA_ANON_NAME) of `len` bytes; no name takes the name away.
///
/// # Errors
/// EINVAL before Linux 5.17 or without CONFIG_ANON_VMA_NAME, EBADF for memory of a file.
pub fn set_name(addr: usize, len: usize, name: Option<&std::ffi::CStr>) -> Sys<()> {
    let name = name.map_or(std::ptr::null(), |n| n.as_ptr());
    // SAFETY: the kernel reads a string that ends with a NUL and lives through the call, or none. No content changes.
    let done = unsafe {
        let (addr, len) = (addr as libc::c_ulong, len as libc::c_ulong);
        libc::prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, addr, len, name)
    };
    Errno::result(done).map(drop)
}

/// mseal(2). `len` in bytes.
///
/// # Errors
/// ENOSYS before Linux 6.10, EPERM on 32 bits.
pub fn seal(addr: usize, len: usize) -> Sys<()> {
    // SAFETY: numbers only; a sealed mapping stays what it is.
    Errno::result(unsafe { libc::syscall(SYS_MSEAL, addr, len, 0usize) }).map(drop)
}

/// remap_file_pages(2): a shared mapping of a file shows its pages from `first` on (of the page size). `len` in bytes.
///
/// # Errors
/// ENOSYS where the kernel has none, EINVAL of a mapping that is not shared.
pub fn remap_file_pages(addr: usize, len: usize, first: usize) -> Sys<()> {
    // SAFETY: no Rust object lives in the range (the rule of sys::mem).
    let done =
        unsafe { libc::syscall(libc::SYS_remap_file_pages, addr, len, 0usize, first, 0usize) };
    Errno::result(done).map(drop)
}

/// pkey_alloc(2) of a key that forbids nothing.
///
/// # Errors
/// ENOSPC without protection keys in the CPU, ENOSYS without them in the kernel.
pub fn pkey_alloc() -> Sys<i32> {
    // SAFETY: numbers only.
    Errno::result(unsafe { libc::syscall(libc::SYS_pkey_alloc, 0usize, 0usize) }).map(|k| k as i32)
}

/// pkey_mprotect(2). `len` in bytes.
///
/// # Errors
/// The errno of the call.
pub fn pkey_mprotect(addr: usize, len: usize, prot: i32, key: i32) -> Sys<()> {
    let (prot, key) = (prot as usize, key as usize);
    // SAFETY: no Rust object lives in the range (the rule of sys::mem).
    Errno::result(unsafe { libc::syscall(libc::SYS_pkey_mprotect, addr, len, prot, key) }).map(drop)
}

/// Makes `start` to `end` the heap of this process (PR_SET_MM_START_BRK, PR_SET_MM_BRK): brk(2) then grows or shrinks whatever is
/// mapped there. An allocator that remembers another end is refused from then on, and takes mmap(2).
///
/// # Errors
/// EPERM without CAP_SYS_RESOURCE; EINVAL where the kernel wants a heap above the data of the program.
pub fn set_heap(start: usize, end: usize) -> Sys<()> {
    let set = |what: i32, to: usize| {
        let (what, to, zero) = (
            what as libc::c_ulong,
            to as libc::c_ulong,
            0 as libc::c_ulong,
        );
        // SAFETY: numbers only. No memory changes; only a later brk(2) looks at them.
        Errno::result(unsafe { libc::prctl(libc::PR_SET_MM, what, to, zero, zero) }).map(drop)
    };
    // The start may at no time be above the end.
    if set(libc::PR_SET_MM_START_BRK, start).is_err() {
        set(libc::PR_SET_MM_BRK, end)?;
        set(libc::PR_SET_MM_START_BRK, start)?;
    }
    set(libc::PR_SET_MM_BRK, end)
}

/// brk(2).
///
/// # Errors
/// ENOMEM when the heap does not end there afterwards.
pub fn brk(end: usize) -> Sys<()> {
    // SAFETY: the heap is where set_heap() has put it, and no Rust object lives there (the rule of sys::mem).
    match Errno::result(unsafe { libc::syscall(libc::SYS_brk, end) })? as usize {
        now if now == end => Ok(()),
        _ => Err(Errno::ENOMEM),
    }
}
