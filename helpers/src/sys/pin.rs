// SPDX-License-Identifier: GPL-2.0-or-later
//! Ways to get at pages without mapping them: vmsplice(2), io_uring's registered buffers, process_vm_readv(2).

use super::mem::Sys;
use nix::errno::Errno;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::{null, with_exposed_provenance_mut};

const IORING_REGISTER_BUFFERS: u32 = 0;
const IORING_UNREGISTER_BUFFERS: u32 = 1;
/// Bytes of struct io_uring_params (uapi/linux/io_uring.h).
const IO_URING_PARAMS: usize = 120;

fn vec_of(addr: usize, len: usize) -> libc::iovec {
    libc::iovec {
        iov_base: with_exposed_provenance_mut(addr),
        iov_len: len,
    }
}

/// vmsplice(2) of `len` bytes at `addr` into a pipe: the pipe holds the pages themselves (FOLL_GET). Does not wait for room.
///
/// # Errors
/// The errno of vmsplice(2).
pub fn vmsplice(pipe: &OwnedFd, addr: usize, len: usize) -> Sys<usize> {
    let vec = vec_of(addr, len);
    // SAFETY: one iovec that lives through the call. The kernel reads the range, and answers a bad address with an error.
    let n = unsafe { libc::vmsplice(pipe.as_raw_fd(), &vec, 1, libc::SPLICE_F_NONBLOCK) };
    Errno::result(n).map(|n| n as usize)
}

/// A ring whose only use is to hold registered buffers.
///
/// # Errors
/// The errno of io_uring_setup(2): ENOSYS or EPERM where it is not to be had.
pub fn ring() -> Sys<OwnedFd> {
    let mut params = [0u64; IO_URING_PARAMS / 8];
    // SAFETY: the kernel reads and writes the 120 bytes of `params`.
    let fd = Errno::result(unsafe {
        libc::syscall(
            libc::SYS_io_uring_setup,
            1 as libc::c_uint,
            params.as_mut_ptr(),
        )
    })?;
    // SAFETY: the kernel has just made this descriptor, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// IORING_REGISTER_BUFFERS: pins `len` bytes at `addr` for writing and for a long time (FOLL_PIN | FOLL_LONGTERM | FOLL_WRITE).
///
/// # Errors
/// The errno of io_uring_register(2); ENOMEM over RLIMIT_MEMLOCK.
pub fn register(ring: &OwnedFd, addr: usize, len: usize) -> Sys<()> {
    let vec = vec_of(addr, len);
    // SAFETY: one iovec that lives through the call. Nothing is ever submitted to the ring, so nobody writes to the pages.
    Errno::result(unsafe {
        libc::syscall(
            libc::SYS_io_uring_register,
            ring.as_raw_fd(),
            IORING_REGISTER_BUFFERS,
            &raw const vec,
            1 as libc::c_uint,
        )
    })
    .map(drop)
}

/// IORING_UNREGISTER_BUFFERS: the pins are gone when it returns; closing the ring would let them go at some later time.
///
/// # Errors
/// ENXIO when nothing is registered.
pub fn unregister(ring: &OwnedFd) -> Sys<()> {
    // SAFETY: no memory is passed.
    Errno::result(unsafe {
        libc::syscall(
            libc::SYS_io_uring_register,
            ring.as_raw_fd(),
            IORING_UNREGISTER_BUFFERS,
            null::<u8>(),
            0 as libc::c_uint,
        )
    })
    .map(drop)
}

/// process_vm_writev(2) of `bytes` to `addr` in another process.
///
/// # Errors
/// The errno of the call; EFAULT also for a part.
pub fn vm_write(pid: i32, addr: usize, bytes: &mut [u8]) -> Sys<()> {
    let local = vec_of(bytes.as_mut_ptr().expose_provenance(), bytes.len());
    let remote = vec_of(addr, bytes.len());
    // SAFETY: the local range is `bytes`, which is only read; the remote one is the other process' own affair.
    let n = unsafe { libc::process_vm_writev(pid, &local, 1, &remote, 1, 0) };
    whole(Errno::result(n)?, bytes.len())
}

/// process_vm_readv(2) into `bytes` from `addr` in another process.
///
/// # Errors
/// The errno of the call; EFAULT also for a part.
pub fn vm_read(pid: i32, addr: usize, bytes: &mut [u8]) -> Sys<()> {
    let local = vec_of(bytes.as_mut_ptr().expose_provenance(), bytes.len());
    let remote = vec_of(addr, bytes.len());
    // SAFETY: the kernel writes to `bytes` and nowhere else here.
    let n = unsafe { libc::process_vm_readv(pid, &local, 1, &remote, 1, 0) };
    whole(Errno::result(n)?, bytes.len())
}

fn whole(n: isize, len: usize) -> Sys<()> {
    if n as usize == len {
        Ok(())
    } else {
        Err(Errno::EFAULT)
    }
}
