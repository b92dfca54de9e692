// SPDX-License-Identifier: GPL-2.0-or-later
//! What else scripts play on: the pages of a file, and the parts of a huge page.

use super::plan::{Kind, Planner, Script, Weight};
use super::rng::Rng;
use super::step::{Op, Span, Who, span};
use crate::sys::mem::advice;
use crate::topology::{R, RW};
use crate::world::{Area, Kind as Backing, Object, World};
use crate::{Stop, TestResult};
use nix::libc::PROT_NONE;
use serde::{Deserialize, Serialize};
use std::rc::Rc;

/// What a script plays on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Ground {
    /// Private anonymous memory.
    #[default]
    Plain,
    /// The same, and a memfd of so many pages.
    File(usize),
    /// The same, and the region starts with a huge page of so many pages.
    Huge(usize),
    /// The same, and folios of so many pages.
    Folios(usize),
    /// The same, and a memfd that is one huge page of so many pages.
    HugeFile(usize),
}

/// Pages of a huge page in a script: x86-64's, and arm64's with pages of 4 KiB.
pub const HUGE: usize = 512;

/// Pages of a folio in a script, one of the sizes of [`walk::FOLIO_KNOBS`](crate::walk::FOLIO_KNOBS).
pub const FOLIO: usize = 16;

pub(super) const FILE_WEIGHTS: &[Weight] = &[
    (Kind::MapFile, 22, 12),
    (Kind::Punch, 3, 6),
    (Kind::Truncate, 1, 3),
    (Kind::Fork, 12, 6),
    (Kind::Exit, 3, 4),
    (Kind::Write, 16, 18),
    (Kind::Read, 3, 3),
    (Kind::Protect, 10, 16),
    (Kind::Map, 2, 3),
    (Kind::Unmap, 6, 10),
    (Kind::Move, 8, 20),
    (Kind::Resize, 4, 9),
    (Kind::OnFork, 4, 4),
    (Kind::DontNeed, 3, 5),
    (Kind::Lock, 1, 2),
];

pub(super) const HUGE_WEIGHTS: &[Weight] = &[
    (Kind::Fork, 20, 7),
    (Kind::Exit, 4, 6),
    (Kind::Write, 10, 16),
    (Kind::Protect, 12, 16),
    (Kind::Unmap, 12, 12),
    (Kind::Move, 14, 20),
    (Kind::Resize, 3, 6),
    (Kind::OnFork, 8, 5),
    (Kind::DontNeed, 6, 8),
];

/// The script of a seed that maps, moves, punches and truncates a memfd, shared and private.
pub fn file_script(seed: u64) -> Script {
    file_script_with(seed, &[])
}

/// The same with more kinds of steps.
pub(super) fn file_script_with(seed: u64, more: &[Weight]) -> Script {
    let weights = [FILE_WEIGHTS, more].concat();
    let mut rng = Rng::new(seed);
    let pages = rng.within(5, 14);
    let region = 2 * pages + rng.within(6, 12);
    let mut p = Planner::new(rng, Ground::File(pages), region, weights);
    // All of it, and somewhere else a part of it.
    let all = span(p.rng.within(1, 3), pages);
    let shared = p.rng.chance(70);
    let map = |at, from, shared| Op::MapFile {
        at,
        from,
        prot: RW,
        shared,
    };
    p.take(0, map(all, 0, shared));
    p.take(0, Op::Write { at: all });
    let from = p.rng.below(pages);
    let alias = span(
        all.end() + p.rng.within(1, 3),
        p.rng.within(1, pages - from),
    );
    p.take(0, map(alias, from, !shared));
    let length = p.rng.within(20, 45);
    p.finish(length)
}

/// The script of a seed that takes a huge page to pieces: parts unmapped, moved to other offsets, protected, copied by sharers.
pub fn huge_script(seed: u64) -> Script {
    huge_script_with(seed, &[])
}

/// The same with more kinds of steps.
pub(super) fn huge_script_with(seed: u64, more: &[Weight]) -> Script {
    let weights = [HUGE_WEIGHTS, more].concat();
    let rng = Rng::new(seed);
    let mut p = Planner::new(rng, Ground::Huge(HUGE), 3 * HUGE, weights);
    let at = span(0, HUGE);
    let advise = |what| Op::Advise { at, what };
    p.take(0, Op::Map { at, prot: RW });
    p.take(0, advise(advice::HUGEPAGE));
    p.take(0, Op::Write { at });
    // Or a later write to a hole would fill more than the page it is to.
    p.take(0, advise(advice::NOHUGEPAGE));
    if p.rng.chance(70) {
        p.take(0, Op::Fork { child: 1 });
    }
    let length = p.rng.within(12, 24);
    p.finish(length)
}

impl Ground {
    /// Whether it is private anonymous memory only, which scripts do not say.
    pub fn is_plain(&self) -> bool {
        *self == Ground::Plain
    }

