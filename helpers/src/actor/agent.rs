// SPDX-License-Identifier: GPL-2.0-or-later
//! The actor's side of the socket.

use super::wire::{Cmd, Diff, Reply};
use super::{bus, pin, stack, thread, uffd, vma};
use crate::sys::{fd, mem, numa, proc};
use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, RecvMsg, recvmsg};
use nix::time::{ClockId, clock_gettime};
use std::io::IoSliceMut;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// Largest packet, either way, bytes. World splits page lists to stay below it.
pub const PACKET: usize = 128 << 10;

/// First argument of a program that [`Cmd::Exec`] starts; the second is the socket's number.
pub const EXEC_ARG: &str = "__actor";

/// If this program was started by [`Cmd::Exec`], be that actor and never return.
pub fn exec_entry() {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() != Some(EXEC_ARG) {
        return;
    }
    let Some(number) = args.next().and_then(|n| n.parse::<RawFd>().ok()) else {
        eprintln!("{EXEC_ARG}: needs the number of a socket");
        proc::exit_now(1);
    };
    let socket = fd::adopt(number);
    // The reply to the Exec command: the old image could not send it.
    send(&socket, &Reply::Done);
    serve(socket)
}

/// Obeys `socket` until it is told to exit or the other side is gone. Never returns: a forked actor
/// must not come back into the code that its parent was running.
pub fn serve(mut socket: OwnedFd) -> ! {
    // An actor must not outlive the test, however the test ends.
    let _ = proc::set_pdeathsig(nix::libc::SIGKILL);
    let mut buf = vec![0u8; PACKET];
    let mut own = Own::default();
    loop {
        let (cmd, passed) = receive(&socket, &mut buf);
        match cmd {
            Cmd::Fork => {
                let Some(child_socket) = passed else {
                    send(&socket, &Reply::Errno(Errno::EBADF as i32));
                    continue;
                };
                match proc::fork_sibling() {
                    Ok(proc::Forked::Parent(pid)) => {
                        drop(child_socket);
                        send(&socket, &Reply::Value(pid as usize));
                    }
                    Ok(proc::Forked::Child) => {
                        // Drops the parent's socket: only its owner may hold it, or the
                        // supervisor would not see the owner's death.
                        socket = child_socket;
                        own.pin.born();
                        bus::born();
                        let _ = proc::set_pdeathsig(nix::libc::SIGKILL);
                    }
                    Err(e) => send(&socket, &Reply::Errno(e as i32)),
                }
            }
            Cmd::Exit(code) => {
                send(&socket, &Reply::Done);
                proc::exit_now(code)
            }
            Cmd::Exec { environment } => {
                let e = exec_self(&socket, environment);
                send(&socket, &Reply::Errno(e as i32));
            }
            other => {
                let reply = obey(other, passed, &mut own);
                send(&socket, &reply);
            }
        }
    }
}

/// What an actor holds between two commands. A child starts with its parent's, as after any fork.
#[derive(Default)]
pub(super) struct Own {
    uffd: uffd::State,
    vma: vma::State,
    pin: pin::State,
    bus: bus::State,
    thread: thread::State,
}

fn exec_self(socket: &OwnedFd, environment: usize) -> Errno {
    if let Err(e) = fd::keep_over_exec(socket) {
        return e;
    }
    let args = [
        c"actor".to_owned(),
        c"__actor".to_owned(),
        std::ffi::CString::new(socket.as_raw_fd().to_string()).unwrap_or_default(),
    ];
    let program = c"/proc/self/exe";
    let done = match environment {
        0 => nix::unistd::execv(program, &args),
        bytes => nix::unistd::execve(program, &args, &stack::environment(bytes)),
    };
    match done {
        Err(e) => e,
        Ok(never) => match never {},
    }
}

