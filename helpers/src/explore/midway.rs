// SPDX-License-Identifier: GPL-2.0-or-later
//! Walks in the middle of a script: what comes after them finds pages in swap, merged, or somewhere else.
//!
//! Reclaim, KSM and migration leave entries of other kinds in the page tables, which fork copies, mremap moves, mprotect
//! changes and exit drops by code of their own, and whoever touches a page first afterwards decides what becomes of it.

use super::ground::{self, FILE_WEIGHTS, FOLIO, Ground, HUGE_WEIGHTS};
use super::plan::{Kind, Planner, Script, WEIGHTS, Weight};
use super::rng::Rng;
use super::step::{Op, span};
use crate::TestResult;
use crate::walk::{self, Walk, ksm, migrate, reclaim};
use crate::world::World;
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

/// Weights of a ground without walks, to which those of walks are added.
const fn with_walks<const N: usize, const M: usize>(plain: &[Weight; N]) -> [Weight; M] {
    assert!(M == N + 1);
    let mut all = [(Kind::Walk, 8, 16); M];
    let mut i = 0;
    while i < N {
        all[i] = plain[i];
        i += 1;
    }
    all
}

const PLAIN: &[Weight] = &with_walks::<{ WEIGHTS.len() }, { WEIGHTS.len() + 1 }>(WEIGHTS);
const FILE: &[Weight] =
    &with_walks::<{ FILE_WEIGHTS.len() }, { FILE_WEIGHTS.len() + 1 }>(FILE_WEIGHTS);
const HUGE: &[Weight] =
    &with_walks::<{ HUGE_WEIGHTS.len() }, { HUGE_WEIGHTS.len() + 1 }>(HUGE_WEIGHTS);

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
    (Kind::Walk, 8, 14),
];

/// [`super::plan::script`] with walks in between.
pub fn script(seed: u64) -> Script {
    super::plan::script_with(seed, PLAIN)
}

/// [`ground::file_script`] with walks in between.
pub fn file_script(seed: u64) -> Script {
    ground::file_script_with(seed, FILE)
}

/// [`ground::huge_script`] with walks in between.
pub fn huge_script(seed: u64) -> Script {
    ground::huge_script_with(seed, HUGE)
}

/// The script of a seed on one to three folios, which walks take to pieces as well as steps do.
pub fn folio_script(seed: u64) -> Script {
    let mut rng = Rng::new(seed);
    let n = rng.within(1, 3);
    let mut p = Planner::new(rng, Ground::Folios(FOLIO), (n + 2) * FOLIO, FOLIOS);
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
            Ground::Huge(_) | Ground::Folios(_) => &[SwapOut, Migrate][..],
            _ => &[SwapOut, SwapOut, Merge, Migrate],
        };
        self.rng.pick(some).map(Op::Walk)
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
}
