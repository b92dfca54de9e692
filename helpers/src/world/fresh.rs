// SPDX-License-Identifier: GPL-2.0-or-later
//! What was mapped since the soft-dirty bits were cleared is soft-dirty as a whole, whatever is or is not in it: nobody could tell a new
//! mapping from the one that was there before (VM_SOFTDIRTY, Documentation/admin-guide/mm/soft-dirty.rst).
//!
//! That is the area's flag, and areas that differ in nothing else merge. A new mapping marks what it becomes a part of. When two merge that were
//! there before, Linux long kept the flag of one of them (is_mergeable_vma() passes over it): so nothing is known any more of what may have
//! merged with something else.

use super::World;
use super::check::Finding;
use super::model::{ActorId, Held, Model, Slot};
use super::sight::Lie;
use crate::TestResult;
use crate::actor::{Cmd, uffd, vma};
use crate::sys::mem::advice;
use nix::libc::PROT_NONE;
use std::ops::Range;

/// The property.
pub(super) const PROPERTY: &str =
    "an area that was mapped since the soft-dirty bits were cleared is soft-dirty as a whole";

/// Where a command may make one area of two that were there before it.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Joins {
    /// Here, or at the ends of it: addresses.
    At(Range<usize>),
    /// The same, and what is there may merge with what is next to it and is no slot (the carve-out's filling), or comes from elsewhere.
    Anything(Range<usize>),
}

/// What is not known not to join areas is taken to do so, anywhere.
fn joins(cmd: &Cmd, found: &mut Vec<Joins>) {
    let at = |addr: usize, len: usize| addr..addr + len;
    match cmd {
        Cmd::Batch(cmds) => cmds.iter().for_each(|c| joins(c, found)),
        Cmd::Map { .. }
        | Cmd::Unmap { .. }
        | Cmd::Fill { .. }
        | Cmd::Compare { .. }
        | Cmd::Read { .. }
        | Cmd::Probe { .. }
        | Cmd::ProbeWrite { .. }
        | Cmd::FlushTlb
        | Cmd::Spin { .. }
        | Cmd::MovePages { .. }
        | Cmd::MergesMemory
        | Cmd::Mincore { .. }
        | Cmd::Pin(_)
        | Cmd::Vma(vma::Cmd::Heap { .. } | vma::Cmd::Brk { .. })
        | Cmd::Fork => {}
        Cmd::Advise {
            advice:
                advice::DONTNEED
                | advice::FREE
                | advice::COLD
                | advice::PAGEOUT
                | advice::REMOVE
                | advice::POPULATE_READ
                | advice::POPULATE_WRITE,
            ..
        } => {}
        &Cmd::Protect { addr, len, prot } if prot == PROT_NONE => {
            found.push(Joins::Anything(at(addr, len)));
        }
        &Cmd::Remap {
            addr,
            old_len,
            new_len,
            new_addr,
            ..
        } => {
            found.push(Joins::Anything(at(addr, old_len.max(new_len))));
            found.push(Joins::Anything(at(new_addr, new_len)));
        }
        &Cmd::Protect { addr, len, .. }
        | &Cmd::Advise { addr, len, .. }
        | &Cmd::Lock { addr, len, .. }
        | &Cmd::Unlock { addr, len }
        | &Cmd::Mbind { addr, len, .. }
        | &Cmd::Vma(
            vma::Cmd::Name { addr, len, .. }
            | vma::Cmd::Seal { addr, len }
            | vma::Cmd::Key { addr, len, .. }
            | vma::Cmd::RemapPages { addr, len, .. },
        ) => found.push(Joins::At(at(addr, len))),
        _ => found.push(Joins::Anything(0..usize::MAX)),
    }
}

impl Model {
    /// A system call has just mapped these pages.
    pub fn mapped_anew(&mut self, actor: ActorId, vpns: Range<usize>) {
        let fresh = !self.joining.contains(&actor) && self.kept.get(&actor).is_none_or(|&n| n == 0);
        self.change(actor, vpns, |s| s.fresh = fresh);
    }

    /// What an actor maps is not known as a whole, or not when its areas change: nothing can be said of new ones.
    pub fn mapped_in_part(&mut self, actor: ActorId) {
        self.joining.insert(actor);
        self.change(actor, 0..usize::MAX, |s| s.fresh = false);
    }

    /// Whoever has the file of an actor's userfaultfd registers areas and lets go of them without a command.
    pub(super) fn keeps(&mut self, actor: ActorId) {
        *self.kept.entry(actor).or_default() += 1;
    }

    /// It is closed.
    pub(super) fn keeps_no_more(&mut self, actor: ActorId) {
        *self.kept.entry(actor).or_default() -= 1;
    }

