// SPDX-License-Identifier: GPL-2.0-or-later
//! The most that a process had in memory (VmHWM, mm->hiwater_rss), when its pages go.

use helpers::kernel::lru;
use helpers::stop::Doing;
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::topology::{RW, filled};
use helpers::world::rss::above_slack;
use helpers::world::{Actor, Area, Kind, Share, World};
use helpers::{Stop, TestResult};
use std::time::Duration;

/// A process has had its most before pages go, whichever way they go.
///
///   P [ .. swapped out]      Q [ .. given back]      R [ .. unmapped]      S [ .. |cut off]
pub fn private(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let n = above_slack(&w, 4)?;
    type Way = fn(Actor, Area) -> TestResult;
    let ways: [(&str, Way); 4] = [
        ("P", |p, a| p.page_out(a)),
        ("Q", |q, a| q.advise(a, advice::DONTNEED)),
        ("R", |r, a| r.unmap(a)),
        ("S", |s, a| s.resize(a, 1).map(drop)),
    ];
    for (name, go) in ways {
        let (p, a) = filled(&w, name, n)?;
        let rss = p.rss_with(a)?;
        go(p, a)?;
        p.check_high_water(rss)?;
        p.exit()?;
    }
    w.finish()
}

/// The same of pages of an object (try_to_unmap_one()). Nothing else of the process goes meanwhile.
///
///   P  a memfd, shared [ .. swapped out]      or a disk's file, private [ .. reclaimed]
pub fn object(ctx: &mut Ctx, kind: Kind, share: Share) -> TestResult {
    let w = World::new(ctx)?;
    let n = above_slack(&w, 4)?;
    let (p, a) = (w.actor("P")?, w.place(n));
    let file = w.object(kind, n)?;
    p.map_object(a, &file, 0, RW, share)?;
    if share == Share::Shared {
        p.write(a)?;
    }
    let rss = p.rss_with(a)?;
    let mut until = w.limit(Duration::from_secs(3));
    while w.pages_of(p, a)?.iter().flatten().count() > n / 8 {
        if until.over() {
            return Err(Stop::Skip(
                "needs MADV_PAGEOUT that takes pages of files now",
            ));
        }
        lru::drain().doing("drain the LRU batches")?;
        p.advise(a, advice::PAGEOUT)?;
    }
    p.check_high_water(rss)?;
    w.finish()
}
