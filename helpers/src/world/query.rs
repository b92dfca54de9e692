// SPDX-License-Identifier: GPL-2.0-or-later
//! What walks ask of a world.

use super::check::Finding;
use super::handle::RW;
use super::model::{ActorId, Frame, FrameId, Held, Lock, Model};
use super::sight::{Lie, Seen};
use super::{Actor, Area, Kind, Share, World};
use crate::kernel::hugetlb;
use crate::kernel::kpage::{Flags, Words};
use crate::kernel::pagemap::{Pfn, State};
use crate::kernel::sysfs;
use crate::stop::Doing;
use crate::sys::mem::advice;
use crate::{Stop, TestResult};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

impl World<'_> {
    /// The model as it is now.
    pub(crate) fn model(&self) -> std::cell::Ref<'_, Model> {
        self.model.borrow()
    }

    /// A copy of a frame.
    pub(crate) fn frame(&self, f: FrameId) -> Frame {
        self.model.borrow().frames[f].clone()
    }

    /// The frame in a slot.
    pub(crate) fn frame_at(&self, actor: ActorId, vpn: usize) -> Option<FrameId> {
        self.model.borrow().frame_at(actor, vpn)
    }

    /// What the suite's own tests make the oracles say.
    pub(crate) fn lie(&self) -> Option<Lie> {
        self.eye.lie
    }

    /// Every mapper of every frame.
    pub(crate) fn mappers(&self) -> BTreeMap<FrameId, Vec<(ActorId, usize)>> {
        self.model.borrow().mappers()
    }

    /// Changes every mapped or once mapped frame.
    pub(crate) fn each_frame(&self, how: impl FnMut(&mut Frame)) {
        self.model.borrow_mut().frames.iter_mut().for_each(how);
    }

    /// Changes some frames.
    pub(crate) fn each_frame_of(&self, which: &BTreeSet<FrameId>, mut how: impl FnMut(&mut Frame)) {
        let mut model = self.model.borrow_mut();
        for &f in which {
            how(&mut model.frames[f]);
        }
    }

    /// The PIDs of all living actors.
    pub(crate) fn pids(&self) -> Vec<i32> {
        let cast = self.cast.borrow();
        cast.iter()
            .filter_map(|m| m.channel.as_ref().map(|c| c.pid()))
            .collect()
    }

    /// mlock state of a mapper's VMA.
    pub(crate) fn lock_of(&self, at: (ActorId, usize)) -> Lock {
        let model = self.model.borrow();
        model.spaces[at.0]
            .as_ref()
            .and_then(|s| s.get(&at.1))
            .map_or(Lock::None, |s| s.lock)
    }

    /// Whether a slot maps what is behind the end of its object.
    pub(crate) fn is_past_end(&self, at: (ActorId, usize)) -> bool {
        let model = self.model.borrow();
        let slot = model.spaces[at.0].as_ref().and_then(|s| s.get(&at.1));
        let object = slot.and_then(|s| s.object);
        object.is_some_and(|(o, page)| page >= model.objects[o].frames.len())
    }

    /// Whether a mapper may read its page.
    pub(crate) fn is_readable(&self, at: (ActorId, usize)) -> bool {
        let model = self.model.borrow();
        let slot = model.spaces[at.0].as_ref().and_then(|s| s.get(&at.1));
        slot.is_some_and(|s| s.prot & nix::libc::PROT_READ != 0) && !self.is_shut(at)
    }

    /// /proc/kpageflags of a page.
    pub(crate) fn page_flags(&self, pfn: Pfn) -> TestResult<Option<Flags>> {
        self.eye.flags(pfn)
    }

    /// See [`Kpage::cgroups`](crate::kernel::kpage::Kpage::cgroups).
    pub(crate) fn page_cgroups(&self, pfns: &[Pfn]) -> TestResult<Words> {
        self.eye.cgroups(pfns)
    }

    /// The runs of slots of an actor.
    pub(crate) fn runs(&self, id: ActorId) -> Vec<Area> {
        let model = self.model.borrow();
        let mut runs: Vec<Area> = Vec::new();
        for &vpn in model.spaces[id].iter().flat_map(|s| s.keys()) {
            match runs.last_mut() {
                Some(last) if last.vpn + last.pages == vpn => last.pages += 1,
                _ => runs.push(Area { vpn, pages: 1 }),
            }
        }
        runs
    }

    /// The runs of private slots of every living actor.
    pub(crate) fn private_runs(&self) -> Vec<(ActorId, Vec<Area>)> {
        let model = self.model.borrow();
        let mut all = Vec::new();
        for id in model.living() {
            let mut runs: Vec<Area> = Vec::new();
            for (&vpn, s) in model.spaces[id].iter().flatten() {
                let hugetlb = s.object.is_some_and(|(o, _)| model.objects[o].hugetlb);
                if s.shared || hugetlb {
                    continue;
                }
                match runs.last_mut() {
                    Some(last) if last.vpn + last.pages == vpn => last.pages += 1,
                    _ => runs.push(Area { vpn, pages: 1 }),
                }
            }
            all.push((id, runs));
        }
        all
    }

    /// A huge page of the control actor, made at the first call.
    pub(crate) fn control_huge(&self) -> TestResult<Area> {
        let (id, _) = self.control()?;
        let area = self.place_huge(1)?;
        self.name(area, "control_huge");
        let control = self.actor_by_id(id);
        control.map(area)?;
        control.advise(area, advice::HUGEPAGE)?;
        control.write(area)?;
        Ok(area)
    }

    /// A hugetlb page of the control actor, made at the first call. False when none is to be had.
    pub(crate) fn control_hugetlb(&self) -> TestResult<bool> {
        let (id, _) = self.control()?;
        let there = |m: &Model| {
            m.spaces[id]
                .iter()
                .flatten()
                .any(|(_, s)| s.object.is_some())
        };
        if there(&self.model.borrow()) {
            return Ok(true);
        }
        if hugetlb::free() == 0 {
            return Ok(false);
        }
        let area = self.place_huge(1)?;
        self.name(area, "control_hugetlb");
        let object = self.object(Kind::Hugetlb, area.pages)?;
        let control = self.actor_by_id(id);
        control.map_object(area, &object, 0, RW, Share::Shared)?;
        control.write(area)?;
        Ok(true)
    }

    /// Clears the soft-dirty bits of every actor (/proc/PID/clear_refs). From here on a private page that is written must
    /// show as soft-dirty in pagemap, whatever walk it takes.
    pub fn clear_soft_dirty(&self) -> TestResult {
        if !self.features().soft_dirty {
            return Ok(());
        }
        self.note(String::from("every actor: clear the soft-dirty bits"));
        for pid in self.pids() {
            sysfs::write(format!("/proc/{pid}/clear_refs"), "4").doing("write clear_refs")?;
        }
        {
            let mut model = self.model.borrow_mut();
            let spaces = model.spaces.iter_mut().flatten();
            for slot in spaces.flat_map(|s| s.values_mut()) {
                (slot.soft_dirty, slot.fresh) = (false, false);
            }
        }
        self.expect_cleared()
    }

    /// Right after the soft-dirty bits were cleared no page has one, in memory or in swap: nobody has run since. Somebody else of the machine
    /// may have made a page anew meanwhile that is dirty as a whole (khugepaged); what is never seen without the bit was not cleared.
    #[track_caller]
    fn expect_cleared(&self) -> TestResult {
        const TIMES: usize = 4;
        let mut left: Option<BTreeMap<(ActorId, usize), Seen>> = None;
        for time in 0..TIMES {
            if time > 0 {
                for pid in self.pids() {
                    sysfs::write(format!("/proc/{pid}/clear_refs"), "4")
                        .doing("write clear_refs")?;
                }
            }
            let mut dirty = self.soft_dirty_pages()?;
            dirty.retain(|at, _| left.as_ref().is_none_or(|left| left.contains_key(at)));
            if dirty.is_empty() {
                return Ok(());
            }
            left = Some(dirty);
        }
        let left = left.unwrap_or_default();
        let Some((&at, seen)) = left.first_key_value() else {
            return Ok(());
        };
        Err(self.report(&Finding {
            property: "no page is soft-dirty right after the soft-dirty bits were cleared",
            detail: format!(
                "{} page(s) are after each of {TIMES} times; first: {seen}",
                left.len()
            ),
            at: Some(at),
        }))
    }

    /// All pages that are soft-dirty now, but for those that may not be cleared: a pinned page cannot be write-protected
    /// (pte_is_pinned() in clear_soft_dirty(), which takes one with 1,024 mappers for pinned), and hugetlb pages have no such bit.
    fn soft_dirty_pages(&self) -> TestResult<BTreeMap<(ActorId, usize), Seen>> {
        const LIKE_PINNED: usize = 1000;
        let all = self.look()?;
        let held = self.held_folios(&all)?;
        let mut dirty = BTreeMap::new();
        for (frame, sightings) in all {
            if self.frame(frame).hugetlb {
                continue;
            }
            for (at, seen) in &sightings {
                if !seen.entry.soft_dirty() || seen.state == State::Empty {
                    continue;
                }
                if let Some(pfn) = seen.pfn()
                    && !held.is_empty()
                {
                    let head = self.folio_head(pfn)?;
                    if held.iter().any(|h| h.0 == head) {
                        continue;
                    }
                }
                if sightings.len() < LIKE_PINNED {
                    dirty.insert(*at, *seen);
                }
            }
        }
        Ok(dirty)
    }

    /// Pages that were written since the soft-dirty bits were cleared show it. For pages of files, of which checks do not expect it: a page
    /// that reclaim takes comes back without.
    ///
    /// # Errors
    /// `Skip` when none of them is in memory any more.
    #[track_caller]
    pub fn expect_soft_dirty(&self, actor: Actor, area: Area) -> TestResult {
        let vpns: Vec<usize> = area.vpns().collect();
        let seen = self.eye.entries(actor.pid()?, &vpns)?;
        let there = |s: &Seen| matches!(s.state, State::Present(_));
        let there = vpns.iter().zip(&seen).filter(|(_, s)| there(s));
        if there.clone().count() == 0 {
            return Err(Stop::Skip("needs memory that nobody else reclaims"));
        }
        match there.clone().find(|(_, s)| !s.entry.soft_dirty()) {
            None => Ok(()),
            Some((&vpn, seen)) => Err(self.report(&Finding {
                property: "a page written since the soft-dirty bits were cleared is soft-dirty",
                detail: format!("{seen}"),
                at: Some((actor.id(), vpn)),
            })),
        }
    }

    /// What is there of an area, in memory or in swap, is soft-dirty where it was written since the bits were cleared, and nowhere else. Every
    /// page written is there. For pages that may be lost (MADV_FREE), which checks know nothing of.
    #[track_caller]
    pub fn expect_marks(&self, actor: Actor, area: Area, written: Area) -> TestResult {
        let vpns: Vec<usize> = area.vpns().collect();
        let seen = self.eye.entries(actor.pid()?, &vpns)?;
        let wrong = vpns.iter().zip(&seen).find(|(vpn, s)| {
            let written = written.vpns().contains(vpn);
            match s.state {
                State::Empty => written,
                _ => s.entry.soft_dirty() != written,
            }
        });
        match wrong {
            None => Ok(()),
            Some((&vpn, seen)) => Err(self.report(&Finding {
                property: "pages that were written since the soft-dirty bits were cleared are there and soft-dirty, and no others are",
                detail: format!("seen {seen}"),
                at: Some((actor.id(), vpn)),
            })),
        }
    }

    /// pagemap says of each page the same whether it is read by itself or in a row (pagemap_pmd_range() begins in the middle of a huge
    /// page then).
    ///
    /// # Errors
    /// `Fail` with the page of which it does not.
    #[track_caller]
    pub fn check_singly(&self, actor: Actor, area: Area) -> TestResult {
        let vpns: Vec<usize> = area.vpns().collect();
        let pid = actor.pid()?;
        let mut until = self.limit(Duration::from_secs(1));
        loop {
            let row = self.eye.entries(pid, &vpns)?;
            let mut wrong = None;
            for (vpn, seen) in vpns.iter().zip(&row) {
                let alone = self.eye.entries(pid, &[*vpn])?[0];
                if alone.entry != seen.entry {
                    wrong = Some((*vpn, alone, *seen));
                    break;
                }
            }
            let Some((vpn, alone, seen)) = wrong else {
                return Ok(());
            };
            // It may have moved in between.
            if until.over() {
                return Err(self.report(&Finding {
                    property: "pagemap tells of a page the same whether it is read by itself or in a row",
                    detail: format!("by itself {alone}, in a row {seen}"),
                    at: Some((actor.id(), vpn)),
                }));
            }
        }
    }

    /// Whether a slot holds a frame.
    pub fn is_populated(&self, actor: ActorId, vpn: usize) -> bool {
        let model = self.model.borrow();
        let slot = model.spaces[actor].as_ref().and_then(|s| s.get(&vpn));
        slot.is_some_and(|s| matches!(s.held, Held::Frame(_)))
    }

    /// The runs of writable private slots whose frames have several mappers, each mapper in turn.
    pub fn shared_pages(&self) -> Vec<(ActorId, Area)> {
        let mappers = self.mappers();
        let model = self.model.borrow();
        let mut all: Vec<(ActorId, Area)> = Vec::new();
        for id in model.living() {
            for (&vpn, s) in model.spaces[id].iter().flatten() {
                let Held::Frame(f) = s.held else { continue };
                let writable = s.prot & nix::libc::PROT_WRITE != 0;
                if s.shared || !writable || (mappers[&f].len() < 2 && !model.frames[f].ksm) {
                    continue;
                }
                match all.last_mut() {
                    Some((last, run)) if *last == id && run.vpn + run.pages == vpn => {
                        run.pages += 1
                    }
                    _ => all.push((id, Area { vpn, pages: 1 })),
                }
            }
        }
        all
    }

    /// Whether every page of an area is part of a transparent huge page.
    pub fn is_huge(&self, actor: ActorId, area: Area) -> TestResult<bool> {
        let vpns: Vec<usize> = area.vpns().collect();
        for seen in self.eye.entries(self.pid(actor)?, &vpns)? {
            let flags = match seen.pfn() {
                Some(pfn) => self.page_flags(pfn)?,
                None => None,
            };
            if !flags.is_some_and(|f| f.has(Flags::THP)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
