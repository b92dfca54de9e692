// SPDX-License-Identifier: GPL-2.0-or-later
//! What KSM does to the model, and what scripts say about it.

use super::check::{Finding, Sightings};
use super::model::{ActorId, Exclusive, FrameId, Held, Model, Slot};
use super::sight::Seen;
use super::{Actor, Area, World};
use crate::actor::{Cmd, Reply};
use crate::kernel::kpage::Flags;
use crate::kernel::pagemap::{Pfn, State};
use crate::kernel::vma;
use crate::stop::Doing;
use crate::sys::mem;
use crate::sys::mem::advice;
use crate::sys::numa;
use crate::{Stop, TestResult};
use nix::errno::Errno;
use nix::libc::{MAP_ANONYMOUS, MAP_FIXED_NOREPLACE, MAP_NORESERVE, MAP_PRIVATE};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

impl Model {
    /// MADV_MERGEABLE, which passes over shared and hugetlb memory (vma_ksm_compatible()).
    pub fn make_mergeable(&mut self, actor: ActorId, vpns: Range<usize>) {
        let objects = &self.objects;
        let space = self.spaces[actor].as_mut().expect("a living actor");
        for (_, s) in space.range_mut(vpns) {
            let hugetlb = s.object.is_some_and(|(o, _)| objects[o].hugetlb);
            s.mergeable |= !s.shared && !hugetlb;
        }
    }

    /// Whether the VMA of a slot must be mergeable (VM_MERGEABLE). `None`: not known.
    pub fn is_mergeable(&self, actor: ActorId, slot: &Slot) -> Option<bool> {
        // Files on DAX are passed over as well.
        let disk = slot.object.is_some_and(|(o, _)| self.objects[o].disk);
        if slot.merged {
            Some(true)
        } else if disk || self.merging.contains(&actor) {
            None
        } else {
            Some(slot.mergeable)
        }
    }

    /// PR_SET_MEMORY_MERGE. Switched off it takes also what MADV_MERGEABLE has said (ksm_del_vmas()).
    pub fn merge_memory(&mut self, actor: ActorId, on: bool) {
        if on {
            self.merging.insert(actor);
        } else {
            if self.merging.remove(&actor) {
                self.change(actor, 0..usize::MAX, |s| s.mergeable = false);
            }
            self.unmerge(actor, 0..usize::MAX);
        }
    }

    /// break_ksm(): every KSM page of the range is copied, for this mapper alone.
    pub fn unmerge(&mut self, actor: ActorId, vpns: Range<usize>) {
        let merged: Vec<_> = self
            .space(actor)
            .range(vpns)
            .filter(|(_, s)| s.merged)
            .map(|(&v, s)| (v, s.held))
            .collect();
        for (vpn, held) in merged {
            let Held::Frame(f) = held else { continue };
            let own = self.add_frame(self.frames[f].stamp, false);
            self.frames[own].exclusive = Exclusive::Set;
            let slot = self.space(actor).get_mut(&vpn).expect("just read");
            // A merged page has lost the bit (replace_page()), and its copy does not get it back.
            (slot.held, slot.merged, slot.soft_dirty) = (Held::Frame(own), false, false);
        }
    }

    /// Whether one page that is no KSM page may hold both frames: ksm_might_need_to_copy() leaves it so where the
    /// page offset and the anon_vma's root are the same.
    fn of_one_family(&self, a: &[(ActorId, usize)], b: &[(ActorId, usize)]) -> bool {
        let index = |at: &(ActorId, usize)| {
            let space = self.spaces[at.0].as_ref();
            space.and_then(|s| s.get(&at.1)).map(|s| s.index)
        };
        a.iter().all(|x| {
            b.iter()
                .all(|y| self.roots[x.0] == self.roots[y.0] && (x.1 == y.1 || index(x) == index(y)))
        })
    }
}

