// SPDX-License-Identifier: GPL-2.0-or-later
//! A memory cgroup of our own, v1 or v2.

use std::io;
use std::path::{Path, PathBuf};

/// Which hierarchy holds the memory controller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// memory.force_empty, memory.limit_in_bytes.
    V1,
    /// memory.reclaim, memory.max.
    V2,
}

/// Where cgroups with a memory controller can be made.
#[derive(Clone, Debug)]
pub struct Root {
    /// Directory to create cgroups in.
    pub dir: PathBuf,
    /// Kind of hierarchy.
    pub version: Version,
    /// v2: cgroup.subtree_control had no "memory" before and must get it (and lose it afterwards).
    pub needs_enable: bool,
}

/// Finds (or mounts below `scratch`, in the caller's mount namespace) a hierarchy with the memory controller in which a cgroup that can
/// reclaim (v1 memory.force_empty, v2 memory.reclaim) can be made. `Err` is a constant reason.
pub fn find(_scratch: &Path) -> Result<Root, &'static str> {
    unimplemented!()
}

/// A cgroup.
#[derive(Clone, Debug)]
pub struct Memcg {
    /// Its directory.
    pub dir: PathBuf,
    /// Kind of hierarchy.
    pub version: Version,
}

impl Memcg {
    /// mkdir, with memory.swappiness and swap limits such that anonymous pages can be swapped.
    pub fn create(_root: &Root, _name: &str) -> io::Result<Memcg> {
        unimplemented!()
    }
    /// Moves a process in.
    pub fn add(&self, _pid: i32) -> io::Result<()> {
        unimplemented!()
    }
    /// Asks the kernel to reclaim everything charged here: v1 memory.force_empty, v2 memory.reclaim of the current usage.
    /// EAGAIN (less was reclaimed than asked) is success: the pages tell.
    pub fn reclaim(&self) -> io::Result<()> {
        unimplemented!()
    }
    /// One field of memory.stat (v2 names; v1 has few of them): bytes or counts as the kernel shows them.
    pub fn stat(&self, _field: &str) -> io::Result<Option<u64>> {
        unimplemented!()
    }
    /// Moves what is left in it to the parent, rmdir; a cgroup that is not there any more is success. Bounded wait for EBUSY.
    pub fn remove(&self) -> io::Result<()> {
        unimplemented!()
    }
}
