// SPDX-License-Identifier: GPL-2.0-or-later
//! userfaultfd(2) and its ioctls (uapi/linux/userfaultfd.h).

use super::mem::Sys;
use nix::errno::Errno;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// UFFD_FEATURE_MOVE: there is UFFDIO_MOVE (Linux 6.8).
pub const FEATURE_MOVE: u64 = 1 << 16;
/// UFFD_FEATURE_EVENT_FORK: a child's areas are registered as well, with a userfaultfd that the event brings. Needs CAP_SYS_PTRACE.
pub const FEATURE_EVENT_FORK: u64 = 1 << 1;
/// UFFD_FEATURE_EVENT_REMAP: a moved area stays registered.
pub const FEATURE_EVENT_REMAP: u64 = 1 << 2;
/// UFFD_FEATURE_EVENT_UNMAP: munmap(2) tells.
pub const FEATURE_EVENT_UNMAP: u64 = 1 << 6;
/// UFFD_FEATURE_MINOR_SHMEM: faults at pages that a shmem object has (Linux 5.14).
pub const FEATURE_MINOR_SHMEM: u64 = 1 << 10;
/// UFFD_FEATURE_MINOR_HUGETLBFS: the same of hugetlb objects (Linux 5.13).
pub const FEATURE_MINOR_HUGETLBFS: u64 = 1 << 9;
/// UFFD_FEATURE_POISON: there is UFFDIO_POISON (Linux 6.6).
pub const FEATURE_POISON: u64 = 1 << 14;
/// UFFD_FEATURE_WP_UNPOPULATED: pages of anonymous memory can be write-protected that nobody has touched (Linux 6.4).
pub const FEATURE_WP_UNPOPULATED: u64 = 1 << 13;
/// UFFD_FEATURE_WP_ASYNC: a write to a write-protected page takes the protection off and waits for nobody (Linux 6.7).
pub const FEATURE_WP_ASYNC: u64 = 1 << 15;
/// UFFD_FEATURE_RWP: there is UFFDIO_RWPROTECT.
pub const FEATURE_RWP: u64 = 1 << 17;
/// UFFD_FEATURE_RWP_ASYNC: an access to a page that is protected from any takes the protection off and waits for nobody.
pub const FEATURE_RWP_ASYNC: u64 = 1 << 18;
/// UFFDIO_REGISTER_MODE_MINOR: "ui" in VmFlags.
pub const MINOR: u64 = 4;
/// UFFDIO_REGISTER_MODE_MISSING: "um" in VmFlags.
pub const MISSING: u64 = REGISTER_MODE_MISSING;
/// UFFDIO_REGISTER_MODE_WP: "uw" in VmFlags.
pub const WP: u64 = REGISTER_MODE_WP;
/// UFFDIO_REGISTER_MODE_RWP: "ur" in VmFlags.
pub const RWP: u64 = 8;
/// UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES.
pub const MOVE_ALLOW_SRC_HOLES: u64 = 1 << 1;

const API: u64 = 0xaa;
/// UFFD_USER_MODE_ONLY (Linux 5.11): faults of the kernel are answered with an error instead of waiting. Needs no privilege.
const USER_MODE_ONLY: i32 = 1;
const REGISTER_MODE_MISSING: u64 = 1;
const REGISTER_MODE_WP: u64 = 2;
/// UFFDIO_WRITEPROTECT_MODE_WP and UFFDIO_RWPROTECT_MODE_RWP.
const WRITEPROTECT_ON: u64 = 1;
/// UFFDIO_COPY_MODE_WP and UFFDIO_CONTINUE_MODE_WP.
const FILLED_WP: u64 = 1 << 1;

mod raw {
    nix::ioctl_readwrite!(api, 0xaa, 0x3f, [u64; 3]);
    nix::ioctl_readwrite!(register, 0xaa, 0x00, [u64; 4]);
    nix::ioctl_read!(unregister, 0xaa, 0x01, [u64; 2]);
    nix::ioctl_readwrite!(copy, 0xaa, 0x03, [u64; 5]);
    nix::ioctl_readwrite!(zeropage, 0xaa, 0x04, [u64; 4]);
    nix::ioctl_readwrite!(writeprotect, 0xaa, 0x06, [u64; 3]);
    nix::ioctl_readwrite!(cont, 0xaa, 0x07, [u64; 4]);
    nix::ioctl_readwrite!(poison, 0xaa, 0x08, [u64; 4]);
    nix::ioctl_readwrite!(rwprotect, 0xaa, 0x09, [u64; 3]);
    nix::ioctl_readwrite!(move_pages, 0xaa, 0x05, [u64; 5]);
}

/// What says that this process cannot have a userfaultfd: not built in, not allowed, or an older kernel's refusal of UFFD_USER_MODE_ONLY.
pub fn is_lacking(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::ENOSYS | Errno::EPERM | Errno::EACCES | Errno::EINVAL
    )
}

