// SPDX-License-Identifier: GPL-2.0-or-later
//! What some tests rest on and no kernel has to do: thrift with VMAs and page tables, and patience with what is given up.

use super::handle::RW;
use super::{Actor, Area};
use crate::actor::{Cmd, Reply};
use crate::kernel::pagemap::State;
use crate::kernel::vma;
use crate::stop::Doing;
use crate::{Stop, TestResult};
use nix::errno::Errno;
use nix::libc::{MAP_PRIVATE, PROT_NONE, PROT_READ};

impl Actor<'_, '_> {
    /// That VMAs merge is the kernel's thrift, and nobody's promise: what rests on it asks for it.
    ///
    /// # Errors
    /// `Skip` when an area is in several VMAs.
    #[track_caller]
    pub fn needs_one_vma(&self, area: Area) -> TestResult {
        match self.is_one_vma(area)? {
            true => Ok(()),
            false => Err(Stop::Skip("needs VMAs that merge")),
        }
    }

    /// Whether a mapped area is in one VMA.
    pub fn is_one_vma(&self, area: Area) -> TestResult<bool> {
        let (addr, len) = self.bytes(area);
        let all = vma::in_range(self.pid()?, addr, addr + len).doing("read maps")?;
        Ok(all.len() < 2)
    }

    /// Whether one mremap can move several VMAs is asked of two that nothing is in.
    ///
    /// # Errors
    /// `Skip` when it cannot (EFAULT).
    #[track_caller]
    pub fn needs_moves_of_several(&self) -> TestResult {
        let w = self.world;
        let (from, to) = (w.place(2), w.place(2));
        let (addr, len) = self.bytes(from);
        let new_addr = self.bytes(to).0;
        w.tell(self.id, &self.anonymous(from, RW, MAP_PRIVATE))?;
        w.tell(
            self.id,
            &self.anonymous(from.page(1), PROT_READ, MAP_PRIVATE),
        )?;
        let moved = match w.ask(self.id, &Cmd::move_to(addr, len, new_addr, false))? {
            Reply::Value(at) if at == new_addr => true,
            Reply::Errno(e) if Errno::from_raw(e) == Errno::EFAULT => false,
            other => return Err(w.blame(self.id, Stop::error(format_args!("mremap: {other:?}")))),
        };
        for area in [from, to] {
            let (addr, len) = self.bytes(area);
            w.tell(self.id, &Cmd::map(addr, len, PROT_NONE))?;
        }
        match moved {
            true => Ok(()),
            false => Err(Stop::Skip("needs mremap of several VMAs (Linux 6.17)")),
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
