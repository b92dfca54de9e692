// SPDX-License-Identifier: GPL-2.0-or-later
//! Large folios that were given up (MADV_FREE): what is clean may go, what is written or somebody else's stays.

use super::{folio, huge};
use helpers::kernel::pagemap::State;
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::topology::{self, R, RW};
use helpers::walk::mlocked;
use helpers::walk::reclaim::press;
use helpers::world::World;
use helpers::world::model::Lock;
use helpers::{Stop, TestResult, walk};

/// Entries of one VMA that may be written beside others that may not, on a folio that was given up and written again.
///
///   P  [0 shared r .. n/2-1|n/2 own rw ... n-1]     C  [0 .. n/2-1]
pub fn own(w: &World) -> TestResult {
    let (p, a) = folio(w)?;
    let two = a.sub(a.pages / 2..a.pages);
    p.advise(a, advice::FREE)?;
    // All of it, so that its content is known; through entries that are writable already.
    p.write(a)?;
    p.advise(two, advice::DONTFORK)?;
    p.fork("C")?;
    p.advise(two, advice::DOFORK)?;
    p.write(two)
}

/// Given up by one while the other has it as well: the other's pages stay.
///
///   P  own pages     C  [0 ... n-1]
pub fn shared(w: &World) -> TestResult {
    let (p, a) = folio(w)?;
    p.fork("C")?.fork("D")?;
    p.advise(a, advice::FREE)?;
    p.write(a)
}

/// One page of it written again, the first or another one: reclaim takes the entries in batches, finds that it may not have the folio, and
/// puts back what there was, each entry with its own marks (try_to_unmap_one(), folio_unmap_pte_batch()).
///
///   P  [x . . . . . . .]      [. . . . x . . .]      [. . . . . . . x]      x: written after MADV_FREE
pub fn soft_dirty(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    if !w.features().soft_dirty {
        return Err(Stop::Skip("needs soft-dirty bits (CONFIG_MEM_SOFT_DIRTY)"));
    }
    let p = w.actor("P")?;
    let n = w.folio_size()?;
    let mut folios = Vec::new();
    for written in [0, n / 2, n - 1] {
        let a = w.place_aligned(n, n);
        w.name(a, "folio");
        p.map_folio(a)?;
        if w.is_huge(p.id(), a)? {
            // A PMD has one bit for all.
            p.protect(a.page(1), R)?;
            p.protect(a.page(1), RW)?;
        }
        p.advise(a, advice::FREE)?;
        folios.push((a, a.page(written)));
    }
    w.clear_soft_dirty()?;
    for &(_, written) in &folios {
        p.write(written)?;
    }
    // The first pass finds it written, the next may swap it out.
    for _ in 0..2 {
        press(&w)?;
        for &(a, written) in &folios {
            w.expect_marks(p, a, written)?;
        }
    }
    for &(a, _) in &folios {
        p.write(a)?;
    }
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// Given up as a whole, and half of it locked then: reclaim may have the other half, as far as its VMA goes and not further
/// (folio_unmap_pte_batch(), try_to_unmap_one()).
///
///   P  |locked 0 .. n/2-1|n/2 ... n-1|     |0 .. n/2-1|locked n/2 ... n-1|
pub fn locked(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = folio(&w)?;
    let n = a.pages;
    let b = w.place_aligned(n, n);
    w.name(b, "b");
    p.map_folio(b)?;
    let halves = [a.sub(0..n / 2), b.sub(n / 2..n)];
    for area in [a, b] {
        p.free(area)?;
    }
    for half in halves {
        p.lock(half, Lock::OnFault)?;
        // Until then the kernel may take it at any time.
        let states = w.states(p, half)?;
        if states.iter().any(|s| !matches!(s, State::Present(_))) {
            return Err(Stop::Skip("needs memory that nobody else reclaims"));
        }
    }
    for _ in 0..2 {
        press(&w)?;
        mlocked::stay(&w, p, &halves)?;
    }
    // What is locked has its old content.
    for other in [a.sub(n / 2..n), b.sub(0..n / 2)] {
        p.settle_freed(other)?;
    }
    w.check()?;
    for half in halves {
        p.unlock(half)?;
        p.write(half)?;
    }
    walk::every_on_offer(&w)?;
    w.finish()
}

/// The same for a PMD.
pub fn pmd(w: &World) -> TestResult {
    let (p, a) = huge(w)?;
    p.advise(a, advice::FREE)?;
    p.write(a)?;
    p.fork("C").map(drop)
}

/// A PMD that is clean and soft-dirty: what MADV_FREE has cleaned is marked by the move alone. Every other PMD is dirty too, and x86's
/// pmd_mkdirty() marks it whatever becomes of the bit. Reclaim would take such a page, so it is locked where it is.
pub fn pmd_moved(w: &World) -> TestResult {
    let (p, a) = huge(w)?;
    w.clear_soft_dirty()?;
    p.advise(a, advice::FREE)?;
    let to = w.place_huge(1)?;
    w.name(to, "to");
    p.move_to(a, to)?;
    p.lock(to, Lock::OnFault)?;
    if !w.is_huge(p.id(), to)? {
        return Err(Stop::Skip("needs memory that nobody else reclaims"));
    }
    Ok(())
}