impl Actor<'_, '_> {
    /// MADV_UNMERGEABLE of pages that were written since the soft-dirty bits were cleared. Merging takes the bit from most of them
    /// (replace_page()); who still has it keeps it, for a copy that ends the sharing is no change (wp_page_copy()). The pages that still had it.
    ///
    /// # Errors
    /// `Fail` when a bit is gone.
    #[track_caller]
    pub fn unmerge_soft_dirty(&self, area: Area) -> TestResult<usize> {
        let w = self.world;
        let vpns: Vec<usize> = area.vpns().collect();
        let before = w.eye.entries(self.pid()?, &vpns)?;
        self.advise(area, advice::UNMERGEABLE)?;
        let after = w.eye.entries(self.pid()?, &vpns)?;
        let mut had = 0;
        for ((&vpn, old), new) in vpns.iter().zip(&before).zip(&after) {
            let there = |s: &Seen| matches!(s.state, State::Present(_));
            if !there(old) || !there(new) || !old.entry.soft_dirty() {
                continue;
            }
            had += 1;
            if !new.entry.soft_dirty() {
                return Err(w.report(&Finding {
                    property: "a page that KSM gives back keeps its soft-dirty bit",
                    detail: format!("was {old}, seen {new}"),
                    at: Some((self.id(), vpn)),
                }));
            }
        }
        Ok(had)
    }
}

