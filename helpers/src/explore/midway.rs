// SPDX-License-Identifier: GPL-2.0-or-later
//! Walks in the middle of a script, and what else changes entries: what comes after them finds pages in swap, merged, or somewhere else,
//! guards, entries without their soft-dirty bit, and huge pages made anew.
//!
//! Reclaim, KSM and migration leave entries of other kinds in the page tables, which fork copies, mremap moves, mprotect
//! changes and exit drops by code of their own, and whoever touches a page first afterwards decides what becomes of it.

use super::ground::{self, FILE_WEIGHTS, FOLIO, Ground, HUGE};
use super::plan::{Kind, Planner, Script, Weight};
use super::rng::Rng;
use super::step::{Op, Who, span, there};
use crate::TestResult;
use crate::sys::mem::advice;
use crate::topology::RW;
use crate::walk::{self, Walk, ksm, migrate, reclaim};
use crate::world::World;
use crate::world::model::{Held, Lock};
use serde::{Deserialize, Serialize};

/// A walk that a script takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Midway {
    /// All pages go to another node, as far as they can.
    Migrate,
    /// All pages go to swap, as far as they can, and stay there until somebody touches them.
    SwapOut,
    /// ksmd merges all private pages with equal ones of a process outside the tree.
    Merge,
}

impl Midway {
    fn walk(self) -> &'static Walk {
        match self {
            Midway::Migrate => &migrate::MIGRATE,
            Midway::SwapOut => &reclaim::RECLAIM,
            Midway::Merge => &ksm::KSM,
        }
    }

    /// Takes the walk, and judges what became of each page. They stay where it has put them.
    ///
    /// # Errors
    /// `Skip` where this machine does not offer it, or not now.
    pub(super) fn take(self, w: &World) -> TestResult {
        walk::midway(w, self.walk())
    }
}

/// What is done to private memory besides.
const MORE: &[Weight] = &[
    (Kind::Walk, 8, 16),
    (Kind::Clean, 2, 4),
    (Kind::Guard, 3, 5),
    (Kind::Populate, 1, 2),
    (Kind::PageOut, 3, 5),
];

/// What is done to files besides.
const MORE_OF_FILES: &[Weight] = &[
    (Kind::Walk, 8, 16),
    (Kind::Clean, 1, 2),
    (Kind::PageOut, 3, 5),
];

/// What is done to a huge page besides.
const MORE_OF_HUGE: &[Weight] = &[
    (Kind::Walk, 8, 14),
    (Kind::Clean, 2, 3),
    (Kind::Guard, 3, 4),
    (Kind::Populate, 1, 2),
    (Kind::PageOut, 3, 4),
    (Kind::Collapse, 3, 8),
];

const FOLIOS: &[Weight] = &[
    (Kind::Fork, 20, 7),
    (Kind::Exit, 4, 6),
    (Kind::Write, 10, 16),
    (Kind::Read, 2, 3),
    (Kind::Protect, 12, 14),
    (Kind::Unmap, 8, 10),
    (Kind::Move, 12, 20),
    (Kind::Resize, 3, 5),
    (Kind::OnFork, 10, 6),
    (Kind::DontNeed, 6, 8),
    (Kind::Lock, 3, 4),
    (Kind::MapFolio, 4, 8),
];

/// [`super::plan::script`] with walks in between.
pub fn script(seed: u64) -> Script {
    super::plan::script_with(seed, MORE)
}

/// [`ground::file_script`] with walks in between.
pub fn file_script(seed: u64) -> Script {
    ground::file_script_with(seed, MORE_OF_FILES)
}

/// [`ground::huge_script`] with walks in between.
pub fn huge_script(seed: u64) -> Script {
    ground::huge_script_with(seed, MORE_OF_HUGE)
}

/// The script of a seed on a huge page of a file, which is mapped, moved, punched and copied in parts, with walks in between.
pub fn huge_file_script(seed: u64) -> Script {
    // Nobody locks a part of it: reclaim splits such a folio, which takes the entries of a file's pages away from all.
    let mut weights = [FILE_WEIGHTS, MORE_OF_FILES].concat();
    weights.retain(|(kind, ..)| !matches!(kind, Kind::Lock));
    let mut p = Planner::new(Rng::new(seed), Ground::HugeFile(HUGE), 3 * HUGE, weights);
    let at = span(0, HUGE);
    p.take(
        0,
        Op::MapFile {
            at,
            from: 0,
            prot: RW,
            shared: true,
        },
    );
    p.take(0, Op::Write { at });
    p.take(0, Op::CollapseFile { at });
    let length = p.rng.within(12, 24);
    p.finish(length)
}

