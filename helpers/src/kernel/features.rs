// SPDX-License-Identifier: GPL-2.0-or-later
//! What this kernel and this process' privileges offer, found by trying.

use super::kpage::{Flags, Kpage};
use super::pagemap::{Pagemap, Pfn};
use super::{hwpoison, ksm, numa, sysfs, thp, vma};
use crate::sys::mem::{self, Sys, advice};
use crate::sys::numa::{MPOL_MF_MOVE, move_pages};
use crate::sys::pin::{self, GupTest};
use crate::sys::proc::{Forked, exit_now, fork_child};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::wait::waitpid;
use nix::unistd::{AccessFlags, Pid, access, geteuid, pipe2, read};
use procfs::process::Process;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why pages cannot be pinned to be read.
pub const NO_GUP_TEST: &str = "needs gup_test in debugfs (CONFIG_GUP_TEST)";

/// Found once per program.
#[derive(Debug, Clone)]
pub struct Features {
    /// Kernel release, as uname -r.
    pub release: String,
    /// Page size, bytes.
    pub page_size: usize,
    /// PMD-mapped THP size in bytes, `None` without THP.
    pub pmd_size: Option<usize>,
    /// Effective UID 0.
    pub root: bool,
    /// A PFN can be read from our own pagemap.
    pub pfn: bool,
    /// Our own pagemap can be read at all.
    pub pagemap: bool,
    /// /proc/kpagecount, and a fresh private page counts 1 there.
    pub kpagecount: bool,
    /// /proc/kpageflags, and a fresh private page shows ANON there.
    pub kpageflags: bool,
    /// Bit 34 of kpageflags was seen set on a fresh private page, clear while a fork shared it, and set again on a fresh one: it is PageAnonExclusive here.
    pub anon_exclusive: bool,
    /// Bit 21 of kpageflags tells KSM pages: it is clear on a fresh private page. Since v6.10 and until it was
    /// mended, stable_page_flags() set it on every anonymous page.
    pub ksm_flag: bool,
    /// Nodes with memory.
    pub nodes: Vec<i32>,
    /// There is move_pages(2), NUMA and CONFIG_MIGRATION, and no filter of calls (seccomp) forbids it.
    pub migration: bool,
    /// KSM knobs can be written.
    pub ksm: bool,
    /// THP can be had with madvise.
    pub thp: bool,
    /// Where debugfs is mounted (a mount of our own in the private mount namespace counts).
    pub debugfs: Option<PathBuf>,
    /// /sys/kernel/mm/page_idle/bitmap.
    pub page_idle: bool,
    /// Bit 55 of pagemap was clear after clear_refs and set after a write: it is soft-dirty here.
    pub soft_dirty: bool,
    /// VmFlags said `lf` of memory locked with MLOCK_ONFAULT: it tells that here. Older kernels have no name for it.
    pub lock_on_fault: bool,
    /// Per-page mapcounts of large folios are exact (no CONFIG_NO_PAGE_MAPCOUNT).
    pub page_mapcount: bool,
}

impl Features {
    /// Version and patchlevel of the release, as (6, 12); of one that says no numbers, more than any. Only for what no probe can tell
    /// from a bug.
    pub fn version(&self) -> (u32, u32) {
        let mut numbers = self.release.split(|c: char| !c.is_ascii_digit());
        let mut next = || numbers.next().and_then(|n| n.parse().ok());
        next().zip(next()).unwrap_or((u32::MAX, 0))
    }

