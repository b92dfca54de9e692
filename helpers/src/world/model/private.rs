// SPDX-License-Identifier: GPL-2.0-or-later
//! Private pages in the model: copied when written, shared by a fork, carried along by a move.

use super::{ActorId, Exclusive, Held, Lock, Model, Slot, Space};

impl Model {
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
                Held::Gone | Held::Guard => {
                    panic!("the script writes to page {vpn:#x}, which has no page")
                }
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

    /// A pin for reading, for a long time: who has a private page not for itself alone gets a copy, or what it writes later would not be in
    /// the pinned one (FAULT_FLAG_UNSHARE). Where there was none it is a page of zeroes. Shared memory is pinned as it is.
    pub fn pin_to_read(&mut self, actor: ActorId, vpns: std::ops::Range<usize>) {
        let private = self.space(actor).range(vpns).filter(|(_, s)| !s.shared);
        let vpns: Vec<usize> = private.map(|(&vpn, _)| vpn).collect();
        let same: Vec<(usize, u64)> = vpns
            .into_iter()
            .map(|vpn| {
                let frame = self.frame_at(actor, vpn);
                (vpn, frame.map_or(0, |f| self.frames[f].stamp))
            })
            .collect();
        self.write(actor, &same);
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
                // A private mapping's page of an object is the child's too, whoever has pinned it through another mapping.
                if self.frames[f].pinned && !s.shared && !self.frames[f].cached {
                    // copy_present_page(): the parent keeps the page that the device knows.
                    let copy = self.add_frame(self.frames[f].stamp, false);
                    self.frames[copy].hugetlb = self.frames[f].hugetlb;
                    s.held = Held::Frame(copy);
                } else {
                    self.frames[f].exclusive = Exclusive::Either;
                }
            }
            child.insert(vpn, s);
        }
        self.spaces.push(Some(child));
        self.roots.push(self.roots[parent]);
        let child = self.spaces.len() - 1;
        for of in [&mut self.foreign, &mut self.merging] {
            if of.contains(&parent) {
                of.insert(child);
            }
        }
        if self.joining.contains(&parent) {
            self.joining.insert(child);
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
        // Of a mapping that is known in parts only those are moved.
        let all = space.range(from..from + pages);
        let moved: Vec<(usize, Slot)> = all.map(|(vpn, slot)| (vpn - from, *slot)).collect();
        space.retain(|vpn, _| !(from..from + pages).contains(vpn));
        assert!(!moved.is_empty(), "the script moves what is mapped");
        space.retain(|vpn, _| !(to..to + pages).contains(vpn));
        if keep_source {
            for (i, slot) in &moved {
                let mut left = *slot;
                // Its guards are not left behind either.
                left.held = Held::Nothing;
                left.lock = Lock::None;
                space.insert(from + i, left);
            }
            self.give_back(actor, from..from + pages);
        }
        let space = self.space(actor);
        for (i, slot) in moved {
            space.insert(to + i, slot);
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
    fn a_pin_to_read_copies_what_is_not_ones_own() {
        let (mut m, p, c) = two();
        let o = m.add_object(2, false);
        m.map_object(c, 20..22, RW, false, (o, 0));
        m.map_object(c, 30..32, RW, true, (o, 0));
        m.unmap(p, 12..13);
        let (shared, last, file) = (m.frame_at(c, 10), m.frame_at(c, 12), m.frame_at(c, 20));
        m.pin_to_read(c, 10..32);
        assert_ne!(m.frame_at(c, 10), shared);
        assert_eq!(m.frames[m.frame_at(c, 10).unwrap()].stamp, 1);
        assert_eq!(m.frame_at(p, 10), shared, "the other keeps its page");
        assert_eq!(m.frame_at(c, 12), last, "the last mapper's own");
        assert_eq!(m.frames[m.frame_at(c, 13).unwrap()].stamp, 0, "zeroes");
        assert_ne!(m.frame_at(c, 20), file);
        assert_eq!(m.frame_at(c, 30), file, "shared memory stays");
        // Pinned through the shared mapping: a fork shares it in a private one.
        m.frames[file.unwrap()].pinned = true;
        m.map_object(p, 40..42, RW, false, (o, 0));
        let g = m.fork(p);
        assert_eq!(m.frame_at(g, 40), file);
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
}
