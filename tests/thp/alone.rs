// SPDX-License-Identifier: GPL-2.0-or-later
//! Large folios that nobody else maps.

use super::huge;
use helpers::supervise::Ctx;
use helpers::topology::{R, RW};
use helpers::walk::migrate::MIGRATE;
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult, walk};

/// Nobody else's, through all walks in turn: each must leave it so.
///
///   P  |======== PMD ========|      |== folio ==|== in two VMAs ==|
pub fn alone(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, _) = huge(&w)?;
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

/// What write-protects a folio of one process and lets it be written again.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// mprotect, all of it, and back.
    Protected,
    /// The second half: it is in two VMAs meanwhile, and no PMD maps it any more.
    HalfProtected,
    /// /proc/PID/clear_refs.
    Cleared,
    /// mprotect after every page was moved to another node.
    Migrated,
}

impl Way {
    const ALL: [Way; 4] = [
        Way::Protected,
        Way::HalfProtected,
        Way::Cleared,
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
            Way::Cleared if !w.features().soft_dirty => return Ok(false),
            Way::Cleared => return w.clear_soft_dirty().map(|()| true),
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