impl World<'_> {
    /// Which property it breaks that a page holds two frames. KSM may have put frames of equal content into one page.
    pub(super) fn wrongly_shared(
        &self,
        pfn: Pfn,
        a: FrameId,
        b: FrameId,
        all: &BTreeMap<FrameId, Sightings>,
    ) -> TestResult<Option<&'static str>> {
        {
            let model = self.model.borrow();
            let (x, y) = (&model.frames[a], &model.frames[b]);
            if !(x.ksm && y.ksm && x.stamp == y.stamp) {
                return Ok(Some("a page belongs to one frame"));
            }
        }
        let users = |f: FrameId| -> Vec<(ActorId, usize)> {
            let here = all[&f].iter().filter(|(_, s)| s.pfn() == Some(pfn));
            here.map(|s| s.0).collect()
        };
        // What came from swap is an ordinary page again, found through one anon_vma.
        if self.model.borrow().of_one_family(&users(a), &users(b))
            || self.may_be_ksm(pfn, users(a).first().copied())?
        {
            return Ok(None);
        }
        Ok(Some(
            "a page that is no KSM page is mapped in one family of areas only",
        ))
    }

    /// By its flag; where that does not tell, by smaps: no page of the mapper's VMA is one.
    fn may_be_ksm(&self, pfn: Pfn, at: Option<(ActorId, usize)>) -> TestResult<bool> {
        if self.features().ksm_flag {
            let flags = self.page_flags(pfn)?;
            return Ok(flags.is_none_or(|f| f.has(Flags::KSM)));
        }
        let Some((actor, vpn)) = at else {
            return Ok(true);
        };
        let kb = vma::smaps_kb(self.pid(actor)?, vpn * self.page, "KSM").doing("read smaps")?;
        Ok(kb != Some(0))
    }

    /// What is noted once ksmd has merged these mappers' pages. Others of equal content may be merged as well.
    pub(crate) fn mark_merged(&self, slots: &BTreeSet<(ActorId, usize)>) {
        let mut model = self.model.borrow_mut();
        for &(actor, vpn) in slots {
            let slot = model.space(actor).get_mut(&vpn).expect("a mapper");
            slot.merged = true;
            if let Held::Frame(f) = slot.held {
                model.frames[f].ksm = true;
            }
        }
    }

    /// MADV_MERGEABLE was said of these areas.
    pub(crate) fn make_mergeable(&self, areas: &[(ActorId, Vec<Area>)]) {
        let mut model = self.model.borrow_mut();
        for (id, runs) in areas {
            for run in runs {
                model.make_mergeable(*id, run.vpns());
            }
        }
    }

    /// Reclaim took every page: nothing of it is certainly a KSM page when it comes back.
    pub(crate) fn forget_merged(&self) {
        let mut model = self.model.borrow_mut();
        let spaces = model.spaces.iter_mut().flatten();
        for slot in spaces.flat_map(|s| s.values_mut()) {
            slot.merged = false;
        }
    }

    /// KSM was told to unmerge everything.
    pub(crate) fn unmerge_all(&self) {
        let mut model = self.model.borrow_mut();
        let ids: Vec<ActorId> = model.living().collect();
        for id in ids {
            model.unmerge(id, 0..usize::MAX);
        }
    }

    /// Changes every slot of an area.
    pub(crate) fn each_slot(&self, actor: Actor, area: Area, how: impl FnMut(&mut Slot)) {
        self.model.borrow_mut().change(actor.id(), area.vpns(), how);
    }

    /// The page behind each page of an area and its flags, as the kernel shows them now. `None`: not present, or not shown.
    pub fn pages_of(&self, actor: Actor, area: Area) -> TestResult<Vec<Option<(Pfn, Flags)>>> {
        let vpns: Vec<usize> = area.vpns().collect();
        let mut all = Vec::with_capacity(vpns.len());
        for seen in self.eye.entries(actor.pid()?, &vpns)? {
            all.push(match seen.pfn() {
                Some(pfn) => self.page_flags(pfn)?.map(|flags| (pfn, flags)),
                None => None,
            });
        }
        Ok(all)
    }

    /// What pagemap says of the pages of an area.
    pub fn states(&self, actor: Actor, area: Area) -> TestResult<Vec<State>> {
        let vpns: Vec<usize> = area.vpns().collect();
        let seen = self.eye.entries(actor.pid()?, &vpns)?;
        Ok(seen.into_iter().map(|s| s.state).collect())
    }

    /// move_pages(2) of an area to a node, for all its mappers.
    ///
    /// # Errors
    /// `Skip` when a page did not go there.
    #[track_caller]
    pub fn move_to_node(&self, actor: Actor, area: Area, node: i32) -> TestResult {
        if !self.features().migration {
            return Err(Stop::Skip("needs move_pages (CONFIG_MIGRATION)"));
        }
        let text = self.show(area);
        self.note(format!("{}: move {text} to node {node}", actor.name()));
        let addrs: Vec<usize> = area.vpns().map(|v| v * self.page).collect();
        let statuses = numa::move_pages(actor.pid()?, &addrs, node, numa::MPOL_MF_MOVE_ALL);
        if statuses.doing("move_pages")?.iter().any(|&s| s != node) {
            return Err(Stop::Skip("needs free memory on two nodes"));
        }
        Ok(())
    }

    /// One move_pages(2) of an area, page i of it to `nodes[i]`, for all its mappers. Those that are not where the call says they have gone;
    /// `None` when it says of some that they have not.
    pub fn move_to_nodes(
        &self,
        actor: Actor,
        area: Area,
        nodes: &[i32],
    ) -> TestResult<Option<Vec<Elsewhere>>> {
        let text = self.show(area);
        self.note(format!("{}: move {text} to nodes {nodes:?}", actor.name()));
        let addrs: Vec<usize> = area.vpns().map(|v| v * self.page).collect();
        let told = numa::move_pages_each(actor.pid()?, &addrs, nodes, numa::MPOL_MF_MOVE_ALL);
        let told = told.doing("move_pages")?;
        let now = self.nodes_of(actor, area)?;
        if told.iter().any(|&s| s < 0) {
            return Ok(None);
        }
        let pages = told.into_iter().zip(now).enumerate();
        let wrong = pages.filter(|(_, (told, now))| told != now);
        Ok(Some(
            wrong
                .map(|(i, (told, is))| Elsewhere { i, told, is })
                .collect(),
        ))
    }

    /// The node that each page of an area is on; a negative errno where there is none (move_pages(2)).
    pub fn nodes_of(&self, actor: Actor, area: Area) -> TestResult<Vec<i32>> {
        let addrs: Vec<usize> = area.vpns().map(|v| v * self.page).collect();
        numa::page_nodes(actor.pid()?, &addrs).doing("move_pages")
    }

    /// The first page of an area that move_pages(2) says nothing of although it is mapped, looked at again and again: somebody may have it for a
    /// moment.
    ///
    /// # Errors
    /// `Skip` when not all of the area is in memory.
    pub fn lost_by_move_pages(&self, actor: Actor, area: Area) -> TestResult<Option<usize>> {
        const LOOKS: usize = 4;
        let mut lost = None;
        for _ in 0..LOOKS {
            let before = self.pages_of(actor, area)?;
            let nodes = self.nodes_of(actor, area)?;
            let after = self.pages_of(actor, area)?;
            let there = |i: usize| before[i].is_some() && after[i].is_some();
            if !(0..area.pages).all(there) {
                return Err(Stop::Skip("needs memory that nobody else reclaims"));
            }
            lost = nodes.iter().position(|&node| node < 0);
            if lost.is_none() {
                break;
            }
        }
        Ok(lost)
    }

    /// Pages of zeroes are on no node (do_pages_stat_array()), by whatever entry they are mapped. How many there are.
    #[track_caller]
    pub fn check_nowhere(&self, actor: Actor, area: Area) -> TestResult<usize> {
        let seen = self.pages_of(actor, area)?;
        let nodes = self.nodes_of(actor, area)?;
        let mut zeroes = 0;
        for (i, (seen, node)) in seen.into_iter().zip(nodes).enumerate() {
            if !seen.is_some_and(|(_, flags)| flags.has(Flags::ZERO_PAGE)) {
                continue;
            }
            zeroes += 1;
            if node != -(Errno::EFAULT as i32) {
                return Err(self.report(&Finding {
                    property: "move_pages tells no node of a page of zeroes",
                    detail: format!("expected EFAULT, seen status {node}"),
                    at: Some((actor.id(), area.vpn + i)),
                }));
            }
        }
        Ok(zeroes)
    }

    /// As [`World::pages_of`], of one page that must be there.
    #[track_caller]
    pub fn page_of(&self, actor: Actor, page: Area) -> TestResult<(Pfn, Flags)> {
        match self.pages_of(actor, page)?[..] {
            [Some(seen)] => Ok(seen),
            _ => Err(Stop::Skip("needs a page that nobody else reclaims")),
        }
    }
}

