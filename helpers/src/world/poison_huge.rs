// SPDX-License-Identifier: GPL-2.0-or-later
//! Failures in pages that stay whole: a huge page that somebody holds, and those of hugetlb, which are lost as a whole.

use super::check::Finding;
use super::model::{ActorId, Held};
use super::poison::{Cause, NEEDS, Places, Signals};
use super::unsplit::{cannot_be_asked, says_unsplit};
use super::{Actor, Area, World};
use crate::kernel::hwpoison;
use crate::kernel::kpage::Flags;
use crate::kernel::pagemap::{Pfn, State};
use crate::walk::fate::Page;
use crate::{Stop, TestResult};
use nix::errno::Errno;
use std::collections::BTreeSet;
use std::num::NonZeroU64;

impl World<'_> {
    /// Notes the failure of a page, and where it is and who maps it before.
    #[track_caller]
    fn about_to_fail(
        &self,
        of: Actor,
        page: Area,
        cause: Cause,
        what: &str,
    ) -> TestResult<(Pfn, Places, [Page; 1])> {
        // A page that has failed already keeps its mark.
        self.check_content()?;
        let how = cause.text();
        self.note(format!(
            "{how} {} of {}, {what}",
            self.show(page),
            of.name()
        ));
        let Some(pfn) = self.eye.entries(self.pid(of.id)?, &[page.vpn])?[0].pfn() else {
            return Err(Stop::Skip("needs memory that nobody else reclaims"));
        };
        let (mappers, failing) = self.mappers_of(pfn)?;
        for id in self.listeners() {
            self.signals(id)?;
        }
        Ok((pfn, mappers, failing))
    }

    /// Has one page of a huge page fail that cannot be split, since somebody holds it (see [`Actor::splice`]): all who map that page are told
    /// as if it could, and keep it. MADV_HWPOISON by a mapper or from outside.
    ///
    /// # Errors
    /// `Skip` where the kernel tells nobody of it then, and where the page could not be given back: such a folio is freed whole, with the page
    /// that has failed in it (free_pages_prepare()), and others would get it.
    #[track_caller]
    pub fn fail_held_page(&self, of: Actor, page: Area, cause: Cause) -> TestResult {
        self.features().unpoison().map_err(Stop::Skip)?;
        let (pfn, mappers, failing) = self.about_to_fail(of, page, cause, "held")?;
        // One that an earlier run left, when it was killed.
        if self
            .page_flags(pfn)?
            .is_some_and(|f| f.has(Flags::HWPOISON))
        {
            return Err(Stop::Skip("needs a page that has not failed before"));
        }
        let before = self.marked_around(pfn)?;
        match self.inject_by(pfn, page.vpn, cause)? {
            Err(Errno::EHWPOISON) => {
                self.expect_marked(pfn, before)?;
                self.tally().walked("poison", &failing);
                // All of it may be taken for lost.
                let huge = self.features().pmd_size.map_or(0, |n| n.ilog2().into());
                let lsbs = [self.page_lsb(), huge];
                self.judge_told(pfn, &mappers, cause, Signals::Mappers, &lsbs)
            }
            Err(errno) if cannot_be_asked(errno) => Err(Stop::Skip(NEEDS)),
            Err(errno) if says_unsplit(errno) => Err(Stop::Skip(
                "needs memory failure that tells of huge pages in use (Linux 6.11)",
            )),
            other => Err(Stop::fail(format_args!(
                "a huge page that is held is not split: pfn {pfn}: {other:?}\n{}",
                self.script_text()
            ))),
        }
    }

    /// The pages of the huge page around `pfn` that are marked as failed. `None` where the kernel does not show it.
    fn marked_around(&self, pfn: Pfn) -> TestResult<Option<BTreeSet<Pfn>>> {
        let pages = self.features().pmd_size.map_or(1, |n| n / self.page) as u64;
        let first = pfn.0.get() / pages * pages;
        let mut marked = BTreeSet::new();
        for pfn in (first..first + pages).filter_map(NonZeroU64::new).map(Pfn) {
            match self.page_flags(pfn)? {
                Some(flags) if flags.has(Flags::HWPOISON) => drop(marked.insert(pfn)),
                Some(_) => {}
                None => return Ok(None),
            }
        }
        Ok(Some(marked))
    }

    /// Of a huge page that stays whole the page that has failed is marked, and no other that was not before (stable_page_flags()).
    #[track_caller]
    fn expect_marked(&self, pfn: Pfn, before: Option<BTreeSet<Pfn>>) -> TestResult {
        let (Some(mut due), Some(now)) = (before, self.marked_around(pfn)?) else {
            return Ok(());
        };
        due.insert(pfn);
        if now == due {
            return Ok(());
        }
        let show = |all: &BTreeSet<Pfn>| all.iter().map(Pfn::to_string).collect::<Vec<_>>();
        Err(Stop::fail(format_args!(
            "the page of a huge page that has failed is marked, and no other: expected {:?}, seen {:?}\n{}",
            show(&due),
            show(&now),
            self.script_text()
        )))
    }

    /// Has one page of a hugetlb page fail, `part` pages from its start: who maps the hugetlb page is told that all of it is lost, and nobody
    /// has any of it any more, nor is it counted for anybody (the hugetlb side of try_to_unmap_one()).
    ///
    /// # Errors
    /// `Skip` where it cannot be asked for.
    #[track_caller]
    pub fn fail_hugetlb_page(
        &self,
        of: Actor,
        huge: Area,
        part: usize,
        cause: Cause,
    ) -> TestResult {
        hwpoison::corrupted().ok_or(Stop::Skip(NEEDS))?;
        let (pfn, mappers, failing) = self.about_to_fail(of, huge.page(part), cause, "hugetlb")?;
        let frames: BTreeSet<usize> = {
            let frame = |vpn| self.frame_at(of.id, vpn);
            huge.vpns().filter_map(frame).collect()
        };
        let by = cause.by();
        let at = by.and_then(|by| mappers.iter().find(|m| m.0 == by).map(|m| m.1));
        match self.inject_by(pfn, at.unwrap_or(huge.vpn + part), cause)? {
            // A page that its file keeps may count as not recovered.
            Ok(()) | Err(Errno::EBUSY) => {}
            Err(errno) if cannot_be_asked(errno) => return Err(Stop::Skip(NEEDS)),
            Err(errno) => {
                return Err(Stop::fail(format_args!(
                    "a failure of a mapped hugetlb page is handled: pfn {pfn}: {errno}\n{}",
                    self.script_text()
                )));
            }
        }
        self.tally().walked("poison", &failing);
        let lsb = (huge.pages * self.page).ilog2().into();
        self.judge_told(pfn, &mappers, cause, Signals::MappersAtLeast, &[lsb])?;
        if self
            .page_flags(pfn)?
            .is_some_and(|f| !f.has(Flags::HWPOISON))
            && !self.is_marked_whole(pfn)?
        {
            return Err(Stop::fail(format_args!(
                "a poisoned page is marked: pfn {pfn}: it is not"
            )));
        }
        let lost: Vec<(ActorId, usize)> = {
            let mut model = self.model.borrow_mut();
            let mut lost = Vec::new();
            for (id, space) in model.spaces.iter_mut().enumerate() {
                for (&vpn, slot) in space.iter_mut().flatten() {
                    if matches!(slot.held, Held::Frame(f) if frames.contains(&f)) {
                        slot.held = Held::Gone;
                        lost.push((id, vpn));
                    }
                }
            }
            lost
        };
        for (id, vpn) in lost {
            let seen = self.eye.entries(self.pid(id)?, &[vpn])?[0];
            let mapped = matches!(seen.state, State::Present(_));
            let area = Area { vpn, pages: 1 };
            // One page of each stands for its neighbours: they have one entry.
            let first = (vpn * self.page).is_multiple_of(huge.pages * self.page);
            if mapped || first && self.actor_by_id(id).probe(area)? != [false] {
                return Err(self.report(&Finding {
                    property: "nobody has a poisoned hugetlb page any more",
                    detail: format!("pfn {pfn}: seen {seen}"),
                    at: Some((id, vpn)),
                }));
            }
        }
        self.check_rss()?;
        self.check()
    }
}
