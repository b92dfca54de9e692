// SPDX-License-Identifier: GPL-2.0-or-later
//! Touches that count for nothing: those of memory that is read in order (MADV_SEQUENTIAL). Neither reclaim, which asks the mappers
//! (folio_referenced_one()), nor the end of a mapping (zap_present_folio_ptes()) takes them for a reason to keep the page. And what is
//! no touch: the way back from swap that swapoff(2) takes.

use super::reclaim::{self, RECLAIM, forget_accesses};
use super::referenced::{LOST, NO_LISTS, NOT_NOW, Oldest, TIMES};
use super::referenced::{in_memory, plain, spare, take_untouched, touch};
use super::told::{is_noted, referenced, touch_all, touch_every_second};
use crate::kernel::{lru, lru_gen};
use crate::stop::Doing;
use crate::supervise::Ctx;
use crate::sys::mem::advice;
use crate::topology::RW;
use crate::world::check::Finding;
use crate::world::model::ActorId;
use crate::world::{Actor, Area, Kind, Share, World};
use crate::{Stop, TestResult};

/// Pages of each sort.
const N: usize = 8;

/// Pages of anonymous memory that a fork shares are touched through a mapping that is read in order, and nowhere else: reclaim takes them
/// with those that nobody has touched, and spares those that are touched through a mapping of the usual kind.
///
///   P   |sequential 0 .. 7 touched|8 .. 15|16 .. 23 touched|
///   C   [0 .. 23]
///
/// # Errors
/// `Skip` when reclaim is not on offer, or takes other pages now, and on a kernel with generations.
#[track_caller]
pub fn taken(ctx: &Ctx) -> TestResult {
    if lru_gen::enabled() {
        return Err(Stop::Skip(NO_LISTS));
    }
    let (mut stayed, mut bad) = (0, 0);
    let mut skip = None;
    // What cannot be told this time takes nothing back of what was seen before.
    for _ in 0..2 * TIMES {
        match taken_once(ctx) {
            Ok(0) => return Ok(()),
            Ok(n) => (stayed, bad) = (n, bad + 1),
            Err(Stop::Skip(why)) if bad == 0 => return Err(Stop::Skip(why)),
            Err(Stop::Skip(why)) => skip = Some(why),
            Err(stop) => return Err(stop),
        }
        if bad == TIMES {
            break;
        }
    }
    // Once may have been somebody else's reference.
    if let (true, Some(why)) = (bad < 2, skip) {
        return Err(Stop::Skip(why));
    }
    Err(Stop::fail(format_args!(
        "pages touched through a mapping that is read in order go with those that nobody has touched: {stayed} of {N} stayed, {bad} times, and never none"
    )))
}

/// How many of the pages stayed that were touched through the mapping read in order.
#[track_caller]
fn taken_once(ctx: &Ctx) -> TestResult<usize> {
    let w = World::new(ctx)?;
    (RECLAIM.offered)(&w).map_err(Stop::Skip)?;
    let control = w.actor_by_id(w.control()?.0);
    let nodes = w.features().nodes.clone();
    let old = plain(&w, control, &nodes, "older")?;
    let p = w.actor("P")?;
    let a = w.place(3 * N);
    w.name(a, "a");
    p.map(a)?;
    p.write(a)?;
    p.fork("C")?;
    let (passing, untouched, usual) = (a.sub(0..N), a.sub(N..2 * N), a.sub(2 * N..3 * N));
    p.advise(passing, advice::SEQUENTIAL)?;
    w.check()?;
    lru::drain().doing("drain the LRU batches")?;
    let new = plain(&w, control, &nodes, "younger")?;
    spare(&w, control, &nodes)?;
    forget_accesses(&w)?;
    let oldest = Oldest::find(&w)?;
    w.note(String::from("P reads the first and the last of its pages"));
    let plain_ones = old.iter().chain(&new).flat_map(|p| &p.touched);
    let mut reads: Vec<(ActorId, usize)> = plain_ones.map(|&v| (control.id(), v)).collect();
    reads.extend(passing.vpns().chain(usual.vpns()).map(|v| (p.id(), v)));
    touch(&w, &reads)?;
    take_untouched(&w, oldest, control, &new)?;
    let left = |area: Area| in_memory(&w, p, &Vec::from_iter(area.vpns()));
    let (stayed, cold, kept) = (left(passing)?, left(untouched)?, left(usual)?);
    w.diag(format_args!(
        "in memory: {stayed} read in order, {cold} untouched, {kept} read as usual, of {N} each"
    ));
    w.check()?;
    w.finish()?;
    if kept < N {
        return Err(Stop::Skip(LOST));
    }
    if cold > 0 {
        return Err(Stop::Skip(NOT_NOW));
    }
    Ok(stayed)
}

