// SPDX-License-Identifier: GPL-2.0-or-later
//! What was given up (MADV_FREE) and not written since is thrown away when memory is short, and never written to swap: whatever had been done
//! to the pages before, their entries and folios must be clean after the advice (madvise_free_pte_range(), madvise_free_huge_pmd()).

use super::press;
use helpers::kernel::vma;
use helpers::pace::Wait;
use helpers::stop::Doing;
use helpers::supervise::{Ctx, Test};
use helpers::sys::mem::advice;
use helpers::topology::{Grain, R, RW};
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult};
use std::time::Duration;

/// Pages of each area of small pages.
const N: usize = 8;
/// How long reclaim may take to come to all of them.
const LIMIT: Duration = Duration::from_secs(4);

/// What was done before.
type Before = fn(Actor, Area) -> TestResult;

const BEFORE: &[(&str, Before)] = &[
    ("plain", |_, _| Ok(())),
    ("cold", |p, a| p.advise(a, advice::COLD)),
    ("read_only", |p, a| p.protect(a, R)),
    ("opened", |p, a| {
        p.protect(a, R)?;
        p.protect(a, RW)
    }),
    ("forked", |p, _| p.fork("other")?.exit()),
    ("written_again", |p, a| {
        p.free(a)?;
        p.write(a)
    }),
];

/// Areas of one process, each with another past, all given up.
///
///   P  [plain][cold][read_only][opened][forked][written_again]
fn taken(ctx: &mut Ctx, grain: Grain) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let control = Grain::Base.map(&w, p, N)?;
    p.write(control)?;
    let mut areas = Vec::new();
    for (name, _) in BEFORE {
        let a = grain.map(&w, p, N)?;
        w.name(a, *name);
        p.write(a)?;
        grain.verify(&w, p, a)?;
        areas.push((name, a));
    }
    w.check()?;
    // Nothing is read between this and the advice: it would be young again.
    for ((_, before), (_, a)) in BEFORE.iter().zip(&areas) {
        before(p, *a)?;
    }
    for area in areas.iter().map(|(_, a)| *a).chain([control]) {
        p.free(area)?;
    }
    let kb = |a: Area, field| -> TestResult<u64> {
        let at = a.vpn * w.page_size();
        let kb = vma::smaps_kb(p.pid()?, at, field).doing("read smaps")?;
        Ok(kb.unwrap_or(0))
    };
    let mut until = Wait::new(LIMIT);
    loop {
        press(&w)?;
        let mut left = None;
        for (name, a) in &areas {
            let (rss, swap) = (kb(*a, "Rss")?, kb(*a, "Swap")?);
            if swap > 0 {
                return Err(Stop::fail(format_args!(
                    "pages that were given up and not written since are not written to swap: {name}: Swap {swap} kB"
                )));
            }
            if rss > 0 {
                left.get_or_insert((name, rss));
            }
        }
        let Some((name, rss)) = left else { break };
        if until.over() {
            if kb(control, "Rss")? > 0 {
                return Err(Stop::Skip("needs pages that reclaim can take now"));
            }
            return Err(Stop::fail(format_args!(
                "pages that were given up and not written since are thrown away: {name}: Rss {rss} kB, and nothing is left of the control"
            )));
        }
    }
    for (_, a) in &areas {
        p.protect(*a, RW)?;
        p.settle_freed(*a)?;
    }
    p.settle_freed(control)?;
    w.check()?;
    w.finish()
}

/// Small pages.
pub const TAKEN: Test = Test {
    name: "free.taken",
    about: "What was given up and not written since is thrown away, and not to swap.",
    run: |c| taken(c, Grain::Base),
    ..super::FREE
};

/// Huge pages, which are given up by their PMDs.
pub const TAKEN_THP: Test = Test {
    name: "free.taken.thp",
    run: |c| taken(c, Grain::Huge),
    ..super::FREE_HUGE
};
