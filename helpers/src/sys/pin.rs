// SPDX-License-Identifier: GPL-2.0-or-later
//! Ways to get at pages without mapping them: vmsplice(2), io_uring's registered buffers, process_vm_readv(2), gup_test.

use super::mem::{self, Sys};
use nix::errno::Errno;
use std::fs::{File, OpenOptions};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;
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

/// PIN_LONGTERM_TEST_FLAG_USE_FAST.
const USE_FAST: u32 = 2;

/// struct pin_longterm_test (mm/gup_test.h).
#[repr(C)]
#[derive(Default)]
struct LongTerm {
    addr: u64,
    size: u64,
    flags: u32,
    unused: u32,
}

mod raw {
    nix::ioctl_write_ptr!(start, b'g', 7, super::LongTerm);
    nix::ioctl_none!(stop, b'g', 8);
    nix::ioctl_write_ptr!(read, b'g', 9, u64);
}

/// Pages that gup_test (CONFIG_GUP_TEST) has pinned to be read, for a long time (FOLL_PIN | FOLL_LONGTERM). The kernel has one set of
/// them, which it also lets go when any file of gup_test is closed that nobody else has open (gup_test_release()).
pub struct ToRead {
    file: File,
    len: usize,
}

impl ToRead {
    /// Pins `len` bytes at `addr`, without the mmap lock where that is possible if `fast` (pin_user_pages_fast()). `file` is gup_test in
    /// debugfs.
    ///
    /// # Errors
    /// Those of open(2) and of the pin; EINVAL while anybody has pages pinned so.
    pub fn new(file: &Path, addr: usize, len: usize, fast: bool) -> Sys<ToRead> {
        let file = open(file)?;
        let arg = LongTerm {
            addr: addr as u64,
            size: len as u64,
            flags: if fast { USE_FAST } else { 0 },
            unused: 0,
        };
        // SAFETY: the kernel reads the struct, which lives through the call, and changes no page.
        unsafe { raw::start(file.as_raw_fd(), &raw const arg) }?;
        Ok(ToRead { file, len })
    }

    /// Lets the pages go, whoever else has the descriptor.
    ///
    /// # Errors
    /// EINTR for who is about to be killed.
    pub fn stop(self) -> Sys<()> {
        // SAFETY: no memory is passed.
        unsafe { raw::stop(self.file.as_raw_fd()) }.map(drop)
    }

    /// Copies all that is pinned, page after page, and shows it to `with`: the address of the copy, readable for as many bytes as were pinned.
    ///
    /// # Errors
    /// The errno of the call, or of mmap(2).
    pub fn read<T>(&self, with: impl FnOnce(usize) -> T) -> Sys<T> {
        let guard = mem::page_size();
        let rw = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let at = mem::mmap(0, self.len + guard, rw, flags, -1, 0)?;
        let copied = mem::mprotect(at + self.len, guard, libc::PROT_NONE).and_then(|()| {
            let to = at as u64;
            // SAFETY: the kernel writes what is pinned to this new mapping. Should that be more than was asked for, it comes to the page
            // without access behind it, and says EFAULT.
            unsafe { raw::read(self.file.as_raw_fd(), &raw const to) }
        });
        let result = copied.map(|_| with(at));
        mem::munmap(at, self.len + guard)?;
        result
    }
}

/// What gup_test can do for who wants to pin pages for a long time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GupTest {
    /// It pins them.
    Free,
    /// It has pages pinned for somebody, and lets these go at the end of this question.
    InUse,
    /// It does not know these calls.
    Older,
    /// There is none that can be opened.
    Missing,
}

/// Asks gup_test without an argument. It looks at where that is (EFAULT) unless it does not know the call, has pages pinned when it is to pin some, or
/// has none when it is to show them (EINVAL).
pub fn gup_test(file: &Path) -> GupTest {
    let Ok(file) = open(file) else {
        return GupTest::Missing;
    };
    // SAFETY: there is no argument at this address, and nothing is pinned.
    let pins = unsafe { raw::start(file.as_raw_fd(), null()) };
    // SAFETY: there is no argument at this address, and nothing is copied.
    let shows = unsafe { raw::read(file.as_raw_fd(), null()) };
    match (pins, shows) {
        (Err(Errno::EFAULT), _) => GupTest::Free,
        (_, Err(Errno::EFAULT)) => GupTest::InUse,
        _ => GupTest::Older,
    }
}

/// Opened, not only looked at: a locked down kernel shows it and refuses.
fn open(file: &Path) -> Sys<File> {
    let opened = OpenOptions::new().read(true).write(true).open(file);
    opened.map_err(|e| Errno::from_raw(e.raw_os_error().unwrap_or(libc::EIO)))
}

fn whole(n: isize, len: usize) -> Sys<()> {
    if n as usize == len {
        Ok(())
    } else {
        Err(Errno::EFAULT)
    }
}