/// Carries out what an actor does for itself.
pub(super) fn obey(cmd: Cmd, passed: Option<OwnedFd>, own: &mut Own) -> Reply {
    let done = |r: Result<(), Errno>| r.map(|()| Reply::Done);
    let result = match cmd {
        Cmd::Map {
            addr,
            len,
            prot,
            flags,
            fd: wants_fd,
            off,
        } => match (wants_fd, &passed) {
            (true, None) => Err(Errno::EBADF),
            (_, file) => {
                let raw = file.as_ref().map_or(-1, |f| f.as_raw_fd());
                mem::mmap(addr, len, prot, flags, raw, off).map(Reply::Value)
            }
        },
        Cmd::Unmap { addr, len } => done(mem::munmap(addr, len)),
        Cmd::Protect { addr, len, prot } => done(mem::mprotect(addr, len, prot)),
        Cmd::Advise { addr, len, advice } => done(mem::madvise(addr, len, advice)),
        Cmd::Remap {
            addr,
            old_len,
            new_len,
            flags,
            new_addr,
        } => mem::mremap(addr, old_len, new_len, flags, new_addr).map(Reply::Value),
        Cmd::Lock { addr, len, flags } => done(mem::mlock(addr, len, flags)),
        Cmd::LockAll { flags } => done(mem::mlockall(flags)),
        Cmd::Unlock { addr, len } => done(mem::munlock(addr, len)),
        Cmd::Fill { page, pages } => {
            for (addr, stamp) in pages {
                mem::fill(addr, page, stamp);
            }
            Ok(Reply::Done)
        }
        Cmd::Compare { page, pages } => Ok(Reply::Differs(
            pages
                .into_iter()
                .filter_map(|(addr, stamp)| {
                    let (off, expected, seen) = mem::compare(addr, page, stamp)?;
                    Some(Diff {
                        addr: addr + off,
                        expected,
                        seen,
                    })
                })
                .collect(),
        )),
        Cmd::Read { addrs } => {
            addrs.into_iter().for_each(mem::touch_read);
            Ok(Reply::Done)
        }
        Cmd::Probe { addrs } => probe(&addrs).map(Reply::Values),
        Cmd::ProbeWrite { addrs } => probe_write(&addrs).map(Reply::Values),
        Cmd::Uffd(cmd) => uffd::obey(cmd, &mut own.uffd),
        Cmd::Vma(cmd) => vma::obey(cmd, &mut own.vma),
        Cmd::Pin(cmd) => pin::obey(cmd, &mut own.pin),
        Cmd::Bus(cmd) => bus::obey(cmd, &mut own.bus),
        Cmd::Thread(cmd) => thread::obey(cmd, &mut own.thread),
        Cmd::Environment { bytes } => {
            stack::verified(bytes).map(|(from, to)| Reply::Values(vec![from as i64, to as i64]))
        }
        Cmd::FlushTlb => done(flush_tlb()),
        Cmd::Spin { ms } => done(spin(Duration::from_millis(ms.into()))),
        Cmd::MovePages {
            pid,
            addrs,
            node,
            flags,
        } => numa::move_pages(pid, &addrs, node, flags).map(Reply::Statuses),
        Cmd::Mbind {
            addr,
            len,
            node,
            flags,
        } => done(numa::mbind(addr, len, node, flags)),
        Cmd::Batch(all) => {
            let mut replies = all.into_iter().map(|cmd| obey(cmd, None, own)).enumerate();
            let failed = replies.find_map(|(i, reply)| match reply {
                Reply::Errno(e) => Some(Reply::Failed(i, e)),
                _ => None,
            });
            Ok(failed.unwrap_or(Reply::Done))
        }
        Cmd::MemoryMerge(on) => done(proc::set_memory_merge(on)),
        Cmd::MergesMemory => proc::get_memory_merge().map(|on| Reply::Value(on.into())),
        Cmd::Mincore { addr, len } => mem::mincore(addr, len)
            .map(|v| Reply::Values(v.into_iter().map(|b| i64::from(b & 1)).collect())),
        Cmd::Panic => panic!("told to"),
        Cmd::Crash => {
            mem::touch_read(8);
            Ok(Reply::Done)
        }
        Cmd::Hang => loop {
            nix::unistd::pause();
        },
        Cmd::Fork | Cmd::Exec { .. } | Cmd::Exit(_) => Err(Errno::EINVAL),
    };
    result.unwrap_or_else(|e| Reply::Errno(e as i32))
}