/// The script of a seed on one to three folios, which walks take to pieces as well as steps do.
pub fn folio_script(seed: u64) -> Script {
    let mut rng = Rng::new(seed);
    let n = rng.within(1, 3);
    let weights = [FOLIOS, MORE].concat();
    let mut p = Planner::new(rng, Ground::Folios(FOLIO), (n + 2) * FOLIO, weights);
    for i in 0..n {
        p.take(
            0,
            Op::MapFolio {
                at: span(i * FOLIO, FOLIO),
            },
        );
    }
    if p.rng.chance(60) {
        p.take(0, Op::Fork { child: 1 });
    }
    let length = p.rng.within(15, 35);
    p.finish(length)
}

impl Planner {
    /// A walk, every second one of those that leave the pages in swap.
    pub(super) fn midway(&mut self) -> Option<Op> {
        use Midway::{Merge, Migrate, SwapOut};
        let some = match self.ground {
            // Merged, the parts of a huge page are as small as any.
            Ground::Huge(_) | Ground::Folios(_) | Ground::HugeFile(_) => &[SwapOut, Migrate][..],
            Ground::Plain | Ground::File(_) => &[SwapOut, SwapOut, Merge, Migrate],
        };
        self.rng.pick(some).map(Op::Walk)
    }

    /// Guards on some pages, or guards taken away, of whoever has some.
    pub(super) fn guard(&mut self, who: Who) -> Option<(Who, Op)> {
        let mut guards = Vec::new();
        for who in self.parts.living(&self.model) {
            let runs = self.runs(who, |s| s.is_some_and(|s| s.held == Held::Guard));
            guards.extend(runs.into_iter().map(|run| (who, run)));
        }
        if !guards.is_empty() && self.rng.chance(40) {
            let (who, run) = self.rng.pick(&guards)?;
            let what = advice::GUARD_REMOVE;
            let at = self.part(run);
            return Some((who, Op::Advise { at, what }));
        }
        let at = self.some(who, |s| s.lock == Lock::None && s.object.is_none())?;
        let what = advice::GUARD_INSTALL;
        Some((who, Op::Advise { at, what }))
    }

    /// A huge page of what somebody has where one may be, made writable as a whole first: few have one that is.
    pub(super) fn collapse(&mut self) -> Option<(Who, Op)> {
        let Ground::Huge(unit) = self.ground else {
            return None;
        };
        let mut whole = Vec::new();
        for who in self.parts.living(&self.model) {
            let there = self.runs(who, |s| s.is_some_and(there));
            for first in (0..self.region.pages).step_by(unit) {
                let at = span(first, unit);
                if there
                    .iter()
                    .any(|r| r.first <= first && r.end() >= at.end())
                {
                    whole.push((who, at));
                }
            }
        }
        let (who, at) = self.rng.pick(&whole)?;
        self.next.push((who, Op::Collapse { at }));
        Some((who, Op::Protect { at, prot: RW }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_take_each_walk() {
        let mut taken = std::collections::BTreeMap::new();
        for seed in 0..30 {
            for script in [
                script(seed),
                file_script(seed),
                huge_script(seed),
                huge_file_script(seed),
                folio_script(seed),
            ] {
                for step in script.steps {
                    if let Op::Walk(walk) = step.op {
                        *taken.entry(format!("{walk:?}")).or_insert(0) += 1;
                    }
                }
            }
        }
        assert_eq!(taken.len(), 3, "{taken:?}");
        assert!(taken.values().all(|&n| n >= 20), "{taken:?}");
    }

    #[test]
    fn scripts_do_everything_else() {
        let mut done = std::collections::BTreeMap::new();
        for seed in 0..60 {
            for step in [script(seed), huge_script(seed)]
                .into_iter()
                .flat_map(|s| s.steps)
            {
                let what = match step.op {
                    Op::Clean => "clean",
                    Op::Collapse { .. } => "collapse",
                    Op::Advise {
                        what: advice::GUARD_INSTALL,
                        ..
                    } => "guard",
                    Op::Advise {
                        what: advice::GUARD_REMOVE,
                        ..
                    } => "no guard",
                    Op::Advise {
                        what: advice::POPULATE_WRITE,
                        ..
                    } => "populate",
                    Op::Advise {
                        what: advice::PAGEOUT,
                        ..
                    } => "page out",
                    _ => continue,
                };
                *done.entry(what).or_insert(0) += 1;
            }
        }
        assert_eq!(done.len(), 6, "{done:?}");
        assert!(done.values().all(|&n| n >= 10), "{done:?}");
    }
}
