// SPDX-License-Identifier: GPL-2.0-or-later
//! A page that nobody has written since the soft-dirty bits were cleared is not soft-dirty because it was moved: remove_migration_pte() has a
//! new entry to make, which the dirty bit that it hands on would mark.

use super::fate::{self, Entries, Fate, Page};
use crate::TestResult;
use crate::kernel::kpage::Flags;
use crate::world::World;
use crate::world::model::ActorId;
use std::collections::BTreeSet;

/// Mappers whose entries were not soft-dirty before a walk. Empty where the kernel has no such bits or does not keep them.
pub struct Clean(BTreeSet<(ActorId, usize)>);

impl Clean {
    /// Of these pages, now. Parts of large folios are left out: the bit of a PMD is the kernel's to set.
    pub fn of(w: &World, pages: &[Page]) -> TestResult<Clean> {
        let features = w.features();
        // pte_mkdirty() marks it too, which 6.8 leaves so and 6.11 takes back.
        if !features.soft_dirty || features.version() < (6, 11) {
            return Ok(Clean(BTreeSet::new()));
        }
        let mut clean = BTreeSet::new();
        let now = fate::entries(w)?;
        for page in pages.iter().filter(|p| !p.hugetlb) {
            let is_clean = |at: &(ActorId, usize)| {
                now.get(at)
                    .is_some_and(|s| s.pfn() == Some(page.pfn) && !s.entry.soft_dirty())
            };
            let mappers: Vec<_> = page.mappers.iter().copied().filter(is_clean).collect();
            let large = Flags::COMPOUND_HEAD | Flags::COMPOUND_TAIL;
            if !mappers.is_empty() && w.page_flags(page.pfn)?.is_none_or(|f| f.0 & large == 0) {
                clean.extend(mappers);
            }
        }
        Ok(Clean(clean))
    }

    /// Judges the pages that have moved. Nobody writes to pages during a walk.
    #[track_caller]
    pub fn judge(&self, w: &World, pages: &[Page], fates: &[Fate], now: &Entries) -> TestResult {
        for (page, _) in pages
            .iter()
            .zip(fates)
            .filter(|(_, f)| matches!(f, Fate::Moved(_)))
        {
            let mut mappers = page.mappers.iter().filter(|at| self.0.contains(at));
            if mappers.any(|at| now.get(at).is_some_and(|s| s.entry.soft_dirty())) {
                return Err(page.fail(
                    w,
                    "a page that moves is soft-dirty only if it was before",
                    "clean before, soft-dirty in the new place",
                    now,
                ));
            }
        }
        Ok(())
    }
}
