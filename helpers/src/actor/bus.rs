// SPDX-License-Identifier: GPL-2.0-or-later
//! SIGBUS, caught and remembered instead of fatal: which actor the kernel told of a poisoned page.

use super::wire::Reply;
use nix::errno::Errno;
use serde::{Deserialize, Serialize};

/// What an actor can be told.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub enum Cmd {
    /// Gives everything up.
    Close,
}

/// What came.
#[derive(Default)]
pub struct State {}

/// Carries a command out.
pub fn obey(cmd: Cmd, _state: &mut State) -> Result<Reply, Errno> {
    match cmd {
        Cmd::Close => Ok(Reply::Done),
    }
}
