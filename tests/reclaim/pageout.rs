// SPDX-License-Identifier: GPL-2.0-or-later
//! Advice to page out (MADV_PAGEOUT, MADV_COLD) by one of several mappers, or from outside.

use super::{FREE, LARGE_NEEDS, walks};
use helpers::supervise::{Ctx, Test};
use helpers::sys::mem::advice;
use helpers::topology::{R, filled};
use helpers::walk::pressure::together;
use helpers::walk::reclaim::swap_out;
use helpers::world::World;
use helpers::{TestResult, walk};

/// MADV_PAGEOUT by one of several mappers, and through process_madvise by nobody of them: what goes, goes from all.
///
///   P  [0 1 2'3'4 5 6 7]     C  [0 1 2 3 4'5'6 7]     Q  KSM's equal page of 0, 1
fn pageout(ctx: &mut Ctx, outside: bool) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 8)?;
    let c = p.fork("C")?;
    p.write(a.sub(2..4))?;
    c.write(a.sub(4..6))?;
    p.protect(a.sub(3..5), R)?;
    for by in [p, c, p] {
        for what in [advice::COLD, advice::PAGEOUT] {
            together(&w, || match outside {
                true => by.advise_from_outside(a, what),
                false => by.advise(a, what),
            })?;
            w.check_partly()?;
            w.check_shares()?;
        }
        by.read(a.sub(1..3))?;
    }
    // One has some of them in again when the other gives them away.
    swap_out(&w)?;
    c.read(a.sub(0..6))?;
    together(&w, || p.advise(a, advice::PAGEOUT))?;
    w.check_partly()?;
    w.check()?;
    walks(w)
}

/// What one mapper does not need, others may: the pages that P has for itself go, the others stay.
///
///   P  [0 1 2 3][own]      C  [0 1 2 3][own]      D, C's child, [2 3], and then P exits
fn pageout_shared(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 4)?;
    let own = w.place(2);
    w.name(own, "own");
    p.map(own)?;
    p.write(own)?;
    let c = p.fork("C")?;
    c.unmap(own)?;
    p.page_out_shared(a, own)?;
    let d = c.fork("D")?;
    d.unmap(a.sub(0..2))?;
    p.exit()?;
    // A place of its own: in a large folio the pages that others map would keep those that they do not.
    c.map(own)?;
    c.write(own)?;
    c.page_out_shared(a.sub(2..4), own)?;
    walks(w)
}

/// The same of a large folio that all of them map whole.
///
///   P  |==== a ====|[own]      C  |==== a ====|      D, C's child, the same
fn pageout_shared_whole(ctx: &mut Ctx, pages: fn(&World) -> TestResult<usize>) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let pages = pages(&w)?;
    let (a, own) = (w.place_aligned(pages, pages), w.place(2));
    w.name(a, "a");
    w.name(own, "own");
    p.map_folio(a)?;
    p.map(own)?;
    p.write(own)?;
    let c = p.fork("C")?;
    c.unmap(own)?;
    p.page_out_shared(a, own)?;
    c.fork("D")?;
    p.exit()?;
    c.map(own)?;
    c.write(own)?;
    c.page_out_shared(a, own)?;
    walks(w)
}

pub const INSIDE: Test = Test {
    name: "pageout",
    about: "Advice by one mapper takes a page from all of them or from none.",
    run: |c| pageout(c, false),
    ..FREE
};
pub const OUTSIDE: Test = Test {
    name: "pageout.outside",
    run: |c| pageout(c, true),
    ..INSIDE
};
pub const SHARED: Test = Test {
    name: "pageout.shared",
    about: "Advice by one mapper to page out leaves what others map too.",
    run: pageout_shared,
    ..FREE
};
pub const SHARED_HUGE: Test = Test {
    name: "pageout.shared.thp",
    needs: LARGE_NEEDS,
    run: |c| pageout_shared_whole(c, |w| Ok(w.place_huge(1)?.pages)),
    ..SHARED
};
pub const SHARED_FOLIO: Test = Test {
    name: "pageout.shared.folio",
    knobs: walk::FOLIO_KNOBS,
    run: |c| pageout_shared_whole(c, |w| w.folio_size()),
    ..SHARED_HUGE
};
