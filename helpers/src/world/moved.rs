// SPDX-License-Identifier: GPL-2.0-or-later
//! What mremap does to the soft-dirty bits of the pages that it moves, and mremap of several VMAs.

use super::model::Held;
use super::{Actor, Area};
use crate::kernel::vma;
use crate::stop::Doing;
use crate::{Stop, TestResult};

impl Actor<'_, '_> {
    /// mremap of several VMAs with what is between them, at once.
    ///
    /// # Errors
    /// `Skip` where a kernel moves one VMA at a time.
    #[track_caller]
    pub fn move_several(&self, from: Area, to: Area) -> TestResult {
        self.needs_moves_of_several()?;
        match self.remap_to(from, to, false) {
            // Each at its distance, before anybody reads there.
            Ok(()) => match self.world.judge_vmas()? {
                Some(finding) => Err(self.world.report(&finding)),
                None => Ok(()),
            },
            Err(Stop::Skip(_)) => Err(self.world.blame(
                self.id,
                Stop::fail("several VMAs are moved by one mremap: refused, although two that nothing is in were moved"),
            )),
            other => other,
        }
    }

    /// Whether mremap will mark every page of an area, so that who looks for changes sees what came here: move_ptes() and
    /// move_huge_pmd() do, a page table that moves as a whole (move_normal_pmd(), also of an area that try_realign_addr() widens)
    /// keeps what is in it.
    pub(super) fn move_marks(&self, from: Area, to: Area) -> TestResult<bool> {
        let w = self.world;
        let Some(pmd) = w.features().pmd_size.filter(|_| w.features().soft_dirty) else {
            return Ok(false);
        };
        let pmd = pmd / w.page;
        if !(from.vpn ^ to.vpn).is_multiple_of(pmd) {
            return Ok(true);
        }
        if !from.vpn.is_multiple_of(pmd) || !from.pages.is_multiple_of(pmd) {
            return Ok(false);
        }
        let name = "AnonHugePages";
        let huge = vma::smaps_kb(self.pid()?, from.vpn * w.page, name).doing("read smaps")?;
        Ok(huge == Some((from.pages * w.page / 1024) as u64))
    }

    /// The model of it.
    pub(super) fn mark_moved(&self, area: Area) {
        let mark = |s: &mut super::model::Slot| s.soft_dirty |= matches!(s.held, Held::Frame(_));
        self.world.each_slot(*self, area, mark);
    }
}