/// A userfaultfd of the calling process, with all that the kernel offers of `features`; and what it offers.
///
/// # Errors
/// The errno of userfaultfd(2) or UFFDIO_API: ENOSYS without CONFIG_USERFAULTFD.
pub fn open(features: u64) -> Sys<(OwnedFd, u64)> {
    // The first handshake asks what there is; a second one on the same file is refused.
    let (_probe, offered) = handshake(0)?;
    handshake(features & offered)
}

fn handshake(features: u64) -> Sys<(OwnedFd, u64)> {
    let flags = libc::O_CLOEXEC | libc::O_NONBLOCK | USER_MODE_ONLY;
    // SAFETY: one number, no pointers.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_userfaultfd, flags) })?;
    // SAFETY: the kernel has just made this descriptor, and nobody else knows of it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd as i32) };
    let mut api = [API, features, 0];
    // SAFETY: struct uffdio_api is these three words, which live through the call.
    unsafe { raw::api(fd.as_raw_fd(), &mut api) }?;
    Ok((fd, api[1]))
}

/// UFFDIO_REGISTER for missing pages. `len` in bytes.
///
/// # Errors
/// The errno of the ioctl.
pub fn register(uffd: &OwnedFd, addr: usize, len: usize) -> Sys<()> {
    register_for(uffd, addr, len, REGISTER_MODE_MISSING)
}

/// UFFDIO_REGISTER for [`MISSING`] pages, [`WP`], [`MINOR`] or several of them. `len` in bytes.
///
/// # Errors
/// The errno of the ioctl: EINVAL for a mode that this kernel or architecture has not.
pub fn register_for(uffd: &OwnedFd, addr: usize, len: usize, modes: u64) -> Sys<()> {
    let mut arg = [addr as u64, len as u64, modes, 0];
    // SAFETY: struct uffdio_register is these four words, which live through the call. What is registered is address space
    // without Rust objects (the rule of sys::mem).
    unsafe { raw::register(uffd.as_raw_fd(), &mut arg) }.map(drop)
}

/// UFFDIO_UNREGISTER. `len` in bytes. What waits for a page of the range is let go.
///
/// # Errors
/// The errno of the ioctl.
pub fn unregister(uffd: &OwnedFd, addr: usize, len: usize) -> Sys<()> {
    let mut arg = [addr as u64, len as u64];
    // SAFETY: struct uffdio_range is these two words, which live through the call.
    unsafe { raw::unregister(uffd.as_raw_fd(), &mut arg) }.map(drop)
}

/// UFFDIO_REGISTER for write protection, and UFFDIO_WRITEPROTECT of what is there. `len` in bytes.
///
/// # Errors
/// The errno of either.
pub fn protect(uffd: &OwnedFd, addr: usize, len: usize) -> Sys<()> {
    register_for(uffd, addr, len, REGISTER_MODE_WP)?;
    write_protect(uffd, addr, len, true)
}

/// UFFDIO_WRITEPROTECT of what is there, or the end of it, which wakes who waits to write. `len` in bytes.
///
/// # Errors
/// The errno of the ioctl; EAGAIN while the address space is just changing.
pub fn write_protect(uffd: &OwnedFd, addr: usize, len: usize, on: bool) -> Sys<()> {
    let mode = if on { WRITEPROTECT_ON } else { 0 };
    let mut arg = [addr as u64, len as u64, mode];
    // SAFETY: struct uffdio_writeprotect is these three words, which live through the call. No Rust object is there.
    unsafe { raw::writeprotect(uffd.as_raw_fd(), &mut arg) }.map(drop)
}

/// UFFDIO_RWPROTECT of what is there: nobody reads or writes it; or the end of it, which wakes who waits to. `len` in bytes.
///
/// # Errors
/// As [`write_protect`].
pub fn rw_protect(uffd: &OwnedFd, addr: usize, len: usize, on: bool) -> Sys<()> {
    let mode = if on { WRITEPROTECT_ON } else { 0 };
    let mut arg = [addr as u64, len as u64, mode];
    // SAFETY: struct uffdio_rwprotect is these three words, which live through the call. No Rust object is there.
    unsafe { raw::rwprotect(uffd.as_raw_fd(), &mut arg) }.map(drop)
}

/// UFFDIO_COPY of whole pages into the address space that `uffd` is of, where there is none yet, write-protected or not; wakes who waits
/// for them.
///
/// # Errors
/// The errno of the ioctl: EEXIST, ENOENT where nothing is registered, EAGAIN while the address space is just changing.
pub fn copy(uffd: &OwnedFd, addr: usize, content: &[u64], wp: bool) -> Sys<()> {
    let len = size_of_val(content) as u64;
    let mode = if wp { FILLED_WP } else { 0 };
    let mut arg = [addr as u64, content.as_ptr() as u64, len, mode, 0];
    // SAFETY: struct uffdio_copy is these five words, and the kernel reads `content`; both live through the call. What it fills is
    // address space without Rust objects (the rule of sys::mem), mostly of another process.
    unsafe { raw::copy(uffd.as_raw_fd(), &mut arg) }.map(drop)
}

