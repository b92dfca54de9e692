// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that others map as well: khugepaged makes no huge page of an area that has more of them than max_ptes_shared
//! (hpage_collapse_scan_pmd(), __collapse_huge_page_isolate()), whatever they are parts of.

use helpers::supervise::{Ctx, Knob, Test};
use helpers::sys::mem::advice;
use helpers::topology;
use helpers::world::khugepaged::{KNOBS, collapse_unless_shared};
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult, walk};

/// What the shared pages are parts of.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Base pages.
    Base,
    /// Folios smaller than a huge page.
    Folios,
    /// A huge page, of which the other has all.
    Huge,
}

/// The pages of the `i`th folio of an area, `n` of them; base pages of that number where there are no folios.
fn folio(a: Area, i: usize, n: usize) -> Area {
    a.sub(2 * i * n..(2 * i + 1) * n)
}

/// The page behind a folio: a base page, which keeps a fault from bringing a folio of twice the size.
fn behind(a: Area, i: usize, n: usize) -> Area {
    a.page((2 * i + 1) * n)
}

/// Maps an area of P's with this many folios, and a base page behind each; or one huge page.
fn fill(w: &World, p: Actor, a: Area, kind: Kind, n: usize, folios: usize) -> TestResult {
    p.map(a)?;
    if kind == Kind::Huge {
        p.advise(a, advice::HUGEPAGE)?;
        p.write(a)?;
        if !w.is_huge(p.id(), a)? {
            return Err(Stop::Skip("needs a free huge page"));
        }
    } else {
        for i in 0..folios {
            p.write(behind(a, i, n))?;
        }
        if kind == Kind::Folios {
            p.advise(a, advice::HUGEPAGE)?;
        }
        for i in 0..folios {
            p.write(folio(a, i, n))?;
            let large = w.folio_pages(p.id(), folio(a, i, n).vpn)?;
            if kind == Kind::Folios && large != n {
                return Err(Stop::Skip("needs free folios smaller than a huge page"));
            }
        }
    }
    // A fault in a hole would fill its neighbours too.
    p.advise(a, advice::NOHUGEPAGE)
}

/// Three areas that differ in what C has of them too. In the last one it has given a folio back.
///
///   P  as_many     [s s s s|o - - -|s s s s|o - - - ...             ... o o]  ->  [======== PMD ========]
///      one_more    [s s s s|o - - -|s s s s|s - - - ...             ... o o]  ->  the same as before
///      given_back  [s s s s|o - - -|s s s s|o - - -|o o o o|o - - - ... o o]  ->  [======== PMD ========]
///
/// s: C's as well, in two folios as many as may be (max_ptes_shared); o: P's own. Of a huge page P keeps so many parts, in a row, and C has all, or
/// in the last area none. That the other two become huge pages shows that nothing but the one page keeps khugepaged from the second.
fn most_shared(ctx: &mut Ctx, kind: Kind) -> TestResult {
    let w = World::new(ctx)?;
    let n = match kind {
        Kind::Base => 4,
        Kind::Folios => w.folio_size()?,
        Kind::Huge => 8,
    };
    let p = w.actor("P")?;
    let mut areas = Vec::new();
    for (name, folios) in [("as_many", 2), ("one_more", 2), ("given_back", 3)] {
        let a = w.place_huge(1)?;
        w.name(a, name);
        if 8 * n > a.pages {
            return Err(Stop::Skip("needs folios smaller than a huge page"));
        }
        fill(&w, p, a, kind, n, folios)?;
        areas.push((a, folios));
    }
    let (as_many, one_more, given_back) = (areas[0].0, areas[1].0, areas[2].0);
    let c = p.fork("C")?;
    for (a, folios) in areas {
        if kind == Kind::Huge {
            let kept = folios * n + usize::from(a == one_more);
            p.advise(a.sub(kept..a.pages), advice::DONTNEED)?;
        } else {
            for i in 0..folios {
                if (a, i) != (one_more, 1) {
                    p.write(behind(a, i, n))?;
                }
            }
        }
        p.write(a.sub(a.pages - 2..a.pages))?;
        p.advise(a, advice::HUGEPAGE)?;
    }
    c.unmap(match kind {
        Kind::Huge => given_back,
        Kind::Base | Kind::Folios => folio(given_back, 2, n),
    })?;
    collapse_unless_shared(
        &w,
        2 * n,
        &[(p, as_many), (p, given_back)],
        &[(p, one_more)],
    )?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

pub const BASE: Test = Test {
    name: "most_shared.base",
    about: "khugepaged leaves alone what has more than max_ptes_shared pages that others map too, and nothing else.",
    run: |c| most_shared(c, Kind::Base),
    ..super::MADE
};

pub const FOLIOS: Test = Test {
    name: "most_shared.folios",
    run: |c| most_shared(c, Kind::Folios),
    knobs: &Knob::both::<{ KNOBS.len() + walk::FOLIO_KNOBS.len() }>(KNOBS, walk::FOLIO_KNOBS),
    ..BASE
};

pub const HUGE: Test = Test {
    name: "most_shared.huge",
    run: |c| most_shared(c, Kind::Huge),
    ..BASE
};
