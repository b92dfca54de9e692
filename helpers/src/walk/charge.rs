// SPDX-License-Identifier: GPL-2.0-or-later
//! A page that moves stays charged to the memory cgroup that it was charged to (mem_cgroup_migrate()): what is charged to
//! none is in none of the lists that reclaim goes through for a cgroup, and control pages that moved as well would not tell.

use super::fate::{self, Entries, Fate, Page};
use crate::TestResult;
use crate::kernel::kpage::Words;
use crate::kernel::pagemap::Pfn;
use crate::world::World;
use std::time::Duration;

/// How long a page may show another cgroup: somebody else may move it again between two reads.
const PATIENCE: Duration = Duration::from_millis(300);

/// Whom pages were charged to before a walk: numbers of directories, as /proc/kpagecgroup has them. Empty where there is no such file.
pub struct Charges(Words);

impl Charges {
    /// Of these pages, now.
    pub fn of(w: &World, pages: &[Page]) -> TestResult<Charges> {
        let mut pfns: Vec<Pfn> = pages.iter().map(|p| p.pfn).collect();
        // What was refused before is in the order of the answers.
        pfns.sort_unstable();
        let mut words = w.page_cgroups(&pfns)?;
        // Tail pages show none before Linux 6.5, and the kernel's own are charged to nobody.
        words.retain(|_, cgroup| *cgroup != 0);
        Ok(Charges(words))
    }

    /// Judges the pages that have moved.
    #[track_caller]
    pub fn judge(&self, w: &World, pages: &[Page], fates: &[Fate], now: &Entries) -> TestResult {
        let mut moved: Vec<(&Page, Pfn)> = Vec::new();
        for (page, f) in pages.iter().zip(fates) {
            if let Fate::Moved(to) = f
                && !page.hugetlb
                && self.0.contains_key(&page.pfn)
            {
                moved.push((page, *to));
            }
        }
        let mut until = w.limit(PATIENCE);
        while !moved.is_empty() {
            let mut pfns: Vec<Pfn> = moved.iter().map(|m| m.1).collect();
            pfns.sort_unstable();
            let words = w.page_cgroups(&pfns)?;
            moved.retain(|(page, to)| words.get(to).is_some_and(|now| *now != self.0[&page.pfn]));
            let Some((page, to)) = moved.first() else {
                return Ok(());
            };
            if until.over() {
                let (before, after) = (self.0[&page.pfn], words[to]);
                return Err(page.fail(
                    w,
                    "a page that moves stays charged to its memory cgroup",
                    &format!("/proc/kpagecgroup: {before} before, {after} in the new place"),
                    now,
                ));
            }
            std::thread::sleep(Duration::from_millis(10));
            let entries = fate::entries(w)?;
            moved = moved
                .into_iter()
                .filter_map(|(page, _)| match page.fate(&entries) {
                    Fate::Moved(to) => Some((page, to)),
                    _ => None,
                })
                .collect();
        }
        Ok(())
    }
}
