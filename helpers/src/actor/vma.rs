// SPDX-License-Identifier: GPL-2.0-or-later
//! What else cuts, joins and grows VMAs, see [`crate::sys::vma`].

use super::wire::Reply;
use crate::sys::vma;
use nix::errno::Errno;
use serde::{Deserialize, Serialize};

/// What an actor can be told. Addresses and lengths are bytes.
#[allow(missing_docs)] // the fields are the arguments of the call named
#[derive(Serialize, Deserialize, Debug, Clone)]
pub enum Cmd {
    /// prctl(PR_SET_VMA_ANON_NAME).
    Name {
        addr: usize,
        len: usize,
        name: Option<String>,
    },
    /// mseal(2).
    Seal { addr: usize, len: usize },
    /// pkey_mprotect(2) with a key of the process' own, made at the first call, or with key 0.
    Key {
        addr: usize,
        len: usize,
        prot: i32,
        own: bool,
    },
    /// The heap is here from now on.
    Heap { start: usize, end: usize },
    /// brk(2).
    Brk { end: usize },
    /// remap_file_pages(2).
    RemapPages {
        addr: usize,
        len: usize,
        first: usize,
    },
}

/// The protection key that was made. A child has its parent's.
#[derive(Default)]
pub struct State {
    key: Option<i32>,
}

/// Carries a command out.
pub fn obey(cmd: Cmd, state: &mut State) -> Result<Reply, Errno> {
    match cmd {
        Cmd::Name { addr, len, name } => {
            let name = name.map(std::ffi::CString::new).transpose();
            let name = name.map_err(|_| Errno::EINVAL)?;
            vma::set_name(addr, len, name.as_deref())
        }
        Cmd::Seal { addr, len } => vma::seal(addr, len),
        Cmd::Key {
            addr,
            len,
            prot,
            own,
        } => {
            let key = match (own, state.key) {
                (false, _) => 0,
                (true, Some(key)) => key,
                (true, None) => *state.key.insert(vma::pkey_alloc().map_err(|e| match e {
                    // A container's filter says so, and the kernel does of a sealed mapping.
                    Errno::EPERM => Errno::ENOSYS,
                    e => e,
                })?),
            };
            vma::pkey_mprotect(addr, len, prot, key)
        }
        Cmd::Heap { start, end } => vma::set_heap(start, end),
        Cmd::Brk { end } => vma::brk(end),
        Cmd::RemapPages { addr, len, first } => vma::remap_file_pages(addr, len, first),
    }
    .map(|()| Reply::Done)
}
