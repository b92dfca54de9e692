// SPDX-License-Identifier: GPL-2.0-or-later
//! Huge pages that nearly nothing was written to: when memory is short they are split, and their mappers share the zero page.

use super::short::{Then, reclaim};
use helpers::kernel::features::Features;
use helpers::kernel::lru;
use helpers::stop::Doing;
use helpers::supervise::{Ctx, Knob, Need};
use helpers::sys::mem::advice;
use helpers::walk::migrate::MIGRATE;
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult, topology, walk};
use std::time::Duration;

pub const KNOBS: &[Knob] = &[
    Knob::set(SHRINK, "1"),
    // More pages of zeroes than these make it worth a split.
    Knob::set(
        "/sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_none",
        "64",
    ),
];
const SHRINK: &str = "/sys/kernel/mm/transparent_hugepage/shrink_underused";
pub const NEEDS: &[Need] = &[
    Need::Thp,
    Need::Pfn,
    Need::KpageFlags,
    Need::Reclaim,
    Need::MemMib(64),
    Need::File(
        SHRINK,
        "needs huge pages that are split when hardly used (Linux 6.12)",
    ),
];

/// What has moved is in the queue of the node it has moved to (migrate_folio_move()). Before it was in none; stable kernels have the mend too, which
/// nothing shows.
fn queued_again(features: &Features) -> Result<(), &'static str> {
    match features.version() >= (7, 2) {
        true => Ok(()),
        false => Err(
            "needs huge pages that are queued for a split again when they have moved (Linux 7.2)",
        ),
    }
}

/// Seen to be split when a child has them too: on 6.12.118, 6.18.44 and 7.3.4; 6.16.12, 6.17.13 and 6.18.15 fail to (thp_split_page_failed). Kernels in
/// between are not judged.
fn splits_shared(features: &Features) -> Result<(), &'static str> {
    let mended = match features.version() {
        (6, 12) => features.sublevel() >= 118,
        (6, 18) => features.sublevel() >= 44,
        version => version >= (7, 3),
    };
    match mended {
        true => Ok(()),
        false => Err(
            "needs huge pages hardly used that are split for a child too (Linux 6.12.118, 6.18.44 or 7.3)",
        ),
    }
}

/// One that cannot be split at once, as somebody looks at it, counts as used from then on (deferred_split_scan()).
const ROUNDS: usize = 4;

fn is_whole(w: &World, actor: Actor, area: Area) -> TestResult<bool> {
    Ok(w.folio_pages(actor.id(), area.vpn)? == area.pages)
}

/// A huge page of which some pages are written.
fn fault(w: &World, actor: Actor, area: Area, written: &[usize]) -> TestResult {
    actor.map(area)?;
    actor.advise(area, advice::HUGEPAGE)?;
    written
        .iter()
        .try_for_each(|&i| actor.write(area.page(i)))?;
    actor.read(area)?;
    match is_whole(w, actor, area)? {
        true => Ok(()),
        false => Err(Stop::Skip("needs a free huge page")),
    }
}

/// Which of the huge pages are whole after reclaim has split the control, the last in the queue. `None` when it has not.
fn round(ctx: &Ctx, then: Then, shared: bool) -> TestResult<Option<Vec<&'static str>>> {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let room = w.place_huge(5)?;
    let n = room.pages / 5;
    let [a, b, own] = [0, 2, 4].map(|i| room.sub(i * n..(i + 1) * n));
    for (area, name) in [(a, "a"), (b, "b"), (own, "control")] {
        w.name(area, name);
    }
    fault(&w, p, a, &[0, n - 1])?;
    fault(&w, p, b, &[n / 2])?;
    let mut c = p;
    if shared {
        c = p.fork("C")?;
    }
    if then == Then::Moved {
        walk::only(&w, &MIGRATE)?;
    }
    let control = w.actor("control")?;
    fault(&w, control, own, &[1])?;
    let mut until = w.limit(Duration::from_secs(3));
    while is_whole(&w, control, own)? {
        if until.over() {
            return Ok(None);
        }
        lru::drain().doing("drain the LRU batches")?;
        reclaim(&w)?;
    }
    let mut whole = Vec::new();
    for (area, name) in [(a, "a"), (b, "b")] {
        if is_whole(&w, p, area)? {
            whole.push(name);
        }
    }
    w.check()?;
    // Zeroes are zeroes, whoever reads them, and nobody writes to the page that all share.
    for actor in [p, c] {
        actor.read(a)?;
        actor.read(b)?;
    }
    w.check()?;
    c.write(a.sub(1..4))?;
    p.write(b.sub(0..3))?;
    w.check()?;
    topology::write_by_each(&w)?;
    walk::plain(&w)?;
    w.finish()?;
    Ok(Some(whole))
}

///   P (C)  a [x 0 0 ... 0 x]   b [0 ... x ... 0]     x written     ->     pages, those of zeroes are the zero page
pub fn underused(ctx: &mut Ctx, then: Then, shared: bool) -> TestResult {
    let features = &ctx.arena.features;
    if shared {
        splits_shared(features).map_err(Stop::Skip)?;
    }
    if then == Then::Moved {
        queued_again(features).map_err(Stop::Skip)?;
    }
    let mut all = Vec::new();
    for _ in 0..ROUNDS {
        match round(ctx, then, shared)? {
            Some(whole) if whole.is_empty() => return Ok(()),
            other => all.push(other),
        }
    }
    let judged: Vec<_> = all.into_iter().flatten().collect();
    match judged.len() {
        0 | 1 => Err(Stop::Skip(
            "needs huge pages that are split when hardly used, now",
        )),
        rounds => Err(Stop::fail(format_args!(
            "huge pages that nearly nothing was written to are split when memory is short: the control's was in {rounds} rounds, and these were not: {judged:?}"
        ))),
    }
}
