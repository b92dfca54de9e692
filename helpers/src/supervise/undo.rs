// SPDX-License-Identifier: GPL-2.0-or-later
//! How each change is undone, by the run that made it or by the next one.

use super::journal::Change;
use super::{arena, knob};
use crate::kernel::memcg::{self, Memcg};
use crate::kernel::{ksm, sysfs, zram};
use crate::pace::Wait;
use nix::mount::{MntFlags, umount2};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// All names that we give begin so; nothing else is ever removed.
pub const PREFIX: &str = "rmap_selftests.";

/// Undoes a change of this run. `Err` says what is left.
pub fn undo(change: &Change) -> Result<(), String> {
    match change {
        Change::Knob { path, old } => knob::restore(path, old),
        // Nothing was made, or its number is known: see Change::Zram.
        Change::ZramBefore(_) => Ok(()),
        Change::Zram(id) => zram::stop(*id).map_err(|e| format!("zram{id} cannot be removed: {e}")),
        Change::ZramModule if zrams().is_empty() => {
            zram::unload_module().map_err(|e| format!("the zram module cannot be unloaded: {e}"))
        }
        // Somebody else has come to use it meanwhile.
        Change::ZramModule => Ok(()),
        Change::Cgroup(dir) => remove_cgroup(dir),
        Change::Enabled(dir) => disable(dir),
        Change::KsmPages(before) => {
            ksm::forget(*before).map_err(|e| format!("KSM still holds pages of this run: {e}"))
        }
        Change::Scratch(dir) => {
            // Fails when nothing is mounted there; rmdir tells whether that matters.
            let _ = umount2(dir, MntFlags::MNT_DETACH);
            remove_dir(dir)
        }
    }
}

/// Undoes a change of a run that was killed. `Ok(false)`: there was nothing to do.
///
/// `scratch` is where a hierarchy can be mounted that only the dead run could see.
pub fn undo_of_the_dead(change: &Change, scratch: Option<&Path>) -> Result<bool, String> {
    match change {
        Change::Knob { path, .. } if !harmless(path) => Err(format!(
            "journal names a knob {} that is none",
            path.display()
        )),
        Change::Knob { path, old } => {
            let same = sysfs::read(path).is_ok_and(|c| sysfs::chosen(&c) == old);
            undo(change).map(|()| !same)
        }
        Change::ZramBefore(before) => {
            // Killed between the device's birth and the note of its number. Ours has no size yet;
            // a stranger's device made in that moment would have one soon.
            let new: Vec<u32> = zrams()
                .into_iter()
                .filter(|id| !before.contains(id))
                .filter(|id| {
                    sysfs::read_u64(format!("/sys/block/zram{id}/disksize")).ok() == Some(0)
                })
                .collect();
            for id in &new {
                undo(&Change::Zram(*id))?;
            }
            Ok(!new.is_empty())
        }
        Change::Zram(id) => {
            let there = zrams().contains(id);
            undo(change).map(|()| there)
        }
        Change::ZramModule => {
            let there = Path::new("/sys/class/zram-control").exists();
            if there {
                undo(change).map(|()| true)
            } else {
                Ok(false)
            }
        }
        Change::Cgroup(dir) | Change::Enabled(dir) => {
            let here = visible(dir, scratch);
            let there = here.is_dir();
            let change = match change {
                Change::Cgroup(_) => Change::Cgroup(here),
                _ => Change::Enabled(here),
            };
            undo(&change).map(|()| there)
        }
        Change::KsmPages(before) => {
            let there = ksm::pages_shared().is_ok_and(|now| now > *before);
            undo(change).map(|()| there)
        }
        Change::Scratch(dir) => {
            // This run uses the same directory, and removes it at its end.
            if scratch == Some(dir) {
                return Ok(false);
            }
            let there = dir.is_dir();
            remove_dir(dir).map(|()| there)
        }
    }
}

/// The journal belongs to root and nobody else could write it; but a line that was damaged must not name just any file.
fn harmless(path: &Path) -> bool {
    (path.starts_with("/sys") || path.starts_with("/proc/sys"))
        && path
            .components()
            .all(|c| c != std::path::Component::ParentDir)
}

/// Numbers of the zram devices that exist.
pub fn zrams() -> Vec<u32> {
    std::fs::read_dir("/sys/block")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| e.file_name().to_str()?.strip_prefix("zram")?.parse().ok())
        .collect()
}

/// A hierarchy that the dead run had mounted for itself is not there by that name any more: mount it again.
fn visible(dir: &Path, scratch: Option<&Path>) -> PathBuf {
    let below_scratch = dir.components().any(|c| c.as_os_str() == arena::SCRATCH);
    if dir.exists() || !below_scratch {
        return dir.to_owned();
    }
    let Some(root) = scratch.and_then(|s| memcg::find(s).ok()) else {
        return dir.to_owned();
    };
    // One of ours may be in another.
    let ours = |dir: &&Path| {
        let name = dir.file_name();
        name.is_some_and(|n| n.as_encoded_bytes().starts_with(PREFIX.as_bytes()))
    };
    let names: Vec<_> = dir
        .ancestors()
        .take_while(ours)
        .filter_map(Path::file_name)
        .collect();
    names
        .iter()
        .rev()
        .fold(root.dir, |dir, name| dir.join(name))
}

fn remove_cgroup(dir: &Path) -> Result<(), String> {
    let ours = dir
        .file_name()
        .is_some_and(|n| n.as_encoded_bytes().starts_with(PREFIX.as_bytes()));
    if !dir.exists() || !ours {
        return Ok(());
    }
    // Whoever is in there was put there by a run that is over.
    let mut end = Wait::new(Duration::from_secs(10));
    while let Some(pids) = members(dir)
        && !end.over()
    {
        for pid in pids {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let version = match dir.join("cgroup.controllers").exists() {
        true => memcg::Version::V2,
        false => memcg::Version::V1,
    };
    let memcg = Memcg {
        dir: dir.to_owned(),
        version,
    };
    memcg
        .remove()
        .map_err(|e| format!("cgroup {} cannot be removed: {e}", dir.display()))
}

/// Processes of a cgroup, `None` when there are none. Never this process, whatever the file says.
fn members(dir: &Path) -> Option<Vec<i32>> {
    let text = std::fs::read_to_string(dir.join("cgroup.procs")).ok()?;
    let me = std::process::id() as i32;
    let pids: Vec<i32> = text
        .lines()
        .filter_map(|l| l.parse().ok())
        .filter(|pid| *pid > 1 && *pid != me)
        .collect();
    (!pids.is_empty()).then_some(pids)
}

/// Takes the memory controller away from the children of a cgroup again.
fn disable(dir: &Path) -> Result<(), String> {
    let file = dir.join("cgroup.subtree_control");
    if !file.exists() {
        return Ok(());
    }
    sysfs::write(&file, "-memory").map_err(|e| format!("{} still has memory: {e}", file.display()))
}

fn remove_dir(dir: &Path) -> Result<(), String> {
    match std::fs::remove_dir(dir) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{} cannot be removed: {e}", dir.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_knobs_are_knobs() {
        assert!(harmless(Path::new("/sys/kernel/mm/ksm/run")));
        assert!(harmless(Path::new("/proc/sys/vm/swappiness")));
        assert!(!harmless(Path::new("/etc/passwd")));
        assert!(!harmless(Path::new("/sys/../etc/passwd")));
    }
}
