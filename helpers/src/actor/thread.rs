// SPDX-License-Identifier: GPL-2.0-or-later
//! A second thread of an actor, on another CPU than the first: what it touches is known to that CPU from then on (TLB), whatever the first
//! one does to the memory, until the kernel has the CPU forget it.

use super::agent;
use super::wire::{self, Reply};
use crate::sys::{numa, proc};
use nix::errno::Errno;
use nix::libc;
use nix::sched::sched_getcpu;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;

/// What an actor can be told.
#[derive(Serialize, Deserialize, Debug, Clone)]
pub enum Cmd {
    /// Make the thread. ENODEV where there is no other CPU for it, EEXIST when there is one already.
    Start,
    /// Have the thread carry out a command.
    Do(Box<wire::Cmd>),
    /// The thread ends.
    End,
}

/// The thread, when there is one.
#[derive(Default)]
pub struct State {
    thread: Option<Thread>,
}

struct Thread {
    /// The process that has it: not a child that was forked since.
    pid: u32,
    handle: JoinHandle<()>,
    cmds: Sender<wire::Cmd>,
    replies: Receiver<Reply>,
    /// It spins: it holds no lock that a fork would copy, as the allocator's.
    idle: Arc<AtomicBool>,
}

/// Carries a command out.
pub fn obey(cmd: Cmd, state: &mut State) -> Result<Reply, Errno> {
    // The parent's is not there.
    if let Some(thread) = state.thread.take_if(|t| t.pid != std::process::id()) {
        std::mem::forget(thread);
    }
    match cmd {
        Cmd::Start if state.thread.is_some() => Err(Errno::EEXIST),
        Cmd::Start => {
            state.thread = Some(start()?);
            Ok(Reply::Done)
        }
        Cmd::Do(cmd) => {
            let thread = state.thread.as_ref().ok_or(Errno::ESRCH)?;
            thread.idle.store(false, SeqCst);
            thread.cmds.send(*cmd).map_err(|_| Errno::ESRCH)?;
            thread.reply()
        }
        Cmd::End => {
            let thread = state.thread.take().ok_or(Errno::ESRCH)?;
            drop(thread.cmds);
            thread.handle.join().map_err(|_| Errno::ESRCH)?;
            Ok(Reply::Done)
        }
    }
}

impl Thread {
    /// What it says, when it has done with saying it.
    fn reply(&self) -> Result<Reply, Errno> {
        let reply = self.replies.recv().map_err(|_| Errno::ESRCH)?;
        while !self.idle.load(SeqCst) {
            std::thread::yield_now();
        }
        Ok(reply)
    }
}

/// Between two commands the thread spins: a CPU that does something else meanwhile forgets what it knew of this process.
fn start() -> Result<Thread, Errno> {
    let here = sched_getcpu()?;
    let mut cpus = proc::allowed_cpus()?.into_iter().rev();
    let cpu = cpus.find(|&cpu| cpu != here).ok_or(Errno::ENODEV)?;
    // A thread that spins is soon looked after by NUMA balancing, which makes entries fault and moves pages. Where there is none of it
    // there may be no such call.
    let _ = numa::allocate_here();
    let (cmds, inbox) = channel();
    let (outbox, replies) = channel();
    let idle = Arc::new(AtomicBool::new(false));
    let spins = Arc::clone(&idle);
    let thread = std::thread::Builder::new().stack_size(256 << 10);
    let made = thread.spawn(move || {
        let mut own = agent::Own::default();
        let _ = numa::allocate_here();
        let pinned = proc::pin_to_cpu(cpu).map(|()| Reply::Done);
        let mut reply = Some(pinned.unwrap_or_else(|e| Reply::Errno(e as i32)));
        loop {
            if let Some(reply) = reply.take() {
                if outbox.send(reply).is_err() {
                    return;
                }
                spins.store(true, SeqCst);
            }
            match inbox.try_recv() {
                Ok(cmd) => reply = Some(agent::obey(cmd, None, &mut own)),
                Err(TryRecvError::Empty) => std::hint::spin_loop(),
                Err(TryRecvError::Disconnected) => return,
            }
        }
    });
    let handle = made.map_err(|e| Errno::from_raw(e.raw_os_error().unwrap_or(libc::EAGAIN)))?;
    let thread = Thread {
        pid: std::process::id(),
        handle,
        cmds,
        replies,
        idle,
    };
    match thread.reply()? {
        Reply::Done => Ok(thread),
        Reply::Errno(e) => Err(Errno::from_raw(e)),
        _ => Err(Errno::EIO),
    }
}
