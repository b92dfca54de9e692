// SPDX-License-Identifier: GPL-2.0-or-later
//! Process system calls.

use super::mem::Sys;

/// What came back from [`fork_sibling`].
pub enum Forked {
    /// In the parent: the child's PID.
    Parent(i32),
    /// In the child.
    Child,
}

/// fork(2), but the child's parent is the caller's parent (CLONE_PARENT), so that one process can wait for every actor of a tree.
/// dup_mm() does the same work as for fork(2). Only for single-threaded callers; the child must never return into the caller's
/// harness: see actor::agent.
pub fn fork_sibling() -> Sys<Forked> {
    unimplemented!()
}
/// fork(2) proper. Same conditions.
pub fn fork_child() -> Sys<Forked> {
    unimplemented!()
}
/// _exit(2): no destructor, no atexit handler.
pub fn exit_now(_code: i32) -> ! {
    unimplemented!()
}
/// PR_SET_PDEATHSIG.
pub fn set_pdeathsig(_sig: i32) -> Sys<()> {
    unimplemented!()
}
/// PR_SET_CHILD_SUBREAPER.
pub fn set_subreaper() -> Sys<()> {
    unimplemented!()
}
/// PR_SET_MEMORY_MERGE.
pub fn set_memory_merge(_on: bool) -> Sys<()> {
    unimplemented!()
}
/// PR_GET_MEMORY_MERGE.
pub fn get_memory_merge() -> Sys<bool> {
    unimplemented!()
}
/// Pins the calling thread to one CPU.
pub fn pin_to_cpu(_cpu: usize) -> Sys<()> {
    unimplemented!()
}
/// The CPUs the calling thread may use.
pub fn allowed_cpus() -> Sys<Vec<usize>> {
    unimplemented!()
}
