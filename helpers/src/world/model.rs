// SPDX-License-Identifier: GPL-2.0-or-later
//! The model: which actor maps which frame, with what content, shared with whom.
//!
//! Pure data: nothing here asks the kernel. A command changes the model by the rules that the
//! kernel promises to user space (fork shares, a write to a shared private page copies, mremap
//! moves, ...); [`super::check`] then compares the model with what the kernel shows.

use nix::libc::PROT_READ;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Index of an actor in its world.
pub type ActorId = usize;
/// Index of a frame in its model.
pub type FrameId = usize;

/// What the exclusive bit (PageAnonExclusive) of a frame's page must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exclusive {
    /// Set: the last event was a write by the only mapper.
    Set,
    /// The kernel may or may not have set it (swapped in since, or shared once).
    Either,
}

/// One logical page.
#[derive(Clone, Debug)]
pub struct Frame {
    /// What every word of it was filled from; 0 is the page of zeroes.
    pub stamp: u64,
    /// In the page cache of an object (memfd, file, hugetlb, shared anonymous memory): its rmap is i_mmap, not an anon_vma.
    pub cached: bool,
    /// A part of a hugetlb page: not reclaimed, not merged, moved and copied as a whole.
    pub hugetlb: bool,
    /// Of a file on a disk: whether it can be reclaimed or moved now is also its file system's affair.
    pub disk: bool,
    /// Of a hugetlb object whose mappers may share page tables (huge_pmd_share()): those count as one mapper, and a
    /// process that stops to share them has no entry until it touches the page again.
    pub tables_shared: bool,
    /// KSM has merged it: mappers may be spread over several pages of equal content once
    /// max_page_sharing is reached or after swap-in, and the exclusive bit has no meaning.
    pub ksm: bool,
    /// It has been swapped out as a KSM page: each mapper may get a copy of its own.
    pub scattered: bool,
    /// Pinned (FOLL_PIN): a fork gives the child a copy at once instead of a share.
    pub pinned: bool,
    /// See [`Exclusive`].
    pub exclusive: Exclusive,
}

/// How a slot's VMA is locked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Lock {
    /// Not.
    #[default]
    None,
    /// mlock(2).
    Full,
    /// MLOCK_ONFAULT.
    OnFault,
}

/// What a slot holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Held {
    /// Never accessed, or given back: no page-table entry.
    Nothing,
    /// Read before any write: the zero page, or a page of zeroes where there is none.
    Zero,
    /// A frame.
    Frame(FrameId),
    /// No page to be had: past the end of its object, or poisoned. An access is answered with SIGBUS.
    Gone,
}

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

/// One page of an actor's address space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot {
    /// Content.
    pub held: Held,
    /// PROT_* bits of its VMA.
    pub prot: i32,
    /// MAP_SHARED.
    pub shared: bool,
    /// The object it maps and the page in it; `None` for private anonymous memory.
    pub object: Option<(ObjectId, usize)>,
    /// MADV_DONTFORK.
    pub dontfork: bool,
    /// MADV_WIPEONFORK.
    pub wipeonfork: bool,
    /// mlock state of its VMA.
    pub lock: Lock,
    /// Written since the soft-dirty bits were cleared last.
    pub soft_dirty: bool,
    /// Seen as a KSM page when ksmd was stopped, in a VMA that is mergeable, and not written since.
    pub merged: bool,
    /// Where the VMA that it is in was mapped: its page offset (linear_page_index()) unless it was moved before the first touch.
    pub index: usize,
}

/// The slots of one actor, by page number (address / page size).
pub type Space = BTreeMap<usize, Slot>;

/// The model of one world.
#[derive(Clone, Default, Debug)]
pub struct Model {
    /// All frames ever made.
    pub frames: Vec<Frame>,
    /// All objects ever made.
    pub objects: Vec<Object>,
    /// Address spaces; `None` for actors that have exited.
    pub spaces: Vec<Option<Space>>,
    /// Actors that have executed a program: the carve-out is not theirs any more.
    pub foreign: BTreeSet<ActorId>,
    /// For each actor, what it has in common with those that it may share an anon_vma's root with: its oldest ancestor.
    pub roots: Vec<ActorId>,
}

impl Model {
    /// A new actor with an empty space.
    pub fn add_actor(&mut self) -> ActorId {
        self.spaces.push(Some(Space::new()));
        self.roots.push(self.spaces.len() - 1);
        self.spaces.len() - 1
    }

    /// The space of a living actor. Panics on a dead one: scripts do not command the dead.
    pub fn space(&mut self, actor: ActorId) -> &mut Space {
        self.spaces[actor].as_mut().expect("a living actor")
    }

