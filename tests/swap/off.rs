// SPDX-License-Identifier: GPL-2.0-or-later
//! swapoff(2): what it brings back.

use super::walks;
use helpers::supervise::Ctx;
use helpers::topology::{RW, filled, like};
use helpers::walk::merge::merge;
use helpers::walk::reclaim::{swap_off, swap_out};
use helpers::world::{Kind, Share, World};
use helpers::{Stop, TestResult};

/// swapoff(2) brings all back, for each sharer by its own entry (unuse_pte()).
pub fn off(ctx: &mut Ctx, merged: bool) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 8)?;
    let c = p.fork("C")?;
    c.write(a.sub(0..2))?;
    let q = like(&w, "Q", 8, (p, a))?;
    if merged {
        merge(&w, &[(p, a), q])?;
    }
    let g = c.fork("G")?;
    w.clear_soft_dirty()?;
    p.write(a.sub(2..4))?;
    swap_out(&w)?;
    g.read(a.sub(0..3))?;
    g.fork("D")?;
    p.read(a.sub(5..7))?;
    w.check_partly()?;
    let off = swap_off(&w)?;
    w.check()?;
    drop(off);
    p.exit()?;
    walks(w)
}

/// Who had a page for himself has it so again, whatever brings it back: a read (do_swap_page()) or swapoff (unuse_pte()). No fork comes after.
///
///   P  |0 1|2 3|4 5 6 7|   2, 3 written after the fork     C  |0'1'|2 3|4 5 6 7|   P's child, its 0 and 1 written
pub fn exclusive(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 8)?;
    let alone = w.place(4);
    w.name(alone, "alone");
    let c = p.fork("C")?;
    c.write(a.sub(0..2))?;
    p.write(a.sub(2..4))?;
    p.map(alone)?;
    p.write(alone)?;
    let own = [(c, a.sub(0..2)), (p, a.sub(2..4)), (p, alone)];
    // Just written by its only mapper: then it is.
    w.check()?;
    for (actor, area) in own {
        if actor.has_exclusive(area)? != Some(true) {
            return Err(Stop::Skip(
                "needs kpageflags with ANON_EXCLUSIVE of each page (Linux 5.19)",
            ));
        }
    }
    swap_out(&w)?;
    for (actor, area) in own {
        actor.read(area.page(0))?;
        if actor.has_exclusive(area.page(0))? != Some(true) {
            return Err(Stop::Skip(
                "needs swap entries that tell who has a page for himself",
            ));
        }
    }
    let off = swap_off(&w)?;
    for (actor, area) in own {
        match actor.has_exclusive(area)? {
            Some(true) => {}
            Some(false) => {
                return Err(Stop::fail(format_args!(
                    "a page that one process had for itself is exclusive again after swapoff, as after a read: one of {}'s {} is not",
                    actor.name(),
                    area.pages
                )));
            }
            None => return Err(Stop::Skip("needs memory that nobody else reclaims")),
        }
    }
    w.check()?;
    drop(off);
    walks(w)
}

/// What swapoff brings back gets its number in its area from where the area came, not from where it is (unuse_pte(), linear_page_index()).
///
///   P  |0 1 2|3 4 5|6 7| moved as a whole, then its middle     C  P's child: where they were, 0 and 1 its own
///   P, C  private, from page 3 of a memfd on |0 1 2 3|         all copies
pub fn moved(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 8)?;
    let file = w.object(Kind::Memfd, 8)?;
    let (copies, to, middle) = (w.place(4), w.place(8), w.place(3));
    for (area, name) in [(copies, "copies"), (to, "to"), (middle, "middle")] {
        w.name(area, name);
    }
    p.map_object(copies, &file, 3, RW, Share::Private)?;
    p.write(copies)?;
    let c = p.fork("C")?;
    c.write(a.sub(0..2))?;
    c.write(copies.sub(0..2))?;
    p.move_to(a, to)?;
    p.move_to(to.sub(3..6), middle)?;
    swap_out(&w)?;
    let off = swap_off(&w)?;
    w.check()?;
    drop(off);
    walks(w)
}
