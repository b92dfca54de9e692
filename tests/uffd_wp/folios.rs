// SPDX-License-Identifier: GPL-2.0-or-later
//! Large folios of shared memory that userfaultfd write-protects, mapped by PTEs: what takes them away leaves a mark for each entry
//! (pte_install_uffd_wp_if_needed() in try_to_unmap_one()), whether it takes one or a batch.

use super::{MARK, N};
use helpers::supervise::{Ctx, Need, Test};
use helpers::sys::mem::advice;
use helpers::topology::{self, NONE, RW};
use helpers::world::{Actor, Area, Kind, Share, World};
use helpers::{Stop, TestResult, walk};

/// Pages of a folio.
const PAGES: usize = 2 * N;

/// Two folios of a memfd, all of P's write-protected, or parts of them; Q has them as well, and none write-protected.
///
///   memfd       |0 .... folio .... 15|16 .... folio .... 31|
///   P shared    |0 ........................................|
///                 ........... or  .....      ..
///   Q shared    |0 ........................................|     C  P's child
fn protected(ctx: &mut Ctx, parts: &[(usize, usize)]) -> TestResult {
    let w = World::new(ctx)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let a = folios(&w, p, q)?;
    for &(first, end) in parts {
        p.guard(a.sub(first..end))?;
    }
    walk::every(&w)?;
    p.fork("C")?;
    walk::every(&w)?;
    q.write(a.sub(3..PAGES + 3))?;
    walk::every(&w)?;
    w.finish()
}

fn folios(w: &World, p: Actor, q: Actor) -> TestResult<Area> {
    let a = w.place_aligned(2 * PAGES, 2 * PAGES);
    w.name(a, "a");
    let file = w.object(Kind::Memfd, 2 * PAGES)?;
    for actor in [p, q] {
        // Nothing is read before it may be a large folio.
        actor.map_object(a, &file, 0, NONE, Share::Shared)?;
        actor.advise(a, advice::HUGEPAGE)?;
        actor.protect(a, RW)?;
        actor.write(a)?;
    }
    for first in [a.vpn, a.vpn + PAGES] {
        if w.folio_pages(p.id(), first)? != PAGES {
            return Err(Stop::Skip("needs large folios of shared memory"));
        }
    }
    Ok(a)
}

const FOLIOS: Test = Test {
    needs: &[Need::Thp, Need::Pfn, Need::KpageFlags],
    knobs: topology::SHARED_FOLIOS,
    ..MARK
};
pub const WHOLE: Test = Test {
    name: "memfd.folios",
    run: |c| protected(c, &[(0, 2 * PAGES)]),
    ..FOLIOS
};
pub const PARTS: Test = Test {
    name: "memfd.folios.parts",
    run: |c| protected(c, &[(2, 7), (9, PAGES), (PAGES + 5, PAGES + 7)]),
    ..FOLIOS
};
