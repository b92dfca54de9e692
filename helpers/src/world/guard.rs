// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that userfaultfd write-protects (UFFDIO_WRITEPROTECT): the mark is each mapper's own, in its page-table entry, and has to
//! come along through migration entries, swap entries and the parts of a split huge page.

use super::check::{Finding, Sightings};
use super::model::{ActorId, FrameId, Held, Slot};
use super::sight::Lie;
use super::{Actor, Area, World};
use crate::actor::uffd::Cmd as Uffd;
use crate::actor::{Cmd, Reply};
use crate::kernel::kpage::Flags;
use crate::kernel::lru;
use crate::kernel::pagemap::{Pagemap, State};
use crate::stop::Doing;
use crate::sys::mem::advice;
use crate::sys::uffd;
use crate::{Stop, TestResult};
use nix::errno::Errno;
use std::collections::BTreeMap;
use std::time::Duration;

const GUARDED: &str =
    "a page is write-protected by userfaultfd where it was asked for, and nowhere else";
/// How long a huge page may be in use by a batch of some CPU.
const LIMIT: Duration = Duration::from_secs(1);

impl Actor<'_, '_> {
    /// UFFDIO_WRITEPROTECT of pages that are there. The script reads them and does not write to them: a write would wait forever. A
    /// child does not inherit it. Let go by [`Actor::unguard`].
    ///
    /// # Errors
    /// `Skip` where the kernel cannot, or does not show it in pagemap (bit 57, Linux 5.13).
    #[track_caller]
    pub fn guard(&self, area: Area) -> TestResult {
        let w = self.world;
        w.note(format!(
            "{}: UFFDIO_WRITEPROTECT {}",
            self.name(),
            w.show(area)
        ));
        let (addr, len) = (area.vpn * w.page, area.pages * w.page);
        match w.ask(self.id, &Cmd::Uffd(Uffd::Protect { addr, len }))? {
            Reply::Done => {}
            Reply::Errno(e) if uffd::is_lacking(Errno::from_raw(e)) => {
                return Err(Stop::Skip("needs UFFDIO_WRITEPROTECT"));
            }
            other => {
                let stop = Stop::error(format_args!("UFFDIO_WRITEPROTECT: {other:?}"));
                return Err(w.blame(self.id, stop));
            }
        }
        w.guard(self.id, area)
    }

    /// Gives all of it up. A child forked meanwhile has the file too, and keeps it in force.
    #[track_caller]
    pub fn unguard(&self) -> TestResult {
        let w = self.world;
        w.note(format!("{}: no more UFFDIO_WRITEPROTECT", self.name()));
        w.tell(self.id, &Cmd::Uffd(Uffd::Unprotect))?;
        w.guarded.borrow_mut().retain(|(id, _)| *id != self.id);
        Ok(())
    }
}

impl Actor<'_, '_> {
    /// PAGEMAP_SCAN of an area that is registered with a userfaultfd which waits for nobody ([`uffd::FEATURE_WP_ASYNC`]): the numbers of those of its
    /// pages with content that were written since the last time, or since ever. All are write-protected from now on, wherever they are, and
    /// every check expects it, but of what is written since. `wide` asks where the pages are as well, see [`crate::sys::scan::written`].
    ///
    /// # Errors
    /// `Skip` where there is no such call.
    #[track_caller]
    pub fn scan_written(&self, area: Area, wide: bool) -> TestResult<Vec<usize>> {
        Ok(self.scan_some_written(area, wide, 0)?.0)
    }

    /// The same until `most` pages are told (max_pages), unless that is 0: those behind are neither told nor write-protected. Also the number of
    /// the page where the next scan goes on (walk_end).
    ///
    /// # Errors
    /// `Skip` where there is no such call.
    #[track_caller]
    pub fn scan_some_written(
        &self,
        area: Area,
        wide: bool,
        most: usize,
    ) -> TestResult<(Vec<usize>, usize)> {
        let w = self.world;
        let limit = match most {
            0 => String::new(),
            most => format!(", {most} pages at most"),
        };
        w.note(format!(
            "{}: PAGEMAP_SCAN {}{limit}",
            self.name(),
            w.show(area)
        ));
        let (addr, len) = (area.vpn * w.page, area.pages * w.page);
        let pagemap = Pagemap::open(w.pid(self.id)?).doing("open pagemap")?;
        let written = match pagemap.written(addr, len, wide, most) {
            Ok(written) => written,
            Err(Errno::ENOTTY) => return Err(Stop::Skip("needs PAGEMAP_SCAN (Linux 6.7)")),
            Err(e) => return Err(w.blame(self.id, Stop::error(format_args!("PAGEMAP_SCAN: {e}")))),
        };
        let populated = |vpn: &usize| w.is_populated(self.id, *vpn);
        let next = (written.end / w.page).wrapping_sub(area.vpn);
        let told: Vec<usize> = written
            .pages
            .into_iter()
            .map(|at| at / w.page)
            .filter(populated)
            .collect();
        let marked = area.vpns().filter(populated);
        let marked = marked.filter(|vpn| most == 0 || told.contains(vpn));
        let marked = marked.map(|vpn| (self.id, vpn));
        w.guarded.borrow_mut().extend(marked);
        w.scanned.borrow_mut().insert(self.id);
        Ok((told.into_iter().map(|v| v - area.vpn).collect(), next))
    }

