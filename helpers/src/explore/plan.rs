// SPDX-License-Identifier: GPL-2.0-or-later
//! Random scripts, planned on a model of their own: no kernel is asked, so a seed gives one script everywhere.
//!
//! The weights favour what historic bugs needed: chains of forks whose middle generations exit, forks after that, splits and
//! merges in the youngest process, moves next to neighbours and back home, and a source that is unmapped afterwards.

use super::ground::Ground;
use super::rng::Rng;
use super::step::{Op, Parts, Span, Step, Who, alike, slot, span, there};
use crate::sys::mem::advice;
use crate::topology::{R, RW};
use crate::world::Area;
use crate::world::model::{Lock, Model, Slot};
use nix::libc::{PROT_NONE, PROT_WRITE};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A script, and the size of the region that it plays in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Script {
    /// What it plays on.
    #[serde(default, skip_serializing_if = "Ground::is_plain")]
    pub ground: Ground,
    /// Pages of the region.
    pub pages: usize,
    /// The steps.
    pub steps: Vec<Step>,
}

/// A kind of steps with its weights: while the tree grows, and later.
pub(super) type Weight = (Kind, usize, usize);

pub(super) const WEIGHTS: &[Weight] = &[
    (Kind::Fork, 24, 7),
    (Kind::Exit, 10, 5),
    (Kind::Exec, 1, 1),
    (Kind::Write, 18, 16),
    (Kind::Read, 4, 3),
    (Kind::Protect, 14, 18),
    (Kind::Map, 5, 12),
    (Kind::Unmap, 4, 10),
    (Kind::Move, 8, 24),
    (Kind::Resize, 3, 7),
    (Kind::OnFork, 10, 6),
    (Kind::DontNeed, 3, 3),
    (Kind::Lock, 2, 3),
];

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Fork,
    Exit,
    Exec,
    Write,
    Read,
    Protect,
    Map,
    Unmap,
    Move,
    Resize,
    OnFork,
    DontNeed,
    Lock,
    MapFile,
    Punch,
    Truncate,
    MapFolio,
    Walk,
    Clean,
    Guard,
    Populate,
    PageOut,
    Collapse,
}

/// No step may leave fewer mappers of frames than this: walks need something to find.
const LEAST_MAPPED: usize = 8;

/// The script of a seed, on private anonymous memory.
pub fn script(seed: u64) -> Script {
    script_with(seed, &[])
}

/// The same with more kinds of steps.
pub(super) fn script_with(seed: u64, more: &[Weight]) -> Script {
    let weights = [WEIGHTS, more].concat();
    let mut rng = Rng::new(seed);
    let size = rng.within(6, 24);
    let pages = size + rng.within(8, 16);
    let mut p = Planner::new(rng, Ground::Plain, pages, weights);
    let at = span(p.rng.within(2, pages - size - 2), size);
    p.take(0, Op::Map { at, prot: RW });
    // Touched as a whole, all of it has one anon_vma; else each part gets its own, or its neighbour's.
    let touched = if p.rng.chance(80) { at } else { p.part(at) };
    p.take(0, Op::Write { at: touched });
    let length = p.rng.within(20, 60);
    p.finish(length)
}

/// Mappers of frames.
fn mapped(model: &Model) -> usize {
    model.mappers().values().map(Vec::len).sum()
}

pub(super) struct Planner {
    pub(super) rng: Rng,
    pub(super) model: Model,
    pub(super) parts: Parts,
    pub(super) region: Area,
    pub(super) ground: Ground,
    weights: Vec<Weight>,
    steps: Vec<Step>,
    /// Who was forked by whom.
    parents: BTreeMap<Who, Who>,
    /// Moves so far: source and destination.
    moves: Vec<(Span, usize)>,
    /// What would go well with the last step.
    pub(super) next: Vec<(Who, Op)>,
}

impl Planner {
    pub(super) fn new(rng: Rng, ground: Ground, pages: usize, weights: Vec<Weight>) -> Planner {
        let mut model = Model::default();
        let parts = Parts::root(model.add_actor());
        if let Some(pages) = ground.file_pages() {
            model.add_object(pages, false);
        }
        Planner {
            rng,
            model,
            parts,
            // Any place will do: steps count from the start of the region.
            region: Area { vpn: 0, pages },
            ground,
            weights,
            steps: Vec::new(),
            parents: BTreeMap::new(),
            moves: Vec::new(),
            next: Vec::new(),
        }
    }

