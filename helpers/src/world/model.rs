// SPDX-License-Identifier: GPL-2.0-or-later
//! The model: which actor maps which frame, with what content, shared with whom.
//!
//! Pure data: nothing here asks the kernel. A command changes the model by the rules that the
//! kernel promises to user space (fork shares, a write to a shared private page copies, mremap
//! moves, ...); [`super::check`] then compares the model with what the kernel shows.

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
    /// Shared memory: a write is seen by all and never copies.
    pub shared: bool,
    /// KSM has merged it: mappers may be spread over several pages of equal content once
    /// max_page_sharing is reached or after swap-in, and the exclusive bit has no meaning.
    pub ksm: bool,
    /// It has been swapped out as a KSM page: each mapper may get a copy of its own.
    pub scattered: bool,
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
    /// MADV_DONTFORK.
    pub dontfork: bool,
    /// MADV_WIPEONFORK.
    pub wipeonfork: bool,
    /// mlock state of its VMA.
    pub lock: Lock,
}

/// The slots of one actor, by page number (address / page size).
pub type Space = BTreeMap<usize, Slot>;

/// The model of one world.
#[derive(Clone, Default, Debug)]
pub struct Model {
    /// All frames ever made.
    pub frames: Vec<Frame>,
    /// Address spaces; `None` for actors that have exited.
    pub spaces: Vec<Option<Space>>,
    /// Actors that have executed a program: the carve-out is not theirs any more.
    pub foreign: BTreeSet<ActorId>,
}

impl Model {
    /// A new actor with an empty space.
    pub fn add_actor(&mut self) -> ActorId {
        self.spaces.push(Some(Space::new()));
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
    pub fn add_frame(&mut self, stamp: u64, shared: bool) -> FrameId {
        self.frames.push(Frame {
            stamp,
            shared,
            ksm: false,
            scattered: false,
            exclusive: if shared {
                Exclusive::Either
            } else {
                Exclusive::Set
            },
        });
        self.frames.len() - 1
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

    /// New mapping over `vpns`, replacing what was there (MAP_FIXED).
    pub fn map(&mut self, actor: ActorId, vpns: std::ops::Range<usize>, prot: i32, shared: bool) {
        let slot = Slot {
            held: Held::Nothing,
            prot,
            shared,
            dontfork: false,
            wipeonfork: false,
            lock: Lock::None,
        };
        self.space(actor).extend(vpns.map(|v| (v, slot)));
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
                    if frame.shared || (*n == 1 && !frame.ksm) {
                        Some(f)
                    } else {
                        *n -= 1;
                        None
                    }
                }
                Held::Nothing | Held::Zero => None,
            };
            let f = match reuse {
                Some(f) => f,
                None => self.add_frame(stamp, false),
            };
            counts.insert(f, counts.get(&f).copied().unwrap_or(0).max(1));
            let frame = &mut self.frames[f];
            frame.stamp = stamp;
            if !frame.shared {
                frame.scattered = false;
                frame.exclusive = Exclusive::Set;
            }
            self.space(actor).get_mut(&vpn).expect("just read").held = Held::Frame(f);
        }
    }

    /// fork: the child's space. DONTFORK slots are absent, WIPEONFORK slots are empty, locks stay behind.
    pub fn fork(&mut self, parent: ActorId) -> ActorId {
        let mut copied = Vec::new();
        let space = self.space(parent);
        let child: Space = space
            .iter()
            .filter(|(_, s)| !s.dontfork)
            .map(|(&v, s)| {
                let mut s = *s;
                s.lock = Lock::None;
                if s.wipeonfork {
                    s.held = Held::Nothing;
                }
                if let Held::Frame(f) = s.held {
                    copied.push(f);
                }
                (v, s)
            })
            .collect();
        for f in copied {
            self.frames[f].exclusive = Exclusive::Either;
        }
        self.spaces.push(Some(child));
        let child = self.spaces.len() - 1;
        if self.foreign.contains(&parent) {
            self.foreign.insert(child);
        }
        child
    }

    /// mremap: `pages` slots from `from` go to `to`, on top of whatever was there. With `keep_source`
    /// (MREMAP_DONTUNMAP) the source stays mapped, empty, and is not locked any more.
    pub fn move_slots(
        &mut self,
        actor: ActorId,
        from: usize,
        to: usize,
        pages: usize,
        keep_source: bool,
    ) {
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
        }
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

    /// After MADV_UNMERGEABLE: each mapper of a KSM frame has a page of its own.
    pub fn unmerge(&mut self, frames: &[FrameId]) {
        for (f, mappers) in self.mappers() {
            if !frames.contains(&f) {
                continue;
            }
            let stamp = self.frames[f].stamp;
            for (actor, vpn) in mappers {
                let own = self.add_frame(stamp, false);
                self.frames[own].exclusive = Exclusive::Either;
                self.space(actor).get_mut(&vpn).expect("a mapper").held = Held::Frame(own);
            }
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
        m.map(p, 10..14, RW, false);
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
        m.map(p, 0..3, RW, false);
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
}
