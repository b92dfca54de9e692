// SPDX-License-Identifier: GPL-2.0-or-later
//! Where the mappers of a KSM page are: at the same address in processes that share no anon_vma, and what ksmd keeps for each of them.

use super::walks;
use helpers::census::{Census, Loop};
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::topology::{NONE, R, filled, like};

use helpers::walk::merge::{self, merge};
use helpers::world::model::Lock;
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult, walk};
use std::cell::Cell;

/// The index of a page tells in whose anon_vma it is to be found only together with the root of that anon_vma. What comes from swap for one process is
/// another process's page as well only if both are the same (ksm_might_need_to_copy()).
///
///   P  [0 1 2 3]   |
///   Q  [0 1 2 3]   | the same addresses; mapped by each process for itself
///   \__ C [0 1 2 3]
///   R  [x 0 1 2]   one page off
pub fn same_address(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = filled(&w, "P", 4)?;
    let a = p.1;
    let (q, r) = (w.actor("Q")?, w.actor("R")?);
    q.map(a)?;
    q.write_like(a, p.0, a)?;
    r.map(a)?;
    r.write(a.page(0))?;
    r.write_like(a.sub(1..4), p.0, a)?;
    let merged = [p, (q, a), (r, a.sub(1..4))];
    merge(&w, &merged)?;
    let c = q.fork("C")?;
    walk::every_on_offer(&w)?;
    merge(&w, &merged)?;
    // The first of them to have it back has gone.
    p.0.exit()?;
    c.write(a.page(2))?;
    walks(w)
}

/// ksmd passes over what it cannot merge and goes on behind it, in the same page table: the zero page, a hole, a page that swap has, in the first place and between.
///
///   P  |z 1 . 3 4s 5 6 z 8|      z zero page   . nothing   s swapped out      Q  |1 3 5 6 8|
pub fn behind(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = (w.actor("P")?, w.place(9));
    w.name(a, "a");
    p.map(a)?;
    for i in [0, 7] {
        p.read(a.page(i))?;
    }
    let equal = [1, 3, 5, 6, 8];
    for i in equal.into_iter().chain([4]) {
        p.write(a.page(i))?;
    }
    let (q, b) = (w.actor("Q")?, w.place(equal.len()));
    w.name(b, "b");
    q.map(b)?;
    for (i, at) in equal.into_iter().zip(0..) {
        q.write_like(b.page(at), p, a.page(i))?;
    }
    p.advise(a, advice::MERGEABLE)?;
    p.page_out(a.page(4))?;
    let mut places: Vec<(Actor, Area)> = equal.map(|i| (p, a.page(i))).into();
    places.push((q, b));
    merge(&w, &places)?;
    walks(w)
}

/// Areas of [`objects`] that have an anon_vma each.
const APART: usize = 64;

/// ksmd keeps the anon_vma of every place that it has merged (get_anon_vma() in stable_tree_append()), and lets go of it when the page has left while others
/// stay (remove_rmap_item_from_tree()), in whatever way.
///
///   K            |0 0|                  stays
///   root -> P    |0|   |0|   |0|  ...   equal pages with an anon_vma each, merged; some written, some unmapped, some unmerged; P exits; again
pub fn objects(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    merge::forget_others(&w)?;
    let census = Census::open(&w)?;
    let root = w.actor("root")?;
    let k = w.actor("K")?;
    let (kept, area) = (w.place(2), w.place(2 * APART));
    w.name(kept, "kept");
    w.name(area, "apart");
    k.map(kept)?;
    k.write_equal(kept)?;
    let page = |i: usize| area.page(2 * i);
    let merged = Cell::new(0);
    let round = |_| {
        let p = root.fork("P")?;
        w.queued(|| {
            (0..APART).try_for_each(|i| {
                p.map(page(i))?;
                p.write_like(page(i), k, kept)
            })
        })?;
        let of_p = (0..APART).map(|i| (p, page(i)));
        let places: Vec<(Actor, Area)> = of_p.chain([(k, kept)]).collect();
        merge(&w, &places)?;
        for i in (0..APART - 3).step_by(4) {
            p.write(page(i))?;
            p.unmap(page(i + 1))?;
            p.advise(page(i + 2), advice::UNMERGEABLE)?;
        }
        w.check()?;
        p.exit()?;
        // K's, and a pair of the control actor's for each merge.
        merged.set(merged.get() + 1);
        merge::expect_shared(&w, 1 + merged.get(), 2 + 2 * merged.get())
    };
    round(0)?;
    let rounds = Loop {
        what: "rounds of merges",
        most: 3,
        objects: APART / 4,
        fewest: 1,
    };
    rounds.judge(ctx, &census, None, round)??;
    census.usable()?;
    w.finish()
}

