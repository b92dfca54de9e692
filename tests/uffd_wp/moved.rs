// SPDX-License-Identifier: GPL-2.0-or-later
//! Areas with write-protected pages that mremap moves: what was write-protected is so no more, since nobody who waits for writes would
//! hear of them; with UFFD_FEATURE_EVENT_REMAP it stays.

use super::N;
use helpers::supervise::Ctx;
use helpers::sys::uffd::{FEATURE_EVENT_REMAP, MISSING, WP};
use helpers::topology::{self, Grain, RW};
use helpers::walk::reclaim::swap_out;
use helpers::world::{Actor, Answer, Keeper, Kind, Share, World};
use helpers::{Stop, TestResult, walk};

/// Moves pages that are there entry by entry: kernels before the fix keep the marks in every way.
fn ends(w: &World, p: Actor, k: &Keeper) -> TestResult {
    let (few, there) = (w.place(2), w.place(2));
    w.name(few, "few");
    w.name(there, "there");
    p.map(few)?;
    p.write(few)?;
    k.register(few, WP)?;
    k.protect(few)?;
    p.move_unkept(few, there)?;
    if w.marked(p, there)? > 0 && w.features().version() < (6, 13) {
        return Err(Stop::Skip(
            "needs an mremap that ends write protection (Linux 6.13)",
        ));
    }
    Ok(())
}

/// Small pages in a page table of their own, which mremap can move as a whole (clear_uffd_wp_pmd()).
pub fn moved(ctx: &mut Ctx, told: bool) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = topology::small(&w, "P")?;
    let to = w.place_huge(1)?;
    w.name(to, "to");
    let k = p.keeper(if told { FEATURE_EVENT_REMAP } else { 0 })?;
    if !told {
        ends(&w, p, &k)?;
    }
    k.register(a, WP)?;
    k.protect(a.sub(1..a.pages - 1))?;
    w.check()?;
    if told {
        p.move_kept(a, to)?;
        w.check()?;
        p.write_kept(to.page(3), &k)?;
    } else {
        p.move_unkept(a, to)?;
        w.check()?;
        p.write(to.sub(1..5))?;
    }
    walk::every(&w)?;
    w.finish()
}

/// A huge page, whose entry mremap moves as it is (move_huge_pmd()).
///
///   P a |=================|  ->  P to |=================|     still write-protected where that was told
pub fn moved_huge(ctx: &mut Ctx, told: bool) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let k = p.keeper(if told { FEATURE_EVENT_REMAP } else { 0 })?;
    if !told {
        ends(&w, p, &k)?;
    }
    let (a, to) = (Grain::Huge.map(&w, p, 1)?, w.place_huge(1)?);
    w.name(to, "to");
    p.write(a)?;
    Grain::Huge.verify(&w, p, a)?;
    k.register(a, WP)?;
    k.protect(a)?;
    w.check()?;
    if told {
        p.move_kept(a, to)?;
        w.check()?;
        p.write_kept(to.page(3), &k)?;
        p.write_kept(to.page(to.pages - 1), &k)?;
    } else {
        p.move_unkept(a, to)?;
        w.check()?;
        p.write(to.sub(1..5))?;
    }
    walk::every(&w)?;
    w.finish()
}

/// Areas that leave their userfaultfd since nobody was told of their move, and come to lie beside one that stays registered with the same one: on its left, on its right,
/// untouched. They do not become one with it, or it would leave too (vma_merge_copied_range()).
///
///   P  |l l|a a a a|r r|       a registered, l and r have been
pub fn beside(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    if w.features().version() < (7, 3) {
        return Err(Stop::Skip(
            "needs areas that leave their userfaultfd alone when they move (Linux 7.3)",
        ));
    }
    let p = w.actor("P")?;
    let all = w.place(N);
    let a = all.sub(2..N - 2);
    let (left, right) = (w.place(2), w.place(2));
    for (area, name) in [(a, "a"), (left, "left"), (right, "right")] {
        w.name(area, name);
        p.map(area)?;
    }
    let k = p.keeper(0)?;
    for area in [a, left, right] {
        k.register(area, MISSING)?;
    }
    p.move_unkept(right, all.sub(N - 2..N))?;
    w.check_kept()?;
    p.move_unkept(left, all.sub(0..2))?;
    w.check_kept()?;
    p.write(all.page(0))?;
    p.write(all.page(N - 1))?;
    p.write_missing(a.sub(0..2), &k, Answer::Copy)?;
    p.read_kept(a.page(3), &k, Answer::Zero)?;
    w.check()?;
    k.close()?;
    walk::every(&w)?;
    w.finish()
}

/// Pages that are in swap while they move, in the entries of which the mark is as well; or a memfd's that reclaim took, of which the mark
/// is all that the entry says. The last two are in memory.
///
///   P a |0 1 2 3 4 5 6 7|  ->  P to |0 1 2 3 4 5 6 7|     still write-protected where that was told
///          . . .   . .
pub fn moved_out(ctx: &mut Ctx, kind: Option<Kind>, told: bool) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (a, to) = (w.place(N), w.place(N));
    w.name(a, "a");
    w.name(to, "to");
    let k = p.keeper(if told { FEATURE_EVENT_REMAP } else { 0 })?;
    if !told {
        ends(&w, p, &k)?;
    }
    match kind {
        Some(kind) => p.map_object(a, &w.object(kind, N)?, 0, RW, Share::Shared)?,
        None => p.map(a)?,
    }
    p.write(a)?;
    k.register(a, WP)?;
    k.protect(a.sub(1..4))?;
    k.protect(a.sub(5..7))?;
    swap_out(&w)?;
    p.read(a.sub(N - 2..N))?;
    if told {
        p.move_kept(a, to)?;
    } else {
        p.move_unkept(a, to)?;
    }
    // As they are, then as they come back.
    w.check_partly()?;
    w.check()?;
    if told {
        p.write_kept(to.sub(2..4), &k)?;
        p.write_kept(to.page(6), &k)?;
    } else {
        p.write(to.sub(2..7))?;
    }
    walk::every(&w)?;
    w.finish()
}
