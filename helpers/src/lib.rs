// SPDX-License-Identifier: GPL-2.0-or-later
//! What the rmap selftests stand on.
//!
//! The rooms, and what each may know of the others:
//!
//! * [`sys`]: system calls that nix does not have; the constants of the uapi headers.
//! * [`kernel`]: one module per kernel facility that shows or changes memory state
//!   (pagemap, kpageflags, KSM, zram, memory cgroups, ...). Knows nothing of tests.
//! * [`actor`]: processes that obey commands over a socket. The only code that forks.
//! * [`world`]: process trees as straight-line scripts, the model of who maps what,
//!   and the oracles that compare the model with the kernel.
//! * [`walk`]: everything that makes the kernel use the rmap of a page.
//! * [`census`]: how many objects the kernel holds for its reverse mapping.
//! * [`counters`]: how much memory the kernel says is mapped.
//! * [`pace`]: how quick the machine is, and time limits that follow it.
//! * [`topology`]: ways to come to mappings that more than one test starts from.
//! * [`reshape`]: what a process can do to its VMAs, and the grid of who does it to what.
//! * [`explore`]: scripts by chance and all short ones, played in a world.
//! * [`supervise`]: what a test declares, the process it runs in, knobs, kernel log, TAP.
//!
//! # Words
//!
//! *Frame*: one logical page of the model, whatever page of memory holds it now.
//! *Mapper*: one (actor, address) that maps a frame. *Slot*: one page of address space
//! of one actor. *Walk*: something that makes the kernel follow the reverse map.
//! *Oracle*: what user space can see of it afterwards. The rest are the kernel's words:
//! VMA, PTE, PFN, folio, mapcount, anon_vma, anon_vma_chain, COW.

pub mod actor;
pub mod census;
pub mod counters;
pub mod explore;
pub mod kernel;
pub mod pace;
pub mod reshape;
pub mod stop;
pub mod supervise;
pub mod sys;
pub mod topology;
pub mod walk;
pub mod world;

pub use stop::{Stop, TestResult};

/// Of every program that links this library.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;
