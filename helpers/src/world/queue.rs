// SPDX-License-Identifier: GPL-2.0-or-later
//! Fewer turns between the test and its actors: a command and its reply are two switches of the CPU, which cost more than what most
//! commands do, on an emulated machine many times as much.

use super::World;
use super::model::ActorId;
use crate::actor::{Channel, Cmd, Reply};
use crate::sys::mem::advice;
use crate::{Stop, TestResult};
use nix::errno::Errno;
use nix::libc::{MREMAP_DONTUNMAP, MREMAP_FIXED, PROT_EXEC};

/// Commands kept back, and whose they are.
#[derive(Default)]
pub(super) struct Queue {
    open: bool,
    actor: ActorId,
    cmds: Vec<Cmd>,
    weight: usize,
}

/// Commands, or pages to fill, in one packet.
const MOST: usize = 800;

impl World<'_> {
    /// Takes steps whose commands can only succeed, or the script is wrong: they are kept back and go to their actor in one
    /// packet, before anything else is asked of anybody and before anybody looks from outside.
    #[track_caller]
    pub fn queued<T>(&self, steps: impl FnOnce() -> TestResult<T>) -> TestResult<T> {
        self.queue.borrow_mut().open = true;
        let result = steps();
        self.queue.borrow_mut().open = false;
        self.flush()?;
        result
    }

    /// The reply that a command will get, when it was kept back.
    pub(super) fn keep_back(&self, id: ActorId, cmd: &Cmd) -> TestResult<Option<Reply>> {
        let reply = foreseen(cmd).filter(|_| self.queue.borrow().open);
        if reply.is_none() {
            self.flush()?;
            return Ok(None);
        }
        let weight = match cmd {
            Cmd::Fill { pages, .. } => pages.len(),
            _ => 1,
        };
        let full = {
            let queue = self.queue.borrow();
            queue.actor != id || queue.weight + weight > MOST
        };
        if full {
            self.flush()?;
        }
        let mut queue = self.queue.borrow_mut();
        queue.actor = id;
        queue.weight += weight;
        queue.cmds.push(cmd.clone());
        Ok(reply)
    }

    /// Sends what was kept back.
    pub(super) fn flush(&self) -> TestResult {
        let (id, cmds) = {
            let mut queue = self.queue.borrow_mut();
            queue.weight = 0;
            (queue.actor, std::mem::take(&mut queue.cmds))
        };
        if cmds.is_empty() {
            return Ok(());
        }
        let batch = Cmd::Batch(cmds);
        match self.ask_now(id, &batch, None)? {
            Reply::Done => Ok(()),
            Reply::Failed(i, e) => {
                let Cmd::Batch(cmds) = &batch else {
                    unreachable!()
                };
                let e = Errno::from_raw(e);
                Err(self.blame(id, Stop::error(format_args!("{:?}: {e}", cmds[i]))))
            }
            other => Err(Stop::error(format_args!("an unexpected reply {other:?}"))),
        }
    }

    /// Several commands, each actor at work while the others are. The replies are in the order of the commands.
    #[track_caller]
    pub(crate) fn ask_all(&self, cmds: &[(ActorId, Cmd)]) -> TestResult<Vec<Reply>> {
        for (id, cmd) in cmds {
            self.model.borrow_mut().may_join(*id, cmd, self.page);
        }
        self.flush()?;
        let mut replies = Vec::with_capacity(cmds.len());
        let mut sent = 0;
        while replies.len() < cmds.len() {
            let mut busy = std::collections::BTreeSet::new();
            while let Some((id, cmd)) = cmds.get(sent).filter(|c| busy.insert(c.0)) {
                self.channel(*id, |channel| channel.send(cmd, None))?;
                sent += 1;
            }
            for (id, cmd) in &cmds[replies.len()..sent] {
                let reply = |channel: &mut Channel| channel.reply(cmd, super::REPLY_LIMIT);
                replies.push(self.channel(*id, reply)?);
            }
        }
        Ok(replies)
    }
}

/// The reply to a command that no kernel refuses where the model allows it.
fn foreseen(cmd: &Cmd) -> Option<Reply> {
    Some(match *cmd {
        Cmd::Map {
            addr, fd: false, ..
        } => Reply::Value(addr),
        Cmd::Remap {
            flags, new_addr, ..
        } if flags & MREMAP_FIXED != 0 && flags & MREMAP_DONTUNMAP == 0 => Reply::Value(new_addr),
        // A security module may forbid to make memory executable.
        Cmd::Protect { prot, .. } if prot & PROT_EXEC != 0 => return None,
        Cmd::Unmap { .. } | Cmd::Protect { .. } | Cmd::Fill { .. } => Reply::Done,
        Cmd::Advise {
            advice:
                advice::DONTNEED | advice::DONTFORK | advice::DOFORK | advice::DONTDUMP | advice::DODUMP,
            ..
        } => Reply::Done,
        _ => return None,
    })
}
