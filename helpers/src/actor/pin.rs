// SPDX-License-Identifier: GPL-2.0-or-later
//! References to an actor's pages that are no mappings: what is in a pipe, what a device may write to or read. And ways into the memory
//! of another actor.

use super::wire::{Diff, Reply};
use crate::sys::{mem, pin};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// How another process' memory is reached.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// process_vm_readv(2), process_vm_writev(2).
    Vm,
    /// /proc/PID/mem: writes also where the process itself may only read (FOLL_FORCE).
    Mem,
}

/// How the kernel looks for pages that it pins.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// In the VMAs and their page tables, with the mmap lock (pin_user_pages()).
    Slow,
    /// In the page tables alone, as far as that tells enough (pin_user_pages_fast()).
    Fast,
}

/// Tests of both ways to look, `NAME` and `NAME.fast`: each line is `BASE "NAME" |ctx, lookup| RUN;`, where BASE is what else they are.
#[macro_export]
macro_rules! by_each_lookup {
    ($($of:ident $name:literal |$ctx:ident, $lookup:ident| $run:expr;)*) => {
        &[$(
            $crate::supervise::Test {
                name: $name,
                run: |$ctx| {
                    let $lookup = $crate::actor::pin::Lookup::Slow;
                    $run
                },
                ..$of
            },
            $crate::supervise::Test {
                name: concat!($name, ".fast"),
                run: |$ctx| {
                    let $lookup = $crate::actor::pin::Lookup::Fast;
                    $run
                },
                ..$of
            },
        )*]
    };
}

/// What an actor can be told. Addresses, lengths and page sizes are bytes.
#[allow(missing_docs)] // the fields are the arguments of the system call named
#[derive(Serialize, Deserialize, Debug, Clone)]
pub enum Cmd {
    /// vmsplice(2) into a pipe; the reply is the bytes that went in.
    Splice { addr: usize, len: usize },
    /// Reads the pipe. Each page must hold one of the contents that are allowed for it.
    Drain { page: usize, allowed: Vec<Vec<u64>> },
    /// Pins as for a device that writes (io_uring's registered buffers).
    Register { addr: usize, len: usize },
    /// Pins as for a device that reads, for a long time; `file` is gup_test in debugfs.
    ToRead {
        file: PathBuf,
        addr: usize,
        len: usize,
        lookup: Lookup,
    },
    /// Compares what is pinned so, from the page `first` of it on, with stamps.
    Pinned {
        page: usize,
        first: usize,
        stamps: Vec<u64>,
    },
    /// Writes the pattern of each stamp to the pages of another process.
    Poke {
        way: Way,
        pid: i32,
        page: usize,
        pages: Vec<(usize, u64)>,
    },
    /// Compares the pages of another process with stamps.
    Peek {
        way: Way,
        pid: i32,
        page: usize,
        pages: Vec<(usize, u64)>,
    },
    /// Gives everything up: the pipe is emptied, the pins are gone.
    Close,
}

/// What is held.
#[derive(Default)]
pub struct State {
    /// The process that holds it. A child has copies of the descriptors, and must not end what its parent began.
    owner: u32,
    pipe: Option<(File, OwnedFd)>,
    ring: Option<OwnedFd>,
    to_read: Option<pin::ToRead>,
}

impl State {
    /// In a child: it has a copy of gup_test's descriptor, and as long as that is open the pages stay pinned when its parent is killed.
    pub fn born(&mut self) {
        self.to_read = None;
    }
}

