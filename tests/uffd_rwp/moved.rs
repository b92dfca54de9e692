// SPDX-License-Identifier: GPL-2.0-or-later
//! Areas with protected pages that mremap moves: nobody who waits would be heard of there, so what was protected is so no more; with
//! UFFD_FEATURE_EVENT_REMAP it stays.

use super::end;
use helpers::TestResult;
use helpers::supervise::Ctx;
use helpers::sys::uffd::{FEATURE_EVENT_REMAP, FEATURE_RWP, RWP};
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
