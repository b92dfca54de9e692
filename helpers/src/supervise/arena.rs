// SPDX-License-Identifier: GPL-2.0-or-later
//! What walks need from the machine, set up once per program and taken down at its end.

use super::journal::{Change, Changes};
use super::{Need, knob, undo};
use crate::kernel::disk;
use crate::kernel::features::Features;
use crate::kernel::memcg::{self, Memcg};
use crate::kernel::zram::{self, ZramSwap};
use crate::kernel::{ksm, sysfs};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use std::path::{Path, PathBuf};

/// The machine as the tests may use it. `Err` is a constant reason, fit for SKIP.
pub struct Arena {
    /// Probed once.
    pub features: Features,
    /// Our memory cgroup; tests and their actors run in it.
    pub memcg: Result<Memcg, &'static str>,
    /// A second one beside it, empty, for tests whose pages are charged to two.
    pub other_memcg: Result<Memcg, &'static str>,
    /// A third one and one below it.
    pub nested_memcg: Result<Nested, &'static str>,
    /// Our swap.
    pub swap: Result<ZramSwap, &'static str>,
    /// A file system on a zram device of ours, where the machine has no disk for temporary files.
    pub disk: Option<PathBuf>,
    /// KSM knobs were set (walk::ksm::KNOBS), ksmd may be started by writing 1 to run.
    pub ksm: Result<(), &'static str>,
    /// pages_shared of KSM before this program.
    pub ksm_before: u64,
    /// A tmpfs of our own in a mount namespace of our own; it vanishes with the program.
    pub scratch: Option<PathBuf>,
    /// What could not be had and why, with the numbers and errors that a constant reason cannot hold.
    pub notes: Vec<String>,
}

/// Two cgroups of which one is in the other.
pub struct Nested {
    /// Nobody is in it itself.
    pub above: Memcg,
    /// For processes.
    pub below: Memcg,
}

/// Name of the directory that the scratch file system is mounted on.
pub const SCRATCH: &str = "rmap_selftests.mnt";
/// The mount point that a kernel with debugfs has for it.
const DEBUGFS: &str = "/sys/kernel/debug";
/// Where nothing can be made, not even by mkdir -p: there is no scratch directory.
const NO_DIR: &str = "/dev/null/none";
/// Reason of everything in the arena for a test that did not ask for it.
const NOT_ASKED: &str = "needs a test with an arena";
/// Most of the swap; less where that would be more than a quarter of the memory.
const SWAP_BYTES: u64 = 256 << 20;

impl Arena {
    /// With features only: what the header shows, and tests without an arena use.
    pub fn bare(scratch: Result<Option<PathBuf>, String>) -> Arena {
        let (scratch, notes) = match scratch {
            Ok(scratch) => (scratch, Vec::new()),
            Err(text) => (None, vec![text]),
        };
        let debugfs = debugfs(scratch.as_deref());
        Arena {
            features: Features::probe(debugfs),
            memcg: Err(NOT_ASKED),
            other_memcg: Err(NOT_ASKED),
            nested_memcg: Err(NOT_ASKED),
            swap: Err(NOT_ASKED),
            disk: None,
            ksm: Err(NOT_ASKED),
            ksm_before: 0,
            scratch,
            notes,
        }
    }

    /// Everything else; a disk and a second cgroup only when a test needs them. What is not to be had is a reason, never an error.
    pub fn furnish(&mut self, changes: &mut Changes, wants: impl Fn(&Need) -> bool) {
        self.memcg = self.make_memcg(changes, "");
        if wants(&Need::OtherMemcg) && self.memcg.is_ok() {
            self.other_memcg = self.make_memcg(changes, "b");
        }
        if wants(&Need::NestedMemcg) && self.memcg.is_ok() {
            self.nested_memcg = self.make_nested(changes);
        }
        let wants_disk = wants(&Need::Disk);
        self.swap = self.make_swap(changes);
        if wants_disk && disk::temporary(None).is_none() {
            self.disk = self.make_disk(changes);
        }
        self.ksm = self.set_knobs(changes);
    }

