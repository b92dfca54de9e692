// SPDX-License-Identifier: GPL-2.0-or-later
//! SIGBUS, caught and remembered instead of fatal: which actor the kernel told of a poisoned page.

use super::wire::Reply;
use crate::sys::bus;
use nix::errno::Errno;
use serde::{Deserialize, Serialize};

/// What an actor can be told.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub enum Cmd {
    /// Catch SIGBUS from now on, as soon as `policy` (PR_MCE_KILL_SET) says. Children inherit both.
    Catch {
        /// [`bus::MCE_KILL_EARLY`] and so on.
        policy: i32,
    },
    /// Catch SIGBUS from now on; a thread of its own asks for it early, the first one late. A child has the first one only.
    CatchByThread,
    /// MADV_HWPOISON by a thread of its own.
    PoisonByThread {
        /// Bytes.
        addr: usize,
        /// Bytes.
        len: usize,
    },
    /// What came since the last time, see [`bus::take`].
    Take,
    /// Read or write a byte; where that is poisoned, put a fresh page there.
    Access {
        /// Bytes.
        addr: usize,
        /// A write.
        write: bool,
    },
}

/// Nothing: a handler can only know what is static.
#[derive(Default)]
pub struct State {}

/// This process is a child that begins.
pub fn born() {
    bus::begin_as_child();
}

/// Carries a command out.
pub fn obey(cmd: Cmd, _state: &mut State) -> Result<Reply, Errno> {
    match cmd {
        Cmd::Catch { policy } => bus::catch(policy).map(|()| Reply::Done),
        Cmd::CatchByThread => bus::catch_by_thread().map(|()| Reply::Done),
        Cmd::PoisonByThread { addr, len } => bus::poison_by_thread(addr, len).map(|()| Reply::Done),
        Cmd::Take => Ok(Reply::Values(bus::take())),
        Cmd::Access { addr, write } => {
            bus::access(addr, write);
            Ok(Reply::Done)
        }
    }
}
