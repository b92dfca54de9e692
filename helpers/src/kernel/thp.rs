// SPDX-License-Identifier: GPL-2.0-or-later
//! Transparent huge pages: sizes, debugfs split (Documentation/admin-guide/mm/transhuge.rst).

use super::sysfs;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Directory of the knobs.
pub const DIR: &str = "/sys/kernel/mm/transparent_hugepage";

/// Bytes of a PMD-mapped huge page (hpage_pmd_size); `None` without THP.
pub fn pmd_size() -> Option<usize> {
    sysfs::read_u64(format!("{DIR}/hpage_pmd_size"))
        .ok()?
        .try_into()
        .ok()
}

/// The mTHP sizes on offer, bytes, ascending (directories hugepages-*kB). Empty before Linux 6.8.
pub fn anon_sizes() -> Vec<usize> {
    let Ok(dir) = fs::read_dir(DIR) else {
        return Vec::new();
    };
    let mut sizes: Vec<usize> = dir
        .flatten()
        .filter_map(|e| size_of_name(e.file_name().to_str()?))
        .collect();
    sizes.sort_unstable();
    sizes
}

fn size_of_name(name: &str) -> Option<usize> {
    let kb = name.strip_prefix("hugepages-")?.strip_suffix("kB")?;
    kb.parse::<usize>().ok()?.checked_mul(1024)
}

/// Path of debugfs' split_huge_pages; `None` when it is not to be had. `debugfs` is where debugfs is mounted.
pub fn split_file(debugfs: &Path) -> Option<PathBuf> {
    let file = debugfs.join("split_huge_pages");
    // Opened, not only looked at: a locked down kernel (kernel_lockdown(7)) shows debugfs and
    // refuses to open what can be written there.
    OpenOptions::new()
        .write(true)
        .open(&file)
        .is_ok()
        .then_some(file)
}

/// Asks debugfs to split the huge pages of process `pid` in `[start, end)` (split_huge_pages_write(),
/// mm/huge_memory.c; Linux 5.13). `Ok` says that the kernel tried: whether a page was split, its PTEs
/// tell. A page that someone holds for the moment stays whole.
///
/// # Errors
/// ESRCH without such a process; EINVAL for a kernel that knows no ranges.
pub fn split(file: &Path, pid: i32, start: usize, end: usize) -> io::Result<()> {
    sysfs::write(file, &format!("{pid},{start:#x},{end:#x}"))
}

/// The same, to folios of `1 << order` pages (Linux 6.10). Kernels before that split to single pages.
///
/// # Errors
/// As [`split`]; EINVAL where this kind of memory has no folios of that order.
pub fn split_to(file: &Path, pid: i32, start: usize, end: usize, order: u32) -> io::Result<()> {
    sysfs::write(file, &format!("{pid},{start:#x},{end:#x},{order}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::vma;
    use crate::sys::mem::{self, advice};
    use nix::mount::{MntFlags, MsFlags, mount, umount2};
    use nix::sched::{CloneFlags, unshare};

    #[test]
    fn sizes() {
        assert_eq!(size_of_name("hugepages-64kB"), Some(64 << 10));
        assert_eq!(size_of_name("khugepaged"), None);
        let Some(pmd) = pmd_size() else {
            return eprintln!("skipped: no THP");
        };
        assert!(pmd.is_power_of_two() && pmd > mem::page_size());
        let sizes = anon_sizes();
        assert!(sizes.is_empty() || sizes.contains(&pmd), "{sizes:?}");
        assert!(sizes.is_sorted());
    }

    #[test]
    fn a_huge_page_is_split() {
        // The mount namespace is the thread's own and goes with it.
        std::thread::spawn(|| {
            let dir = std::env::temp_dir().join(format!("rmap-debugfs-{}", std::process::id()));
            let none: Option<&str> = None;
            let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
            if unshare(CloneFlags::CLONE_NEWNS).is_err()
                || mount(none, "/", none, private, none).is_err()
            {
                return eprintln!("skipped: no mount namespace");
            }
            fs::create_dir(&dir).unwrap();
            let mounted = mount(
                Some("debugfs"),
                &dir,
                Some("debugfs"),
                MsFlags::empty(),
                none,
            )
            .is_ok();
            match split_file(&dir).filter(|_| mounted) {
                Some(file) => split_one(&file),
                None => eprintln!("skipped: no debugfs, no split_huge_pages, or locked down"),
            }
            if mounted {
                umount2(&dir, MntFlags::MNT_DETACH).unwrap();
            }
            fs::remove_dir(&dir).unwrap();
        })
        .join()
        .unwrap();
    }

    fn split_one(file: &Path) {
        let size = pmd_size().unwrap();
        let rw = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let room = mem::mmap(0, 2 * size, rw, flags, -1, 0).unwrap();
        let a = room.next_multiple_of(size);
        mem::madvise(a, size, advice::HUGEPAGE).unwrap();
        mem::fill(a, size, 1);
        let huge = || vma::smaps_kb(0, a, "AnonHugePages").unwrap();
        if huge() == Some(0) {
            eprintln!("skipped: got no huge page");
        } else {
            assert_eq!(huge(), Some((size / 1024) as u64));
            split(file, std::process::id() as i32, a, a + size).unwrap();
            assert_eq!(huge(), Some(0));
            assert_eq!(mem::compare(a, size, 1), None);
            assert_eq!(
                split(file, i32::MAX, a, a + size)
                    .unwrap_err()
                    .raw_os_error(),
                Some(3)
            );
        }
        mem::munmap(room, 2 * size).unwrap();
    }
}
