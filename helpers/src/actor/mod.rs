// SPDX-License-Identifier: GPL-2.0-or-later
//! Processes that obey commands.
//!
//! A test never forks by hand. It holds [`Channel`]s; behind each is an *actor*, a process that
//! waits on a socket for a command, carries it out on its own address space and replies once.
//! `Fork` is a command like any other, so a process tree becomes a straight-line script, no
//! child ever runs test code, and nothing is synchronised by sleeping.
//!
//! Every actor is a child of the test's process (CLONE_PARENT): one place waits for all of them,
//! also for those whose parent actor has exited.

pub mod agent;
pub mod bus;
pub mod channel;
pub mod pin;
pub mod stack;
pub mod thread;
pub mod uffd;
pub mod vma;
pub mod wire;

pub use agent::exec_entry;
pub use channel::Channel;
pub use wire::{Cmd, Diff, Reply};