/// A page that has moved, and a node that it is said to be on and is not.
#[derive(Clone, Copy, Debug)]
pub struct Elsewhere {
    /// Its number in its area.
    pub i: usize,
    /// What move_pages(2) has said.
    pub told: i32,
    /// Where it is.
    pub is: i32,
}

impl Actor<'_, '_> {
    /// Writes to `area` what `other` has in `from`, page by page, beginning anew when `from` is shorter: what KSM can merge.
    #[track_caller]
    pub fn write_like(&self, area: Area, other: Actor, from: Area) -> TestResult {
        let w = self.world;
        let mut stamps = Vec::new();
        for (vpn, like) in area.vpns().zip(from.vpns().cycle()) {
            let Some(f) = w.frame_at(other.id(), like) else {
                return Err(Stop::error("the script copies a page that was not written"));
            };
            stamps.push((vpn, w.frame(f).stamp));
        }
        self.write_stamps(area, &stamps)
    }

    /// Writes zeroes to every page.
    #[track_caller]
    pub fn write_zeroes(&self, area: Area) -> TestResult {
        let stamps: Vec<_> = area.vpns().map(|v| (v, 0)).collect();
        self.write_stamps(area, &stamps)
    }

    /// Writes pages of zeroes but for one word each, of the numbers given, with a content never used before.
    #[track_caller]
    pub fn write_words(&self, area: Area, words: &[usize]) -> TestResult {
        let w = self.world;
        let one = |word: usize| mem::sparse(word, w.stamp() as u32);
        let stamps = area.vpns().zip(words).map(|(v, &word)| (v, one(word)));
        self.write_stamps(area, &stamps.collect::<Vec<_>>())
    }