    /// PAGEMAP_SCAN finds the guards (MADV_GUARD_INSTALL) of an area, and takes no other mark for one. Where a kernel cannot look for them
    /// nothing is compared.
    #[track_caller]
    pub fn check_guards(&self, area: Area) -> TestResult {
        let w = self.world;
        let (addr, len) = (area.vpn * w.page, area.pages * w.page);
        let pagemap = Pagemap::open(w.pid(self.id)?).doing("open pagemap")?;
        let found = match pagemap.guards(addr, len) {
            Ok(found) => found,
            Err(Errno::ENOTTY | Errno::EINVAL) => {
                w.diag("PAGEMAP_SCAN does not look for guards (Linux 6.15)");
                return Ok(());
            }
            Err(e) => return Err(w.blame(self.id, Stop::error(format_args!("PAGEMAP_SCAN: {e}")))),
        };
        let is_guard = |vpn: &usize| {
            let model = w.model.borrow();
            let slot = model.spaces[self.id].as_ref().and_then(|s| s.get(vpn));
            slot.is_some_and(|s| s.held == Held::Guard)
        };
        let wrong = area
            .vpns()
            .find(|vpn| is_guard(vpn) != found.contains(&(vpn * w.page)));
        match wrong {
            None => Ok(()),
            Some(vpn) => Err(w.report(&Finding {
                property: "PAGEMAP_SCAN tells where guards are",
                detail: format!("expected: {}", is_guard(&vpn)),
                at: Some((self.id, vpn)),
            })),
        }
    }

