// SPDX-License-Identifier: GPL-2.0-or-later
//! What system calls do to the model. Apart from the world that makes the calls, so that scripts can be planned and judged
//! legal without a kernel.

use super::model::{ActorId, Held, Lock, Model, Slot};
use crate::sys::mem::advice;
use nix::libc::{PROT_READ, PROT_WRITE};
use std::ops::Range;

impl Model {
    /// mprotect. mprotect_fixup(): "Private VM_LOCKED VMA becoming writable: trigger COW".
    pub fn protect(&mut self, actor: ActorId, vpns: Range<usize>, prot: i32) {
        let mut opened = Vec::new();
        for (&vpn, s) in self.space(actor).range_mut(vpns) {
            if s.prot & PROT_WRITE == 0 && prot & PROT_WRITE != 0 {
                opened.push(vpn);
            }
            s.prot = prot;
        }
        self.populate(actor, &opened);
    }

    /// madvise, as far as it changes what the model knows.
    pub fn advise(&mut self, actor: ActorId, vpns: Range<usize>, what: i32) {
        if what == advice::DONTNEED {
            return self.give_back(actor, vpns);
        }
        if what == advice::GUARD_INSTALL {
            return self.change(actor, vpns, |s| {
                (s.held, s.soft_dirty, s.merged) = (Held::Guard, false, false);
            });
        }
        if what == advice::GUARD_REMOVE {
            return self.remove_guards(actor, vpns);
        }
        if what == advice::MERGEABLE {
            return self.make_mergeable(actor, vpns);
        }
        if what == advice::UNMERGEABLE {
            self.change(actor, vpns.clone(), |s| s.mergeable = false);
            return self.unmerge(actor, vpns);
        }
        if what == advice::POPULATE_READ {
            return self.read(actor, vpns);
        }
        if what == advice::POPULATE_WRITE {
            return self.fault_in(actor, vpns);
        }
        if what == advice::PAGEOUT {
            return self.swapped(actor, vpns);
        }
        self.change(actor, vpns, |s| match what {
            // What says that a page is poisoned goes too; pages that are there may stay or go.
            advice::FREE if s.held == Held::Gone => s.held = Held::Nothing,
            advice::DONTFORK => s.dontfork = true,
            advice::DOFORK => s.dontfork = false,
            advice::WIPEONFORK => s.wipeonfork = true,
            advice::KEEPONFORK => s.wipeonfork = false,
            _ => {}
        });
    }

    /// What may be in swap now, for everybody who has it.
    fn swapped(&mut self, actor: ActorId, vpns: Range<usize>) {
        let held = self.space(actor).range(vpns);
        let frames = held.filter_map(|(_, s)| match s.held {
            Held::Frame(f) => Some(f),
            _ => None,
        });
        for f in frames.collect::<Vec<_>>() {
            self.frames[f].swapped();
        }
    }

    /// MADV_COLLAPSE: a new huge page that nobody else maps. What was empty is a page of zeroes from now on.
    pub fn collapse(&mut self, actor: ActorId, vpns: Range<usize>) {
        let mut own = Vec::new();
        for (&vpn, s) in self.space(actor).range_mut(vpns) {
            match s.held {
                Held::Frame(f) => own.push((vpn, f)),
                _ => s.held = Held::Zero,
            }
            // pmd_mkdirty() in collapse_huge_page() may say so of all; a page not written since need not show it.
        }
        let contents: Vec<_> = own
            .into_iter()
            .map(|(vpn, f)| (vpn, self.frames[f].stamp))
            .collect();
        // Copied where shared or merged, moved where not: as a write of what is there already.
        self.write(actor, &contents);
    }

    /// mlock, mlock2, munlock.
    pub fn lock(&mut self, actor: ActorId, vpns: Range<usize>, how: Lock) {
        self.locks |= how != Lock::None;
        self.change(actor, vpns.clone(), |s| s.lock = how);
        self.populate(actor, &vpns.collect::<Vec<_>>());
    }

    /// What is in locked areas now is marked, and what was may be so for ever: who unlocks a page that is on no list leaves the mark
    /// (__munlock_folio()). Called between any two steps.
    pub fn note_locked(&mut self) {
        if !self.locks {
            return;
        }
        let frames = &mut self.frames;
        for slot in self.spaces.iter().flatten().flat_map(|s| s.values()) {
            if let (Held::Frame(f), true) = (slot.held, slot.lock != Lock::None) {
                frames[f].locked = true;
            }
        }
    }

    /// What the actor has just mapped is locked where it asked for that (mm->def_flags).
    pub fn lock_new(&mut self, actor: ActorId, vpns: Range<usize>) {
        if let Some(&how) = self.future.get(&actor) {
            self.lock(actor, vpns, how);
        }
    }

    /// A read of every page.
    pub fn read(&mut self, actor: ActorId, vpns: Range<usize>) {
        self.change(actor, vpns, |s| {
            if s.held == Held::Nothing {
                s.held = Held::Zero;
            }
        });
    }