    /// What is about to be asked of an actor. `page`: bytes.
    pub(super) fn may_join(&mut self, actor: ActorId, cmd: &Cmd, page: usize) {
        if self.spaces[actor].is_none() {
            return;
        }
        // A child has the file as well, and areas are let go of with the last of it. That of a keeper nobody else has.
        let kept = matches!(cmd, Cmd::Uffd(uffd::Cmd::Serve { .. } | uffd::Cmd::Close));
        if matches!(cmd, Cmd::Uffd(_)) && !kept {
            return self.mapped_in_part(actor);
        }
        let mut found = Vec::new();
        joins(cmd, &mut found);
        for where_ in found {
            let (Joins::At(bytes) | Joins::Anything(bytes)) = &where_;
            let space = self.space(actor);
            let (mut from, mut to) = (bytes.start / page, bytes.end.div_ceil(page));
            while from > 0 && space.contains_key(&(from - 1)) {
                from -= 1;
            }
            while space.contains_key(&to) {
                to += 1;
            }
            let new = |s: &Slot| s.fresh && s.prot != PROT_NONE;
            let alike = space.range(from..to).all(|(_, s)| new(s));
            if !alike || matches!(where_, Joins::Anything(_)) {
                self.change(actor, from..to, |s| s.fresh = false);
            }
        }
    }
}

impl World<'_> {
    /// Places in a new area where no frame is; those with a frame are looked at with its other mappers.
    pub(super) fn judge_fresh(&self) -> TestResult<Option<Finding>> {
        if !self.features().soft_dirty {
            return Ok(None);
        }
        let lie = self.eye.lie == Some(Lie::Fresh);
        let bare = |s: &Slot| s.fresh && matches!(s.held, Held::Nothing | Held::Zero);
        let ids: Vec<ActorId> = self.model.borrow().living().collect();
        for id in ids {
            let vpns: Vec<usize> = {
                let model = self.model.borrow();
                let slots = model.spaces[id].iter().flatten();
                slots.filter(|(_, s)| bare(s)).map(|(&v, _)| v).collect()
            };
            if vpns.is_empty() {
                continue;
            }
            let seen = self.eye.entries(self.pid(id)?, &vpns)?;
            let mut all = vpns.iter().zip(seen);
            if let Some((&vpn, seen)) = all.find(|(_, s)| !s.entry.soft_dirty() || lie) {
                return Ok(Some(Finding {
                    property: PROPERTY,
                    detail: format!("seen {seen}"),
                    at: Some((id, vpn)),
                }));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    const RW: i32 = 3;
    const PAGE: usize = 4096;

    fn fresh(m: &mut Model, p: ActorId) -> Vec<usize> {
        let slots = m.space(p).iter().filter(|(_, s)| s.fresh);
        slots.map(|(&vpn, _)| vpn).collect()
    }

    fn protect(first: usize, pages: usize, prot: i32) -> Cmd {
        let (addr, len) = (first * PAGE, pages * PAGE);
        Cmd::Protect { addr, len, prot }
    }

    /// |10 11 new 12 13|  and |20 new 21 new|
    fn two() -> (Model, ActorId) {
        let mut m = Model::default();
        let p = m.add_actor();
        m.map(p, 10..14, RW);
        m.mapped_anew(p, 12..14);
        m.map(p, 20..22, RW);
        m.mapped_anew(p, 20..22);
        assert_eq!(fresh(&mut m, p), [12, 13, 20, 21]);
        (m, p)
    }

    #[test]
    fn what_may_have_merged_with_older_areas_is_not_known_to_be_new() {
        let (mut m, p) = two();
        let c = m.fork(p);
        m.may_join(p, &Cmd::map(0, PAGE, RW), PAGE);
        m.may_join(p, &protect(20, 1, 1), PAGE);
        assert_eq!(fresh(&mut m, p), [12, 13, 20, 21]);
        m.may_join(p, &Cmd::Batch(vec![Cmd::Fork, protect(13, 1, 1)]), PAGE);
        assert_eq!(fresh(&mut m, p), [20, 21]);
        m.may_join(p, &protect(19, 1, 0), PAGE);
        assert_eq!(fresh(&mut m, p), [0; 0]);
        assert_eq!(fresh(&mut m, c), [12, 13, 20, 21], "the child's own");
        m.may_join(c, &Cmd::LockAll { flags: 0 }, PAGE);
        assert_eq!(fresh(&mut m, c), [0; 0]);
    }

    #[test]
    fn what_moves_is_not_known_to_be_new() {
        let (mut m, p) = two();
        let cmd = Cmd::move_to(20 * PAGE, PAGE, 14 * PAGE, false);
        m.may_join(p, &cmd, PAGE);
        assert_eq!(fresh(&mut m, p), [0; 0]);
    }

    #[test]
    fn nothing_is_known_while_the_test_has_a_userfaultfd() {
        let (mut m, p) = two();
        m.may_join(p, &Cmd::Uffd(uffd::Cmd::Serve { features: 0 }), PAGE);
        m.keeps(p);
        m.mapped_anew(p, 10..11);
        let c = m.fork(p);
        m.mapped_anew(c, 11..12);
        assert_eq!(fresh(&mut m, p), [0; 0]);
        assert_eq!(fresh(&mut m, c), [11]);
        m.keeps_no_more(p);
        m.mapped_anew(p, 13..14);
        assert_eq!(fresh(&mut m, p), [13]);
    }

    #[test]
    fn nothing_is_known_of_who_has_had_a_userfaultfd_itself() {
        let (mut m, p) = two();
        m.may_join(p, &Cmd::Uffd(uffd::Cmd::Open { features: 0 }), PAGE);
        m.mapped_anew(p, 10..11);
        let c = m.fork(p);
        m.mapped_anew(c, 10..11);
        assert_eq!(fresh(&mut m, p), [0; 0]);
        assert_eq!(fresh(&mut m, c), [0; 0]);
    }
}