    /// Steps until there are so many.
    pub(super) fn finish(mut self, length: usize) -> Script {
        let p = &mut self;
        // Most proposals are legal; the bound only guards against a world in which nothing is.
        for _ in 0..length * 50 {
            if p.steps.len() == length {
                break;
            }
            let early = p.steps.len() * 5 < length * 2;
            if let Some((who, op)) = p.propose(early) {
                p.take(who, op);
            }
        }
        Script {
            ground: self.ground,
            pages: self.region.pages,
            steps: self.steps,
        }
    }

    /// Adds a step if it is legal, and thinks of what may follow.
    pub(super) fn take(&mut self, who: Who, op: Op) {
        let step = Step { who, op };
        if !step.legal(&self.model, &self.parts, self.region) {
            return;
        }
        let mut then = self.model.clone();
        step.imagine(&mut then, &mut self.parts, self.region);
        let (before, after) = (mapped(&self.model), mapped(&then));
        let least = match self.ground {
            Ground::Plain | Ground::File(_) => LEAST_MAPPED,
            Ground::Huge(unit) | Ground::Folios(unit) | Ground::HugeFile(unit) => unit / 2,
        };
        if after < before && after < least {
            return;
        }
        self.model = then;
        self.steps.push(step);
        match op {
            Op::Fork { child } => {
                self.parents.insert(child, who);
            }
            // The anon_vma that it leaves behind may be reused by the next.
            Op::Exit => {
                if let (true, Some(y)) = (self.rng.chance(50), self.youngest()) {
                    self.next.push((y, self.fork()));
                }
            }
            Op::Move { at, to, keep } => {
                self.moves.push((at, to));
                let then = match self.rng.below(8) {
                    0 | 1 if keep => Op::Unmap { at, over: false },
                    2 if keep => Op::Write { at },
                    0 if !keep => Op::Map { at, prot: RW },
                    3 => Op::Write {
                        at: span(to, at.pages),
                    },
                    4 => {
                        let before = self.rng.chance(50) && to > 0;
                        let first = if before { to - 1 } else { to + at.pages };
                        Op::Unmap {
                            at: span(first, 1),
                            over: true,
                        }
                    }
                    _ => return,
                };
                self.next.push((who, then));
            }
            // A split that is undone: the parts merge again if they share an anon_vma.
            Op::Protect { at, prot } if prot != RW && self.rng.chance(30) => {
                self.next.push((who, Op::Protect { at, prot: RW }));
            }
            // A neighbour's anon_vma may serve here too (reusable_anon_vma()).
            Op::Map { at, .. } if self.rng.chance(40) => self.next.push((who, Op::Write { at })),
            Op::Lock { at, .. } if self.rng.chance(30) => self.next.push((who, Op::Unlock { at })),
            _ => {}
        }
    }

    fn propose(&mut self, early: bool) -> Option<(Who, Op)> {
        if let Some(next) = self.next.pop() {
            return Some(next);
        }
        let weight = |w: &Weight| if early { w.1 } else { w.2 };
        let mut n = self.rng.below(self.weights.iter().map(weight).sum());
        let kind = self.weights.iter().find_map(|w| {
            let hit = n < weight(w);
            n = n.wrapping_sub(weight(w));
            hit.then_some(w.0)
        })?;
        let who = self.actor()?;
        let op = match kind {
            Kind::Fork => self.fork(),
            Kind::Exit => return Some((self.leaver()?, Op::Exit)),
            Kind::Exec => Op::Exec,
            Kind::Write => Op::Write {
                at: self.some(who, |s| s.prot & PROT_WRITE != 0 && there(s))?,
            },
            Kind::Read => Op::Read {
                at: self.some(who, |s| s.prot != PROT_NONE && there(s))?,
            },
            Kind::Protect => self.protect(who)?,
            Kind::Map => Op::Map {
                at: self.hole(who)?,
                prot: self.rng.pick(&[RW, RW, RW, RW, RW, R, PROT_NONE])?,
            },
            Kind::Unmap => Op::Unmap {
                at: self.some(who, |_| true)?,
                over: self.rng.chance(30),
            },
            Kind::Move => self.relocate(who)?,
            Kind::Resize => self.resize(who)?,
            Kind::OnFork => self.on_fork(who)?,
            Kind::DontNeed => Op::Advise {
                at: self.some(who, |_| true)?,
                what: advice::DONTNEED,
            },
            Kind::Lock => self.lock(who)?,
            Kind::MapFile => self.map_file(who)?,
            Kind::Punch => self.punch()?,
            Kind::Truncate => self.truncate()?,
            Kind::MapFolio => self.map_folio()?,
            Kind::Walk => self.midway()?,
            Kind::Clean => Op::Clean,
            Kind::Guard => return self.guard(who),
            Kind::Populate => Op::Advise {
                at: self.some(who, |s| s.prot & PROT_WRITE != 0 && there(s))?,
                what: advice::POPULATE_WRITE,
            },
            Kind::PageOut => Op::Advise {
                at: self.some(who, |s| s.lock == Lock::None)?,
                what: advice::PAGEOUT,
            },
            Kind::Collapse => return self.collapse(),
        };
        Some((who, op))
    }

