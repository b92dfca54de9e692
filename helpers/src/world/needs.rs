// SPDX-License-Identifier: GPL-2.0-or-later
//! What some tests rest on and no kernel has to do: thrift with VMAs and page tables, and patience with what is given up.

use super::{Actor, Area};
use crate::kernel::pagemap::State;
use crate::kernel::vma;
use crate::stop::Doing;
use crate::{Stop, TestResult};

impl Actor<'_, '_> {
    /// That VMAs merge is the kernel's thrift, and nobody's promise: what rests on it asks for it.
    ///
    /// # Errors
    /// `Skip` when an area is in several VMAs.
    #[track_caller]
    pub fn needs_one_vma(&self, area: Area) -> TestResult {
        let (addr, len) = self.bytes(area);
        match vma::in_range(self.pid()?, addr, addr + len).doing("read maps")? {
            several if several.len() > 1 => Err(Stop::Skip("needs VMAs that merge")),
            _ => Ok(()),
        }
    }

    /// A fork may take the huge entries apart, as it does for a page that is pinned (copy_huge_pmd()).
    ///
    /// # Errors
    /// `Skip` when an area, a VMA of private memory by itself, is not mapped by PMDs as a whole.
    #[track_caller]
    pub fn needs_pmds(&self, area: Area) -> TestResult {
        let (addr, len) = self.bytes(area);
        let kb = vma::smaps_kb(self.pid()?, addr, "AnonHugePages").doing("read smaps")?;
        match kb {
            Some(kb) if kb < (len / 1024) as u64 => Err(Stop::Skip(
                "needs a fork that shares the entries of huge pages",
            )),
            _ => Ok(()),
        }
    }

    /// MADV_FREE may give the pages back at once, as it did where there was no swap.
    ///
    /// # Errors
    /// `Skip` when all pages of an area are gone.
    #[track_caller]
    pub fn needs_lazy_free(&self, area: Area) -> TestResult {
        let vpns: Vec<usize> = area.vpns().collect();
        let seen = self.world.eye.entries(self.pid()?, &vpns)?;
        if seen.iter().any(|s| !matches!(s.state, State::Empty)) {
            return Ok(());
        }
        Err(Stop::Skip("needs MADV_FREE that leaves pages to reclaim"))
    }
}
