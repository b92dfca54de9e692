// SPDX-License-Identifier: GPL-2.0-or-later
//! What a process is said to have in memory, and what it has.

use super::check::Finding;
use super::model::ActorId;
use super::sight::Lie;
use super::{Actor, Area, Kind, World};
use crate::kernel::pagemap::State;
use crate::kernel::vma;
use crate::stop::Doing;
use crate::{Stop, TestResult};
use std::time::Duration;

/// How long a difference must last before it counts.
const PATIENCE: Duration = Duration::from_millis(400);
/// Pages that a task may keep to itself before it tells its mm (TASK_RSS_EVENTS_THRESH, before 6.2).
const PER_TASK: u64 = 64;
/// The most that is mapped to be above what the kernel's numbers may be off by, bytes.
const MOST: usize = 64 << 20;

/// A number that the kernel keeps for a process, and what its page tables make of it.
struct Count {
    property: &'static str,
    /// In /proc/PID/status.
    told: &'static str,
    /// In smaps_rollup, which walks the page tables; the sum of them.
    found: &'static [&'static str],
    /// Pages that both may differ by.
    slack: u64,
}

impl World<'_> {
    /// RssAnon (mm->rss_stat) and HugetlbPages (mm->hugetlb_usage) of every actor, changed with each mapping, are what smaps finds in
    /// its page tables. The first is summed up roughly before 6.16: each CPU may keep back a batch (percpu_counter_batch).
    #[track_caller]
    pub fn check_rss(&self) -> TestResult {
        let anon = Count {
            property: "RssAnon is what is in the page tables",
            told: "RssAnon",
            found: &["Anonymous"],
            slack: slack(),
        };
        let hugetlb = Count {
            property: "HugetlbPages is what is in the page tables",
            told: "HugetlbPages",
            found: &["Shared_Hugetlb", "Private_Hugetlb"],
            slack: 0,
        };
        let ids: Vec<ActorId> = self.model.borrow().living().collect();
        for id in ids {
            self.check_count(id, &anon, None)?;
            // Who shares a page table counts what it has put there itself (huge_pmd_share()).
            if let Some(pages) = self.hugetlb_of(id) {
                // Which entry of a poisoned page is a page to smaps differs between kernels.
                let pages = Some(pages).filter(|_| self.has_failed());
                self.check_count(id, &hugetlb, pages.as_deref())?;
            }
        }
        Ok(())
    }

    /// The pages that an actor maps of hugetlb objects. `None` when it may share page tables.
    fn hugetlb_of(&self, id: ActorId) -> Option<Vec<usize>> {
        let model = self.model.borrow();
        let mut pages = Vec::new();
        for (&vpn, slot) in model.spaces[id].iter().flatten() {
            let object = slot.object.map(|(o, _)| &model.objects[o]);
            if object.is_some_and(|o| o.tables_shared) {
                return None;
            }
            if object.is_some_and(|o| o.hugetlb) {
                pages.push(vpn);
            }
        }
        Some(pages)
    }

    /// kB that are there of some pages, as pagemap shows them.
    fn present_kb(&self, pid: i32, vpns: &[usize]) -> TestResult<u64> {
        let seen = self.eye.entries(pid, vpns)?;
        let there = seen.iter().filter(|s| matches!(s.state, State::Present(_)));
        Ok((there.count() * self.page / 1024) as u64)
    }

    /// With `pages` they are looked up in pagemap instead of smaps.
    #[track_caller]
    fn check_count(&self, id: ActorId, count: &Count, pages: Option<&[usize]>) -> TestResult {
        let pid = self.pid(id)?;
        let lie = u64::from(self.eye.lie == Some(Lie::Rss)) << 30;
        let mut until = self.limit(PATIENCE);
        loop {
            let told = vma::status_kb(pid, count.told).ok().flatten();
            let names = count.found.iter();
            let found = match pages {
                Some(pages) => Some(self.present_kb(pid, pages)?),
                None => names
                    .map(|name| vma::rollup_kb(pid, name).ok().flatten())
                    .sum(),
            };
            let (Some(told), Some(found)) = (told, found) else {
                return Ok(());
            };
            let told = told + lie;
            if told.abs_diff(found) * 1024 / self.page as u64 <= count.slack {
                return Ok(());
            }
            if until.over() {
                return Err(self.report(&Finding {
                    property: count.property,
                    detail: format!(
                        "{}: {} {told} kB, {} {found} kB",
                        self.actor_name(id),
                        count.told,
                        match pages {
                            Some(_) => String::from("there in pagemap"),
                            None => format!("{} in smaps", count.found.join(" and ")),
                        }
                    ),
                    at: None,
                }));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Actor<'_, '_> {
    /// VmSwap of an actor (MM_SWAPENTS), changed with each swap entry, is what smaps finds in its page tables. What is swapped of
    /// shared memory is not part of it, and private mappings of shared memory may not be either: for actors that have none. `least` pages of the
    /// actor must be out. Swap of smaps_rollup is the sum of that of all areas, shared ones too (smap_gather_stats()).
    ///
    /// # Errors
    /// `Skip` when fewer are out.
    #[track_caller]
    pub fn check_swap(&self, when: &str, least: usize) -> TestResult {
        let w = self.world;
        let pid = self.pid()?;
        let lie = u64::from(w.eye.lie == Some(Lie::Rss)) << 30;
        let mut until = w.limit(PATIENCE);
        loop {
            let told = self.status_pages("VmSwap")? + lie;
            let smaps = vma::Smaps::read(pid).doing("read smaps")?;
            let rolled = vma::rollup_kb(pid, "Swap").doing("read smaps_rollup")?;
            let (mut kb, mut sum) = (0, 0);
            for vma in vma::in_range(pid, 0, usize::MAX).doing("read maps")? {
                let swap = smaps.kb(vma.start, "Swap").unwrap_or(0);
                sum += swap;
                if !vma.shared {
                    kb += swap;
                }
            }
            let found = kb * 1024 / w.page as u64;
            if found < least as u64 {
                w.diag(format_args!(
                    "{}: when {when} {found} pages are swapped, not {least}",
                    self.name()
                ));
                return Err(Stop::Skip("needs reclaim that takes all pages now"));
            }
            let counted = told.abs_diff(found) <= slack();
            if counted && rolled.is_none_or(|rolled| rolled == sum) {
                return Ok(());
            }
            if until.over() && counted {
                return Err(w.report(&Finding {
                    property: "smaps_rollup is the sum of smaps",
                    detail: format!(
                        "{}: when {when} Swap of all areas is {sum} kB, smaps_rollup says {rolled:?}",
                        self.name()
                    ),
                    at: None,
                }));
            }
            if until.over() {
                return Err(w.report(&Finding {
                    property: "VmSwap is what is in the page tables",
                    detail: format!(
                        "{}: when {when} VmSwap is {told} pages, {found} are swapped in smaps",
                        self.name()
                    ),
                    at: None,
                }));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// VmRSS of an actor in pages, as it is summed up roughly: it has those of `area`, all of which were written.
    ///
    /// # Errors
    /// `Skip` when some have been reclaimed since; an error when the kernel does not show it.
    #[track_caller]
    pub fn rss_with(&self, area: Area) -> TestResult<u64> {
        let rss = self.status_pages("VmRSS")?;
        let w = self.world;
        self.has_all(area)?;
        if rss + slack() < area.pages as u64 {
            return Err(w.report(&Finding {
                property: "VmRSS has the pages that were written",
                detail: format!("{} in memory, seen {rss}", area.pages),
                at: Some((self.id, area.vpn)),
            }));
        }
        Ok(rss)
    }

    /// VmHWM, the most that an actor has had in memory (mm->hiwater_rss), is `rss` pages at least, which [`Actor::rss_with`] has told before pages
    /// went.
    #[track_caller]
    pub fn check_high_water(&self, rss: u64) -> TestResult {
        let seen = self.status_pages("VmHWM")?;
        if seen + slack() < rss {
            return Err(self.world.report(&Finding {
                property: "the most that a process had in memory is remembered",
                detail: format!("{}: VmRSS was {rss} pages, VmHWM is {seen}", self.name()),
                at: None,
            }));
        }
        Ok(())
    }

    /// What it has in memory of shared memory and of files.
    ///
    /// # Errors
    /// When the kernel does not show it.
    pub fn object_rss(&self) -> TestResult<ObjectRss> {
        Ok(ObjectRss {
            shmem: self.status_pages("RssShmem")?,
            file: self.status_pages("RssFile")?,
        })
    }

    /// `pages` pages of objects of a kind count as memory of that kind, and not of the other (mm_counter_file()): beside `base`, which was
    /// there before they came. `base` may have become less, by no more than `pages` when they are to count. They must be well above [`slack`].
    #[track_caller]
    pub fn check_object_rss(
        &self,
        when: &str,
        kind: Kind,
        base: ObjectRss,
        pages: usize,
    ) -> TestResult {
        let w = self.world;
        let lie = u64::from(w.eye.lie == Some(Lie::Rss)) << 20;
        // Both what is there and what was there before are rough.
        let off = 2 * slack();
        let mut until = w.limit(PATIENCE);
        loop {
            let now = self.object_rss()?;
            let ((own, own_base), (other, other_base)) = match kind {
                Kind::Disk => ((now.file, base.file), (now.shmem, base.shmem)),
                _ => ((now.shmem, base.shmem), (now.file, base.file)),
            };
            let (own, pages) = (own + lie, pages as u64);
            if own + off >= pages && own <= own_base + pages + off && other <= other_base + off {
                return Ok(());
            }
            if until.over() {
                return Err(w.report(&Finding {
                    property: "pages of shared memory and of files count as what they are",
                    detail: format!(
                        "{}: when {when}, with {pages} pages of a {kind:?}, {now:?}, before it had any {base:?}",
                        self.name()
                    ),
                    at: None,
                }));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Every page of an area, which was touched, is in memory.
    ///
    /// # Errors
    /// `Skip` when some have been reclaimed since.
    pub fn has_all(&self, area: Area) -> TestResult {
        let w = self.world;
        let vpns: Vec<usize> = area.vpns().collect();
        if w.present_kb(self.pid()?, &vpns)? < (area.pages * w.page / 1024) as u64 {
            return Err(Stop::Skip("needs memory that nobody else reclaims"));
        }
        Ok(())
    }

    fn status_pages(&self, name: &str) -> TestResult<u64> {
        let kb = vma::status_kb(self.pid()?, name).doing("read /proc/PID/status")?;
        let kb = kb.ok_or_else(|| Stop::error(format_args!("no {name} in /proc/PID/status")))?;
        Ok(kb * 1024 / self.world.page as u64)
    }
}

/// Pages that an actor has in memory of objects, as they are summed up roughly (/proc/PID/status).
#[derive(Clone, Copy, Debug)]
pub struct ObjectRss {
    /// RssShmem: of memfds, and of shared memory without a name.
    shmem: u64,
    /// RssFile: of files on a disk, the program among them.
    file: u64,
}

/// Pages that are `times` as many as the kernel's numbers of a process may be off by.
///
/// # Errors
/// `Skip` when that is too much memory.
pub fn above_slack(w: &World, times: usize) -> TestResult<usize> {
    let n = slack() as usize * times;
    if n * w.page > MOST {
        return Err(Stop::Skip("needs fewer CPUs, for exact numbers"));
    }
    Ok(n)
}

/// Pages that the numbers of a process may be off by.
pub fn slack() -> u64 {
    let cpus = possible_cpus();
    PER_TASK + cpus * 32.max(2 * cpus)
}

/// CPUs that may ever be there: the last of "0-3".
fn possible_cpus() -> u64 {
    let text = std::fs::read_to_string("/sys/devices/system/cpu/possible").unwrap_or_default();
    let last = text.trim().rsplit(['-', ',']).next().unwrap_or_default();
    last.parse::<u64>().map_or(1024, |n| n + 1)
}