/// Pages of a file are touched through a mapping that is read in order, and one of the usual kind; both are unmapped. Pages count as
/// accessed for the second only.
///
///   memfd   0 .. 7 | 8 .. 15
///   K       all of it, and touches none
///   P       0 .. 7            even ones touched
///   Q                8 .. 15  the same, MADV_SEQUENTIAL
///
/// # Errors
/// `Skip` where touches do not show.
#[track_caller]
pub fn unmapped(w: &World) -> TestResult {
    let file = w.object(Kind::Memfd, 2 * N)?;
    let keeper = w.actor("K")?;
    let all = w.place(2 * N);
    w.name(all, "all");
    keeper.map_object(all, &file, 0, RW, Share::Shared)?;
    keeper.write(all)?;
    let mut mappers = Vec::new();
    for (i, name) in ["P", "Q"].into_iter().enumerate() {
        let actor = w.actor(name)?;
        let area = w.place(N);
        w.name(area, name);
        actor.map_object(area, &file, i * N, RW, Share::Shared)?;
        mappers.push((actor, area));
    }
    let (q, in_order) = mappers[1];
    q.advise(in_order, advice::SEQUENTIAL)?;
    w.check()?;
    lru::drain().doing("drain the LRU batches")?;
    forget_accesses(w)?;
    let before = w.pages_of(keeper, all)?;
    w.note(String::from(
        "P and Q read every second page, and unmap all",
    ));
    touch_every_second(w, &mappers)?;
    for (actor, area) in mappers {
        actor.unmap(area)?;
    }
    let after = w.pages_of(keeper, all)?;
    let noted = |i: usize| {
        before[i].is_some_and(|p| !is_noted(p.1)) && after[i].is_some_and(|p| is_noted(p.1))
    };
    let count = |from: usize| (from..from + N).step_by(2).filter(|&i| noted(i)).count();
    let (usual, passing) = (count(0), count(N));
    w.diag(format_args!(
        "noted as accessed: {usual} read as usual, {passing} read in order, of {} each",
        N / 2
    ));
    if usual < N / 2 {
        return Err(Stop::Skip("needs pages of a file that are not accessed"));
    }
    // One may have been met by somebody else.
    if passing == N / 2 {
        return Err(w.report(&Finding {
            property: "a page of a file that was touched through a mapping that is read in order does not count as accessed when that is gone",
            detail: format!("all do, flags of the first {:?}", after[N].map(|p| p.1)),
            at: Some((keeper.id(), all.vpn + N)),
        }));
    }
    w.check()
}

/// swapoff(2) brings pages back, which nobody has accessed by that (unuse_pte()).
///
/// # Errors
/// `Skip` where there is no swap of our own, touches do not show, or the pages do not stay.
#[track_caller]
pub fn swapped_in(w: &World, actor: Actor, area: Area) -> TestResult {
    let (mut seen, mut bad) = (0, 0);
    for _ in 0..TIMES {
        touch_all(w, &[(actor, area)])?;
        forget_accesses(w)?;
        reclaim::swap_out(w)?;
        let off = reclaim::swap_off(w)?;
        seen = referenced(w, actor, area)?;
        // What is not there has not been accessed either.
        let there = w.pages_of(actor, area)?.iter().flatten().count();
        drop(off);
        if seen == 0 && there == area.pages {
            touch_all(w, &[(actor, area)])?;
            return w.check();
        }
        bad += usize::from(seen > 0);
    }
    if bad == 0 {
        return Err(Stop::Skip("needs memory that nobody else reclaims"));
    }
    Err(w.report(&Finding {
        property: "a page that swapoff brings back counts as accessed only when somebody has accessed it",
        detail: format!("{seen} page(s) do, {bad} times out of {TIMES}"),
        at: Some((actor.id(), area.vpn)),
    }))
}