    /// MADV_COLD of a part of a huge page of this actor alone, until it is split. Nothing is touched.
    ///
    /// # Errors
    /// `Skip` where the advice does not split it.
    #[track_caller]
    pub(crate) fn split_cold(&self, huge: Area, part: Area) -> TestResult {
        let w = self.world;
        w.note(format!("{}: madvise COLD {}", self.name(), w.show(part)));
        let cmd = Cmd::Advise {
            addr: part.vpn * w.page,
            len: part.pages * w.page,
            advice: advice::COLD,
        };
        let pid = w.pid(self.id)?;
        let mut until = w.limit(LIMIT);
        loop {
            // What a CPU's batch has a reference for is not split.
            lru::drain().doing("drain the LRU batches")?;
            w.tell(self.id, &cmd)?;
            let first = w.eye.entries(pid, &[huge.vpn])?[0].pfn();
            let flags = first.map(|pfn| w.page_flags(pfn)).transpose()?.flatten();
            if flags.is_some_and(|f| !f.has(Flags::THP)) {
                return Ok(());
            }
            if until.over() {
                return Err(Stop::Skip("needs MADV_COLD that splits a huge page"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// MADV_COLD of a part of a huge page of this actor alone splits it (madvise_cold_or_pageout_pte_range()). What holds zeroes only may
    /// be the zero page after it (try_to_map_unused_to_zeropage()); each entry keeps the write protection that all of them had.
    ///
    /// # Errors
    /// `Skip` where the advice does not split it.
    #[track_caller]
    pub fn split_guarded(&self, huge: Area, part: Area) -> TestResult {
        let w = self.world;
        let vpns: Vec<usize> = huge.vpns().collect();
        let pid = w.pid(self.id)?;
        let before = w.eye.entries(pid, &vpns)?;
        self.split_cold(huge, part)?;
        let after = w.eye.entries(pid, &vpns)?;
        let soft = w.features().soft_dirty;
        for ((vpn, old), new) in vpns.iter().zip(&before).zip(&after) {
            let mut lost = Vec::new();
            if old.entry.uffd_wp() && !new.entry.uffd_wp() {
                lost.push("write protection (bit 57)");
            }
            if soft && old.entry.soft_dirty() && !new.entry.soft_dirty() {
                lost.push("soft-dirty bit (bit 55)");
            }
            if !lost.is_empty() {
                return Err(w.report(&Finding {
                    property: "the parts of a split huge page keep what its entry said",
                    detail: format!("lost: {}; seen {new}", lost.join(", ")),
                    at: Some((self.id, *vpn)),
                }));
            }
        }
        Ok(())
    }
}

impl World<'_> {
    /// Pages of an actor are write-protected from now on, and every check expects it. A page that lacks it is a failure of the next check;
    /// before Linux 5.13, which has the bit in pagemap, none shows it.
    pub(super) fn guard(&self, id: ActorId, area: Area) -> TestResult {
        let vpns: Vec<usize> = area.vpns().collect();
        let seen = self.eye.entries(self.pid(id)?, &vpns)?;
        let shown = seen.iter().any(|s| s.entry.uffd_wp());
        let mut guarded = self.guarded.borrow_mut();
        guarded.extend(vpns.into_iter().map(|vpn| (id, vpn)));
        drop(guarded);
        if !shown && self.features().version() < (5, 13) {
            // A kernel that protects none of them does not show it either.
            self.check_closed()?;
            return Err(Stop::Skip(
                "needs the write protection in pagemap (Linux 5.13)",
            ));
        }
        Ok(())
    }

    /// How many pages of an area pagemap shows as write-protected.
    pub fn marked(&self, actor: Actor, area: Area) -> TestResult<usize> {
        let vpns: Vec<usize> = area.vpns().collect();
        let seen = self.eye.entries(actor.pid()?, &vpns)?;
        Ok(seen.iter().filter(|s| s.entry.uffd_wp()).count())
    }

    /// The same of the zero page, which is nobody's frame (of hugetlb objects there is none), and where no page is: what says so may wait
    /// there in the entry of who asked for it, and in nobody else's.
    pub(super) fn judge_guarded_zeroes(&self) -> TestResult<Option<Finding>> {
        let guarded = self.guarded.borrow();
        if guarded.is_empty() {
            return Ok(None);
        }
        let ids: Vec<ActorId> = self.model.borrow().living().collect();
        for id in ids {
            let slots: Vec<(usize, bool)> = {
                let model = self.model.borrow();
                let space = model.spaces[id].as_ref().expect("living");
                let bare = |s: &Slot| matches!(s.held, Held::Zero | Held::Nothing);
                let zero = |s: &Slot| s.held == Held::Zero && s.object.is_none();
                let bare = space.iter().filter(|(_, s)| bare(s));
                bare.map(|(&vpn, s)| (vpn, zero(s))).collect()
            };
            if slots.is_empty() {
                continue;
            }
            let vpns: Vec<usize> = slots.iter().map(|s| s.0).collect();
            let seen = self.eye.entries(self.pid(id)?, &vpns)?;
            for (&(vpn, zero), seen) in slots.iter().zip(seen) {
                let expected = guarded.contains(&(id, vpn));
                // A page of zeroes that is in swap, or that nobody has read yet.
                let there = zero && matches!(seen.state, State::Present(_));
                let shown = seen.entry.uffd_wp() && self.eye.lie != Some(Lie::Guard);
                if shown && !expected || there && !shown && expected {
                    return Ok(Some(Finding {
                        property: GUARDED,
                        detail: format!("never written, seen {seen}"),
                        at: Some((id, vpn)),
                    }));
                }
            }
        }
        Ok(None)
    }

    /// Who write-protected a page has it so, and nobody else.
    pub(super) fn judge_guarded(&self, all: &BTreeMap<FrameId, Sightings>) -> Option<Finding> {
        let guarded = self.guarded.borrow();
        let model = self.model.borrow();
        for (&f, sightings) in all {
            // replace_page() does not carry the mark over.
            if model.frames[f].ksm {
                continue;
            }
            for (at, seen) in sightings {
                let lie = self.eye.lie == Some(Lie::Guard);
                let expected = guarded.contains(at);
                if (seen.entry.uffd_wp() && !lie) != expected {
                    return Some(Finding {
                        property: GUARDED,
                        detail: format!(
                            "pagemap bit 57 is {}; {}",
                            u8::from(seen.entry.uffd_wp()),
                            self.others(sightings)
                        ),
                        at: Some(*at),
                    });
                }
            }
        }
        None
    }
}