    /// prctl(PR_SET_MEMORY_MERGE): all memory of the process is mergeable, what it maps later too. Switching it off unmerges.
    #[track_caller]
    pub fn memory_merge(&self, on: bool) -> TestResult {
        let w = self.world;
        w.note(format!("{}: PR_SET_MEMORY_MERGE {on}", self.name()));
        match w.ask(self.id, &Cmd::MemoryMerge(on))? {
            Reply::Done => {}
            Reply::Errno(e) if Errno::from_raw(e) == Errno::EINVAL => {
                return Err(Stop::Skip("needs PR_SET_MEMORY_MERGE (Linux 6.4)"));
            }
            Reply::Errno(e) if Errno::from_raw(e) == Errno::EPERM => {
                return Err(Stop::Skip("needs CAP_SYS_RESOURCE"));
            }
            other => return Err(Stop::error(format_args!("an unexpected reply {other:?}"))),
        }
        w.model.borrow_mut().merge_memory(self.id, on);
        Ok(())
    }

    /// PR_GET_MEMORY_MERGE.
    #[track_caller]
    pub fn merges_memory(&self) -> TestResult<bool> {
        Ok(self.world.tell(self.id, &Cmd::MergesMemory)? != 0)
    }

    /// mmap of private memory where nothing is: in a program that was executed, whose own mappings may be anywhere.
    #[track_caller]
    pub fn map_if_free(&self, area: Area) -> TestResult {
        let w = self.world;
        w.note(format!("{}: mmap {} rw-", self.name(), w.show(area)));
        let cmd = Cmd::Map {
            addr: area.vpn * w.page,
            len: area.pages * w.page,
            prot: super::handle::RW,
            flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
            fd: false,
            off: 0,
        };
        match w.ask(self.id, &cmd)? {
            Reply::Value(_) => {}
            _ => return Err(Stop::Skip("needs free address space after exec")),
        }
        let mut model = w.model.borrow_mut();
        model.map(self.id, area.vpns(), super::handle::RW);
        model.mapped_anew(self.id, area.vpns());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mergeable_stays_so_where_it_goes() {
        let mut m = Model::default();
        let p = m.add_actor();
        let o = m.add_object(4, false);
        m.map(p, 10..14, 3);
        m.map_object(p, 14..16, 3, true, (o, 0));
        m.advise(p, 10..16, advice::MERGEABLE);
        m.advise(p, 11..12, advice::UNMERGEABLE);
        let c = m.fork(p);
        m.move_slots(c, 10, 20, 2, false);
        m.move_slots(c, 12, 30, 1, true);
        m.map(c, 13..14, 3);
        m.resize(c, 30, 1, 2);
        let says = |m: &Model, vpn| {
            let slot = m.spaces[c].as_ref().unwrap()[&vpn];
            m.is_mergeable(c, &slot)
        };
        for (vpn, mergeable) in [
            (20, true),
            (21, false),
            (30, true),
            (31, true),
            (12, true),
            (13, false),
            (14, false),
        ] {
            assert_eq!(says(&m, vpn), Some(mergeable), "page {vpn}");
        }
        m.merge_memory(c, true);
        assert_eq!(says(&m, 13), None);
        m.merge_memory(c, false);
        assert_eq!(says(&m, 20), Some(false));
    }

    #[test]
    fn unmerged_and_moved_pages_are_their_owners_alone() {
        let mut m = Model::default();
        let p = m.add_actor();
        m.map(p, 10..13, 3);
        m.write(p, &[(10, 7), (11, 7), (12, 8)]);
        let c = m.fork(p);
        for vpn in [10, 11] {
            m.space(p).get_mut(&vpn).unwrap().merged = true;
        }
        let (first, kept) = (m.frame_at(p, 10), m.frame_at(p, 12));
        m.unmerge(p, 10..11);
        assert_ne!(m.frame_at(p, 10), first);
        assert_eq!(m.frame_at(c, 10), first, "the child's stays");
        m.move_slots(p, 11, 20, 2, false);
        assert_ne!(m.frame_at(p, 20), m.frame_at(c, 11), "unmerged, then moved");
        assert_eq!(m.frame_at(p, 21), kept, "never merged");
        assert_eq!(m.space(p)[&20].index, 11);
    }
}