    /// debugfs, where poisoned pages can be given back whole.
    ///
    /// # Errors
    /// What is missing: CONFIG_HWPOISON_INJECT, or the mend of unpoison_memory(). From Linux 5.10 on soft-offlining takes a page off the free
    /// lists, and until 5.17 ("mm/hwpoison: fix unpoison_memory()") unpoisoning drops a reference that nobody holds of it.
    pub fn unpoison(&self) -> Result<&Path, &'static str> {
        match self.debugfs.as_deref() {
            Some(dir) if hwpoison::injectable(dir) => {
                match ((5, 10)..(5, 17)).contains(&self.version()) {
                    true => Err("needs unpoisoning that leaves a page whole (Linux 5.17)"),
                    false => Ok(dir),
                }
            }
            _ => Err("needs hwpoison/unpoison-pfn in debugfs (CONFIG_HWPOISON_INJECT)"),
        }
    }

    /// Whether gup_test in debugfs pins pages to be read. Lets go of what it has pinned for anybody.
    ///
    /// # Errors
    /// A constant reason.
    pub fn gup_test(&self) -> Result<(), &'static str> {
        match self.gup_test_file().map(|file| pin::gup_test(&file)) {
            Some(GupTest::Free) => Ok(()),
            Some(GupTest::InUse) => Err("needs gup_test for itself"),
            Some(GupTest::Older) => Err("needs gup_test that pins for a long time"),
            Some(GupTest::Missing) | None => Err(NO_GUP_TEST),
        }
    }

    /// Where gup_test is if there is one.
    pub fn gup_test_file(&self) -> Option<PathBuf> {
        self.debugfs.as_ref().map(|dir| dir.join("gup_test"))
    }

    /// The third number of the release (the stable update); 0 where there is none. Some distributions have their own number there.
    pub fn sublevel(&self) -> u32 {
        let mut numbers = self.release.split('.').skip(2);
        let third = numbers.next().unwrap_or_default();
        let digits = third.find(|c: char| !c.is_ascii_digit());
        third[..digits.unwrap_or(third.len())].parse().unwrap_or(0)
    }

    /// ksmd leaves the soft-dirty bit to who has a page taken away for an equal one (replace_page()): known of Linux 6.12.118.
    pub fn ksm_keeps_soft_dirty(&self) -> bool {
        self.version() == (6, 12) && self.sublevel() >= 118
    }

    /// Probes. Never fails: what can't be found out is absent. For a single-threaded caller (forks).
    pub fn probe(debugfs: Option<PathBuf>) -> Features {
        let kpage = Kpage::open();
        let fresh = Fresh::page(&kpage);
        let fresh = fresh.as_ref();
        let pmd_size = thp::pmd_size();
        Features {
            release: nix::sys::utsname::uname()
                .map(|u| u.release().to_string_lossy().into_owned())
                .unwrap_or_default(),
            page_size: mem::page_size(),
            pmd_size,
            root: geteuid().is_root(),
            pagemap: Pagemap::open(0).and_then(|m| m.entry(0)).is_ok(),
            pfn: fresh.is_some(),
            kpagecount: fresh.is_some_and(|f| f.count() == Some(1)),
            kpageflags: fresh.is_some_and(|f| f.has(Flags::ANON) == Some(true)),
            anon_exclusive: anon_exclusive(&kpage) == Some(true),
            ksm_flag: fresh.is_some_and(|f| f.has(Flags::KSM) == Some(false)),
            nodes: numa::nodes_with_memory(),
            migration: !matches!(
                move_pages(0, &[], 0, MPOL_MF_MOVE),
                Err(Errno::ENOSYS | Errno::EPERM)
            ),
            ksm: ksm::usable(),
            thp: pmd_size.is_some() && thp_with_madvise(),
            debugfs: debugfs.or_else(mounted_debugfs),
            page_idle: access(
                "/sys/kernel/mm/page_idle/bitmap",
                AccessFlags::R_OK | AccessFlags::W_OK,
            )
            .is_ok(),
            soft_dirty: soft_dirty() == Some(true),
            lock_on_fault: lock_on_fault() == Some(true),
            page_mapcount: page_mapcount(pmd_size, &kpage),
        }
    }
}

/// Private anonymous memory, unmapped when dropped.
struct Area {
    addr: usize,
    len: usize,
}

impl Area {
    fn new(len: usize) -> Sys<Area> {
        let rw = libc::PROT_READ | libc::PROT_WRITE;
        let addr = mem::mmap(0, len, rw, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)?;
        Ok(Area { addr, len })
    }
}

impl Drop for Area {
    fn drop(&mut self) {
        let _ = mem::munmap(self.addr, self.len);
    }
}

/// A private page that was just written to, and its PFN.
struct Fresh<'a> {
    area: Area,
    pfn: Pfn,
    kpage: &'a Kpage,
}