    fn note<T>(
        &mut self,
        reason: &'static str,
        what: impl std::fmt::Display,
    ) -> Result<T, &'static str> {
        self.notes.push(format!("{reason}: {what}"));
        Err(reason)
    }

    fn make_memcg(&mut self, changes: &mut Changes, suffix: &str) -> Result<Memcg, &'static str> {
        if !self.features.root {
            return Err("needs root");
        }
        // Without a scratch directory nothing can be mounted, but what is mounted already can be found.
        let scratch = self
            .scratch
            .clone()
            .unwrap_or_else(|| PathBuf::from(NO_DIR));
        let root = memcg::find(&scratch)?;
        let reason = "needs a memory cgroup (could not be made)";
        if root.needs_enable {
            if let Err(e) = changes.record(Change::Enabled(root.dir.clone())) {
                return self.note(reason, e);
            }
            if let Err(e) = sysfs::write(root.dir.join("cgroup.subtree_control"), "+memory") {
                self.notes.extend(changes.undo_to(changes.len() - 1));
                return self.note(
                    reason,
                    format_args!("+memory in {}: {e}", root.dir.display()),
                );
            }
        }
        self.make_in(changes, &root, suffix)
    }

    fn make_in(
        &mut self,
        changes: &mut Changes,
        root: &memcg::Root,
        suffix: &str,
    ) -> Result<Memcg, &'static str> {
        let reason = "needs a memory cgroup (could not be made)";
        let name = format!("{}{}{suffix}", undo::PREFIX, std::process::id());
        if let Err(e) = changes.record(Change::Cgroup(root.dir.join(&name))) {
            return self.note(reason, e);
        }
        match Memcg::create(root, &name) {
            Ok(memcg) => Ok(memcg),
            Err(e) => {
                self.notes.extend(changes.undo_to(changes.len() - 1));
                self.note(reason, format_args!("{}: {e}", root.dir.display()))
            }
        }
    }

    fn make_nested(&mut self, changes: &mut Changes) -> Result<Nested, &'static str> {
        let above = self.make_memcg(changes, "c")?;
        if let Err(e) = above.count_children() {
            return self.note("needs hierarchical memory cgroups", e);
        }
        // Nobody is ever put into the one above, so it may have the controller for its children.
        let root = memcg::Root {
            dir: above.dir.clone(),
            version: above.version,
            needs_enable: above.version == memcg::Version::V2,
        };
        let below = self.make_in(changes, &root, "d")?;
        Ok(Nested { above, below })
    }

    fn make_swap(&mut self, changes: &mut Changes) -> Result<ZramSwap, &'static str> {
        if !self.features.root {
            return Err("needs root");
        }
        if let Err(reason) = zram::available() {
            if let Err(e) = self.load_zram(changes) {
                return self.note(reason, e);
            }
            zram::available()?;
        }
        let reason = "needs swap on zram (could not be made)";
        let mark = changes.len();
        let mut make = || -> std::io::Result<ZramSwap> {
            changes.record(Change::ZramBefore(undo::zrams()))?;
            let id = zram::hot_add()?;
            if let Err(e) = changes.record(Change::Zram(id)) {
                // Not on record, so nobody else would remove it.
                zram::stop(id)?;
                return Err(e);
            }
            let scratch = self
                .scratch
                .clone()
                .unwrap_or_else(|| PathBuf::from(NO_DIR));
            zram::start(id, SWAP_BYTES.min(memory_bytes() / 4), &scratch)
        };
        match make() {
            Ok(swap) => Ok(swap),
            Err(e) => {
                self.notes.extend(changes.undo_to(mark));
                self.note(reason, e)
            }
        }
    }

    /// For tests of files on a disk.
    fn make_disk(&mut self, changes: &mut Changes) -> Option<PathBuf> {
        // What swap could not be made of is not to be had for this either.
        self.swap.as_ref().ok()?;
        let scratch = self.scratch.clone()?;
        let dir = scratch.join("disk");
        let mark = changes.len();
        let mut make = || -> std::io::Result<()> {
            changes.record(Change::ZramBefore(undo::zrams()))?;
            let id = zram::hot_add()?;
            if let Err(e) = changes.record(Change::Zram(id)) {
                zram::stop(id)?;
                return Err(e);
            }
            let device = zram::start_disk(id, &scratch)?;
            changes.record(Change::Scratch(dir.clone()))?;
            std::fs::create_dir(&dir)?;
            // Not MS_NOEXEC: tests map files there to execute them.
            let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
            let nothing: Option<&str> = None;
            let try_as = |kind| mount(Some(&device), &dir, Some(kind), flags, nothing);
            try_as("ext2").or_else(|_| try_as("ext4"))?;
            Ok(())
        };
        match make() {
            Ok(()) => Some(dir),
            Err(e) => {
                self.notes.extend(changes.undo_to(mark));
                self.notes.push(format!("no file system of our own: {e}"));
                None
            }
        }
    }

    /// Loads the zram module where that is what is missing.
    fn load_zram(&mut self, changes: &mut Changes) -> std::io::Result<()> {
        changes.record(Change::ZramModule)?;
        if !zram::load_module()? {
            changes.forget_last()?;
        }
        Ok(())
    }

    /// Knobs of the walks: KSM's first of all.
    fn set_knobs(&mut self, changes: &mut Changes) -> Result<(), &'static str> {
        match knob::apply(changes, crate::walk::KNOBS) {
            Ok(None) => {}
            Ok(Some(reason)) => return Err(reason),
            Err(text) => return self.note("needs knobs of the walks (could not be set)", text),
        }
        if !self.features.root {
            return Err("needs root");
        }
        if !ksm::usable() {
            return Err("needs KSM");
        }
        let before = ksm::pages_shared().unwrap_or(0);
        self.ksm_before = before;
        match changes.record(Change::KsmPages(before)) {
            Ok(()) => Ok(()),
            Err(e) => self.note("needs KSM (its pages could not be noted)", e),
        }
    }
}