/// A write to a pipe reads the byte in the kernel, where a page that cannot be had is EFAULT instead of a signal.
fn probe(addrs: &[usize]) -> Result<Vec<i64>, Errno> {
    let (out, into) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
    let mut sink = [0];
    let mut all = Vec::with_capacity(addrs.len());
    for &addr in addrs {
        all.push(match mem::write_from(&into, addr, 1) {
            Ok(_) => {
                nix::unistd::read(&out, &mut sink)?;
                0
            }
            Err(e) => e as i64,
        });
    }
    Ok(all)
}

/// A read from a pipe writes the byte in the kernel. It is the byte that is there, so nothing changes where a write succeeds.
fn probe_write(addrs: &[usize]) -> Result<Vec<i64>, Errno> {
    let (out, into) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
    let mut all = Vec::with_capacity(addrs.len());
    for &addr in addrs {
        if let Err(e) = mem::write_from(&into, addr, 1) {
            all.push(e as i64);
            continue;
        }
        all.push(match mem::read_into(&out, addr, 1) {
            Ok(_) => 0,
            Err(e) => {
                nix::unistd::read(&out, &mut [0])?;
                e as i64
            }
        });
    }
    Ok(all)
}

/// Unmaps a range longer than any architecture flushes page by page or as a range (x86: 33 pages, arm64: 2^21), which makes the kernel
/// drop every translation of this address space. Only the ends are touched: what is flushed is all between them
/// (__tlb_adjust_range()). With MCL_FUTURE the kernel would fill all of it with pages, so it may be read only when it is locked no more.
fn flush_tlb() -> Result<(), Errno> {
    let page = mem::page_size();
    let flags = nix::libc::MAP_PRIVATE | nix::libc::MAP_ANONYMOUS | nix::libc::MAP_NORESERVE;
    let map = |pages: usize| {
        let len = pages.checked_mul(page).ok_or(Errno::ENOMEM)?;
        mem::mmap(0, len, nix::libc::PROT_NONE, flags, -1, 0).map(|at| (at, len))
    };
    // 32 bits have no room for that many, nor a CPU that flushes ranges.
    let (at, len) = map((1 << 21) + 1).or_else(|_| map(1024))?;
    mem::munlock(at, len)?;
    mem::mprotect(at, len, nix::libc::PROT_READ)?;
    mem::touch_read(at);
    mem::touch_read(at + len - page);
    mem::munmap(at, len)
}

/// Uses the CPU for so long. What waits for the CPU meanwhile does not count.
fn spin(time: Duration) -> Result<(), Errno> {
    let now = || clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map(Duration::from);
    let end = now()? + time;
    while now()? < end {
        std::hint::spin_loop();
    }
    Ok(())
}

/// The next command. The end of the socket is the end of the actor: its test is gone.
fn receive(socket: &OwnedFd, buf: &mut [u8]) -> (Cmd, Option<OwnedFd>) {
    loop {
        let mut space = nix::cmsg_space!([RawFd; 1]);
        let mut iov = [IoSliceMut::new(buf)];
        let got: Result<RecvMsg<()>, Errno> = recvmsg(
            socket.as_raw_fd(),
            &mut iov,
            Some(&mut space),
            MsgFlags::MSG_CMSG_CLOEXEC,
        );
        let (bytes, passed) = match got {
            Ok(m) => {
                let mut passed = None;
                for c in m.cmsgs().into_iter().flatten() {
                    if let ControlMessageOwned::ScmRights(fds) = c {
                        passed = fds.first().map(|&f| fd::adopt(f));
                    }
                }
                (m.bytes, passed)
            }
            Err(Errno::EINTR) => continue,
            Err(_) => proc::exit_now(3),
        };
        if bytes == 0 {
            proc::exit_now(3);
        }
        match serde_json::from_slice(&buf[..bytes]) {
            Ok(cmd) => return (cmd, passed),
            Err(e) => panic!("an actor cannot read its command: {e}"),
        }
    }
}

fn send(socket: &OwnedFd, reply: &Reply) {
    let text = serde_json::to_vec(reply).expect("replies are plain data");
    loop {
        match nix::sys::socket::send(socket.as_raw_fd(), &text, MsgFlags::MSG_NOSIGNAL) {
            Ok(_) => return,
            Err(Errno::EINTR) => {}
            // Nobody is there to obey any more.
            Err(_) => proc::exit_now(3),
        }
    }
}
