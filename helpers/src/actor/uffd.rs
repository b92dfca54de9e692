// SPDX-License-Identifier: GPL-2.0-or-later
//! userfaultfd(2) of an actor: the file belongs to its address space.

use super::wire::Reply;
use crate::sys::uffd;
use nix::errno::Errno;
use serde::{Deserialize, Serialize};
use std::os::fd::{AsRawFd, OwnedFd};

/// What an actor can be told. Addresses and lengths are bytes.
#[allow(missing_docs)] // the fields are the arguments of the ioctl named
#[derive(Serialize, Deserialize, Debug, Clone)]
pub enum Cmd {
    /// userfaultfd(2) with the features that are wanted and offered; the reply is all that the kernel offers. One that is open
    /// already is closed.
    Open { features: u64 },
    /// The same, and the reply is two numbers: that of the descriptor, for the test to take, and the features offered.
    Serve { features: u64 },
    /// UFFDIO_REGISTER for missing pages.
    Register { addr: usize, len: usize },
    /// UFFDIO_UNREGISTER.
    Unregister { addr: usize, len: usize },
    /// UFFDIO_MOVE; the reply is the bytes moved, and the errno or 0.
    Move {
        dst: usize,
        src: usize,
        len: usize,
        mode: u64,
    },
    /// Write-protects what is there, by a userfaultfd of its own for that.
    Protect { addr: usize, len: usize },
    /// Closes that one: nothing is write-protected any more.
    Unprotect,
    /// Gives everything up: what was registered is plain memory again.
    Close,
}

/// What is open. A child starts with its parent's file, which serves the parent's address space only.
#[derive(Default)]
pub struct State {
    file: Option<OwnedFd>,
    guard: Option<OwnedFd>,
}

/// Carries a command out.
pub fn obey(cmd: Cmd, state: &mut State) -> Result<Reply, Errno> {
    match cmd {
        Cmd::Open { features } => {
            state.file = None;
            let (file, offered) = uffd::open(features)?;
            state.file = Some(file);
            Ok(Reply::Value(offered as usize))
        }
        Cmd::Serve { features } => {
            state.file = None;
            let (file, offered) = uffd::open(features)?;
            let number = file.as_raw_fd();
            state.file = Some(file);
            Ok(Reply::Values(vec![number.into(), offered as i64]))
        }
        Cmd::Register { addr, len } => {
            let file = state.file.as_ref().ok_or(Errno::EBADF)?;
            uffd::register(file, addr, len).map(|()| Reply::Done)
        }
        Cmd::Unregister { addr, len } => {
            let file = state.file.as_ref().ok_or(Errno::EBADF)?;
            uffd::unregister(file, addr, len).map(|()| Reply::Done)
        }
        Cmd::Move {
            dst,
            src,
            len,
            mode,
        } => {
            let file = state.file.as_ref().ok_or(Errno::EBADF)?;
            let (moved, errno) = uffd::move_pages(file, dst, src, len, mode);
            Ok(Reply::Values(vec![moved, errno.into()]))
        }
        Cmd::Protect { addr, len } => {
            if state.guard.is_none() {
                state.guard = Some(uffd::open(0)?.0);
            }
            let file = state.guard.as_ref().ok_or(Errno::EBADF)?;
            uffd::protect(file, addr, len).map(|()| Reply::Done)
        }
        Cmd::Unprotect => {
            state.guard = None;
            Ok(Reply::Done)
        }
        Cmd::Close => {
            state.file = None;
            Ok(Reply::Done)
        }
    }
}