    /// What populate_vma_page_range() does to slots of locked VMAs: a write fault where the VMA may be written (it breaks COW
    /// and makes pages of zeroes), a read fault where it may only be read, nothing for MLOCK_ONFAULT and PROT_NONE.
    fn populate(&mut self, actor: ActorId, vpns: &[usize]) {
        let locked = |vpn: &usize| {
            let slot = self.spaces[actor].as_ref().and_then(|s| s.get(vpn));
            slot.is_some_and(|s| s.lock == Lock::Full)
        };
        let locked: Vec<usize> = vpns.iter().copied().filter(locked).collect();
        self.fault_in(actor, locked);
    }

    /// A write fault where the VMA may be written, a read fault where it may only be read, with no change of what is there.
    fn fault_in(&mut self, actor: ActorId, vpns: impl IntoIterator<Item = usize>) {
        let mut writes = Vec::new();
        for vpn in vpns {
            let Some(s) = self.space(actor).get_mut(&vpn) else {
                continue;
            };
            if s.shared || matches!(s.held, Held::Gone | Held::Guard) {
                continue;
            }
            if s.prot & PROT_WRITE != 0 {
                writes.push((vpn, s.held));
            } else if s.prot & PROT_READ != 0 && s.held == Held::Nothing {
                s.held = Held::Zero;
            }
        }
        let writes: Vec<_> = writes
            .into_iter()
            .map(|(vpn, held)| match held {
                Held::Frame(f) => (vpn, self.frames[f].stamp),
                _ => (vpn, 0),
            })
            .collect();
        self.write(actor, &writes);
    }

    /// mremap in place, `old` pages from `vpn` to `new`.
    pub fn resize(&mut self, actor: ActorId, vpn: usize, old: usize, new: usize) {
        if new < old {
            return self.unmap(actor, vpn + new..vpn + old);
        }
        let space = self.space(actor);
        let last = space[&(vpn + old - 1)];
        let grown = (old..new).map(|i| {
            let object = last.object.map(|(o, at)| (o, at + i - (old - 1)));
            let held = Held::Nothing;
            let index = last.index + i - (old - 1);
            (
                vpn + i,
                Slot {
                    held,
                    object,
                    index,
                    ..last
                },
            )
        });
        space.extend(grown);
        self.give_back(actor, vpn + old..vpn + new);
        // A locked area is locked in its new part as well (mm_populate() in mremap()).
        let new: Vec<usize> = (vpn + old..vpn + new).collect();
        self.populate(actor, &new);
    }

    /// execve: the old address space goes. What the new program has where the carve-out was is its own affair.
    pub fn exec(&mut self, actor: ActorId) {
        self.space(actor).clear();
        self.future.remove(&actor);
        self.foreign.insert(actor);
        self.roots[actor] = usize::MAX - actor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    const R: i32 = PROT_READ;
    const RW: i32 = PROT_READ | PROT_WRITE;

    #[test]
    fn a_lock_populates_as_the_protection_allows() {
        let mut m = Model::default();
        let p = m.add_actor();
        m.map(p, 0..2, RW);
        m.map(p, 2..4, R);
        m.write(p, &[(0, 7)]);
        let c = m.fork(p);
        m.lock(c, 0..4, Lock::Full);
        assert_ne!(m.frame_at(c, 0), m.frame_at(p, 0), "the lock breaks COW");
        assert_eq!(m.frames[m.frame_at(c, 0).unwrap()].stamp, 7);
        assert_eq!(m.frames[m.frame_at(c, 1).unwrap()].stamp, 0);
        assert_eq!(m.space(c)[&2].held, Held::Zero);
        m.protect(c, 2..3, RW);
        assert_eq!(m.frames[m.frame_at(c, 2).unwrap()].stamp, 0);
        assert_eq!(m.space(c)[&3].held, Held::Zero);
        m.lock(p, 0..4, Lock::OnFault);
        assert_eq!(m.space(p)[&1].held, Held::Nothing);
    }

    #[test]
    fn a_collapse_copies_what_is_shared() {
        let mut m = Model::default();
        let p = m.add_actor();
        m.map(p, 0..3, RW);
        m.write(p, &[(0, 7), (1, 8)]);
        let c = m.fork(p);
        m.write(c, &[(1, 9)]);
        let own = m.frame_at(c, 1);
        m.collapse(c, 0..3);
        assert_ne!(m.frame_at(c, 0), m.frame_at(p, 0));
        assert_eq!(m.frames[m.frame_at(c, 0).unwrap()].stamp, 7);
        assert_eq!(m.frame_at(c, 1), own);
        assert_eq!(m.space(c)[&2].held, Held::Zero);
    }

    #[test]
    fn growth_is_empty_and_takes_after_the_last_page() {
        let mut m = Model::default();
        let p = m.add_actor();
        m.map(p, 0..2, RW);
        m.write(p, &[(1, 7)]);
        m.advise(p, 1..2, advice::DONTFORK);
        m.resize(p, 0, 2, 3);
        assert!(m.space(p)[&2].dontfork);
        assert_eq!(m.space(p)[&2].held, Held::Nothing);
        m.resize(p, 0, 3, 1);
        assert_eq!(m.space(p).len(), 1);
        m.exec(p);
        assert!(m.space(p).is_empty() && m.foreign.contains(&p));
    }
}
