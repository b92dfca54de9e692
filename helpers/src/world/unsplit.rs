// SPDX-License-Identifier: GPL-2.0-or-later
//! Failures made, and those in huge pages that the kernel did not split: whether it could not now, or never can.
//!
//! A huge page is split before the page that failed is taken from its mappers (try_to_split_thp_page()). Somebody else may have a
//! reference just then (can_split_folio()). The page cannot fail twice; but its neighbours in the same folio can, each with another try to
//! split what the same mappers have, and so can a page of plain topology.

use super::World;
use super::model::ActorId;
use super::poison::Cause;
use crate::actor::bus::Cmd as Bus;
use crate::actor::{Cmd, Reply};
use crate::kernel::hwpoison;
use crate::kernel::kpage::Flags;
use crate::kernel::lru;
use crate::kernel::pagemap::Pfn;
use crate::stop::Doing;
use crate::sys::mem::advice;
use crate::{Stop, TestResult};
use nix::errno::Errno;
use std::time::Duration;

/// Neighbours on each side that fail, and pages of the control.
const TRIES: usize = 4;

/// What the kernel says of a huge page that it did not split: EHWPOISON since it tells its mappers anyway, EBUSY before.
pub(super) fn says_unsplit(errno: Errno) -> bool {
    matches!(errno, Errno::EBUSY | Errno::EHWPOISON)
}

/// What says that no failure can be made here; any other refusal marks the page all the same.
pub(super) fn cannot_be_asked(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::EINVAL | Errno::EPERM | Errno::EACCES | Errno::ENOENT
    )
}

impl World<'_> {
    /// Has a page fail: by MADV_HWPOISON of the actor given, at its page number, else from outside. What the kernel says.
    pub(super) fn inject(
        &self,
        pfn: Pfn,
        vpn: usize,
        by: Option<ActorId>,
    ) -> TestResult<Result<(), Errno>> {
        let cause = by.map_or(Cause::Outside, |id| Cause::Access(self.actor_by_id(id)));
        self.inject_by(pfn, vpn, cause)
    }

    /// The same by what brings it about.
    pub(super) fn inject_by(
        &self,
        pfn: Pfn,
        vpn: usize,
        cause: Cause,
    ) -> TestResult<Result<(), Errno>> {
        let result = match (cause.by(), self.features().debugfs.as_deref()) {
            (Some(id), _) => {
                let (addr, len) = (vpn * self.page, self.page);
                let cmd = match cause {
                    Cause::Thread(_) => Cmd::Bus(Bus::PoisonByThread { addr, len }),
                    _ => Cmd::Advise {
                        addr,
                        len,
                        advice: advice::HWPOISON,
                    },
                };
                match self.ask(id, &cmd)? {
                    Reply::Done => Ok(()),
                    Reply::Errno(e) => Err(Errno::from_raw(e)),
                    other => return Err(Stop::error(format_args!("madvise: {other:?}"))),
                }
            }
            (None, None) => return Err(Stop::Skip("needs hwpoison/corrupt-pfn in debugfs")),
            (None, Some(dir)) => hwpoison::inject(dir, pfn)
                .map_err(|e| Errno::from_raw(e.raw_os_error().unwrap_or(0))),
        };
        if !result.is_err_and(cannot_be_asked) {
            let mut poison = self.poison.borrow_mut();
            poison.failed = true;
            poison.pages.push(pfn);
        }
        Ok(result)
    }

    /// The huge page of a page that failed was not split: has neighbours fail that `mapper` maps around `vpn`, then huge pages of the control.
    /// True when all of the former are refused and one of the latter is not; else it may have been in use for a moment.
    pub(super) fn never_splits(
        &self,
        pfn: Pfn,
        (mapper, vpn): (ActorId, usize),
        outside: bool,
    ) -> TestResult<bool> {
        let head = self.folio_head(pfn)?;
        let at = |id| if outside { None } else { Some(id) };
        let mut pause = Duration::from_millis(5);
        let mut tries = 1;
        for vpn in (vpn + 1..vpn + 1 + TRIES).chain(vpn.saturating_sub(TRIES)..vpn) {
            let Some(other) = self.page_in_folio(mapper, vpn, head)? else {
                continue;
            };
            tries += 1;
            // What a CPU's batch has a reference for it lets go of; others have time to.
            lru::drain().doing("drain the LRU batches")?;
            std::thread::sleep(pause);
            pause *= 2;
            if self.inject(other, vpn, at(mapper))?.is_ok() {
                self.diag(format_args!("the huge page was split at try {tries}"));
                return Ok(false);
            }
        }
        let control = self.actor_by_id(self.control()?.0);
        control.catch(true)?;
        for _ in 0..TRIES {
            let huge = self.control_huge()?;
            let vpn = huge.vpn + huge.pages / 2;
            let seen = self.eye.entries(control.pid()?, &[vpn])?[0];
            let Some(pfn) = seen.pfn() else { continue };
            let whole = self.page_flags(pfn)?.is_some_and(|f| f.has(Flags::THP));
            if self.inject(pfn, vpn, at(control.id()))?.is_ok() && whole {
                self.diag(format_args!(
                    "refused {tries} times, the control's was split"
                ));
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A page that a mapper has, if it is part of the folio that begins at `head`.
    fn page_in_folio(&self, mapper: ActorId, vpn: usize, head: Pfn) -> TestResult<Option<Pfn>> {
        if self.frame_at(mapper, vpn).is_none() {
            return Ok(None);
        }
        let seen = self.eye.entries(self.pid(mapper)?, &[vpn])?[0];
        let Some(pfn) = seen.pfn() else {
            return Ok(None);
        };
        Ok((self.folio_head(pfn)? == head).then_some(pfn))
    }
}