/// ksmd has an address for each mapper, and the walk takes the VMAs that hold it (rmap_walk_ksm()), not those beside it. Each page has another content, so what
/// the locked area has is in no other.
///
///   P  |locked 0 1|rw 2 3|r 4 5|none 6 7|rw 8 9|
///   Q  |rw 0 1 2 3 4 5 6 7|locked 8 9|
///   R  |0 .. 9|
pub fn beside(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = filled(&w, "P", 10)?;
    let q = like(&w, "Q", 10, p)?;
    let r = like(&w, "R", 10, p)?;
    p.0.lock(p.1.sub(0..2), Lock::Full)?;
    q.0.lock(q.1.sub(8..10), Lock::Full)?;
    merge(&w, &[p, q, r])?;
    p.0.protect(p.1.sub(4..6), R)?;
    p.0.protect(p.1.sub(6..8), NONE)?;
    walk::every_on_offer(&w)?;
    p.0.fork("C")?;
    walks(w)
}

/// Pages that were written since the soft-dirty bits were cleared, and others that were not, are merged (replace_page()): the bit tells of the
/// mapper, not of the page that it has now.
///
///   P   [0 1 2 3 . .]      Q   [0 1 2 3 . .]      R   [0 1]      0 1 2 of P and 1 2 3 of Q, R written since
pub fn soft_dirty(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    if !w.features().ksm_keeps_soft_dirty() {
        return Err(Stop::Skip(
            "needs KSM that keeps soft-dirty bits (Linux 6.12.118)",
        ));
    }
    let p = filled(&w, "P", 4)?;
    let q = like(&w, "Q", 4, p)?;
    w.clear_soft_dirty()?;
    for (place, some) in [(p, 0..3), (q, 1..4)] {
        let area = place.1.sub(some);
        place.0.write_like(area, place.0, area)?;
    }
    let r = like(&w, "R", 2, p)?;
    merge(&w, &[p, q, r])?;
    let c = q.0.fork("C")?;
    w.check()?;
    c.write(q.1.page(1))?;
    w.check()?;
    walks(w)
}

/// Pages that came back from swap by a read: their entries are clean and allow no write, and they are their process's own all the same. Whichever
/// of two equal ones becomes the KSM page is nobody's own from then on (write_protect_page()), and who writes first gets a copy.
///
///   P   [0 1 2 3]      Q   [0 1 2 3]      Q writes 0 1, P writes all, Q writes 2 3
pub fn from_swap(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = filled(&w, "P", 4)?;
    let q = like(&w, "Q", 4, p)?;
    if w.features().soft_dirty {
        // Some kernels let who has a page to himself write to it at once, unless that has to be noted.
        w.clear_soft_dirty()?;
    }
    walk::reclaim::swap_out(&w)?;
    for (actor, area) in [p, q] {
        actor.read(area)?;
    }
    merge(&w, &[p, q])?;
    q.0.write(q.1.sub(0..2))?;
    w.check()?;
    p.0.write(p.1)?;
    w.check()?;
    q.0.write(q.1.sub(2..4))?;
    w.check()?;
    walks(w)
}