/// Leaves the mount namespace of the machine, and mounts a tmpfs where only this program and its children see it.
/// `Ok(None)`: not for us, we are not root.
pub fn mount_scratch(changes: &mut Changes) -> Result<Option<PathBuf>, String> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(None);
    }
    let Some(path) = changes.dir().map(|d| d.join(SCRATCH)) else {
        return Ok(None);
    };
    let nothing: Option<&str> = None;
    unshare(CloneFlags::CLONE_NEWNS).map_err(|e| format!("no mount namespace of our own: {e}"))?;
    // Else our mounts would go to the machine's namespace after all.
    let private = MsFlags::MS_PRIVATE | MsFlags::MS_REC;
    mount(nothing, "/", nothing, private, nothing)
        .map_err(|e| format!("no private mounts: {e}"))?;
    if !own_proc() {
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        mount(Some("proc"), "/proc", Some("proc"), flags, nothing)
            .map_err(|e| format!("no /proc of this PID namespace: {e}"))?;
    }
    changes
        .record(Change::Scratch(path.clone()))
        .map_err(|e| format!("journal: {e}"))?;
    mount_tmpfs(&path).map(|()| Some(path)).map_err(|e| {
        changes.undo_to(changes.len() - 1);
        format!("no scratch file system: {e}")
    })
}

/// Whether /proc is that of our PID namespace: else its numbers are other processes.
pub fn own_proc() -> bool {
    // Without /proc at all, what needs it says so.
    let me = std::fs::read_link("/proc/self").ok();
    me.is_none_or(|me| me.as_os_str() == &*std::process::id().to_string())
}

fn mount_tmpfs(path: &Path) -> std::io::Result<()> {
    match std::fs::create_dir(path) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(e),
        _ => {}
    }
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    mount(
        Some("rmap_selftests"),
        path,
        Some("tmpfs"),
        flags,
        Some("mode=0700,size=16m"),
    )?;
    Ok(())
}

/// Where debugfs is mounted, or a mount of our own.
fn debugfs(scratch: Option<&Path>) -> Option<PathBuf> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let there = mounts.lines().find_map(|l| {
        let mut fields = l.split(' ').skip(1);
        let dir = fields.next()?;
        (fields.next()? == "debugfs").then(|| PathBuf::from(dir))
    });
    if there.is_some() {
        return there;
    }
    // In a mount namespace of our own it can be where everybody looks for it.
    let usual = PathBuf::from(DEBUGFS);
    let dir = match scratch? {
        _ if usual.is_dir() => usual,
        scratch => {
            let dir = scratch.join("debugfs");
            std::fs::create_dir(&dir).ok()?;
            dir
        }
    };
    let nothing: Option<&str> = None;
    mount(
        Some("debugfs"),
        &dir,
        Some("debugfs"),
        MsFlags::empty(),
        nothing,
    )
    .ok()?;
    Some(dir)
}

/// MemTotal; what cannot be read is small.
fn memory_bytes() -> u64 {
    meminfo("MemTotal").unwrap_or(64 << 20)
}

/// A field of /proc/meminfo, in bytes.
pub(crate) fn meminfo(field: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|l| l.strip_prefix(field)?.strip_prefix(':'))?;
    let kib: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kib << 10)
}
