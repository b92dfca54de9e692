// SPDX-License-Identifier: GPL-2.0-or-later
//! Whether a write copies a page that it need not copy: content and sharers are the same, only the page is another one.
//!
//! A page that is exclusive to its only mapper (PageAnonExclusive, Linux 5.19) is written where it is, whatever write-protected its entry
//! (do_wp_page(), do_huge_pmd_wp_page()). kpageflags shows the bit of a folio's first page only; a write shows that of each.

use super::check::Finding;
use super::model::{Exclusive, Held};
use super::{Actor, Area};
use crate::Stop;
use crate::TestResult;
use crate::kernel::kpage::Flags;
use crate::kernel::pagemap::Pfn;
use crate::kernel::vmstat::{self, MOVES};
use crate::stop::Doing;

/// How often pages are made anew when others were moved meanwhile.
const TRIES: usize = 5;

impl Actor<'_, '_> {
    /// `make` maps fresh pages in `area`, on top of what was there, of which each is this actor's alone and may not be written just now,
    /// whatever protects it. All are written then, the last one first, and must be the same pages as before. False when that was not
    /// judged: the kernel does not promise it, `make` says that its way is not on offer, or pages were moved by others, also by those that
    /// take memory from all (compaction, NUMA balancing), each time.
    ///
    /// # Errors
    /// `Fail` with the page that was copied.
    #[track_caller]
    pub fn writes_in_place(
        &self,
        area: Area,
        make: impl Fn() -> TestResult<bool>,
    ) -> TestResult<bool> {
        let w = self.world;
        if !w.features().anon_exclusive {
            return Ok(false);
        }
        for _ in 0..TRIES {
            if !make()? {
                return Ok(false);
            }
            self.own(area)?;
            let moves = || vmstat::sum(MOVES).doing("read /proc/vmstat");
            let Some(at_first) = moves()? else {
                return Ok(false);
            };
            let before = self.pfns(area)?;
            let stamps: Vec<_> = area.vpns().rev().map(|v| (v, w.stamp())).collect();
            self.write_stamps(area, &stamps)?;
            let after = self.pfns(area)?;
            // What is in swap before the write has to move.
            if before.contains(&None) || moves()? != Some(at_first) {
                continue;
            }
            let copied = |&i: &usize| before[i] != after[i];
            if let Some(i) = (0..area.pages).find(copied) {
                let text = |p: Option<Pfn>| p.map_or(String::from("none"), |p| p.to_string());
                let n = (0..area.pages).filter(copied).count();
                return Err(w.report(&Finding {
                    property: "a page that nobody else has ever mapped is not copied when it is written",
                    detail: format!(
                        "{n} of {} pages copied; first from pfn {} to {}",
                        area.pages,
                        text(before[i]),
                        text(after[i])
                    ),
                    at: Some((self.id, area.vpn + i)),
                }));
            }
            return Ok(true);
        }
        w.diag("pages were moved by others each time");
        Ok(false)
    }

    /// Whether every page of an area is marked as this actor's alone (PageAnonExclusive), so that a pin or UFFDIO_MOVE may have it as it is.
    /// `None` where kpageflags does not show the mark, and of pages that are not in memory.
    pub fn has_exclusive(&self, area: Area) -> TestResult<Option<bool>> {
        let w = self.world;
        if !w.features().anon_exclusive {
            return Ok(None);
        }
        let mut all = true;
        for pfn in self.pfns(area)? {
            let Some(flags) = pfn.map(|pfn| w.page_flags(pfn)).transpose()?.flatten() else {
                return Ok(None);
            };
            all &= flags.has(Flags::ANON_EXCLUSIVE);
        }
        Ok(Some(all))
    }

    /// The model says of every page of an area that it is exclusive to this actor.
    fn own(&self, area: Area) -> TestResult {
        let w = self.world;
        let mappers = w.mappers();
        for vpn in area.vpns() {
            let held = w.model().spaces[self.id].as_ref().map(|s| s[&vpn].held);
            let Some(Held::Frame(f)) = held else {
                return Err(Stop::error("a page that was never written"));
            };
            let frame = w.frame(f);
            if frame.exclusive != Exclusive::Set
                || frame.cached
                || frame.ksm
                || mappers[&f].len() > 1
            {
                return Err(Stop::error("a page that may not be exclusive"));
            }
        }
        Ok(())
    }

    fn pfns(&self, area: Area) -> TestResult<Vec<Option<Pfn>>> {
        let vpns: Vec<usize> = area.vpns().collect();
        let seen = self.world.eye.entries(self.pid()?, &vpns)?;
        Ok(seen.iter().map(|s| s.pfn()).collect())
    }
}
