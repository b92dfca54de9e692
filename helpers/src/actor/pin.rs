// SPDX-License-Identifier: GPL-2.0-or-later
//! References to an actor's pages that are no mappings: what is in a pipe, what a device may write to.

use super::wire::Reply;
use nix::errno::Errno;
use serde::{Deserialize, Serialize};

/// What an actor can be told.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub enum Cmd {
    /// Gives everything up.
    Close,
}

/// What is held.
#[derive(Default)]
pub struct State {}

/// Carries a command out.
pub fn obey(cmd: Cmd, _state: &mut State) -> Result<Reply, Errno> {
    match cmd {
        Cmd::Close => Ok(Reply::Done),
    }
}