    /// Pages of the file that scripts map.
    pub(super) fn file_pages(self) -> Option<usize> {
        match self {
            Ground::File(pages) | Ground::HugeFile(pages) => Some(pages),
            _ => None,
        }
    }

    /// The region of a script in a world.
    pub(super) fn place(self, w: &World, pages: usize) -> TestResult<Area> {
        match self {
            Ground::Huge(unit) | Ground::HugeFile(unit) => {
                if w.features().pmd_size != Some(unit * w.page_size()) {
                    return Err(Stop::Skip("needs huge pages of 512 pages"));
                }
                Ok(w.place_huge(pages.div_ceil(unit))?.sub(0..pages))
            }
            Ground::Folios(unit) => {
                if !w.folio_sizes()?.contains(&unit) {
                    return Err(Stop::Skip("needs large folios of other sizes (mTHP)"));
                }
                Ok(w.place_aligned(pages, unit))
            }
            Ground::Plain | Ground::File(_) => Ok(w.place(pages)),
        }
    }

    /// The file of a script in a world.
    pub(super) fn file(self, w: &World) -> TestResult<Option<Rc<Object>>> {
        let object = |pages| w.object(Backing::Memfd, pages).map(Rc::new);
        self.file_pages().map(object).transpose()
    }
}

impl Planner {
    /// Some pages, mostly with an end where the halves, the ends or one page of a huge page are.
    pub(super) fn part_of_huge(&mut self, of: Span, unit: usize) -> Span {
        if self.rng.chance(8) {
            return of;
        }
        let mut edge = || {
            let at = match self.rng.below(8) {
                0 => 1,
                1 => unit / 2,
                2 => of.pages - 1,
                3 => unit / 2 + 1,
                _ => self.rng.below(of.pages),
            };
            at % of.pages
        };
        let (a, b) = (edge(), edge());
        let (first, last) = (a.min(b), a.max(b));
        // One page or a few are where a walk may go wrong as well.
        let pages = if self.rng.chance(40) {
            self.rng.within(1, 3)
        } else {
            last - first + 1
        };
        span(of.first + first, pages.min(of.pages - first))
    }

    /// A new folio, on top of whatever is there.
    pub(super) fn map_folio(&mut self) -> Option<Op> {
        let Ground::Folios(unit) = self.ground else {
            return None;
        };
        let first = unit * self.rng.below(self.region.pages / unit);
        Some(Op::MapFolio {
            at: span(first, unit),
        })
    }

    /// A mapping of some pages of the file, now and then past its end.
    pub(super) fn map_file(&mut self, who: Who) -> Option<Op> {
        let at = self.hole(who)?;
        let pages = self.model.objects.first()?.frames.len();
        let slack = usize::from(self.rng.chance(15));
        let last = (pages + slack).checked_sub(at.pages)?;
        Some(Op::MapFile {
            at,
            from: self.rng.within(0, last),
            prot: self.rng.pick(&[RW, RW, RW, RW, R, PROT_NONE])?,
            shared: self.rng.chance(60),
        })
    }

    pub(super) fn punch(&mut self) -> Option<Op> {
        let pages = self.model.objects.first()?.frames.len();
        let part = self.part(span(0, pages));
        Some(Op::Punch {
            from: part.first,
            pages: part.pages,
        })
    }

    pub(super) fn truncate(&mut self) -> Option<Op> {
        let pages = self.model.objects.first()?.frames.len();
        let pages = self.rng.within(1, pages + 3);
        Some(Op::Truncate { pages })
    }
}

#[cfg(test)]
mod tests {
    use super::super::step::Parts;
    use super::*;
    use crate::world::model::Model;

    fn legal(script: &Script) -> usize {
        let region = Area {
            vpn: 1024,
            pages: script.pages,
        };
        let mut model = Model::default();
        let mut parts = Parts::root(model.add_actor());
        if let Some(pages) = script.ground.file_pages() {
            model.add_object(pages, false);
        }
        for step in &script.steps {
            assert!(step.legal(&model, &parts, region), "{step:?}");
            step.imagine(&mut model, &mut parts, region);
        }
        model.mappers().values().filter(|m| m.len() > 1).count()
    }

    #[test]
    fn scripts_are_legal_and_share() {
        let files: usize = (0..100).map(|seed| legal(&file_script(seed))).sum();
        assert!(files > 500, "{files} shared frames in 100 scripts");
        let huge: usize = (0..20).map(|seed| legal(&huge_script(seed))).sum();
        assert!(huge > 2000, "{huge} shared frames in 20 scripts");
        assert_eq!(file_script(5), file_script(5));
        let text = serde_json::to_string(&huge_script(5)).unwrap();
        assert_eq!(
            serde_json::from_str::<Script>(&text).unwrap(),
            huge_script(5)
        );
    }
}
