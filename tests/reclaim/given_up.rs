// SPDX-License-Identifier: GPL-2.0-or-later
//! What was given up (MADV_FREE) and not written since is thrown away when memory is short, and never written to swap: whatever had been done
//! to the pages before, their entries and folios must be clean after the advice (madvise_free_pte_range(), madvise_free_huge_pmd()).

use super::press;
use helpers::kernel::vma;
use helpers::stop::Doing;
use helpers::supervise::{Ctx, Test};
use helpers::sys::mem::advice;
use helpers::topology::{Grain, R, RW};
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult};
use std::collections::BTreeMap;
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

/// Areas of one process, each with another past, all given up, and what was wrong with each after reclaim.
///
///   P  [plain][cold][read_only][opened][forked][written_again]       Q  [shared]       C  Q's child, forked after the advice
fn round(ctx: &Ctx, grain: Grain) -> TestResult<BTreeMap<&'static str, String>> {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let control = Grain::Base.map(&w, p, N)?;
    w.name(control, "control");
    p.write(control)?;
    let mut areas = Vec::new();
    for &(name, before) in BEFORE {
        let a = grain.map(&w, p, N)?;
        w.name(a, name);
        p.write(a)?;
        grain.verify(&w, p, a)?;
        areas.push((name, before, a));
    }
    let q = w.actor("Q")?;
    let shared = grain.map(&w, q, N)?;
    w.name(shared, "shared");
    q.write(shared)?;
    grain.verify(&w, q, shared)?;
    w.check()?;
    // Nothing is read between this and the advice: it would be young again.
    for &(_, before, a) in &areas {
        before(p, a)?;
    }
    q.free(shared)?;
    let c = q.fork("C")?;
    let mut all: Vec<(Actor, Area)> = areas.iter().map(|area| (p, area.2)).collect();
    all.push((p, control));
    for (_, a) in &all {
        p.free(*a)?;
    }
    all.extend([(q, shared), (c, shared)]);
    let rss = |(actor, a): (Actor, Area)| -> TestResult<u64> {
        let kb = vma::smaps_kb(actor.pid()?, a.vpn * w.page_size(), "Rss").doing("read smaps")?;
        kb.ok_or(Stop::Skip("needs smaps"))
    };
    let mut until = w.limit(LIMIT);
    loop {
        press(&w)?;
        let mut left = 0;
        for &at in &all {
            left += rss(at)?;
        }
        if left == 0 {
            break;
        }
        if until.over() {
            if rss((p, control))? > 0 {
                return Err(Stop::Skip("needs pages that reclaim can take now"));
            }
            break;
        }
    }
    let mut wrong = BTreeMap::new();
    for (name, _, a) in areas {
        p.protect(a, RW)?;
        let gone = p.settle_freed(a)?;
        if gone != a.pages {
            wrong.insert(name, format!("{gone} of {} pages of {name}", a.pages));
        }
    }
    let gone = q.settle_freed(shared)? + c.settle_freed(shared)?;
    if gone != 2 * shared.pages {
        let what = format!("{gone} of {} pages of two who share them", 2 * shared.pages);
        wrong.insert("shared", what);
    }
    p.settle_freed(control)?;
    w.check()?;
    w.finish()?;
    Ok(wrong)
}

/// Somebody may look at a page just when it is given up or about to go, and then it stays (MADV_FREE does not wait for the lock of a huge page;
/// older kernels: try_to_unmap_one() takes whoever has a reference for somebody who writes). That is not so of the same area each time.
fn taken(ctx: &mut Ctx, grain: Grain) -> TestResult {
    const ROUNDS: usize = 3;
    let mut wrong = round(ctx, grain)?;
    for _ in 1..ROUNDS {
        if wrong.is_empty() {
            return Ok(());
        }
        ctx.diag(format_args!("thrown away: {wrong:?}"));
        let again = round(ctx, grain)?;
        wrong.retain(|name, _| again.contains_key(name));
    }
    match wrong.into_values().next() {
        None => Ok(()),
        Some(seen) => Err(Stop::fail(format_args!(
            "pages that were given up and not written since are thrown away, and not to swap: {seen} were, and less than all of them in each of {ROUNDS} rounds"
        ))),
    }
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
