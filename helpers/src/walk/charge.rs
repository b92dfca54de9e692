// SPDX-License-Identifier: GPL-2.0-or-later
//! A page that moves stays charged to the memory cgroup that it was charged to (mem_cgroup_migrate()): what is charged to
//! none is in none of the lists that reclaim goes through for a cgroup, and control pages that moved as well would not tell.
//! One that comes back from swap is charged to whom it was charged to before, whoever reads it (mem_cgroup_swapin_charge_folio()).

use super::fate::{self, Entries, Fate, Page};
use crate::kernel::kpage::Words;
use crate::kernel::memcg::Version;
use crate::kernel::pagemap::Pfn;
use crate::stop::Doing;
use crate::world::model::ActorId;
use crate::world::{Actor, Area, World};
use crate::{Stop, TestResult};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
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

/// The pages of an area of an actor that has been in the second cgroup since before it had any ([`crate::world::Actor::enter_other_memcg`]) are charged to it,
/// whoever has brought them in.
///
/// # Errors
/// `Skip` where that is not shown.
#[track_caller]
pub fn of_other(w: &World, actor: Actor, area: Area) -> TestResult {
    let other = w.arena().other_memcg.as_ref().map_err(|e| Stop::Skip(e))?;
    let number = fs::metadata(&other.dir).doing("look at the cgroup")?.ino();
    let mut until = w.limit(PATIENCE);
    loop {
        let pages = w.pages_of(actor, area)?;
        let mut pfns: Vec<Pfn> = pages.into_iter().flatten().map(|p| p.0).collect();
        pfns.sort_unstable();
        let words = w.page_cgroups(&pfns)?;
        if pfns.is_empty() {
            return Err(Stop::Skip("needs pages that stay in memory"));
        }
        if words.is_empty() {
            return Err(Stop::Skip("needs /proc/kpagecgroup"));
        }
        let Some((pfn, cgroup)) = words.iter().find(|w| *w.1 != number) else {
            return Ok(());
        };
        if until.over() {
            return Err(Stop::fail(format_args!(
                "a page is charged to the cgroup of the process that has it: {}: pfn {pfn}: /proc/kpagecgroup is {cgroup}, expected {number}",
                actor.name()
            )));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whom pages are charged to, by who maps them: for pages that do not keep their place.
pub struct Owners(BTreeMap<(ActorId, usize), u64>);

impl Owners {
    /// Of all pages that are in memory now.
    ///
    /// # Errors
    /// `Skip` where that is not shown, or where the kernel does not keep it for pages in swap.
    pub fn of(w: &World) -> TestResult<Owners> {
        let memcg = w.arena().memcg.as_ref().map_err(|e| Stop::Skip(e))?;
        let file = match memcg.version {
            Version::V1 => "memory.memsw.usage_in_bytes",
            Version::V2 => "memory.swap.current",
        };
        if !memcg.dir.join(file).exists() {
            return Err(Stop::Skip(
                "needs swap accounting (CONFIG_MEMCG, swapaccount=1)",
            ));
        }
        let owners = Owners::now(w)?;
        if owners.0.values().all(|&cgroup| cgroup == 0) {
            return Err(Stop::Skip("needs /proc/kpagecgroup"));
        }
        Ok(owners)
    }

    fn now(w: &World) -> TestResult<Owners> {
        let pages = fate::pages(w)?;
        let mut pfns: Vec<Pfn> = pages.iter().map(|p| p.pfn).collect();
        pfns.sort_unstable();
        let words = w.page_cgroups(&pfns)?;
        let one = |page: Page| {
            let cgroup = words.get(&page.pfn).copied().unwrap_or(0);
            page.mappers.into_iter().map(move |at| (at, cgroup))
        };
        Ok(Owners(pages.into_iter().flat_map(one).collect()))
    }

    /// Judges the pages that are in memory now and were then.
    ///
    /// # Errors
    /// A failure when one is charged to another cgroup; `Skip` when there is none to judge.
    #[track_caller]
    pub fn judge(&self, w: &World) -> TestResult {
        let mut until = w.limit(PATIENCE);
        loop {
            let now = Owners::now(w)?;
            let before = self.0.iter().filter(|(_, cgroup)| **cgroup != 0);
            let both: Vec<_> = before
                .filter_map(|(at, before)| Some((at, *before, *now.0.get(at)?)))
                .collect();
            let Some((at, before, after)) = both.iter().find(|(_, b, a)| b != a) else {
                w.diag(format_args!("{} page(s) charged as before", both.len()));
                return match both.len() {
                    0 => Err(Stop::Skip("needs pages that stay in memory")),
                    _ => Ok(()),
                };
            };
            if until.over() {
                let actor = w.actor_by_id(at.0);
                return Err(Stop::fail(format_args!(
                    "a page that comes back from swap is charged to its memory cgroup: /proc/kpagecgroup was {before}, is {after}; {} page {:#x}",
                    actor.name(),
                    at.1
                )));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