    fn youngest(&self) -> Option<Who> {
        self.parts.living(&self.model).pop()
    }

    fn actor(&mut self) -> Option<Who> {
        if self.rng.chance(50) {
            return self.youngest();
        }
        let living = self.parts.living(&self.model);
        self.rng.pick(&living)
    }

    /// Who exits: mostly one with living children.
    fn leaver(&mut self) -> Option<Who> {
        let mut living = self.parts.living(&self.model);
        let youngest = living.pop()?;
        let middle: Vec<Who> = living
            .iter()
            .copied()
            .filter(|w| {
                let child = |c: &Who| self.parents.get(c) == Some(w);
                living.iter().any(child) || child(&youngest)
            })
            .collect();
        if self.rng.chance(75) && !middle.is_empty() {
            return self.rng.pick(&middle);
        }
        living.push(youngest);
        self.rng.pick(&living)
    }

    fn fork(&self) -> Op {
        Op::Fork {
            child: self.parents.keys().next_back().map_or(1, |w| w + 1),
        }
    }

    /// The runs of pages that are as wanted (`None` is a page of no mapping).
    pub(super) fn runs(&self, who: Who, wanted: impl Fn(Option<&Slot>) -> bool) -> Vec<Span> {
        let mut runs: Vec<Span> = Vec::new();
        let Some(id) = self.parts.id(who) else {
            return runs;
        };
        for page in 0..self.region.pages {
            if !wanted(slot(&self.model, id, self.region, page)) {
                continue;
            }
            match runs.last_mut() {
                Some(last) if last.end() == page => last.pages += 1,
                _ => runs.push(span(page, 1)),
            }
        }
        runs
    }

    /// A part of a span: often one end of it, or a few pages, so that splits have three parts.
    pub(super) fn part(&mut self, of: Span) -> Span {
        if let Ground::Huge(unit) | Ground::Folios(unit) | Ground::HugeFile(unit) = self.ground {
            return self.part_of_huge(of, unit);
        }
        if self.rng.chance(15) {
            return of;
        }
        let pages = self.rng.within(1, of.pages.min(4));
        let first = match self.rng.below(10) {
            0 | 1 => 0,
            2 | 3 => of.pages - pages,
            _ => self.rng.within(0, of.pages - pages),
        };
        span(of.first + first, pages)
    }

    /// A whole run of mapped pages.
    fn whole(&mut self, who: Who) -> Option<Span> {
        let runs = self.runs(who, |s| s.is_some());
        self.rng.pick(&runs)
    }

    /// Some mapped pages: a part of a run of them, or all of what is most likely one VMA.
    pub(super) fn some(&mut self, who: Who, wanted: impl Fn(&Slot) -> bool) -> Option<Span> {
        let runs = self.runs(who, |s| s.is_some_and(&wanted));
        let run = self.rng.pick(&runs)?;
        if self.rng.chance(25) {
            let page = self.rng.within(run.first, run.end() - 1);
            return self.alike(who, page);
        }
        Some(self.part(run))
    }

    /// The pages around one that have the same attributes.
    fn alike(&self, who: Who, page: usize) -> Option<Span> {
        let id = self.parts.id(who)?;
        let wanted = alike(slot(&self.model, id, self.region, page)?);
        let runs = self.runs(who, |s| s.is_some_and(|s| alike(s) == wanted));
        runs.into_iter()
            .find(|r| (r.first..r.end()).contains(&page))
    }

    /// Where a new mapping goes: a part of a hole, mostly next to what is mapped; now and then on top of something.
    pub(super) fn hole(&mut self, who: Who) -> Option<Span> {
        if self.rng.chance(12) {
            return self.some(who, |_| true);
        }
        let runs = self.runs(who, |s| s.is_none());
        let run = self.rng.pick(&runs)?;
        Some(self.part(run))
    }

    fn protect(&mut self, who: Who) -> Option<Op> {
        let split = self.runs(who, |s| s.is_some_and(|s| s.prot != RW));
        if !split.is_empty() && self.rng.chance(45) {
            // Everything equal again, or one part of it.
            let at = if self.rng.chance(50) {
                self.whole(who)?
            } else {
                self.rng.pick(&split)?
            };
            return Some(Op::Protect { at, prot: RW });
        }
        Some(Op::Protect {
            at: self.some(who, |_| true)?,
            prot: self.rng.pick(&[R, R, R, R, PROT_NONE, RW])?,
        })
    }

