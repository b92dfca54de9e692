// SPDX-License-Identifier: GPL-2.0-or-later
//! Objects in the model: what is mapped of them, and what happens when their pages are taken away.

use super::{ActorId, FrameId, Held, Model};
use nix::libc::PROT_READ;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

/// Index of an object in its model.
pub type ObjectId = usize;

/// Something with pages of its own that processes map: a memfd, a file, shared anonymous memory.
#[derive(Clone, Debug, Default)]
pub struct Object {
    /// The page cache, one frame for each page of its size.
    pub frames: Vec<FrameId>,
    /// hugetlb.
    pub hugetlb: bool,
    /// See [`Frame::disk`].
    pub disk: bool,
    /// See [`Frame::tables_shared`].
    pub tables_shared: bool,
}

impl Model {
    /// A new object of `pages` pages of zeroes.
    pub fn add_object(&mut self, pages: usize, hugetlb: bool) -> ObjectId {
        self.objects.push(Object {
            frames: Vec::new(),
            hugetlb,
            disk: false,
            tables_shared: false,
        });
        let object = self.objects.len() - 1;
        self.objects[object].frames = (0..pages).map(|_| self.cache_page(object)).collect();
        object
    }

    /// An object is a file on a disk.
    pub fn on_disk(&mut self, object: ObjectId) {
        self.objects[object].disk = true;
        for &f in &self.objects[object].frames {
            self.frames[f].disk = true;
        }
    }

    /// From here on mappers of an object may share page tables.
    pub fn share_tables(&mut self, object: ObjectId) {
        self.objects[object].tables_shared = true;
        for &f in &self.objects[object].frames {
            self.frames[f].tables_shared = true;
        }
    }

    fn cache_page(&mut self, object: ObjectId) -> FrameId {
        let f = self.add_frame(0, true);
        self.frames[f].hugetlb = self.objects[object].hugetlb;
        self.frames[f].disk = self.objects[object].disk;
        self.frames[f].tables_shared = self.objects[object].tables_shared;
        f
    }

    /// What a slot holds whose own page is gone or was never there.
    fn behind(&self, object: Option<(ObjectId, usize)>) -> Held {
        match object {
            None => Held::Nothing,
            Some((o, i)) => self.objects[o]
                .frames
                .get(i)
                .filter(|&&f| !self.frames[f].poisoned)
                .map_or(Held::Gone, |&f| Held::Frame(f)),
        }
    }

    /// New mapping of an object from its page `first` on. Its pages count as mapped from now on: a check reads them all before it looks.
    pub fn map_object(
        &mut self,
        actor: ActorId,
        vpns: Range<usize>,
        prot: i32,
        shared: bool,
        (object, first): (ObjectId, usize),
    ) {
        self.map(actor, vpns.clone(), prot);
        for (i, vpn) in vpns.enumerate() {
            let object = Some((object, first + i));
            let held = self.behind(object);
            let slot = self.space(actor).get_mut(&vpn).expect("just mapped");
            (slot.held, slot.shared, slot.object) = (held, shared, object);
        }
    }

    /// Pages of an object are given back (hole punch): zeroes from now on for all that map them. Private copies stay, but
    /// for those of hugetlb, where hugetlb_vmdelete_list() takes all.
    pub fn punch(&mut self, object: ObjectId, pages: Range<usize>) {
        if self.objects[object].hugetlb {
            let frames = self.objects[object].frames.clone();
            let all = self.spaces.iter_mut().flatten();
            for slot in all.flat_map(|s| s.values_mut()) {
                if let Some((o, i)) = slot.object
                    && o == object
                    && pages.contains(&i)
                {
                    slot.held = Held::Frame(frames[i]);
                }
            }
        }
        let mut fresh: HashMap<FrameId, FrameId> = HashMap::new();
        for i in pages {
            let new = self.cache_page(object);
            let old = std::mem::replace(&mut self.objects[object].frames[i], new);
            fresh.insert(old, new);
        }
        let all = self.spaces.iter_mut().flatten();
        for slot in all.flat_map(|s| s.values_mut()) {
            if let Held::Frame(old) = slot.held
                && let Some(&new) = fresh.get(&old)
            {
                slot.held = Held::Frame(new);
            }
        }
    }

    /// ftruncate: shorter takes also the private copies away from whoever maps what is past the end; longer adds zeroes.
    pub fn truncate(&mut self, object: ObjectId, pages: usize) {
        let was = self.objects[object].frames.len();
        self.objects[object].frames.truncate(pages);
        for _ in was..pages {
            let fresh = self.cache_page(object);
            self.objects[object].frames.push(fresh);
        }
        let frames = self.objects[object].frames.clone();
        for slot in self
            .spaces
            .iter_mut()
            .flatten()
            .flat_map(|s| s.values_mut())
        {
            match slot.object {
                Some((o, i)) if o == object && i >= was.min(pages) => {
                    slot.held = frames.get(i).map_or(Held::Gone, |&f| Held::Frame(f));
                }
                _ => {}
            }
        }
    }

