// SPDX-License-Identifier: GPL-2.0-or-later
//! userfaultfd(2) and its ioctls (uapi/linux/userfaultfd.h).

use super::mem::Sys;
use nix::errno::Errno;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// UFFD_FEATURE_MOVE: there is UFFDIO_MOVE (Linux 6.8).
pub const FEATURE_MOVE: u64 = 1 << 16;
/// UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES.
pub const MOVE_ALLOW_SRC_HOLES: u64 = 1 << 1;

const API: u64 = 0xaa;
/// UFFD_USER_MODE_ONLY (Linux 5.11): faults of the kernel are answered with an error instead of waiting. Needs no privilege.
const USER_MODE_ONLY: i32 = 1;
const REGISTER_MODE_MISSING: u64 = 1;
const REGISTER_MODE_WP: u64 = 2;
/// UFFDIO_WRITEPROTECT_MODE_WP.
const WRITEPROTECT_ON: u64 = 1;

mod raw {
    nix::ioctl_readwrite!(api, 0xaa, 0x3f, [u64; 3]);
    nix::ioctl_readwrite!(register, 0xaa, 0x00, [u64; 4]);
    nix::ioctl_read!(unregister, 0xaa, 0x01, [u64; 2]);
    nix::ioctl_readwrite!(writeprotect, 0xaa, 0x06, [u64; 3]);
    nix::ioctl_readwrite!(move_pages, 0xaa, 0x05, [u64; 5]);
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
    let mut arg = [addr as u64, len as u64, REGISTER_MODE_MISSING, 0];
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
    let mut arg = [addr as u64, len as u64, REGISTER_MODE_WP, 0];
    // SAFETY: as in register().
    unsafe { raw::register(uffd.as_raw_fd(), &mut arg) }?;
    let mut arg = [addr as u64, len as u64, WRITEPROTECT_ON];
    // SAFETY: struct uffdio_writeprotect is these three words, which live through the call. No Rust object is there.
    unsafe { raw::writeprotect(uffd.as_raw_fd(), &mut arg) }.map(drop)
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