/// Carries a command out.
pub fn obey(cmd: Cmd, state: &mut State) -> Result<Reply, Errno> {
    let me = std::process::id();
    if state.owner != me {
        *state = State {
            owner: me,
            ..State::default()
        };
    }
    match cmd {
        Cmd::Splice { addr, len } => {
            let pages = len / mem::page_size();
            let (out, into) = nix::unistd::pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
            fcntl(
                &into,
                FcntlArg::F_SETPIPE_SZ((pages * mem::page_size()) as i32),
            )?;
            let n = pin::vmsplice(&into, addr, len)?;
            state.pipe = Some((out.into(), into));
            Ok(Reply::Value(n))
        }
        Cmd::Drain { page, allowed } => {
            let (out, _into) = state.pipe.take().ok_or(Errno::EBADF)?;
            let mut diffs = Vec::new();
            let mut buf = vec![0; page];
            for (i, stamps) in allowed.iter().enumerate() {
                read_page(&out, &mut buf)?;
                let all: Vec<_> = stamps.iter().map(|&s| difference(&buf, s)).collect();
                if let Some(Some((at, expected, seen))) = all.first()
                    && all.iter().all(Option::is_some)
                {
                    diffs.push(Diff {
                        addr: i * page + at,
                        expected: *expected,
                        seen: *seen,
                    });
                }
            }
            Ok(Reply::Differs(diffs))
        }
        Cmd::Register { addr, len } => {
            let ring = pin::ring()?;
            pin::register(&ring, addr, len)?;
            state.ring = Some(ring);
            Ok(Reply::Done)
        }
        Cmd::ToRead {
            file,
            addr,
            len,
            lookup,
        } => {
            let fast = lookup == Lookup::Fast;
            state.to_read = Some(pin::ToRead::new(&file, addr, len, fast)?);
            Ok(Reply::Done)
        }
        Cmd::Pinned {
            page,
            first,
            stamps,
        } => {
            let pins = state.to_read.as_ref().ok_or(Errno::EBADF)?;
            let differs = |at: usize| {
                let pages = (first..).zip(&stamps);
                let diffs = pages.filter_map(|(i, &stamp)| {
                    let (off, expected, seen) = mem::compare(at + i * page, page, stamp)?;
                    let addr = i * page + off;
                    Some(Diff {
                        addr,
                        expected,
                        seen,
                    })
                });
                diffs.collect()
            };
            pins.read(differs).map(Reply::Differs)
        }
        Cmd::Poke {
            way,
            pid,
            page,
            pages,
        } => {
            let mut there = There::open(way, pid)?;
            for (addr, stamp) in pages {
                let words = (0..page / 8).map(|i| mem::pattern_word(stamp, i));
                let mut bytes: Vec<u8> = words.flat_map(u64::to_ne_bytes).collect();
                there.write(addr, &mut bytes)?;
            }
            Ok(Reply::Done)
        }
        Cmd::Peek {
            way,
            pid,
            page,
            pages,
        } => {
            let mut there = There::open(way, pid)?;
            let mut buf = vec![0; page];
            let mut diffs = Vec::new();
            for (addr, stamp) in pages {
                there.read(addr, &mut buf)?;
                if let Some((at, expected, seen)) = difference(&buf, stamp) {
                    let addr = addr + at;
                    diffs.push(Diff {
                        addr,
                        expected,
                        seen,
                    });
                }
            }
            Ok(Reply::Differs(diffs))
        }
        Cmd::Close => {
            if let Some((out, _into)) = &state.pipe {
                // Copies of the descriptors elsewhere would keep what is in the pipe.
                while nix::unistd::read(out, &mut [0; 4096]).is_ok_and(|n| n > 0) {}
            }
            if let Some(ring) = &state.ring {
                pin::unregister(ring)?;
            }
            if let Some(pins) = state.to_read.take() {
                pins.stop()?;
            }
            *state = State::default();
            Ok(Reply::Done)
        }
    }
}

/// The memory of another process.
enum There {
    Vm(i32),
    Mem(File),
}

impl There {
    fn open(way: Way, pid: i32) -> Result<There, Errno> {
        Ok(match way {
            Way::Vm => There::Vm(pid),
            Way::Mem => {
                let path = format!("/proc/{pid}/mem");
                let file = OpenOptions::new().read(true).write(true).open(path);
                There::Mem(file.map_err(errno)?)
            }
        })
    }

    fn write(&mut self, addr: usize, bytes: &mut [u8]) -> Result<(), Errno> {
        match self {
            There::Vm(pid) => pin::vm_write(*pid, addr, bytes),
            There::Mem(file) => file.write_all_at(bytes, addr as u64).map_err(errno),
        }
    }

    fn read(&mut self, addr: usize, bytes: &mut [u8]) -> Result<(), Errno> {
        match self {
            There::Vm(pid) => pin::vm_read(*pid, addr, bytes),
            There::Mem(file) => file.read_exact_at(bytes, addr as u64).map_err(errno),
        }
    }
}

fn errno(e: std::io::Error) -> Errno {
    Errno::from_raw(e.raw_os_error().unwrap_or(nix::libc::EIO))
}

/// A pipe that nobody writes to any more has all of a page or nothing.
fn read_page(pipe: &File, buf: &mut [u8]) -> Result<(), Errno> {
    let mut got = 0;
    while got < buf.len() {
        match nix::unistd::read(pipe, &mut buf[got..]) {
            Ok(0) => return Err(Errno::ENODATA),
            Ok(n) => got += n,
            Err(Errno::EINTR) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// (byte offset, word expected, word seen) of the first difference from the pattern of a stamp.
fn difference(bytes: &[u8], stamp: u64) -> Option<(usize, u64, u64)> {
    let words = bytes.as_chunks().0.iter().map(|&b| u64::from_ne_bytes(b));
    let pairs = words
        .enumerate()
        .map(|(i, seen)| (i, mem::pattern_word(stamp, i), seen));
    pairs
        .filter(|(_, expected, seen)| expected != seen)
        .map(|(i, expected, seen)| (i * 8, expected, seen))
        .next()
}
