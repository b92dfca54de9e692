// SPDX-License-Identifier: GPL-2.0-or-later
//! Large folios that nobody else maps.

use super::huge;
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::topology::{self, R, RW};
use helpers::walk::migrate::MIGRATE;
use helpers::walk::reclaim::swap_out;
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult, walk};

/// Nobody else's, through all walks in turn: each must leave it so.
///
///   P  |======== PMD ========|      |== folio ==|== in two VMAs ==|
pub fn alone(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = huge(&w)?;
    w.check_singly(p, a)?;
    let n = w.folio_size()?;
    let b = w.place_aligned(n, n);
    w.name(b, "b");
    p.map_folio(b)?;
    w.clear_soft_dirty()?;
    p.write(b)?;
    p.protect(b.sub(n / 2..n), R)?;
    walk::plain(&w)?;
    w.finish()
}

/// Each comes into being by a write to another page of it than its first: that page is where it is found all the same, and so are all others
/// (do_anonymous_page()).
///
///   P  |. . . . x . . .|  |. . . . . . . x|  |. x . . . . . .|
pub fn touched(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let n = w.folio_size()?;
    for page in [n / 2, n - 1, 1] {
        let a = w.place_aligned(n, n);
        w.name(a, "folio");
        p.map(a)?;
        p.advise(a, advice::HUGEPAGE)?;
        p.write(a.page(page))?;
        if w.folio_pages(p.id(), a.vpn + page)? != n {
            return Err(Stop::Skip("needs a free huge page"));
        }
        p.write(a)?;
    }
    let c = p.fork("C")?;
    walk::plain(&w)?;
    c.exit()?;
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Swapped out whole, and read again at another page first: what comes back as a large folio begins where it did before (do_swap_page()).
///
///   P  |. . . . x . . .|  |. . . . . . . x|  |. x . . . . . .|
pub fn from_swap(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let n = w.folio_size()?;
    let mut first = Vec::new();
    for page in [n / 2, n - 1, 1] {
        let a = w.place_aligned(n, n);
        w.name(a, "folio");
        p.map_folio(a)?;
        first.push((a, a.page(page)));
    }
    let mut large = 0;
    for _ in 0..2 {
        // Each page keeps its own bit, also where they come back together.
        w.clear_soft_dirty()?;
        for (folio, _) in &first {
            p.write(folio.page(n / 4))?;
        }
        swap_out(&w)?;
        for (folio, page) in &first {
            p.advise(*folio, advice::HUGEPAGE)?;
            p.read(*page)?;
            large += usize::from(w.folio_pages(p.id(), page.vpn)? > 1);
        }
        w.check()?;
        walk::plain(&w)?;
    }
    w.finish()?;
    if large == 0 {
        return Err(Stop::Skip(
            "needs large folios that come back from swap as such (Linux 6.12, zram)",
        ));
    }
    Ok(())
}

/// What write-protects a folio of one process and lets it be written again.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// mprotect, all of it, and back.
    Protected,
    /// The second half: it is in two VMAs meanwhile, and no PMD maps it any more.
    HalfProtected,
    /// mprotect, all of it, and back in two parts, of which the smaller is the first: what is split then may not be written.
    InTwoParts,
    /// /proc/PID/clear_refs.
    Cleared,
    /// The same, and then mprotect and back: the next write has to be heard of all the same (can_change_pmd_writable()).
    ClearedProtected,
    /// mprotect after every page was moved to another node.
    Migrated,
}

impl Way {
    const ALL: [Way; 6] = [
        Way::Protected,
        Way::HalfProtected,
        Way::InTwoParts,
        Way::Cleared,
        Way::ClearedProtected,
        Way::Migrated,
    ];

    /// False when this kernel offers no such way, or not now.
    fn go(self, w: &World, p: Actor, a: Area) -> TestResult<bool> {
        match self {
            Way::Protected => {}
            Way::HalfProtected => {
                let half = a.sub(a.pages / 2..a.pages);
                p.protect(half, R)?;
                return p.protect(half, RW).map(|()| true);
            }
            Way::InTwoParts => {
                p.protect(a, R)?;
                p.protect(a.page(1), RW)?;
                return p.protect(a, RW).map(|()| true);
            }
            Way::Cleared | Way::ClearedProtected if !w.features().soft_dirty => return Ok(false),
            Way::Cleared => return w.clear_soft_dirty().map(|()| true),
            Way::ClearedProtected => w.clear_soft_dirty()?,
            Way::Migrated => match walk::only(w, &MIGRATE) {
                Err(Stop::Skip(_)) => return Ok(false),
                other => other?,
            },
        }
        p.protect(a, R)?;
        p.protect(a, RW)?;
        Ok(true)
    }
}

/// Base pages and folios of every size, each made anew, write-protected in each way, and written: the pages stay where they are, all of them,
/// since each is known to be P's alone (PageAnonExclusive; do_wp_page(), do_huge_pmd_wp_page()).
///
///   P  |base|    |= folio =|    |======== PMD ========|
pub fn in_place(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    if !w.features().anon_exclusive {
        return Err(Stop::Skip("needs PageAnonExclusive (Linux 5.19)"));
    }
    let p = w.actor("P")?;
    let mut judged = 0;
    let base = w.place(4);
    w.name(base, "base");
    let mut areas = vec![base];
    for n in w.folio_sizes()? {
        let a = w.place_aligned(n, n);
        w.name(a, "folio");
        areas.push(a);
    }
    for way in Way::ALL {
        for &a in &areas {
            let make = || {
                if a == base {
                    p.map(a)?;
                    p.write(a)?;
                } else {
                    p.map_folio(a)?;
                }
                way.go(&w, p, a)
            };
            judged += usize::from(p.writes_in_place(a, make)?);
            w.check()?;
            p.unmap(a)?;
        }
    }
    w.diag(format_args!(
        "{judged} of {} judged",
        areas.len() * Way::ALL.len()
    ));
    if judged == 0 {
        return Err(Stop::Skip("needs pages that nobody moves now"));
    }
    w.finish()
}
