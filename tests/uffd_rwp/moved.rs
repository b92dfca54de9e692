// SPDX-License-Identifier: GPL-2.0-or-later
//! Areas with protected pages that mremap moves: nobody who waits would be heard of there, so what was protected is so no more; with
//! UFFD_FEATURE_EVENT_REMAP it stays. And pages that UFFDIO_MOVE brings to such an area, and takes from it.

use super::{N, end};
use helpers::TestResult;
use helpers::supervise::Ctx;
use helpers::sys::uffd::{FEATURE_EVENT_REMAP, FEATURE_MOVE, FEATURE_RWP, MISSING, RWP};
use helpers::topology::{self, Grain, write_by_each};
use helpers::walk;
use helpers::world::{Actor, Area, World};

/// Small pages in a page table of their own, which mremap can move as a whole where nothing is protected.
pub fn small(ctx: &mut Ctx, told: bool) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = topology::small(&w, "P")?;
    moved(&w, p, a, a.sub(1..a.pages - 1), told)?;
    w.finish()
}

/// A huge page, whose entry mremap moves as it is (move_huge_pmd()).
///
///   P a |=================|  ->  P to |=================|     still protected where that was told
pub fn huge(ctx: &mut Ctx, told: bool) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Huge.map(&w, p, 1)?;
    p.write(a)?;
    Grain::Huge.verify(&w, p, a)?;
    moved(&w, p, a, a, told)?;
    w.finish()
}

fn moved(w: &World, p: Actor, a: Area, shut: Area, told: bool) -> TestResult {
    let to = w.place_huge(1)?;
    w.name(to, "to");
    let k = p.keeper(FEATURE_RWP | if told { FEATURE_EVENT_REMAP } else { 0 })?;
    k.register(a, RWP)?;
    k.shut(shut)?;
    w.check()?;
    if told {
        p.move_kept(a, to)?;
        w.check()?;
        walk::plain(w)?;
        k.open(to.sub(6..to.pages))?;
        return end(w, p, k, to.sub(2..6));
    }
    p.move_unkept(a, to)?;
    w.check()?;
    p.write(to.sub(1..5))?;
    walk::every(w)?;
    write_by_each(w)
}

/// Pages of P, and where they are to go.
fn apart<'w, 'c>(w: &'w World<'c>) -> TestResult<(Actor<'w, 'c>, Area, Area)> {
    let p = w.actor("P")?;
    let (from, to) = (w.place(N), w.place(N));
    w.name(from, "from");
    w.name(to, "to");
    p.map(from)?;
    p.map(to)?;
    Ok((p, from, to))
}

/// What comes to an area for protected pages is protected there, whatever it was.
///
///   P from |0 1 2 z 4 s s 7|  ->  to |0 1 2 z 4 s s 7|      z zero page, s in swap
///                                     . . . . . . . .
pub fn brought(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, from, to) = apart(&w)?;
    p.read(from.page(3))?;
    p.write(from.sub(0..3))?;
    p.write(from.sub(4..N))?;
    let k = p.keeper_for_both(FEATURE_RWP | FEATURE_MOVE)?;
    k.register(to, RWP)?;
    p.page_out(from.sub(5..7))?;
    p.uffd_move(from, to)?;
    k.shut_by_move(to)?;
    w.check()?;
    walk::plain(&w)?;
    k.open(to.page(4))?;
    p.uffd_close()?;
    end(&w, p, k, to.sub(5..N))?;
    w.finish()
}

/// What goes from such an area to one for missing pages is protected no more.
///
///   P from |0 1 2 3 4 5 6 7|  ->  to |0 1 2 3 4 5 6 7|
///             . . .   .
pub fn taken(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, from, to) = apart(&w)?;
    p.write(from)?;
    let k = p.keeper_for_both(FEATURE_RWP | FEATURE_MOVE)?;
    k.register(from, RWP)?;
    k.register(to, MISSING)?;
    k.shut(from.sub(1..4))?;
    k.shut(from.page(5))?;
    p.uffd_move(from, to)?;
    k.open_by_move(from);
    w.check()?;
    p.write(to.sub(0..3))?;
    walk::plain(&w)?;
    p.uffd_close()?;
    k.close()?;
    walk::every(&w)?;
    write_by_each(&w)?;
    w.finish()
}

/// A huge page, which moves as one.
///
///   P from |=================|  ->  P to |=================|     protected
pub fn brought_huge(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let from = Grain::Huge.map(&w, p, 1)?;
    p.write(from)?;
    Grain::Huge.verify(&w, p, from)?;
    let to = w.place_huge(1)?;
    w.name(to, "to");
    p.map(to)?;
    let k = p.keeper_for_both(FEATURE_RWP | FEATURE_MOVE)?;
    k.register(to, RWP)?;
    p.uffd_move(from, to)?;
    k.shut_by_move(to)?;
    w.check()?;
    walk::plain(&w)?;
    k.open(to.sub(6..to.pages))?;
    p.uffd_close()?;
    end(&w, p, k, to.sub(2..6))?;
    w.finish()
}
