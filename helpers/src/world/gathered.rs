// SPDX-License-Identifier: GPL-2.0-or-later
//! What numa_maps tells of the pages of an area (gather_stats()), against its page tables and kpagecount.

use super::check::Finding;
use super::model::ActorId;
use super::sight::Lie;
use super::{Area, World};
use crate::kernel::kpage::Flags;
use crate::kernel::pagemap::{Pfn, State};
use crate::kernel::{numa, vma};
use crate::stop::Doing;
use crate::{Stop, TestResult};
use std::io::ErrorKind;

/// What there is in an area.
struct Found {
    /// Pages in memory, but for the zero page.
    pages: u64,
    /// Between these is the mapcount of the page that is mapped most: of a huge page that a PMD maps numa_maps looks at the first one. They are
    /// one number where no PMD maps any.
    mapmax: Option<(u64, u64)>,
}

impl World<'_> {
    /// The pages, anonymous pages and the highest mapcount of every VMA of private anonymous memory are in numa_maps what they are in
    /// pagemap and kpagecount. Nothing is compared without CONFIG_NUMA.
    pub(super) fn wrong_gathered(&self) -> TestResult<Option<Finding>> {
        let living: Vec<ActorId> = self.model.borrow().living().collect();
        for id in living {
            if self.model.borrow().foreign.contains(&id) {
                continue;
            }
            let pid = self.pid(id)?;
            let told = match numa::policies(pid) {
                Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
                told => told.doing("read numa_maps")?,
            };
            let (start, end) = (self.carve.vpn, self.carve.vpn + self.carve.pages);
            let list = vma::in_range(pid, start * self.page, end * self.page).doing("read maps")?;
            for v in list {
                let area = Area {
                    vpn: v.start / self.page,
                    pages: (v.end - v.start) / self.page,
                };
                let Some(found) = self.found_in(id, pid, area)? else {
                    continue;
                };
                let Some(told) = told.iter().find(|t| t.start == v.start) else {
                    return Err(Stop::error("numa_maps lacks an area"));
                };
                let pages = found.pages + u64::from(self.eye.lie == Some(Lie::Gathered));
                let high = found.mapmax.is_none_or(|(low, high)| {
                    let least = low.max(1);
                    told.mapmax >= least && told.mapmax <= high.max(1)
                });
                if (told.pages, told.anon) != (pages, pages) || !high {
                    let detail = format!(
                        "{} {}: {pages} pages, the most mapcount {:?}; in numa_maps {} pages, {} anonymous, mapmax {}",
                        self.actor_name(id),
                        self.show(area),
                        found.mapmax,
                        told.pages,
                        told.anon,
                        told.mapmax
                    );
                    return Ok(Some(Finding {
                        property: "numa_maps counts the pages of an area, and their mappings",
                        detail,
                        at: Some((id, area.vpn)),
                    }));
                }
            }
        }
        Ok(None)
    }

    /// `None` for a VMA of another kind of memory, for the filling of the carve-out, and where PFNs are not shown.
    fn found_in(&self, id: ActorId, pid: i32, area: Area) -> TestResult<Option<Found>> {
        {
            let model = self.model.borrow();
            let space = model.spaces[id].as_ref().expect("living");
            let mut slots = space.range(area.vpns()).peekable();
            if slots.peek().is_none() || slots.any(|(_, s)| s.shared || s.object.is_some()) {
                return Ok(None);
            }
        }
        let vpns: Vec<usize> = area.vpns().collect();
        let mut pfns: Vec<Pfn> = Vec::new();
        for seen in self.eye.entries(pid, &vpns)? {
            match seen.state {
                State::Present(None) => return Ok(None),
                _ => pfns.extend(seen.pfn()),
            }
        }
        // In the order that they are read in; a merged page may be there more than once.
        let mut all = pfns.clone();
        all.sort_unstable_by_key(|pfn| pfn.0);
        all.dedup();
        let (counts, flags) = self.eye.all(&all)?;
        let has = |pfn: &Pfn, what: u64| flags.get(pfn).is_some_and(|f| f & what != 0);
        if pfns.iter().any(|pfn| !flags.contains_key(pfn)) {
            return Ok(None);
        }
        pfns.retain(|pfn| !has(pfn, Flags::ZERO_PAGE));
        let most = |some: &mut dyn Iterator<Item = &Pfn>| -> Option<u64> {
            some.map(|pfn| counts.get(pfn).copied())
                .try_fold(0, |most, n| n.map(|n: u64| most.max(n)))
        };
        let high = most(&mut pfns.iter());
        let mut low = most(&mut pfns.iter().filter(|p| !has(p, Flags::COMPOUND_TAIL)));
        if low < high {
            let huge = vma::smaps_kb(pid, area.vpn * self.page, "AnonHugePages");
            if huge.doing("read smaps")? == Some(0) {
                low = high;
            }
        }
        Ok(Some(Found {
            pages: pfns.len() as u64,
            mapmax: low.zip(high),
        }))
    }
}
