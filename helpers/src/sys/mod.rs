// SPDX-License-Identifier: GPL-2.0-or-later
//! System calls and uapi constants that nix does not offer, as safe functions.

pub mod bus;
pub mod fd;
pub mod mem;
pub mod numa;
pub mod pin;
pub mod proc;
pub mod scan;
pub mod swap;
pub mod uffd;
pub mod vma;

/// What system calls are refused with.
pub use nix::errno::Errno;
