// SPDX-License-Identifier: GPL-2.0-or-later
//! Random scripts over mappings of objects: who maps which part, shared or private, and what becomes of the mappings while the
//! pages are copied, taken away, and swapped out.

use super::rng::Rng;
use crate::kernel::vma;
use crate::stop::Doing;
use crate::sys::mem::advice;
use crate::world::model::{Held, Slot};
use crate::world::{Actor, Area, Object, Share, World};
use crate::{TestResult, walk};
use nix::libc::{PROT_READ, PROT_WRITE};

const R: i32 = PROT_READ;
const RW: i32 = PROT_READ | PROT_WRITE;
/// Actors alive at a time.
const CAST: usize = 4;
/// Steps between two comparisons of everything.
const CHECKED: usize = 4;

/// A script in the making.
pub struct Play<'a, 'c> {
    w: &'a World<'c>,
    rng: Rng,
    /// Where everything is mapped.
    at: Area,
    objects: &'a [Object],
    cast: Vec<Actor<'a, 'c>>,
    /// Pages that belong together: 1, or those of a huge page.
    grain: usize,
    names: usize,
}

impl<'a, 'c> Play<'a, 'c> {
    /// Two actors with room for mappings in `at` (whole grains), which has nothing mapped.
    pub fn new(
        w: &'a World<'c>,
        seed: u64,
        at: Area,
        grain: usize,
        objects: &'a [Object],
    ) -> TestResult<Play<'a, 'c>> {
        let mut cast = Vec::new();
        for name in ["A", "B"] {
            let actor = w.actor(name)?;
            actor.make_room(at)?;
            cast.push(actor);
        }
        let mut play = Play {
            w,
            rng: Rng::new(seed),
            at,
            objects,
            cast,
            grain,
            names: 0,
        };
        // Something to begin with.
        for actor in play.cast.clone() {
            play.map(actor)?;
            play.map(actor)?;
        }
        Ok(play)
    }

    /// Takes steps, and compares everything with the model every few of them and at the end.
    #[track_caller]
    pub fn steps(&mut self, n: usize) -> TestResult {
        for i in 1..=n {
            self.step()?;
            if i % CHECKED == 0 {
                self.w.check()?;
            }
        }
        self.w.check()
    }

    fn step(&mut self) -> TestResult {
        let n = self.rng.below(self.cast.len());
        let c = self.cast[n];
        match self.rng.below(100) {
            0..16 => self.map(c),
            16..38 => self.write(c),
            38..48 => self.protect(c),
            48..54 => self.unmap(c),
            54..60 => self.give_back(c),
            60..70 => self.relocate(c),
            70..80 => self.resize(c),
            80..86 => self.fork(c),
            86..89 => self.exit(n),
            89..95 => self.punch(),
            95..98 => self.truncate(),
            _ => self.swap_out(),
        }
    }

    /// A random run of grains of an area.
    fn part(&mut self, of: Area, most: usize) -> Area {
        let n = of.pages / self.grain;
        let len = self.rng.within(1, n.min(most));
        let first = self.rng.within(0, n - len);
        of.sub(first * self.grain..(first + len) * self.grain)
    }

    /// Mostly where it continues what a neighbour may have mapped already, so that VMAs merge.
    fn map(&mut self, c: Actor) -> TestResult {
        let at = self.part(self.at, if self.grain > 1 { 2 } else { 8 });
        let object = self.rng.below(self.objects.len());
        let object = &self.objects[object];
        let pages = self.w.object_pages(object);
        let first = if self.grain > 1 {
            // A hugetlb file grows to what is mapped writable of it, and a private mapping of a hole has a page of its own.
            let Some(spare) = pages.checked_sub(at.pages) else {
                return Ok(());
            };
            self.rng.within(0, spare / self.grain) * self.grain
        } else if self.rng.chance(75) {
            at.vpn - self.at.vpn
        } else {
            self.rng.within(0, pages)
        };
        let share = if self.grain > 1 || self.rng.chance(60) {
            Share::Shared
        } else {
            Share::Private
        };
        let prot = if self.rng.chance(85) { RW } else { R };
        c.map_object(at, object, first, prot, share)
    }

    fn slots(&self, c: Actor, area: Area) -> Vec<(usize, Slot)> {
        let model = self.w.model();
        let space = model.spaces[c.id()].as_ref().expect("a living actor");
        space.range(area.vpns()).map(|(&v, &s)| (v, s)).collect()
    }

    /// Cut to where something is mapped without a hole, from the first mapped page on.
    fn mapped(&mut self, c: Actor) -> Option<Area> {
        let part = self.part(self.at, 10);
        let slots = self.slots(c, part);
        let vpn = slots.first()?.0;
        let run = (0..slots.len())
            .take_while(|&i| slots[i].0 == vpn + i)
            .count();
        Some(Area { vpn, pages: run })
    }

