// SPDX-License-Identifier: GPL-2.0-or-later
//! Large folios of shared memory that userfaultfd write-protects: what takes them away leaves a mark for each entry
//! (pte_install_uffd_wp_if_needed() in try_to_unmap_one()), whether it takes one or a batch; and where a PMD maps one, each page gets a mark first.

use super::{MARK, N, WP};
use helpers::supervise::{Ctx, Need, Test};
use helpers::sys::mem::advice;
use helpers::topology::{self, Grain, NONE, RW};
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

/// Huge pages that each maps by a PMD. All of P's is registered, and all or parts of it write-protected: the PMD entry goes, and each page has a
/// mark instead, though there is no page table yet (change_pmd_prepare()).
///
///   memfd       |==================== huge page =====================|
///   P shared    |=====================================================|    registered
///                 ..... or ........        .                      ...
///   Q shared    |=====================================================|     C  P's child
fn huge(ctx: &mut Ctx, whole: bool) -> TestResult {
    let w = World::new(ctx)?;
    let (p, q, a) = (w.actor("P")?, w.actor("Q")?, w.place_huge(1)?);
    w.name(a, "a");
    let n = a.pages;
    let file = w.object(Kind::Memfd, n)?;
    p.fill_huge_object(a, &file)?;
    q.fill_huge_object(a, &file)?;
    let k = p.keeper(0)?;
    k.register(a, WP)?;
    let parts = match whole {
        true => vec![a],
        false => vec![a.sub(2..7), a.page(n / 2), a.sub(n - 3..n)],
    };
    for part in &parts {
        k.protect(*part)?;
    }
    w.check()?;
    walk::plain(&w)?;
    p.fork("C")?;
    q.write(a.sub(3..PAGES))?;
    w.check()?;
    p.write_kept(parts[0].sub(1..4), &k)?;
    w.check()?;
    walk::plain(&w)?;
    w.finish()
}

const BY_PMD: Test = Test {
    needs: Grain::HUGE_NEEDS,
    knobs: &[topology::SHARED_HUGE],
    ..MARK
};
pub const HUGE: Test = Test {
    name: "memfd.huge",
    run: |c| huge(c, true),
    ..BY_PMD
};
pub const HUGE_PARTS: Test = Test {
    name: "memfd.huge.parts",
    run: |c| huge(c, false),
    ..BY_PMD
};

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
