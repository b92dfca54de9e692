// SPDX-License-Identifier: GPL-2.0-or-later
//! Large folios that are mapped in part: when memory is short they are split, and what nobody maps is given back.

use helpers::stop::Doing;
use helpers::supervise::{Ctx, Fix};
use helpers::sys::mem::advice;
use helpers::walk::migrate::MIGRATE;
use helpers::world::model::ActorId;
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult, topology, walk};
use std::time::Duration;

pub const MOVED: &[Fix] = &[Fix {
    commit: "7262f208ca68",
    subject: "mm/migrate: split source folio if it is on deferred split list",
}];

/// What becomes of the folios before memory is short.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Nothing,
    /// They are moved: what was to be split is split first, or is to be split where it has moved to (migrate_pages_batch(),
    /// migrate_folio_move()). Before 7262f208ca68 ("mm/migrate: split source folio if it is on deferred split list", Linux 6.10) it was neither.
    Moved,
}

/// Reclaims what is the test's, without swap: large folios are split for what can be had of them.
pub fn reclaim(w: &World) -> TestResult {
    let memcg = w.arena().memcg.as_ref().map_err(|e| Stop::Skip(e))?;
    match memcg.reclaim_without_swap() {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            Err(Stop::Skip("needs a memory cgroup that can be denied swap"))
        }
        r => r.doing("reclaim of the test's memory cgroup"),
    }
}

/// Reclaims without swap until no folio at these places is whole, or for a while: which ones are then.
fn split(w: &World, places: &[(ActorId, usize)]) -> TestResult<Vec<usize>> {
    let mut until = w.limit(Duration::from_secs(8));
    loop {
        reclaim(w)?;
        let mut large = Vec::new();
        for (i, &(actor, vpn)) in places.iter().enumerate() {
            if w.folio_pages(actor, vpn)? > 1 {
                large.push(i);
            }
        }
        if large.is_empty() || until.over() {
            return Ok(large);
        }
    }
}

/// Folios that are mapped in part, each come to it in another way. Swap is no way out: what nobody maps can only be had by a split.
///
///   P  [. x . . . .] [. . . . . .] [x . . . . .] [x x x x . .] [x x x x x .]
///   C  (unmapped)    [. x . . . .] [. . . . . x]  (unmapped)    (unmapped)
pub fn split_when_short(ctx: &mut Ctx, pmd: bool, then: Then) -> TestResult {
    let w = World::new(ctx)?;
    if then == Then::Moved && w.features().version() < (6, 10) {
        return Err(Stop::Skip(
            "needs folios mapped in part that are split before they move (Linux 6.10)",
        ));
    }
    let p = w.actor("P")?;
    let whole = w.place_huge(1)?.pages;
    let n = if pmd { whole } else { w.folio_size()? };
    let mut huge = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        let area = w.place_aligned(n, n);
        w.name(area, name);
        p.map(area)?;
        p.advise(area, advice::HUGEPAGE)?;
        huge.push(area);
    }
    // Every page, or they are split for the zeroes that are in them (thp_underused()), whoever maps them.
    p.write(huge[0])?;
    p.write(huge[1])?;
    p.write(huge[2].page(0))?;
    p.write(huge[2].page(n - 1))?;
    p.write(huge[3].sub(0..n / 8))?;
    p.write(huge[4])?;
    for area in &huge {
        if w.folio_pages(p.id(), area.vpn)? != n {
            return Err(Stop::Skip("needs a free huge page"));
        }
    }
    let c = p.fork("C")?;
    let keep = |who: Actor, area: Area, kept: std::ops::Range<usize>| -> TestResult {
        for rest in [area.sub(0..kept.start), area.sub(kept.end..n)] {
            if rest.pages > 0 {
                who.unmap(rest)?;
            }
        }
        Ok(())
    };
    c.unmap(huge[0])?;
    keep(p, huge[0], 1..2)?;
    keep(c, huge[1], 1..2)?;
    p.unmap(huge[1])?;
    keep(c, huge[2], n - 1..n)?;
    keep(p, huge[2], 0..1)?;
    keep(p, huge[3], 0..n / 8)?;
    c.unmap(huge[3])?;
    c.unmap(huge[4])?;
    keep(p, huge[4], 0..n - 1)?;
    w.check()?;
    let places = [
        (p.id(), huge[0].vpn + 1),
        (c.id(), huge[1].vpn + 1),
        (p.id(), huge[2].vpn),
        (p.id(), huge[3].vpn),
        (p.id(), huge[4].vpn),
    ];
    if then == Then::Moved {
        walk::only(&w, &MIGRATE)?;
    }
    let large = split(&w, &places)?;
    if !large.is_empty() {
        return Err(Stop::fail(format_args!(
            "memory that nobody maps is given back when memory is short: of 5 folios, each mapped in part, these are whole: {large:?}"
        )));
    }
    w.check()?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Two folios that are mapped in part; a pipe has a page of the first, which cannot be split while it has. That the second one is shows that
/// the first was tried (deferred_split_scan() goes from the oldest to the latest). When the pipe has let go it is split as well.
///
///   P  held [0 1 2 3 . . . .]  1 in a pipe      free [0 1 2 3 . . . .]
pub fn split_later(ctx: &mut Ctx, pmd: bool) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let n = match pmd {
        true => w.place_huge(1)?.pages,
        false => w.folio_size()?,
    };
    let (held, free) = (w.place_aligned(n, n), w.place_aligned(n, n));
    w.name(held, "held");
    w.name(free, "free");
    p.map_folio(held)?;
    p.map_folio(free)?;
    p.splice(held.page(1))?;
    p.unmap(held.sub(n / 2..n))?;
    p.unmap(free.sub(n / 2..n))?;
    w.check()?;
    let property = "memory that nobody maps is given back when memory is short";
    if !split(&w, &[(p.id(), free.vpn)])?.is_empty() {
        return Err(Stop::fail(format_args!(
            "{property}: a folio is whole that is mapped in part"
        )));
    }
    if w.folio_pages(p.id(), held.vpn)? != n {
        return Err(Stop::Skip("needs a pipe that keeps a huge page whole"));
    }
    p.drain()?;
    if !split(&w, &[(p.id(), held.vpn)])?.is_empty() {
        return Err(Stop::fail(format_args!(
            "{property}: a folio is whole that is mapped in part, and that nothing holds any more"
        )));
    }
    w.check()?;
    topology::write_by_each(&w)?;
    w.finish()
}
