// SPDX-License-Identifier: GPL-2.0-or-later
//! What the kernel says is mapped when a test has ended all that it had map anything: the counters of its memory cgroup are what they were
//! before (NR_ANON_MAPPED, NR_ANON_THPS, NR_FILE_MAPPED, NR_SHMEM, NR_SHMEM_THPS, the size of the unevictable list). One mapping counted twice, or
//! not at all, one page whose lock is not forgotten, and one of a memfd that goes on being counted, stay in them for ever.

use super::arena::Arena;
use crate::kernel::memcg::Memcg;
use crate::kernel::{lru, vma};
use crate::pace::Wait;
use crate::stop::Doing;
use crate::sys::mem;
use crate::{Stop, TestResult};
use std::io;
use std::time::Duration;

/// The kernel brings the statistics of a cgroup up to date every 2 s by itself (FLUSH_TIME in mm/memcontrol.c), a bit later on an idle CPU.
const PATIENCE: Duration = Duration::from_millis(2500);
/// Pages that may come and go beside what is known to.
const SLACK: i64 = 16;

/// The counters, pages.
#[derive(Clone, Copy)]
pub(super) struct Ledger {
    /// Anonymous ones, without what the caller has itself. So many below 0 as the caller has touched before it came to its cgroup, or inherited
    /// and cannot write to: others are charged for them, and they may be gone at the end.
    anon: i64,
    /// Those that PMDs map.
    huge: i64,
    /// Pages of files and shared memory.
    files: i64,
    /// What the caller has of these: its program may be read in by it or by others, so they can be any part of `files`.
    own_files: i64,
    /// Locked ones.
    unevictable: i64,
    /// Shared memory, mapped or not.
    shmem: i64,
    /// What of it is in huge pages.
    shmem_huge: i64,
}

impl Ledger {
    /// Reads them; the caller is alone in the cgroup. `None` where there are none or they do not stand still, where the test has a second
    /// cgroup, which it leaves this one for, or where a huge page that one maps by a PMD and another by PTEs is counted twice once it has
    /// moved: seen with 6.1, before the mapcounts of compound pages were made anew in Linux 6.2.
    pub(super) fn open(arena: &Arena) -> Option<Ledger> {
        if arena.features.version() < (6, 2) || arena.nested_memcg.is_ok() {
            return None;
        }
        let memcg = arena.memcg.as_ref().ok()?;
        own_all();
        let mut before = read(memcg).ok().flatten()?;
        // The kernel may bring them up to date by itself while the memory is there that is to make it do so.
        for _ in 0..5 {
            let again = read(memcg).ok().flatten()?;
            if again.beside(&before).is_none() {
                return Some(again);
            }
            before = again;
        }
        None
    }

    /// Judges them, once more the caller is alone.
    ///
    /// # Errors
    /// `Fail` when they are not what they were. Any other when they cannot be read, as they could before the test.
    pub(super) fn check(&self, arena: &Arena) -> TestResult {
        let memcg = arena.memcg.as_ref().map_err(Stop::error)?;
        let mut until = Wait::new(PATIENCE);
        loop {
            let now = read(memcg).doing("read the counters of the cgroup")?;
            let Some(now) = now else {
                return Err(Stop::error("smaps_rollup has lost fields during the test"));
            };
            let Some(changed) = now.beside(self) else {
                return Ok(());
            };
            if until.over() {
                return Err(Stop::fail(format_args!(
                    "the counters of mapped pages follow the mappings: all processes gone, more than before the test {changed}"
                )));
            }
            // What was locked may wait in a batch.
            let _ = lru::drain();
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// How many more of each there are than in `before`. `None` when no more than may be.
    fn beside(&self, before: &Ledger) -> Option<String> {
        let anon = self.anon - before.anon;
        let huge = self.huge - before.huge;
        let files = self.files - before.files;
        let unevictable = self.unevictable - before.unevictable;
        let shmem = self.shmem - before.shmem;
        let shmem_huge = self.shmem_huge - before.shmem_huge;
        let slack = SLACK + (-before.anon).max(0);
        let may = SLACK + self.own_files.max(before.own_files);
        let mapped = anon.abs() <= slack && huge == 0 && files.abs() <= may;
        if mapped && unevictable == 0 && shmem.abs() <= SLACK && shmem_huge == 0 {
            return None;
        }
        Some(format!(
            "{anon} anonymous page(s) (give or take {slack}), {huge} page(s) of PMDs, {files} page(s) of files (give or take {may}), {unevictable} unevictable page(s), \
             {shmem} page(s) of shared memory (give or take {SLACK}), {shmem_huge} of them in huge pages"
        ))
    }
}

/// Makes the pages that this process has inherited its own, lest they become so in the course of the test: they are charged to its cgroup then.
fn own_all() {
    const WRITABLE: i32 = libc::PROT_READ | libc::PROT_WRITE;
    for v in vma::extents(0, 0, usize::MAX).unwrap_or_default() {
        if v.prot & WRITABLE == WRITABLE && !v.shared {
            // Where it is refused nothing can be written either.
            let _ = mem::madvise(v.start, v.end - v.start, mem::advice::POPULATE_WRITE);
        }
    }
}

fn read(memcg: &Memcg) -> io::Result<Option<Ledger>> {
    memcg.flush_stats()?;
    let size = mem::page_size() as i64;
    let own = |field| vma::rollup_kb(0, field).map(|kb| kb.map(|kb| kb as i64 * 1024 / size));
    let (Some(rss), Some(anon)) = (own("Rss")?, own("Anonymous")?) else {
        return Ok(None);
    };
    let pages = |field| -> io::Result<i64> { Ok(memcg.stat(field)?.unwrap_or(0) as i64 / size) };
    Ok(Some(Ledger {
        anon: pages("anon")? - anon,
        huge: pages("anon_thp")?,
        files: pages("file_mapped")?,
        own_files: rss - anon,
        unevictable: pages("unevictable")?,
        shmem: pages("shmem")?,
        shmem_huge: pages("shmem_thp")?,
    }))
}
