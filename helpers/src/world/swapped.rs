// SPDX-License-Identifier: GPL-2.0-or-later
//! What smaps says is in swap of areas that map shared memory (shmem_swap_usage(), smaps_pte_hole()).
//!
//! No entry of a page table is a slot of swap there: the kernel counts those pages of the object that it has in swap and the area maps.
//! Which these are mincore(2) tells, page by page.

use super::check::Finding;
use super::model::{ActorId, Held, ObjectId, Slot};
use super::sight::{Lie, Seen};
use super::{Area, Object, World, handle};
use crate::TestResult;
use crate::kernel::kpage::Flags;
use crate::kernel::pagemap::{NO_SWAP, State};
use crate::kernel::vma::{self, Extent, Smaps};
use crate::stop::Doing;
use nix::libc::PROT_WRITE;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

/// How long a difference must last before it counts.
const PATIENCE: Duration = Duration::from_millis(400);

impl World<'_> {
    /// The objects of shared memory all mapped pages of which are in memory, and small: a large folio may go to swap as one entry, which
    /// counts as a whole for each area that maps a part of it.
    pub(crate) fn small_objects(&self) -> TestResult<BTreeSet<ObjectId>> {
        let pmd = self
            .features()
            .pmd_size
            .map_or(usize::MAX, |s| s / self.page);
        let mut of = BTreeMap::new();
        let mut small = BTreeSet::new();
        for (id, object) in self.model.borrow().objects.iter().enumerate() {
            // khugepaged may make a huge page at any time.
            if !object.hugetlb && !object.disk && object.frames.len() < pmd {
                of.extend(object.frames.iter().map(|&f| (f, id)));
                small.insert(id);
            }
        }
        if small.is_empty() {
            return Ok(small);
        }
        let mut pfns = Vec::new();
        for (f, sightings) in self.look()? {
            let Some(id) = of.get(&f) else { continue };
            match sightings.iter().find_map(|(_, s)| s.pfn()) {
                Some(pfn) => pfns.push((*id, pfn)),
                None => drop(small.remove(id)),
            }
        }
        let all: Vec<_> = pfns.iter().map(|&(_, pfn)| pfn).collect();
        let (_, flags) = self.eye.all(&all)?;
        let large = Flags::COMPOUND_HEAD | Flags::COMPOUND_TAIL;
        for (id, pfn) in pfns {
            if flags.get(&pfn).is_none_or(|f| f & large != 0) {
                small.remove(&id);
            }
        }
        Ok(small)
    }

    /// [`Self::check_swapped`] for an object that may be in swap as large folios, none of which an area maps in part.
    #[track_caller]
    pub fn check_swap_of(&self, object: &Object) -> TestResult {
        self.check_swapped(&BTreeSet::from([object.id]))
    }

    /// Swap in smaps of every area that maps one of these objects, all of it or a part, is what of it is in swap. What is in the swap
    /// cache, or may be a hole, counts or not.
    #[track_caller]
    pub(crate) fn check_swapped(&self, objects: &BTreeSet<ObjectId>) -> TestResult {
        let mut until = self.limit(PATIENCE);
        while let Some(finding) = self.wrong_swap(objects)? {
            if until.over() {
                return Err(self.report(&finding));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn wrong_swap(&self, objects: &BTreeSet<ObjectId>) -> TestResult<Option<Finding>> {
        let of = |s: &Slot| s.object.is_some_and(|(o, _)| objects.contains(&o));
        let ids: Vec<ActorId> = {
            let model = self.model.borrow();
            let maps = |id: &ActorId| model.spaces[*id].iter().flatten().any(|(_, s)| of(s));
            model.living().filter(maps).collect()
        };
        for id in ids {
            let pid = self.pid(id)?;
            let (start, end) = (self.carve.vpn, self.carve.vpn + self.carve.pages);
            let list = vma::extents(pid, start * self.page, end * self.page);
            let mut wanted = Vec::new();
            for v in list.doing("read maps")? {
                let area = Area {
                    vpn: v.start / self.page,
                    pages: (v.end - v.start) / self.page,
                };
                let slots: Vec<Slot> = {
                    let model = self.model.borrow();
                    let space = model.spaces[id].as_ref().expect("living");
                    space.range(area.vpns()).map(|(_, &s)| s).collect()
                };
                if slots.len() != area.pages || !slots.iter().all(of) {
                    continue;
                }
                wanted.push((area, self.swapped_of(id, area, &v, &slots)?));
            }
            if wanted.is_empty() {
                continue;
            }
            let smaps = Smaps::read(pid).doing("read smaps")?;
            for (area, pages) in wanted {
                let told = smaps.kb(area.vpn * self.page, "Swap");
                let lie = u64::from(self.eye.lie == Some(Lie::Shares));
                let kb = |pages: usize| (pages * self.page) as u64 / 1024 + lie;
                let want = kb(*pages.start())..=kb(*pages.end());
                if told.is_some_and(|told| !want.contains(&told)) {
                    return Ok(Some(Finding {
                        property: "Swap in smaps is what of the object is in swap where the area maps it",
                        detail: format!(
                            "{} {}: expected {want:?} kB, seen {told:?}",
                            self.actor_name(id),
                            self.show(area)
                        ),
                        at: Some((id, area.vpn)),
                    }));
                }
            }
        }
        Ok(None)
    }

    /// How many pages of a VMA count as swapped, at least and at most.
    fn swapped_of(
        &self,
        id: ActorId,
        area: Area,
        vma: &Extent,
        slots: &[Slot],
    ) -> TestResult<RangeInclusive<usize>> {
        let vpns: Vec<usize> = area.vpns().collect();
        let mut cached = Vec::new();
        for part in vpns.chunks(handle::CHUNK) {
            let (vpn, pages) = (part[0], part.len());
            cached.extend(self.mincore(id, Area { vpn, pages })?);
        }
        // Last: a page that is there now was in no swap before.
        let seen = self.eye.entries(self.pid(id)?, &vpns)?;
        let (mut least, mut most) = (0, 0);
        for ((slot, seen), cached) in slots.iter().zip(&seen).zip(cached) {
            let (certain, possible) = self.swapped_page(vma, slot, seen, cached);
            least += usize::from(certain);
            most += usize::from(certain) + usize::from(possible);
        }
        Ok(least..=most)
    }

    /// Whether a page counts for certain, and whether it may count (once more).
    fn swapped_page(&self, vma: &Extent, slot: &Slot, seen: &Seen, cached: bool) -> (bool, bool) {
        let model = self.model.borrow();
        let (object, page) = slot.object.expect("of an object");
        let exists = page < model.objects[object].frames.len();
        match (slot.held, seen.state) {
            (Held::Frame(f), State::Present(_)) if model.frames[f].cached => (false, false),
            (Held::Frame(f), State::Empty) if model.frames[f].cached => {
                let out = !cached && model.frames[f].stamp != 0 && !model.frames[f].poisoned;
                (out, !out)
            }
            // A copy. In a private area that cannot be written the object's page behind it counts as well (smap_gather_stats()).
            (Held::Frame(f), state) if !model.frames[f].cached => {
                let behind = vma.prot & PROT_WRITE == 0 && exists;
                match state {
                    State::Present(_) => (false, behind),
                    State::Swapped(Some((kind, _))) if kind < NO_SWAP => (true, behind),
                    _ => (false, true),
                }
            }
            _ => (false, exists),
        }
    }
}