    /// Living actors.
    pub fn living(&self) -> impl Iterator<Item = ActorId> + '_ {
        (0..self.spaces.len()).filter(|&a| self.spaces[a].is_some())
    }

    /// A new frame.
    pub fn add_frame(&mut self, stamp: u64, cached: bool) -> FrameId {
        self.frames.push(Frame {
            stamp,
            cached,
            hugetlb: false,
            disk: false,
            tables_shared: false,
            ksm: false,
            scattered: false,
            pinned: false,
            exclusive: if cached {
                Exclusive::Either
            } else {
                Exclusive::Set
            },
        });
        self.frames.len() - 1
    }

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
                .map_or(Held::Gone, |&f| Held::Frame(f)),
        }
    }

    /// Every mapper of every mapped frame.
    pub fn mappers(&self) -> BTreeMap<FrameId, Vec<(ActorId, usize)>> {
        let mut all: BTreeMap<FrameId, Vec<_>> = BTreeMap::new();
        for (actor, space) in self.spaces.iter().enumerate() {
            for (&vpn, slot) in space.iter().flatten() {
                if let Held::Frame(f) = slot.held {
                    all.entry(f).or_default().push((actor, vpn));
                }
            }
        }
        all
    }

    /// How many slots map each frame.
    fn counts(&self) -> HashMap<FrameId, usize> {
        let mut n = HashMap::new();
        for slot in self.spaces.iter().flatten().flat_map(|s| s.values()) {
            if let Held::Frame(f) = slot.held {
                *n.entry(f).or_default() += 1;
            }
        }
        n
    }

    /// New mapping of private anonymous memory over `vpns`, replacing what was there (MAP_FIXED).
    pub fn map(&mut self, actor: ActorId, vpns: std::ops::Range<usize>, prot: i32) {
        let slot = Slot {
            held: Held::Nothing,
            prot,
            shared: false,
            object: None,
            dontfork: false,
            wipeonfork: false,
            lock: Lock::None,
            soft_dirty: false,
            merged: false,
            index: 0,
        };
        let at = |v| (v, Slot { index: v, ..slot });
        self.space(actor).extend(vpns.map(at));
    }

    /// New mapping of an object from its page `first` on. Its pages count as mapped from now on: a check reads them all before it looks.
    pub fn map_object(
        &mut self,
        actor: ActorId,
        vpns: std::ops::Range<usize>,
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
    pub fn punch(&mut self, object: ObjectId, pages: std::ops::Range<usize>) {
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
    pub fn give_back(&mut self, actor: ActorId, vpns: std::ops::Range<usize>) {
        let slots: Vec<_> = self
            .space(actor)
            .range(vpns)
            .map(|(&v, s)| (v, *s))
            .collect();
        for (vpn, slot) in slots {
            let held = self.behind(slot.object);
            let slot = self.space(actor).get_mut(&vpn).expect("just read");
            (slot.held, slot.soft_dirty, slot.merged) = (held, false, false);
        }
    }

    /// munmap.
    pub fn unmap(&mut self, actor: ActorId, vpns: std::ops::Range<usize>) {
        self.space(actor).retain(|v, _| !vpns.contains(v));
    }

    /// Changes every slot of a range.
    pub fn change(
        &mut self,
        actor: ActorId,
        vpns: std::ops::Range<usize>,
        mut how: impl FnMut(&mut Slot),
    ) {
        self.space(actor).range_mut(vpns).for_each(|(_, s)| how(s));
    }

    /// A write to each of the slots, with the stamp given: COW where the frame is private and has another mapper or is a KSM page.
    pub fn write(&mut self, actor: ActorId, pages: &[(usize, u64)]) {
        let mut counts = self.counts();
        for &(vpn, stamp) in pages {
            let Some(slot) = self.space(actor).get(&vpn).copied() else {
                panic!("the script writes to page {vpn:#x}, which is not mapped");
            };
            let reuse = match slot.held {
                Held::Frame(f) => {
                    let n = counts.entry(f).or_default();
                    let frame = &self.frames[f];
                    if slot.shared || (*n == 1 && !frame.ksm && !frame.cached) {
                        Some(f)
                    } else {
                        *n -= 1;
                        None
                    }
                }
                Held::Nothing | Held::Zero => None,
                Held::Gone => panic!("the script writes to page {vpn:#x}, which has no page"),
            };
            let f = match reuse {
                Some(f) => f,
                None => self.add_frame(stamp, false),
            };
            counts.insert(f, counts.get(&f).copied().unwrap_or(0).max(1));
            let hugetlb = slot.object.is_some_and(|(o, _)| self.objects[o].hugetlb);
            let frame = &mut self.frames[f];
            frame.stamp = stamp;
            frame.hugetlb = hugetlb;
            if !frame.cached {
                frame.scattered = false;
                frame.exclusive = Exclusive::Set;
            }
            let slot = self.space(actor).get_mut(&vpn).expect("just read");
            (slot.held, slot.merged) = (Held::Frame(f), false);
        }
    }

    /// fork: the child's space. DONTFORK slots are absent, WIPEONFORK slots are empty, locks stay behind.
    pub fn fork(&mut self, parent: ActorId) -> ActorId {
        let mut child = Space::new();
        for (vpn, mut s) in self.space(parent).clone() {
            if s.dontfork {
                continue;
            }
            s.lock = Lock::None;
            if s.wipeonfork {
                s.held = Held::Nothing;
                s.merged = false;
            }
            if let Held::Frame(f) = s.held {
                if self.frames[f].pinned && !s.shared {
                    // copy_present_page(): the parent keeps the page that the device knows.
                    s.held = Held::Frame(self.add_frame(self.frames[f].stamp, false));
                } else {
                    self.frames[f].exclusive = Exclusive::Either;
                }
            }
            child.insert(vpn, s);
        }
        self.spaces.push(Some(child));
        self.roots.push(self.roots[parent]);
        let child = self.spaces.len() - 1;
        if self.foreign.contains(&parent) {
            self.foreign.insert(child);
        }
        child
    }

    /// mremap: `pages` slots from `from` go to `to`, on top of whatever was there. With `keep_source`
    /// (MREMAP_DONTUNMAP) the source stays mapped, empty, and is not locked any more. KSM pages are unmerged before they move.
    pub fn move_slots(
        &mut self,
        actor: ActorId,
        from: usize,
        to: usize,
        pages: usize,
        keep_source: bool,
    ) {
        self.unmerge(actor, from..from + pages);
        let space = self.space(actor);
        let moved: Vec<Slot> = (from..from + pages)
            .map(|v| space.remove(&v).expect("the script moves a mapped page"))
            .collect();
        if keep_source {
            for (i, slot) in moved.iter().enumerate() {
                let mut left = *slot;
                left.held = Held::Nothing;
                left.lock = Lock::None;
                space.insert(from + i, left);
            }
            self.give_back(actor, from..from + pages);
        }
        let space = self.space(actor);
        for (i, slot) in moved.into_iter().enumerate() {
            space.insert(to + i, slot);
        }
    }

    /// The frame behind a slot.
    pub fn frame_at(&self, actor: ActorId, vpn: usize) -> Option<FrameId> {
        match self.spaces[actor].as_ref()?.get(&vpn)?.held {
            Held::Frame(f) => Some(f),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    const RW: i32 = 3;

    fn two() -> (Model, ActorId, ActorId) {
        let mut m = Model::default();
        let p = m.add_actor();
        m.map(p, 10..14, RW);
        m.write(p, &[(10, 1), (11, 2), (12, 3)]);
        let c = m.fork(p);
        (m, p, c)
    }

    #[test]
    fn fork_shares_what_was_touched() {
        let (m, p, c) = two();
        assert_eq!(m.frame_at(p, 10), m.frame_at(c, 10));
        assert_eq!(m.frame_at(c, 13), None);
        assert_eq!(m.mappers()[&m.frame_at(p, 11).unwrap()].len(), 2);
        assert_eq!(
            m.frames[m.frame_at(p, 11).unwrap()].exclusive,
            Exclusive::Either
        );
    }

    #[test]
    fn write_copies_only_while_shared() {
        let (mut m, p, c) = two();
        let old = m.frame_at(p, 10).unwrap();
        m.write(c, &[(10, 7)]);
        assert_eq!(m.frame_at(p, 10), Some(old));
        assert_ne!(m.frame_at(c, 10), Some(old));
        m.write(p, &[(10, 8)]);
        assert_eq!(
            m.frame_at(p, 10),
            Some(old),
            "the last mapper writes in place"
        );
        assert_eq!(m.frames[old].stamp, 8);
    }

    #[test]
    fn dontfork_and_wipeonfork() {
        let mut m = Model::default();
        let p = m.add_actor();
        m.map(p, 0..3, RW);
        m.write(p, &[(0, 1), (1, 2), (2, 3)]);
        m.change(p, 0..1, |s| s.dontfork = true);
        m.change(p, 1..2, |s| s.wipeonfork = true);
        m.change(p, 2..3, |s| s.lock = Lock::Full);
        let c = m.fork(p);
        assert!(!m.space(c).contains_key(&0));
        assert_eq!(m.space(c)[&1].held, Held::Nothing);
        assert_eq!(m.space(c)[&2].lock, Lock::None);
    }

    #[test]
    fn move_replaces_and_dontunmap_leaves_an_empty_source() {
        let (mut m, p, _) = two();
        let f = m.frame_at(p, 10);
        m.move_slots(p, 10, 12, 1, true);
        assert_eq!(m.frame_at(p, 12), f);
        assert_eq!(m.space(p)[&10].held, Held::Nothing);
        m.move_slots(p, 12, 30, 1, false);
        assert!(!m.space(p).contains_key(&12));
    }

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
