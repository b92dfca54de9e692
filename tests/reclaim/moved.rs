// SPDX-License-Identifier: GPL-2.0-or-later
//! Memory that was given up (MADV_FREE) and moves to another node before reclaim comes: it is given up still.

use helpers::kernel::kpage::Flags;
use helpers::kernel::{lru, vma};
use helpers::stop::Doing;
use helpers::supervise::{Ctx, Need, Test};
use helpers::walk::own::gather;
use helpers::walk::reclaim::press;
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult};

/// Somebody who holds a page at the moment makes reclaim keep it, and it is swapped later: what is wrong must be so each time it is judged.
const ROUNDS: usize = 4;
/// How often it is tried to have as many judged.
const TRIES: usize = 3 * ROUNDS;

/// Whether an entry that has moved is as clean as before: there pte_mkwrite() gives the right to write and nothing else. Where it makes the
/// entry dirty (arm64), what has moved counts as written: only the page's own flag is judged.
const STAYS_CLEAN: bool = cfg!(any(target_arch = "x86_64", target_arch = "riscv64"));

/// The kernel and the pages of two areas, one of which moves.
struct Pair<'w, 'c> {
    w: &'w World<'c>,
    p: Actor<'w, 'c>,
    moved: Area,
    plain: Area,
}

impl Pair<'_, '_> {
    fn kb(&self, area: Area, field: &str) -> TestResult<u64> {
        let addr = area.vpn * self.w.page_size();
        let kb = vma::smaps_kb(self.p.pid()?, addr, field).doing("read smaps")?;
        kb.ok_or(Stop::Skip("needs LazyFree in smaps (Linux 4.12)"))
    }

    /// No page belongs to swap, and all that are there count in LazyFree. A tail page shows no flags of its folio before Linux 6.10.
    fn given_up(&self, area: Area) -> TestResult<Result<(), &'static str>> {
        let seen = self.w.pages_of(self.p, area)?;
        if seen.iter().flatten().any(|p| p.1.has(Flags::SWAPBACKED)) {
            return Ok(Err("a page belongs to swap (SWAPBACKED)"));
        }
        if STAYS_CLEAN && self.kb(area, "LazyFree")? != self.kb(area, "Rss")? {
            return Ok(Err("LazyFree in smaps is not all that is there"));
        }
        Ok(Ok(()))
    }

    /// What is gone is not in swap.
    fn dropped(&self, area: Area) -> TestResult<Result<(), &'static str>> {
        if self.kb(area, "Swap")? > 0 {
            return Ok(Err("it was written to swap"));
        }
        Ok(Ok(()))
    }

    /// What is wrong with the area that has moved. `None`: nothing can be said, since the other one is not as it should be either.
    fn round(&self) -> TestResult<Option<Result<(), &'static str>>> {
        let (w, p) = (self.w, self.p);
        let nodes = &w.features().nodes;
        let (&[from, to, ..], both) = (&nodes[..], [self.moved, self.plain]) else {
            return Err(Stop::Skip("needs 2 NUMA nodes with memory"));
        };
        for area in both {
            gather(w, p, area, from)?;
        }
        lru::drain().doing("drain the LRU batches")?;
        for area in both {
            p.free(area)?;
        }
        for area in both {
            if self.given_up(area)?.is_err() || self.kb(area, "Rss")? == 0 {
                return Ok(None);
            }
        }
        gather(w, p, self.moved, to)?;
        lru::drain().doing("drain the LRU batches")?;
        let mut told = self.given_up(self.moved)?;
        if told.is_ok() && STAYS_CLEAN {
            press(w)?;
            told = self.dropped(self.moved)?;
            if self.dropped(self.plain)?.is_err() {
                return Ok(None);
            }
        } else if told.is_err() && self.given_up(self.plain)?.is_err() {
            return Ok(None);
        }
        Ok(Some(told))
    }
}

///   P  moved [f f f f ...]  to another node       plain [f f f f ...]
fn moved(ctx: &mut Ctx, size: fn(&World) -> TestResult<usize>) -> TestResult {
    let w = World::new(ctx)?;
    let n = size(&w)?;
    let p = w.actor("P")?;
    let (moved, plain) = match n {
        1 => (w.place(8), w.place(8)),
        n => (w.place_aligned(n, n), w.place_aligned(n, n)),
    };
    w.name(moved, "moved");
    w.name(plain, "plain");
    let pair = Pair {
        w: &w,
        p,
        moved,
        plain,
    };
    let (mut judged, mut last) = (0, "");
    for _ in 0..TRIES {
        for area in [moved, plain] {
            match n {
                1 => {
                    p.map(area)?;
                    p.write(area)?;
                }
                _ => p.map_folio(area)?,
            }
        }
        let told = pair.round()?;
        for area in [moved, plain] {
            p.settle_freed(area)?;
        }
        w.check()?;
        for area in [moved, plain] {
            p.unmap(area)?;
        }
        match told {
            Some(Ok(())) => return w.finish(),
            Some(Err(what)) => {
                judged += 1;
                last = what;
                if judged == ROUNDS {
                    break;
                }
            }
            None => {}
        }
    }
    if judged < ROUNDS {
        return Err(Stop::Skip("needs MADV_FREE that gives up pages now"));
    }
    Err(Stop::fail(format_args!(
        "what was given up with MADV_FREE and not written since is dropped, also when it has moved: {ROUNDS} times not; {last}, what did not move was given up"
    )))
}

const MOVED: Test = Test {
    about: "Memory given up with MADV_FREE is given up still when it has moved to another node: it goes, and not to swap.",
    needs: &[Need::Pfn, Need::KpageFlags, Need::Reclaim],
    ..Test::DEFAULT
};

const LARGE: Test = Test {
    needs: super::LARGE_NEEDS,
    ..MOVED
};

pub const BASE: Test = Test {
    name: "free.moved",
    run: |c| moved(c, |_| Ok(1)),
    ..MOVED
};
pub const FOLIO: Test = Test {
    name: "free.moved.folio",
    knobs: helpers::walk::FOLIO_KNOBS,
    run: |c| moved(c, |w| w.folio_size()),
    ..LARGE
};
pub const THP: Test = Test {
    name: "free.moved.thp",
    run: |c| moved(c, |w| Ok(w.place_huge(1)?.pages)),
    ..LARGE
};
