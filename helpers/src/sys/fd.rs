// SPDX-License-Identifier: GPL-2.0-or-later
//! File descriptors as bare numbers: what arrives over a socket or over exec.

use super::mem::Sys;
use nix::errno::Errno;
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

/// A descriptor of another process, as one of this one's own (pidfd_getfd(2), Linux 5.6).
///
/// # Errors
/// ENOSYS, EPERM without the right to trace that process, EBADF.
pub fn take(pid: i32, number: RawFd) -> Sys<OwnedFd> {
    // SAFETY: two numbers, no pointers.
    let pidfd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    // SAFETY: the kernel has just made this descriptor, and nobody else knows of it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd as RawFd) };
    let raw = std::os::fd::AsRawFd::as_raw_fd(&pidfd);
    // SAFETY: three numbers, no pointers.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_getfd, raw, number, 0) })?;
    // SAFETY: as above.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Writes back all that is dirty of a file and waits for it (sync_file_range(2)), its metadata left aside.
///
/// # Errors
/// EIO, once for each open file, when something of it was lost (errseq_t).
pub fn write_back(fd: BorrowedFd) -> Sys<()> {
    use libc::{
        SYNC_FILE_RANGE_WAIT_AFTER as AFTER, SYNC_FILE_RANGE_WAIT_BEFORE as BEFORE,
        SYNC_FILE_RANGE_WRITE as WRITE,
    };
    let raw = std::os::fd::AsRawFd::as_raw_fd(&fd);
    // SAFETY: four numbers, no pointers; 0 bytes are all from there on.
    Errno::result(unsafe { libc::sync_file_range(raw, 0, 0, BEFORE | WRITE | AFTER) }).map(drop)
}
