// SPDX-License-Identifier: GPL-2.0-or-later
//! Memory that the kernel has promised (Committed_AS): what private writable areas are charged when they are made, and give back.

use super::handle::show_prot;
use super::model::ActorId;
use super::sight::Lie;
use super::{Actor, Area, Share, World};
use crate::actor::Cmd;
use crate::kernel::vma;
use crate::stop::Doing;
use crate::supervise::arena::meminfo;
use crate::{Stop, TestResult};
use nix::libc::{MAP_ANONYMOUS, MAP_FIXED};
use std::time::Duration;

/// How long a difference must last before it counts.
const PATIENCE: Duration = Duration::from_millis(400);

/// What a step promises anew, pages; negative what it gives back.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    /// By private areas ("ac" in VmFlags). `None` where kernels differ.
    pub areas: Option<i64>,
    /// By shared memory, which is charged by its size when it is made, whoever maps it (shmem_acct_size()).
    pub objects: i64,
}

impl World<'_> {
    /// What the machine has promised, pages (vm_committed_as).
    fn committed(&self) -> TestResult<i64> {
        if self.features().version() < (5, 9) {
            return Err(Stop::Skip("needs an exact Committed_AS (Linux 5.9)"));
        }
        let bytes = meminfo("Committed_AS").ok_or(Stop::Skip("needs Committed_AS"))?;
        Ok((bytes / self.page as u64) as i64)
    }

    /// What the accounted areas of all actors hold, pages.
    fn accounted(&self) -> TestResult<i64> {
        let living: Vec<ActorId> = self.model.borrow().living().collect();
        let mut bytes = 0;
        for id in living {
            let areas = vma::all_flags(self.pid(id)?).doing("read smaps")?;
            let accounted = areas.iter().filter(|a| a.has("ac"));
            bytes += accounted.map(|a| a.end - a.start).sum::<usize>();
        }
        Ok((bytes / self.page) as i64)
    }

    /// Takes a step, and compares what the machine promises for it with what the areas are accounted for, and these with what they should be. Less than
    /// `slack` pages do not count: the first number is the machine's, and a process may need more memory for itself. What is wrong, if something is.
    #[track_caller]
    pub fn promises<T>(
        &self,
        slack: i64,
        expected: Promise,
        step: impl FnOnce() -> TestResult<T>,
    ) -> TestResult<(T, Option<String>)> {
        let (before, areas) = (self.committed()?, self.accounted()?);
        let done = step()?;
        let taken = self.accounted()? - areas;
        let off = |expected: &i64| (taken - expected).abs() >= slack;
        if let Some(expected) = expected.areas.filter(off) {
            let wrong = format!("areas of {taken} pages more are accounted, not of {expected}");
            return Ok((done, Some(wrong)));
        }
        let expected = taken + expected.objects;
        let lie = match self.eye.lie {
            Some(Lie::Sizes) => slack,
            _ => 0,
        };
        let mut until = self.limit(PATIENCE);
        loop {
            let seen = self.committed()? - before + lie;
            if (seen - expected).abs() < slack {
                return Ok((done, None));
            }
            if until.over() {
                let wrong = format!("Committed_AS rose by {seen} pages, not by {expected}");
                return Ok((done, Some(wrong)));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Actor<'_, '_> {
    /// mmap of anonymous memory that the kernel is to promise: without MAP_NORESERVE, which [`Actor::map`] has.
    #[track_caller]
    pub fn map_promised(&self, area: Area, prot: i32, share: Share) -> TestResult {
        let w = self.world;
        self.note(format!(
            "mmap {} {} {share:?}, promised",
            w.show(area),
            show_prot(prot)
        ));
        let (addr, len) = self.bytes(area);
        let cmd = Cmd::Map {
            addr,
            len,
            prot,
            flags: share.flag() | MAP_ANONYMOUS | MAP_FIXED,
            fd: false,
            off: 0,
        };
        w.tell(self.id, &cmd)?;
        let mut model = w.model.borrow_mut();
        match share {
            Share::Private => model.map(self.id, area.vpns(), prot),
            Share::Shared => {
                let object = model.add_object(area.pages, false);
                model.map_object(self.id, area.vpns(), prot, true, (object, 0));
            }
        }
        model.mapped_anew(self.id, area.vpns());
        Ok(())
    }
}
