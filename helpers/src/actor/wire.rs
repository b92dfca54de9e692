// SPDX-License-Identifier: GPL-2.0-or-later
//! Commands and replies, as data. One command, one reply, one packet each.

use nix::libc::{
    MAP_ANONYMOUS, MAP_FIXED, MAP_NORESERVE, MAP_PRIVATE, MREMAP_DONTUNMAP, MREMAP_FIXED,
    MREMAP_MAYMOVE,
};
use serde::{Deserialize, Serialize};

/// What an actor can be told to do. Addresses and lengths are bytes.
#[allow(missing_docs)] // the fields are the arguments of the system call named
#[derive(Serialize, Deserialize, Debug, Clone)]
pub enum Cmd {
    /// mmap(2) at a fixed address; a file descriptor comes along when `fd` is set.
    Map {
        addr: usize,
        len: usize,
        prot: i32,
        flags: i32,
        fd: bool,
        off: u64,
    },
    /// munmap(2).
    Unmap { addr: usize, len: usize },
    /// mprotect(2).
    Protect { addr: usize, len: usize, prot: i32 },
    /// madvise(2).
    Advise {
        addr: usize,
        len: usize,
        advice: i32,
    },
    /// mremap(2).
    Remap {
        addr: usize,
        old_len: usize,
        new_len: usize,
        flags: i32,
        new_addr: usize,
    },
    /// mlock2(2).
    Lock { addr: usize, len: usize, flags: i32 },
    /// mlockall(2).
    LockAll { flags: i32 },
    /// munlock(2).
    Unlock { addr: usize, len: usize },
    /// Write the pattern of a stamp to each (address, stamp).
    Fill {
        page: usize,
        pages: Vec<(usize, u64)>,
    },
    /// Compare each (address, stamp) with the memory: the reply lists what differs.
    Compare {
        page: usize,
        pages: Vec<(usize, u64)>,
    },
    /// Read one byte of each page.
    Read { addrs: Vec<usize> },
    /// For each address, whether the kernel can read a byte there for this process: 0, or the errno.
    Probe { addrs: Vec<usize> },
    /// For each address, whether the kernel can write there for this process (the byte that is there): 0, or the errno.
    ProbeWrite { addrs: Vec<usize> },
    /// Have the CPU forget this address space's translations, so that the next access sets the accessed bit.
    FlushTlb,
    /// Run for so many milliseconds of CPU time.
    Spin { ms: u32 },
    /// move_pages(2) of another process' pages, from this one.
    MovePages {
        pid: i32,
        addrs: Vec<usize>,
        node: i32,
        flags: i32,
    },
    /// mbind(2) to one node (MPOL_BIND), or to none (MPOL_DEFAULT).
    Mbind {
        addr: usize,
        len: usize,
        node: Option<i32>,
        flags: i32,
    },
    /// prctl(PR_SET_MEMORY_MERGE).
    MemoryMerge(bool),
    /// prctl(PR_GET_MEMORY_MERGE): 0 or 1.
    MergesMemory,
    /// mincore(2): bit 0 of each page's byte.
    Mincore { addr: usize, len: usize },
    /// userfaultfd(2), see [`super::uffd`].
    Uffd(super::uffd::Cmd),
    /// VMAs cut, joined and grown in other ways, see [`super::vma`].
    Vma(super::vma::Cmd),
    /// References to pages, see [`super::pin`].
    Pin(super::pin::Cmd),
    /// A second thread, see [`super::thread`].
    Thread(super::thread::Cmd),
    /// SIGBUS, see [`super::bus`].
    Bus(super::bus::Cmd),
    /// Several commands in one packet, up to the first that fails; none of them with a file descriptor.
    Batch(Vec<Cmd>),
    /// Make a child that obeys the socket that comes along.
    Fork,
    /// execve(2) of this program as an actor with a new address space, and with an environment of so many bytes (see
    /// [`super::stack`]) instead of its own unless 0.
    Exec { environment: usize },
    /// Whether the environment is the one that was passed, and the addresses of its first byte and of one past its last.
    Environment { bytes: usize },
    /// Reply, then _exit(2).
    Exit(i32),
    /// Misbehave, for the suite's own tests: panic while carrying out a command.
    Panic,
    /// Misbehave: an access that the kernel answers with SIGSEGV.
    Crash,
    /// Misbehave: never reply.
    Hang,
}

impl Cmd {
    /// mmap(2) of private anonymous memory at a fixed place.
    pub fn map(addr: usize, len: usize, prot: i32) -> Cmd {
        Cmd::Map {
            addr,
            len,
            prot,
            flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE,
            fd: false,
            off: 0,
        }
    }

    /// mremap(2) in place, sizes in bytes.
    pub fn resize(addr: usize, old_len: usize, new_len: usize) -> Cmd {
        Cmd::Remap {
            addr,
            old_len,
            new_len,
            flags: 0,
            new_addr: 0,
        }
    }

    /// mremap(2) of `len` bytes to a fixed place, the source left mapped with `keep` (MREMAP_DONTUNMAP).
    pub fn move_to(addr: usize, len: usize, new_addr: usize, keep: bool) -> Cmd {
        let keep = if keep { MREMAP_DONTUNMAP } else { 0 };
        Cmd::Remap {
            addr,
            old_len: len,
            new_len: len,
            flags: MREMAP_MAYMOVE | MREMAP_FIXED | keep,
            new_addr,
        }
    }
}

/// Where memory did not hold what it should.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// Address of the first wrong word, bytes.
    pub addr: usize,
    /// What the model says.
    pub expected: u64,
    /// What was read.
    pub seen: u64,
}

/// The answer to one command.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub enum Reply {
    /// Carried out.
    Done,
    /// Carried out; an address, a PID, ...
    Value(usize),
    /// The pages that differ, none when all are right.
    Differs(Vec<Diff>),
    /// Per-page statuses of move_pages(2).
    Statuses(Vec<i32>),
    /// Numbers, as the command says.
    Values(Vec<i64>),
    /// The system call failed.
    Errno(i32),
    /// Command number `.0` of a batch failed.
    Failed(usize, i32),
}
