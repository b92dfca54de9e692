// SPDX-License-Identifier: GPL-2.0-or-later
//! The model: which actor maps which frame, with what content, shared with whom.
//!
//! Pure data: nothing here asks the kernel. A command changes the model by the rules that the
//! kernel promises to user space (fork shares, a write to a shared private page copies, mremap
//! moves, ...); [`super::check`] then compares the model with what the kernel shows.

mod object;
mod private;

pub use object::{Object, ObjectId};

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
    /// It has been swapped out as a KSM page, or was pinned to be read: each mapper may have a copy of its own.
    pub scattered: bool,
    /// Poisoned, and in the page cache of its object all the same.
    pub poisoned: bool,
    /// Pinned (FOLL_PIN): a fork gives the child a copy at once instead of a share.
    pub pinned: bool,
    /// Some mapper has it in a locked area, or had, see [`Model::note_locked`].
    pub locked: bool,
    /// See [`Exclusive`].
    pub exclusive: Exclusive,
}

impl Frame {
    /// It may have been in swap since.
    pub fn swapped(&mut self) {
        // do_swap_page() may or may not give the bit back.
        self.exclusive = Exclusive::Either;
        // ksm_might_need_to_copy(): each mapper may come back with a copy.
        self.scattered |= self.ksm;
    }
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
    /// A guard (MADV_GUARD_INSTALL): an entry that no page is behind, which stays when pages are given back. An access is answered
    /// with SIGSEGV.
    Guard,
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
    /// MADV_MERGEABLE, and not MADV_UNMERGEABLE since.
    pub mergeable: bool,
    /// Mapped since then, and its area may not have merged otherwise: soft-dirty as a whole, see [`super::fresh`].
    pub fresh: bool,
    /// Seen as a KSM page when ksmd was stopped, in a VMA that is mergeable, and not written since.
    pub merged: bool,
    /// The node that mbind(2) has bound its VMA to.
    pub node: Option<i32>,
    /// The name that its VMA was given (PR_SET_VMA_ANON_NAME).
    pub name: Option<&'static str>,
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
    /// Who is mergeable as a whole (PR_SET_MEMORY_MERGE), itself or from an ancestor.
    pub merging: BTreeSet<ActorId>,
    /// Who locks what it maps (MCL_FUTURE), and how.
    pub future: BTreeMap<ActorId, Lock>,
    /// For each actor, what it has in common with those that it may share an anon_vma's root with: its oldest ancestor.
    pub roots: Vec<ActorId>,
    /// Something was locked.
    pub locks: bool,
    /// Whose areas may merge unseen, see [`super::fresh`].
    pub joining: BTreeSet<ActorId>,
    /// The same while the test has so many userfaultfds of theirs.
    pub kept: BTreeMap<ActorId, usize>,
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
            poisoned: false,
            pinned: false,
            locked: false,
            exclusive: if cached {
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
            mergeable: false,
            fresh: false,
            merged: false,
            node: None,
            name: None,
            index: 0,
        };
        let at = |v| (v, Slot { index: v, ..slot });
        self.space(actor).extend(vpns.map(at));
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

    /// The frame behind a slot.
    pub fn frame_at(&self, actor: ActorId, vpn: usize) -> Option<FrameId> {
        match self.spaces[actor].as_ref()?.get(&vpn)?.held {
            Held::Frame(f) => Some(f),
            _ => None,
        }
    }
}