    fn relocate(&mut self, who: Who) -> Option<Op> {
        let keep = self.rng.chance(30);
        if self.rng.chance(35) {
            // Home again, where the page offsets let it merge with what it was cut from.
            let (at, to) = self.rng.pick(&self.moves)?;
            return Some(Op::Move {
                at: span(to, at.pages),
                to: at.first,
                keep,
            });
        }
        let at = self.some(who, |_| true)?;
        let room = self.region.pages - at.pages;
        let to = if self.rng.chance(45) {
            let next_to = self.whole(who)?;
            if self.rng.chance(50) {
                next_to.end()
            } else {
                next_to.first.checked_sub(at.pages)?
            }
        } else {
            self.rng.within(0, room)
        };
        (to <= room).then_some(Op::Move { at, to, keep })
    }

    fn resize(&mut self, who: Who) -> Option<Op> {
        let run = self.whole(who)?;
        if self.rng.chance(50) {
            return Some(Op::Grow {
                last: run.end() - 1,
                by: self.rng.within(1, 3),
            });
        }
        let at = self.part(run);
        Some(Op::Shrink {
            at,
            keep: self.rng.within(1, at.pages),
        })
    }

    fn lock(&mut self, who: Who) -> Option<Op> {
        let locked = self.runs(who, |s| s.is_some_and(|s| s.lock != Lock::None));
        if !locked.is_empty() && self.rng.chance(70) {
            let run = self.rng.pick(&locked)?;
            return Some(Op::Unlock { at: self.part(run) });
        }
        Some(Op::Lock {
            at: self.some(who, |s| s.prot != PROT_NONE)?,
            on_fault: self.rng.chance(30),
        })
    }

    fn on_fork(&mut self, who: Who) -> Option<Op> {
        let both = [
            advice::DONTFORK,
            advice::DOFORK,
            advice::WIPEONFORK,
            advice::KEEPONFORK,
        ];
        // Files have no VM_WIPEONFORK.
        let some = if self.ground.file_pages().is_some() {
            &both[..2]
        } else {
            &both[..]
        };
        let what = self.rng.pick(some)?;
        let undo = what == advice::DOFORK || what == advice::KEEPONFORK;
        let at = if undo && self.rng.chance(60) {
            self.whole(who)?
        } else {
            self.some(who, |_| true)?
        };
        Some(Op::Advise { at, what })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_script() {
        assert_eq!(script(7), script(7));
        assert_ne!(script(7), script(8));
        // The same on every machine and, since tests are named after it, for ever: a changed planner changes this number.
        let text = serde_json::to_string(&script(1)).unwrap();
        let sum = text.bytes().fold(0u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        assert_eq!(sum, 0x864b_7f52_5ead_c406, "{sum:#x}");
        assert_eq!(serde_json::from_str::<Script>(&text).unwrap(), script(1));
    }

    #[test]
    fn scripts_are_legal_and_as_long_as_promised() {
        let (mut frames, mut shared) = (0, 0);
        for seed in 0..300 {
            let script = script(seed);
            assert!((20..=60).contains(&script.steps.len()), "seed {seed}");
            let region = Area {
                vpn: 1000,
                pages: script.pages,
            };
            let mut model = Model::default();
            let mut parts = Parts::root(model.add_actor());
            for step in &script.steps {
                assert!(step.legal(&model, &parts, region), "seed {seed}: {step:?}");
                step.imagine(&mut model, &mut parts, region);
            }
            assert!(!parts.living(&model).is_empty());
            let mappers = model.mappers();
            shared += mappers.values().filter(|m| m.len() > 1).count();
            frames += mappers.len();
            assert!(frames > 0, "seed {seed}");
        }
        // What COW and forks leave: a good part of the pages has several mappers.
        assert!(
            frames > 300 * 12 && shared > 300 * 3,
            "{shared} of {frames}"
        );
    }

    #[test]
    fn every_kind_of_step_comes_up() {
        let mut seen = std::collections::BTreeMap::new();
        for seed in 0..100 {
            for step in script(seed).steps {
                let text = format!("{:?}", step.op);
                let kind = text.split([' ', '{']).next().unwrap().to_owned();
                *seen.entry(kind).or_insert(0) += 1;
            }
        }
        assert_eq!(seen.len(), 14, "{seen:?}");
        assert!(seen.values().all(|&n| n >= 10), "{seen:?}");
    }
}