/// UFFDIO_ZEROPAGE; wakes who waits for it. `len` in bytes.
///
/// # Errors
/// As [`copy`].
pub fn zero(uffd: &OwnedFd, addr: usize, len: usize) -> Sys<()> {
    let mut arg = [addr as u64, len as u64, 0, 0];
    // SAFETY: struct uffdio_zeropage is these four words, which live through the call. For the range see copy().
    unsafe { raw::zeropage(uffd.as_raw_fd(), &mut arg) }.map(drop)
}

/// UFFDIO_CONTINUE: maps the pages that the object has, write-protected or not; wakes who waits for them. `len` in bytes.
///
/// # Errors
/// As [`copy`]; EFAULT where the object has no page, EINVAL for `wp` before Linux 6.4.
pub fn cont(uffd: &OwnedFd, addr: usize, len: usize, wp: bool) -> Sys<()> {
    let mode = if wp { FILLED_WP } else { 0 };
    let mut arg = [addr as u64, len as u64, mode, 0];
    // SAFETY: struct uffdio_continue is these four words, which live through the call. For the range see copy().
    unsafe { raw::cont(uffd.as_raw_fd(), &mut arg) }.map(drop)
}

/// UFFDIO_POISON: who touches the missing pages from now on gets SIGBUS; wakes who waits for them. `len` in bytes.
///
/// # Errors
/// As [`copy`].
pub fn poison(uffd: &OwnedFd, addr: usize, len: usize) -> Sys<()> {
    let mut arg = [addr as u64, len as u64, 0, 0];
    // SAFETY: struct uffdio_poison is these four words, which live through the call. For the range see copy().
    unsafe { raw::poison(uffd.as_raw_fd(), &mut arg) }.map(drop)
}

/// What a userfaultfd tells (struct uffd_msg). Addresses and lengths are bytes.
#[allow(missing_docs)] // the fields are those of the structure
#[derive(Debug)]
pub enum Event {
    /// Somebody waits for a page, to write to one (`wp`), to map one that the object has (`minor`), or to touch one (`rwp`).
    Fault {
        addr: usize,
        write: bool,
        wp: bool,
        minor: bool,
        rwp: bool,
    },
    /// A fork: the child's userfaultfd.
    Fork(OwnedFd),
    /// mremap(2) has moved an area.
    Remap { from: usize, to: usize, len: usize },
    /// Pages are about to be given back.
    Remove { start: usize, end: usize },
    /// An area is no more.
    Unmap { start: usize, end: usize },
    /// Another one.
    Other(u8),
}

/// The next event, `None` when there is none. Who caused it goes on then, unless it is a fault.
///
/// # Errors
/// The errno of read(2).
pub fn next(uffd: &OwnedFd) -> Sys<Option<Event>> {
    const PAGEFAULT_FLAG_WRITE: u64 = 1;
    const PAGEFAULT_FLAG_WP: u64 = 2;
    const PAGEFAULT_FLAG_MINOR: u64 = 4;
    const PAGEFAULT_FLAG_RWP: u64 = 8;
    let mut msg = [0u8; 32];
    match nix::unistd::read(uffd, &mut msg) {
        Ok(n) if n == msg.len() => {}
        Ok(_) => return Err(Errno::EIO),
        Err(Errno::EAGAIN | Errno::EINTR) => return Ok(None),
        Err(e) => return Err(e),
    }
    let word = |i: usize| {
        let bytes = msg[8 * i..8 * i + 8].try_into().expect("eight bytes");
        u64::from_ne_bytes(bytes)
    };
    let at = |i: usize| word(i) as usize;
    let (start, end) = (at(1), at(2));
    Ok(Some(match msg[0] {
        0x12 => Event::Fault {
            addr: at(2),
            write: word(1) & PAGEFAULT_FLAG_WRITE != 0,
            wp: word(1) & PAGEFAULT_FLAG_WP != 0,
            minor: word(1) & PAGEFAULT_FLAG_MINOR != 0,
            rwp: word(1) & PAGEFAULT_FLAG_RWP != 0,
        },
        0x13 => {
            let number = u32::from_ne_bytes(msg[8..12].try_into().expect("four bytes"));
            // SAFETY: read(2) has just made this descriptor for us (resolve_userfault_fork()), and nobody else knows of it.
            Event::Fork(unsafe { OwnedFd::from_raw_fd(number as i32) })
        }
        0x14 => Event::Remap {
            from: at(1),
            to: at(2),
            len: at(3),
        },
        0x15 => Event::Remove { start, end },
        0x16 => Event::Unmap { start, end },
        other => Event::Other(other),
    }))
}

/// UFFDIO_MOVE. Bytes moved, and the errno that ended it early (EAGAIN for a part of the way).
pub fn move_pages(uffd: &OwnedFd, dst: usize, src: usize, len: usize, mode: u64) -> (i64, i32) {
    let mut arg = [dst as u64, src as u64, len as u64, mode, 0];
    // SAFETY: struct uffdio_move is these five words, which live through the call. Neither range holds a Rust object (the rule
    // of sys::mem).
    let end = unsafe { raw::move_pages(uffd.as_raw_fd(), &mut arg) };
    let errno = end.err().map_or(0, |e| e as i32);
    ((arg[4] as i64).max(0), errno)
}
