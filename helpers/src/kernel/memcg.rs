// SPDX-License-Identifier: GPL-2.0-or-later
//! A memory cgroup of our own, v1 or v2 (Documentation/admin-guide/cgroup-v1/memory.rst,
//! Documentation/admin-guide/cgroup-v2.rst).
//!
//! Pages are charged where the process is when it first touches them: move processes in first.

mod nodes;
mod outside;
mod squeeze;

pub use nodes::NumaStat;
pub use squeeze::Squeeze;

use super::{numa, sysfs};
use crate::pace::Wait;
use crate::sys::mem;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::unistd::{AccessFlags, access};
use procfs::process::Process;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

/// Which hierarchy holds the memory controller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Version {
    /// memory.force_empty, memory.limit_in_bytes.
    V1,
    /// memory.reclaim, memory.max.
    V2,
}

/// Two counts of kernel memory. The first tells bytes, but grows without end on v6.17, with slab caches that do not; the second tells pages, of
/// which a part may be free (obj_stock).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kernel {
    /// Slab objects that cannot be reclaimed, on v2 (NR_SLAB_UNRECLAIMABLE_B).
    Slab,
    /// All that is charged, in whole pages (MEMCG_KMEM).
    All,
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

impl Root {
    /// Takes "memory" from cgroup.subtree_control again where [`Memcg::create`] put it there. After
    /// the last of our cgroups is removed; nothing to do when `needs_enable` is false.
    ///
    /// # Errors
    /// EBUSY while a child still has the controller enabled for its own children.
    pub fn release(&self) -> io::Result<()> {
        if !self.needs_enable {
            return Ok(());
        }
        sysfs::write(self.dir.join("cgroup.subtree_control"), "-memory")
    }
}

const NO_CONTROLLER: &str = "no memory cgroup controller (CONFIG_MEMCG)";

/// Finds (or mounts below `scratch`, in the caller's mount namespace) a hierarchy with the memory controller in which a cgroup that can
/// reclaim (v1 memory.force_empty, v2 memory.reclaim) can be made. `Err` is a constant reason.
///
/// A mount below `scratch` stays until [`unmount`] or the end of the mount namespace.
pub fn find(scratch: &Path) -> Result<Root, &'static str> {
    let mut reason = NO_CONTROLLER;
    for (dir, version) in mounted() {
        match usable(&dir, version) {
            Ok(root) => return Ok(root),
            // A hierarchy that has the controller tells more than one that has not.
            Err(r) if reason == NO_CONTROLLER => reason = r,
            Err(_) => {}
        }
    }
    // v2 first: a mount of v1 takes a controller that nobody uses away from v2.
    for (name, fs_type, data, version) in OWN_MOUNTS {
        let dir = scratch.join(name);
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        if fs::create_dir_all(&dir).is_err() {
            continue;
        }
        if mount(Some("rmap-selftests"), &dir, Some(fs_type), flags, data).is_ok() {
            match usable(&dir, version) {
                Ok(root) => return Ok(root),
                Err(r) if reason == NO_CONTROLLER => reason = r,
                Err(_) => {}
            }
            let _ = umount2(&dir, MntFlags::MNT_DETACH);
        }
        let _ = fs::remove_dir(&dir);
    }
    Err(reason)
}

/// Name below `scratch`, file system type, its options, kind of hierarchy.
const OWN_MOUNTS: [(&str, &str, Option<&str>, Version); 2] = [
    ("cgroup2", "cgroup2", None, Version::V2),
    ("cgroup-memory", "cgroup", Some("memory"), Version::V1),
];

/// Undoes what [`find`] mounted below `scratch`, so that the directory can be removed. Our cgroups
/// have to be removed before: they outlive the mount.
pub fn unmount(scratch: &Path) {
    for (name, ..) in OWN_MOUNTS {
        let dir = scratch.join(name);
        // Not mounted: nothing to do. Still there afterwards: the caller's removal says so.
        let _ = umount2(&dir, MntFlags::MNT_DETACH);
        let _ = fs::remove_dir(&dir);
    }
}

/// Mounted hierarchies that may have the memory controller.
fn mounted() -> Vec<(PathBuf, Version)> {
    let Ok(mounts) = Process::myself().and_then(|p| p.mountinfo()) else {
        return Vec::new();
    };
    mounts
        .into_iter()
        .filter_map(|m| match m.fs_type.as_str() {
            "cgroup2" => Some((m.mount_point, Version::V2)),
            "cgroup" if m.super_options.contains_key("memory") => {
                Some((m.mount_point, Version::V1))
            }
            _ => None,
        })
        .collect()
}