impl<'a> Fresh<'a> {
    /// One base page. `None` without memory or a visible PFN.
    fn page(kpage: &'a Kpage) -> Option<Fresh<'a>> {
        let area = Area::new(mem::page_size()).ok()?;
        // Refused by a kernel without THP, where there is nothing to switch off.
        let _ = mem::madvise(area.addr, area.len, advice::NOHUGEPAGE);
        // Written, since a page that was only read is the zero page.
        mem::fill(area.addr, area.len, 0x5eed);
        let pfn = pfn_of(area.addr)?;
        Some(Fresh { area, pfn, kpage })
    }
    fn count(&self) -> Option<u64> {
        self.kpage.count(self.pfn).ok().flatten()
    }
    fn has(&self, mask: u64) -> Option<bool> {
        Some(self.kpage.flags(self.pfn).ok().flatten()?.has(mask))
    }
}

fn pfn_of(addr: usize) -> Option<Pfn> {
    Pagemap::open(0).and_then(|m| m.entry(addr)).ok()?.pfn()
}

/// Set on a fresh page, clear while it is shared (folio_try_dup_anon_rmap_pte() in fork(2)), set on
/// another fresh one. `None` when that could not be seen.
fn anon_exclusive(kpage: &Kpage) -> Option<bool> {
    let mask = Flags::ANON | Flags::ANON_EXCLUSIVE;
    let fresh = Fresh::page(kpage)?;
    let before = fresh.has(mask)?;
    let child = Sharer::fork().ok()?;
    let shared = fresh.has(mask)?;
    // The page that was looked at is still the one that is shared.
    let same = pfn_of(fresh.area.addr) == Some(fresh.pfn);
    drop(child);
    let after = Fresh::page(kpage)?.has(mask)?;
    Some(before && same && !shared && after)
}

/// A child that shares all our private pages until it is dropped.
struct Sharer {
    pid: i32,
    /// It waits until this end of its pipe is closed, by us or with us.
    gate: Option<OwnedFd>,
}

impl Sharer {
    /// fork(2) has copied the page tables when it returns, so there is nothing to wait for.
    fn fork() -> Sys<Sharer> {
        let (wait, gate) = pipe2(OFlag::O_CLOEXEC)?;
        match fork_child()? {
            Forked::Child => {
                // Or it would never see the end of the pipe.
                drop(gate);
                while read(&wait, &mut [0]) == Err(Errno::EINTR) {}
                exit_now(0)
            }
            Forked::Parent(pid) => Ok(Sharer {
                pid,
                gate: Some(gate),
            }),
        }
    }
}

impl Drop for Sharer {
    fn drop(&mut self) {
        self.gate = None;
        while waitpid(Pid::from_raw(self.pid), None) == Err(Errno::EINTR) {}
    }
}

/// Seen on a page of our own. `None` when clear_refs is not there or not ours to write.
fn soft_dirty() -> Option<bool> {
    let area = Area::new(mem::page_size()).ok()?;
    let bit = || {
        Some(
            Pagemap::open(0)
                .and_then(|m| m.entry(area.addr))
                .ok()?
                .soft_dirty(),
        )
    };
    mem::fill(area.addr, area.len, 0x5eed);
    sysfs::write("/proc/self/clear_refs", "4").ok()?;
    let clear = !bit()?;
    mem::fill(area.addr, area.len, 0x5eed);
    Some(clear && bit()?)
}

/// Seen on a page of our own.
fn lock_on_fault() -> Option<bool> {
    let area = Area::new(mem::page_size()).ok()?;
    mem::mlock(area.addr, area.len, libc::MLOCK_ONFAULT as i32).ok()?;
    let codes = vma::vm_flags(0, area.addr).ok()??;
    Some(codes.iter().any(|code| code == "lf"))
}

/// `enabled` offers it already, or can be told to.
fn thp_with_madvise() -> bool {
    let file = format!("{}/enabled", thp::DIR);
    let on = sysfs::read(&file).is_ok_and(|text| sysfs::chosen(&text) != "never");
    on || access(file.as_str(), AccessFlags::W_OK).is_ok()
}

fn mounted_debugfs() -> Option<PathBuf> {
    let mounts = Process::myself().and_then(|p| p.mountinfo()).ok()?;
    mounts
        .into_iter()
        .filter(|m| m.fs_type == "debugfs")
        .map(|m| m.mount_point)
        .find(|dir| fs::read_dir(dir).is_ok())
}

/// Seen on half a huge page; where none can be had the kernel's configuration says it. No sign of
/// the option, or no THP: exact, as all kernels are that do not have the option.
fn page_mapcount(pmd_size: Option<usize>, kpage: &Kpage) -> bool {
    let Some(size) = pmd_size else {
        return true;
    };
    half_a_huge_page(size, kpage)
        .or_else(|| Some(!config()?.lines().any(|l| l == "CONFIG_NO_PAGE_MAPCOUNT=y")))
        .unwrap_or(true)
}

/// With half of a huge page unmapped, a page of the other half counts 1 where counts are those of
/// pages, and 0 there; an average (folio_average_page_mapcount()) is the same for both. `None` when
/// no huge page was to be had, or it did not stay whole.
fn half_a_huge_page(size: usize, kpage: &Kpage) -> Option<bool> {
    // Half a GiB with 64 KiB pages: not for a look.
    if size > 64 << 20 {
        return None;
    }
    let room = Area::new(2 * size).ok()?;
    let addr = room.addr.next_multiple_of(size);
    let half = addr + size / 2;
    let huge = |pfn| Some(kpage.flags(pfn).ok()??.has(Flags::THP));
    let _ = mem::madvise(addr, size, advice::HUGEPAGE);
    mem::fill(addr, size, 0x5eed);
    if !huge(pfn_of(addr)?)? {
        // `enabled` says never, which this does not ask.
        mem::madvise(addr, size, advice::COLLAPSE).ok()?;
    }
    let (kept, gone) = (pfn_of(addr)?, pfn_of(half)?);
    mem::madvise(half, size / 2, advice::DONTNEED).ok()?;
    let counts = (kpage.count(kept).ok()??, kpage.count(gone).ok()??);
    // The unmapped page is ours to judge only while it is part of the huge page.
    (huge(gone)? && huge(kept)?).then_some(counts == (1, 0))
}

/// The kernel's configuration, if it or the distribution shows it.
fn config() -> Option<String> {
    let release = nix::sys::utsname::uname()
        .ok()?
        .release()
        .to_string_lossy()
        .into_owned();
    let plain = [
        format!("/boot/config-{release}"),
        format!("/lib/modules/{release}/config"),
    ];
    if let Some(text) = plain.iter().find_map(|p| fs::read_to_string(p).ok()) {
        return Some(text);
    }
    fs::metadata("/proc/config.gz").ok()?;
    // busybox has it as well; procfs would bring a decompressor along for one word.
    let out = Command::new("zcat")
        .arg("/proc/config.gz")
        .stderr(Stdio::null())
        .output()
        .ok()?;
    out.status
        .success()
        .then(|| String::from_utf8_lossy(&out.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Other tests fork meanwhile, and then every page counts once more: look until nobody does.
    fn probe() -> Features {
        let mut f = Features::probe(None);
        for _ in 0..20 {
            if f.kpagecount && f.anon_exclusive && f.page_mapcount {
                break;
            }
            f = Features::probe(None);
        }
        f
    }

    #[test]
    fn versions() {
        let features = |release: &str| {
            let release = release.into();
            Features {
                release,
                ..Features::probe(None)
            }
        };
        let of = |release| features(release).version();
        assert_eq!(of("6.1.0-56-cloud-amd64"), (6, 1));
        assert_eq!(of("7.3.4+deb13"), (7, 3));
        assert_eq!(of("6.12-rc1"), (6, 12));
        assert!(of("mine") > (6, 12));
        let of = |release| features(release).sublevel();
        assert_eq!(of("6.12.117+deb13-riscv64"), 117);
        assert_eq!(of("6.12-rc1"), 0);
        assert_eq!(of("7.3.4"), 4);
    }

    #[test]
    fn what_is_here() {
        let f = probe();
        eprintln!("{f:#?}");
        assert!(f.page_size.is_power_of_two() && !f.nodes.is_empty() && !f.release.is_empty());
        assert!(f.pagemap || !f.pfn, "a PFN without a pagemap");
        assert!(f.pfn || !f.kpagecount && !f.kpageflags && !f.anon_exclusive);
        assert_eq!(f.kpagecount, f.pfn && Kpage::open().has_counts());
        assert_eq!(f.kpageflags, f.pfn && Kpage::open().has_flags());
        let major = f
            .release
            .split('.')
            .next()
            .and_then(|major| major.parse().ok());
        if f.kpageflags && major >= Some(6) {
            assert!(f.anon_exclusive, "new in 5.19");
        }
        if let Some(text) = config() {
            let off = text.contains("CONFIG_NO_PAGE_MAPCOUNT=y");
            assert_eq!(f.page_mapcount, !off || f.pmd_size.is_none());
        }
    }

    #[test]
    fn the_probe_of_a_huge_page_gives_a_verdict() {
        let kpage = Kpage::open();
        let Some(size) = thp::pmd_size().filter(|_| kpage.has_counts() && kpage.has_flags()) else {
            return eprintln!("skipped: no THP, or no kpagecount and kpageflags");
        };
        match (0..20).find_map(|_| half_a_huge_page(size, &kpage).filter(|exact| *exact)) {
            Some(exact) => assert!(exact),
            None => eprintln!("skipped: no huge page, or counts are averages"),
        }
    }

    #[test]
    fn a_sharer_is_gone_when_dropped() {
        let pid = Sharer::fork().unwrap().pid;
        assert_eq!(
            nix::sys::signal::kill(Pid::from_raw(pid), None),
            Err(Errno::ESRCH)
        );
    }
}
