// SPDX-License-Identifier: GPL-2.0-or-later
//! Huge pages that ksmd meets: it splits them to have one of their pages (follow_page(), try_to_merge_one_page()). And pages that were given up.

use super::{KSM, walks};
use helpers::supervise::{Ctx, Need, Test};
use helpers::sys::mem::advice;
use helpers::topology::{Grain, filled};
use helpers::walk::merge;
use helpers::walk::reclaim::RECLAIM;
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult, walk};

fn huge<'w, 'c>(w: &'w World<'c>, p: Actor<'w, 'c>) -> TestResult<Area> {
    let a = Grain::Huge.map(w, p, 1)?;
    p.write(a)?;
    Grain::Huge.verify(w, p, a)?;
    Ok(a)
}

/// All of it, or the advice would cut the huge page.
fn mergeable(actor: Actor, area: Area) -> TestResult {
    actor.advise(area, advice::MERGEABLE)
}

/// Some of a huge page's pages are another process' too.
///
///   P   [.. 8 9 10 11 ......... n-4 .. n-1]      Q   [8 9 10 11][n-4 .. n-1]
fn shared(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let a = huge(&w, p)?;
    let parts = [a.sub(8..12), a.sub(a.pages - 4..a.pages)];
    let b = w.place(8);
    w.name(b, "b");
    q.map(b)?;
    for (i, part) in parts.into_iter().enumerate() {
        q.write_like(b.sub(4 * i..4 * i + 4), p, part)?;
    }
    mergeable(p, a)?;
    mergeable(q, b)?;
    merge::run(&w, &[(p, parts[0]), (p, parts[1]), (q, b)])?;
    walks(w)
}

/// Pages of one and the same huge page: neither can be had before it is split for the other's sake (cmp_and_merge_page()).
///
///   P   [.... 20 21 22 23 equal ....]
fn within(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = huge(&w, p)?;
    let equal = a.sub(20..24);
    p.write_equal(equal)?;
    mergeable(p, a)?;
    merge::run(&w, &[(p, equal)])?;
    walks(w)
}

/// Pages that were given up (MADV_FREE) and are merged with others that were not: what all have now is nobody's to lose
/// (try_to_merge_one_page()).
///
///   P   [0 1 2 3]  [0 1 2 3 given up]     [4 5 6 7 given up]  [4 5 6 7]
fn given_up(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", 4)?;
    let areas = [w.place(4), w.place(4), w.place(4)];
    for (area, name) in areas.iter().zip(["b", "c", "d"]) {
        w.name(*area, name);
        p.map(*area)?;
    }
    let [b, c, d] = areas;
    p.write_like(b, p, a)?;
    p.write(c)?;
    p.write_like(d, p, c)?;
    for area in [a, b, c, d] {
        mergeable(p, area)?;
    }
    for area in [b, c] {
        p.advise(area, advice::FREE)?;
    }
    if let Err(stop) = merge::run(&w, &[(p, a), (p, b), (p, c), (p, d)]) {
        // Whoever was short of memory meanwhile has taken them.
        let gone = w.pages_of(p, b)?.contains(&None) || w.pages_of(p, c)?.contains(&None);
        return Err(match gone {
            true => Stop::Skip("needs memory that nobody else reclaims"),
            false => stop,
        });
    }
    walk::only(&w, &RECLAIM)?;
    w.check()?;
    walks(w)
}

const HUGE: Test = Test {
    about: "ksmd merges equal pages wherever they are, and every walk finds them.",
    needs: &[Need::Pfn, Need::KpageFlags, Need::Ksm, Need::Thp],
    ..KSM
};
pub const SHARED: Test = Test {
    name: "huge.shared",
    run: shared,
    ..HUGE
};
pub const WITHIN: Test = Test {
    name: "huge.within",
    run: within,
    ..HUGE
};
pub const GIVEN_UP: Test = Test {
    name: "given_up",
    about: "What is merged is kept, also where some of those who have it had given it up before.",
    run: given_up,
    needs: &[Need::Pfn, Need::KpageFlags, Need::Ksm, Need::Reclaim],
    ..KSM
};