fn usable(dir: &Path, version: Version) -> Result<Root, &'static str> {
    let mut needs_enable = false;
    if version == Version::V2 {
        if !has_word(&dir.join("cgroup.controllers"), "memory") {
            return Err(NO_CONTROLLER);
        }
        let control = dir.join("cgroup.subtree_control");
        needs_enable = !has_word(&control, "memory");
        // The real root has no cgroup.type. Any other cgroup may have processes or controllers for
        // its children, not both: writing to cgroup.subtree_control would be refused.
        let inner = dir.join("cgroup.type").exists()
            && sysfs::read(dir.join("cgroup.procs")).is_ok_and(|procs| !procs.is_empty());
        if needs_enable && (inner || access(&control, AccessFlags::W_OK).is_err()) {
            return Err("memory cgroup controller cannot be enabled");
        }
    }
    // Only a try shows whether a cgroup can be made here.
    let probe = dir.join(format!("rmap-probe-{}", std::process::id()));
    fs::create_dir(&probe).map_err(|_| "memory cgroups cannot be created")?;
    let reclaims = match version {
        Version::V1 => probe.join("memory.force_empty").exists(),
        // The child has no memory files before the controller is enabled; memory.high is in all of v2.
        Version::V2 => needs_enable || probe.join("memory.high").exists(),
    };
    let _ = fs::remove_dir(&probe);
    if !reclaims {
        return Err("memory cgroups cannot reclaim (no memory.force_empty, memory.high)");
    }
    Ok(Root {
        dir: dir.into(),
        version,
        needs_enable,
    })
}

fn has_word(path: &Path, word: &str) -> bool {
    sysfs::read(path).is_ok_and(|text| text.split_whitespace().any(|w| w == word))
}