    /// Whether hugetlb memory is mapped at one of these pages.
    pub fn has_hugetlb(&self, id: ActorId, mut vpns: Range<usize>) -> bool {
        let Some(space) = &self.spaces[id] else {
            return false;
        };
        vpns.any(|vpn| {
            let object = space.get(&vpn).and_then(|slot| slot.object);
            object.is_some_and(|(object, _)| self.objects[object].hugetlb)
        })
    }

    /// The hugetlb pages of an object that are mapped shared, one mapper of each. Those that are only mapped private are no
    /// pages of the object while nobody has made them so: who reads them has zeroes of its own.
    pub fn settle(&mut self, object: ObjectId) -> BTreeMap<usize, (ActorId, usize)> {
        let mut shared = BTreeMap::new();
        for (actor, space) in self.spaces.iter().enumerate() {
            for (&vpn, s) in space.iter().flatten() {
                match s.object {
                    Some((o, i)) if o == object && s.shared && s.prot & PROT_READ != 0 => {
                        shared.entry(i).or_insert((actor, vpn));
                    }
                    _ => {}
                }
            }
        }
        let cached: BTreeSet<FrameId> = self.objects[object].frames.iter().copied().collect();
        let all = self.spaces.iter_mut().flatten();
        for slot in all.flat_map(|s| s.values_mut()) {
            if let (Some((o, i)), Held::Frame(f)) = (slot.object, slot.held)
                && o == object
                && cached.contains(&f)
                && !shared.contains_key(&i)
                // PROT_NONE keeps a page that is there, and makes none that is not.
                && !slot.shared
            {
                slot.held = Held::Zero;
            }
        }
        shared.retain(|&i, _| i < self.objects[object].frames.len());
        shared
    }

    /// MADV_DONTNEED: private pages are given back; what is behind them in an object shows again.
    pub fn give_back(&mut self, actor: ActorId, vpns: Range<usize>) {
        let slots = self.space(actor).range(vpns);
        let slots = slots.filter(|(_, s)| s.held != Held::Guard);
        let vpns = slots.map(|(&v, _)| v).collect();
        self.empty(actor, vpns);
    }

    /// MADV_GUARD_REMOVE: guards go, pages stay.
    pub fn remove_guards(&mut self, actor: ActorId, vpns: Range<usize>) {
        let slots = self.space(actor).range(vpns);
        let slots = slots.filter(|(_, s)| s.held == Held::Guard);
        let vpns = slots.map(|(&v, _)| v).collect();
        self.empty(actor, vpns);
    }

    fn empty(&mut self, actor: ActorId, vpns: Vec<usize>) {
        let space = self.space(actor);
        let slots: Vec<_> = vpns.into_iter().map(|v| (v, space[&v])).collect();
        for (vpn, slot) in slots {
            let held = self.behind(slot.object);
            let slot = self.space(actor).get_mut(&vpn).expect("just read");
            (slot.held, slot.soft_dirty, slot.merged) = (held, false, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    const RW: i32 = 3;

    #[test]
    fn private_mappings_of_an_object_copy_and_fall_back() {
        let mut m = Model::default();
        let (p, q) = (m.add_actor(), m.add_actor());
        let o = m.add_object(4, false);
        m.map_object(p, 0..4, RW, true, (o, 0));
        m.map_object(q, 8..11, RW, false, (o, 2));
        assert_eq!(m.frame_at(p, 2), m.frame_at(q, 8));
        assert_eq!(m.space(q)[&10].held, Held::Gone, "past the end");
        m.write(p, &[(2, 7)]);
        assert_eq!(
            m.frame_at(p, 2),
            m.frame_at(q, 8),
            "a shared write is seen by all"
        );
        m.write(q, &[(8, 9)]);
        let copy = m.frame_at(q, 8).unwrap();
        assert!(!m.frames[copy].cached && m.frame_at(p, 2) != Some(copy));
        m.punch(o, 2..3);
        assert_eq!(
            m.frame_at(q, 8),
            Some(copy),
            "a punch leaves private copies"
        );
        m.give_back(q, 8..9);
        assert_eq!(m.frame_at(q, 8), m.frame_at(p, 2));
        m.truncate(o, 2);
        assert_eq!(m.space(p)[&2].held, Held::Gone);
        m.truncate(o, 4);
        assert_eq!(m.frame_at(p, 3), m.frame_at(q, 9));
    }
}