    fn write(&mut self, c: Actor) -> TestResult {
        let Some(area) = self.mapped(c) else {
            return Ok(());
        };
        let fit = |s: &Slot| s.prot & PROT_WRITE != 0 && s.held != Held::Gone;
        let pages: Vec<Area> = self
            .slots(c, area)
            .into_iter()
            .filter(|(_, s)| fit(s))
            .map(|(vpn, _)| Area { vpn, pages: 1 })
            .collect();
        c.write_all(&pages)
    }

    fn protect(&mut self, c: Actor) -> TestResult {
        let Some(area) = self.mapped(c) else {
            return Ok(());
        };
        let prot = self.rng.pick(&[R, RW, RW, 0]).unwrap_or(R);
        c.protect(area, prot)
    }

    fn unmap(&mut self, c: Actor) -> TestResult {
        let part = self.part(self.at, 5);
        c.unmap(part)
    }

    fn give_back(&mut self, c: Actor) -> TestResult {
        match self.mapped(c) {
            Some(area) => c.advise(area, advice::DONTNEED),
            None => Ok(()),
        }
    }

    /// A random VMA, as the kernel has it: mremap takes no more than one.
    fn vma(&mut self, c: Actor) -> TestResult<Option<Area>> {
        let size = self.w.page_size();
        let (start, end) = (self.at.vpn, self.at.vpn + self.at.pages);
        let list = vma::in_range(c.pid()?, start * size, end * size).doing("read maps")?;
        let areas: Vec<Area> = list
            .iter()
            .map(|v| {
                let vpn = (v.start / size).max(start);
                let pages = (v.end / size).min(end) - vpn;
                Area { vpn, pages }
            })
            .collect();
        Ok(self.rng.pick(&areas))
    }

    fn relocate(&mut self, c: Actor) -> TestResult {
        let Some(vma) = self.vma(c)? else {
            return Ok(());
        };
        let from = self.part(vma, 8);
        let room = (self.at.pages - from.pages) / self.grain;
        let first = self.rng.within(0, room) * self.grain;
        let to = self.at.sub(first..first + from.pages);
        let apart = to.vpn + to.pages <= from.vpn || from.vpn + from.pages <= to.vpn;
        let keep = self.grain == 1 && self.rng.chance(25);
        match (apart, keep) {
            (false, _) => Ok(()),
            (true, true) => c.move_dontunmap(from, to),
            (true, false) => c.move_to(from, to),
        }
    }

    fn resize(&mut self, c: Actor) -> TestResult {
        let Some(vma) = self.vma(c)? else {
            return Ok(());
        };
        let behind = vma.vpn + vma.pages;
        let rest = Area {
            vpn: behind,
            pages: self.at.vpn + self.at.pages - behind,
        };
        let next = self
            .slots(c, rest)
            .first()
            .map_or(rest.pages, |s| s.0 - behind);
        let free = next / self.grain;
        // hugetlb VMAs do not grow.
        let pages = if self.grain == 1 && free > 0 && self.rng.chance(70) {
            vma.pages + self.rng.within(1, free.min(4)) * self.grain
        } else {
            self.rng.within(1, vma.pages / self.grain) * self.grain
        };
        c.resize(vma, pages).map(drop)
    }

    fn fork(&mut self, c: Actor<'a, 'c>) -> TestResult {
        if self.cast.len() < CAST {
            self.names += 1;
            let child = c.fork(&format!("{}.{}", c.name(), self.names))?;
            self.cast.push(child);
        }
        Ok(())
    }

    fn exit(&mut self, n: usize) -> TestResult {
        if self.cast.len() > 2 {
            return self.cast.swap_remove(n).exit();
        }
        Ok(())
    }

    fn punch(&mut self) -> TestResult {
        let object = self.rng.below(self.objects.len());
        let object = &self.objects[object];
        let pages = self.w.object_pages(object) / self.grain;
        if pages == 0 {
            return Ok(());
        }
        let len = self.rng.within(1, pages.min(4));
        let first = self.rng.within(0, pages - len);
        self.w
            .punch(object, first * self.grain..(first + len) * self.grain)
    }

    fn truncate(&mut self) -> TestResult {
        let object = self.rng.below(self.objects.len());
        let most = self.at.pages / self.grain;
        let pages = self.rng.within(most / 4, most);
        self.w.truncate(&self.objects[object], pages * self.grain)
    }

    /// Out, and not read again at once: what follows meets swap entries and pages that nobody maps.
    fn swap_out(&mut self) -> TestResult {
        self.w.control()?;
        self.w.check()?;
        match (walk::reclaim::RECLAIM.offered)(self.w) {
            Ok(()) => (walk::reclaim::RECLAIM.take)(self.w).map(drop),
            Err(_) => Ok(()),
        }
    }
}