/// A missing file is no error: not every kernel has every knob.
fn write_if_there(path: PathBuf, value: &str) -> io::Result<()> {
    match sysfs::write(path, value) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        r => r,
    }
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
    ///
    /// # Errors
    /// EEXIST when there is one of this name; those of enabling the controller and of the knobs.
    pub fn create(root: &Root, name: &str) -> io::Result<Memcg> {
        if root.needs_enable {
            sysfs::write(root.dir.join("cgroup.subtree_control"), "+memory")?;
        }
        let memcg = Memcg {
            dir: root.dir.join(name),
            version: root.version,
        };
        fs::create_dir(&memcg.dir)?;
        let prepared = match root.version {
            // vm.swappiness 0 would keep anonymous pages in memory.
            Version::V1 => write_if_there(memcg.dir.join("memory.swappiness"), "100"),
            Version::V2 => write_if_there(memcg.dir.join("memory.swap.max"), "max"),
        };
        if let Err(e) = prepared {
            let _ = memcg.remove();
            return Err(e);
        }
        Ok(memcg)
    }

    /// Has what is charged to cgroups in this one count here too, which is so by itself but in v1 before Linux 5.11.
    ///
    /// # Errors
    /// EBUSY when there are some already, EINVAL where the hierarchy forbids it.
    pub fn count_children(&self) -> io::Result<()> {
        if self.version == Version::V2 {
            return Ok(());
        }
        let file = self.dir.join("memory.use_hierarchy");
        match sysfs::read(&file) {
            Ok(value) if value == "0" => sysfs::write(&file, "1"),
            _ => Ok(()),
        }
    }

    /// Moves a process in.
    ///
    /// # Errors
    /// ESRCH when it is gone (or a zombie).
    pub fn add(&self, pid: i32) -> io::Result<()> {
        sysfs::write(self.dir.join("cgroup.procs"), &pid.to_string())
    }

    /// Asks the kernel to reclaim everything charged here: v1 memory.force_empty, v2 memory.reclaim of the current usage.
    /// EAGAIN (less was reclaimed than asked) is success: the pages tell.
    ///
    /// Where v2 has no memory.reclaim yet (before 5.19) memory.high is lowered to 0 for the moment,
    /// which reclaims in the same way.
    ///
    /// # Errors
    /// EINTR after a signal.
    pub fn reclaim(&self) -> io::Result<()> {
        if self.version == Version::V1 {
            return sysfs::write(self.dir.join("memory.force_empty"), "0");
        }
        let file = self.dir.join("memory.reclaim");
        if !file.exists() {
            return outside::lower_for_a_moment(&self.dir);
        }
        let bytes = sysfs::read(self.dir.join("memory.current"))?;
        // v2 has no memory.swappiness; the argument came with 6.9.
        let asked = match sysfs::write(&file, &format!("{bytes} swappiness=100")) {
            Err(e) if e.raw_os_error() == Some(libc::EINVAL) => sysfs::write(&file, &bytes),
            r => r,
        };
        match asked {
            Err(e) if e.raw_os_error() == Some(libc::EAGAIN) => Ok(()),
            r => r,
        }
    }

    /// [`Memcg::reclaim`] while nothing of it may be swapped out: what is left to the kernel is what its shrinkers have.
    ///
    /// # Errors
    /// ENOENT where the kernel cannot be told so (v2 without swap accounting).
    pub fn reclaim_without_swap(&self) -> io::Result<()> {
        let (file, none) = match self.version {
            Version::V1 => ("memory.swappiness", "0"),
            Version::V2 => ("memory.swap.max", "0"),
        };
        let file = self.dir.join(file);
        let before = sysfs::read(&file)?;
        sysfs::write(&file, none)?;
        let reclaimed = self.reclaim();
        sysfs::write(&file, &before)?;
        reclaimed
    }

    /// One field of memory.stat (v2 names; v1 has few of them): bytes or counts as the kernel shows them.
    ///
    /// # Errors
    /// Those of reading the file.
    pub fn stat(&self, field: &str) -> io::Result<Option<u64>> {
        let field = match (self.version, field) {
            (Version::V1, "anon") => "rss",
            (Version::V1, "file") => "cache",
            (Version::V1, "file_mapped") => "mapped_file",
            (Version::V1, "file_dirty") => "dirty",
            (Version::V1, "file_writeback") => "writeback",
            (Version::V1, "anon_thp") => "rss_huge",
            (_, field) => field,
        };
        let text = sysfs::read(self.dir.join("memory.stat"))?;
        Ok(text
            .lines()
            .find_map(|l| l.split_once(' ').filter(|(name, _)| *name == field))
            .and_then(|(_, value)| value.parse().ok()))
    }

    /// What this cgroup is charged for, bytes: pages of whatever kind, and some that each CPU has in advance.
    ///
    /// # Errors
    /// Those of reading the file.
    pub fn usage(&self) -> io::Result<u64> {
        sysfs::read_u64(self.dir.join(match self.version {
            Version::V1 => "memory.usage_in_bytes",
            Version::V2 => "memory.current",
        }))
    }

    /// What of the pages of this cgroup, which the caller is in, is in swap, bytes: what it is charged for. `None` without swap accounting.
    ///
    /// # Errors
    /// Those of reading the files; ENOMEM.
    pub fn swapped(&self) -> io::Result<Option<u64>> {
        match self.version {
            Version::V1 => {
                self.flush_stats()?;
                self.stat("swap")
            }
            Version::V2 => match sysfs::read_u64(self.dir.join("memory.swap.current")) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
                bytes => bytes.map(Some),
            },
        }
    }

    /// Has the kernel bring the statistics of this cgroup, which the caller is in, up to date: it does so for readers of
    /// memory.stat only once enough has changed (memcg_vmstats_needs_flush(): 64 for each CPU), else every 2 s. LRU counters
    /// that reclaim goes by are among them.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn flush_stats(&self) -> io::Result<()> {
        // Each page that comes and goes changes several of them. Few at a time: a machine has many CPUs, or large pages.
        const CHUNK: usize = 64;
        let page = mem::page_size();
        let len = CHUNK * page;
        let prot = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let at = mem::mmap(0, len, prot, flags, -1, 0)?;
        let _ = mem::madvise(at, len, mem::advice::NOHUGEPAGE);
        for _ in 0..2 * numa::online_cpus() {
            // Before Linux 5.14 page by page, which takes an emulated machine five times as long.
            if mem::madvise(at, len, mem::advice::POPULATE_WRITE).is_err() {
                for offset in (0..len).step_by(page) {
                    mem::fill(at + offset, 8, 1);
                }
            }
            mem::madvise(at, len, mem::advice::DONTNEED)?;
        }
        mem::munmap(at, len)?;
        let _ = self.stat("anon");
        Ok(())
    }

    /// Bytes of kernel memory charged to this cgroup, which the caller is in. `None` where that is not shown (CONFIG_MEMCG_KMEM before
    /// 6.9; [`Kernel::Slab`] on v1, [`Kernel::All`] on v2 before 5.18).
    ///
    /// # Errors
    /// Those of reading the files.
    pub fn kernel_bytes(&self, what: Kernel) -> io::Result<Option<u64>> {
        let file = match (self.version, what) {
            (Version::V1, Kernel::All) => "memory.kmem.usage_in_bytes",
            (Version::V1, Kernel::Slab) => return Ok(None),
            (Version::V2, _) => {
                self.flush_stats()?;
                return self.stat(match what {
                    Kernel::All => "kernel",
                    Kernel::Slab => "slab_unreclaimable",
                });
            }
        };
        match sysfs::read_u64(self.dir.join(file)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            r => r.map(Some),
        }
    }

    /// Moves what is left in it to the parent, rmdir; a cgroup that is not there any more is success. Bounded wait for EBUSY. So with the one
    /// that a reclaim may have left beside it, when it was killed.
    ///
    /// A cgroup outlives the mount that it was made through: to remove one that an earlier run left,
    /// take its directory from a new [`find`].
    ///
    /// # Errors
    /// EBUSY when it was not empty for 2 s.
    pub fn remove(&self) -> io::Result<()> {
        remove(&outside::beside(&self.dir))?;
        remove(&self.dir)
    }
}

fn remove(dir: &Path) -> io::Result<()> {
    let mut until = Wait::new(Duration::from_secs(2));
    loop {
        // Each time anew: what is being moved may fork.
        let procs = sysfs::read(dir.join("cgroup.procs")).unwrap_or_default();
        if let Some(parent) = dir.parent() {
            for pid in procs.lines() {
                // Gone or going when it fails; the rmdir tells.
                let _ = sysfs::write(parent.join("cgroup.procs"), pid);
            }
        }
        match fs::remove_dir(dir) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) if e.raw_os_error() == Some(libc::EBUSY) && !until.over() => {
                sleep(Duration::from_millis(10));
            }
            r => return r,
        }
    }
}

#[cfg(test)]
mod tests;
