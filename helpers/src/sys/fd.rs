// SPDX-License-Identifier: GPL-2.0-or-later
//! File descriptors as bare numbers: what arrives over a socket or over exec.

use super::mem::Sys;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Takes ownership of a descriptor that the kernel has just installed in this process.
pub fn adopt(fd: RawFd) -> OwnedFd {
    // SAFETY: the number comes from SCM_RIGHTS or from the command line of an actor's exec; in
    // both cases the kernel made it for us and nothing else in this process owns it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// Clears FD_CLOEXEC.
///
/// # Errors
/// EBADF.
pub fn keep_over_exec(fd: &OwnedFd) -> Sys<()> {
    use nix::fcntl::{FcntlArg, FdFlag, fcntl};
    use std::os::fd::AsFd;
    let fd: BorrowedFd = fd.as_fd();
    fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty())).map(drop)
}
