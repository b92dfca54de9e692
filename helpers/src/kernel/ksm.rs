// SPDX-License-Identifier: GPL-2.0-or-later
//! `/sys/kernel/mm/ksm` (Documentation/admin-guide/mm/ksm.rst).

use super::{proc_path, sysfs};
use crate::pace::Wait;
use nix::unistd::{AccessFlags, access};
use std::io;
use std::time::Duration;

/// Directory of the knobs.
pub const DIR: &str = "/sys/kernel/mm/ksm";

fn knob(name: &str) -> String {
    format!("{DIR}/{name}")
}

/// CONFIG_KSM is there and the knobs can be written.
pub fn usable() -> bool {
    // access(2) says EROFS for a read-only sysfs, which root's permission bits do not show.
    access(knob("run").as_str(), AccessFlags::R_OK | AccessFlags::W_OK).is_ok()
}

/// full_scans: how often ksmd has been through all mergeable memory of the machine.
///
/// # Errors
/// Those of reading the file.
pub fn full_scans() -> io::Result<u64> {
    sysfs::read_u64(knob("full_scans"))
}

/// Writes `run`: 0 stop, 1 run, 2 stop and unmerge all.
///
/// # Errors
/// EINVAL for another value; ENOMEM or EINTR when the unmerging stopped half-way.
pub fn set_run(value: u8) -> io::Result<()> {
    sysfs::write(knob("run"), &value.to_string())
}

/// Writes another knob.
///
/// # Errors
/// ENOENT where there is none; EBUSY from max_page_sharing and merge_across_nodes while anything is merged.
pub fn set(name: &str, value: &str) -> io::Result<()> {
    sysfs::write(knob(name), value)
}

/// pages_shared: KSM pages in use, of the whole machine; those of dead processes count until ksmd comes by.
///
/// # Errors
/// ENOENT without CONFIG_KSM.
pub fn pages_shared() -> io::Result<u64> {
    sysfs::read_u64(knob("pages_shared"))
}

/// pages_sharing: how many mappers there are of KSM pages beyond one each, of the whole machine.
///
/// # Errors
/// ENOENT without CONFIG_KSM.
pub fn pages_sharing() -> io::Result<u64> {
    sysfs::read_u64(knob("pages_sharing"))
}

/// ksm_zero_pages of `/proc/PID/ksm_stat` (Linux 6.6).
pub fn zero_pages(pid: i32) -> Option<u64> {
    stat(pid, "ksm_zero_pages")
}

/// ksm_zero_pages of the whole machine (Linux 6.6): what is counted of a process and not of the machine, or the other way round, is counted wrongly
/// for ever.
pub fn all_zero_pages() -> Option<i64> {
    sysfs::read(knob("ksm_zero_pages"))
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// ksm_rmap_items of `/proc/PID/ksm_stat` (Linux 6.2): pages of the process that ksmd has looked at and keeps in mind.
pub fn rmap_items(pid: i32) -> Option<u64> {
    stat(pid, "ksm_rmap_items")
}

fn stat(pid: i32, name: &str) -> Option<u64> {
    let text = sysfs::read(proc_path(pid, "ksm_stat")).ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix(name))?;
    line.trim().parse().ok()
}

/// Has KSM let go of what dead processes left in its trees, until no more than `before` pages are shared: until then it pins
/// their mm_structs (ksm_exit()). Where nothing was shared before, all is unmerged at once (unmerge_and_remove_all_rmap_items());
/// else ksmd scans, 2 s at most, and other users' pages stay as they are.
///
/// # Errors
/// What writing `run` gives.
pub fn forget(before: u64) -> io::Result<()> {
    if !usable() || pages_shared()? <= before {
        return Ok(());
    }
    if before == 0 {
        return set_run(2);
    }
    let mut until = Wait::new(Duration::from_secs(2));
    set_run(1)?;
    while pages_shared()? > before && !until.over() {
        std::thread::sleep(Duration::from_millis(5));
    }
    set_run(0)
}

/// How many pages of process `pid` (0: the caller) are merged, from `/proc/PID/ksm_merging_pages`
/// (Linux 5.19). The counts in [`DIR`] are those of the whole machine, strangers' memory included.
///
/// # Errors
/// ENOENT on an older kernel or when the process is gone.
pub fn merging_pages(pid: i32) -> io::Result<u64> {
    sysfs::read_u64(proc_path(pid, "ksm_merging_pages"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knobs() {
        if !usable() {
            return eprintln!("skipped: no KSM, or not root");
        }
        full_scans().unwrap();
        assert!(merging_pages(0).is_ok_and(|n| n == 0) || merging_pages(0).is_err());
        // A refused value changes nothing, so this needs no restoring.
        assert_eq!(set_run(99).unwrap_err().raw_os_error(), Some(libc::EINVAL));
    }
}
