// SPDX-License-Identifier: GPL-2.0-or-later
//! Large folios that are locked, in whole or in part, or may only be read: what a folio is said to be (PG_mlocked, exclusive) must
//! follow what happens to the VMAs that map it.

use super::{folio, huge};
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::topology::{R, RW};
use helpers::walk::mlocked;
use helpers::walk::reclaim::press;
use helpers::world::model::Lock;
use helpers::world::{Actor, Area, World};
use helpers::{Stop, TestResult, walk};

/// Mapped by a PMD that may not be written any more: still P's alone (set_pmd_migration_entry(), __split_huge_pmd_locked()).
///
///   P  r [======== PMD ========]
pub fn read_only(w: &World) -> TestResult {
    let (p, a) = huge(w)?;
    w.clear_soft_dirty()?;
    p.write(a.sub(1..3))?;
    p.protect(a, R)
}

/// The border of two VMAs moves into a huge page, with nothing done to an entry: the page is split first, or an entry would be in both
/// (vma_adjust_trans_huge()). Each VMA is told to have what is mapped in it.
///
///   P  a |======= dd =======|== dd|======|     the first VMA grows into the second page
///      b |======|dd ==|======= dd =======|     the second grows into the first page
pub fn borders(w: &World) -> TestResult {
    let p = w.actor("P")?;
    for name in ["a", "b"] {
        let area = w.place_huge(2)?;
        w.name(area, name);
        let n = area.pages / 2;
        // One VMA with one anon_vma, or its parts might not merge.
        p.map(area)?;
        p.advise(area, advice::HUGEPAGE)?;
        p.write(area)?;
        for part in [0..n, n..2 * n] {
            if !w.is_huge(p.id(), area.sub(part))? {
                return Err(Stop::Skip("needs free huge pages"));
            }
        }
        let [first, then, both] = match name {
            "a" => [0..n, n..n + n / 2, 0..n + n / 2],
            _ => [n..2 * n, n / 2..n, n / 2..2 * n],
        };
        p.advise(area.sub(first), advice::DONTDUMP)?;
        p.advise(area.sub(then), advice::DONTDUMP)?;
        p.needs_one_vma(area.sub(both))?;
    }
    w.check_shares()
}

/// Not to be written for a while, and shared since the fork: what each writes then is its own (can_change_pmd_writable()).
///
///   P, C  r, then rw again [======== PMD ========]     D  rw
pub fn read_write(w: &World) -> TestResult {
    let (p, a) = huge(w)?;
    let c = p.fork("C")?;
    p.fork("D")?;
    for actor in [p, c] {
        actor.protect(a, R)?;
        actor.protect(a, RW)?;
    }
    Ok(())
}

/// A folio, and which of its pages are its first mapper's own.
type Mixture = (Area, Vec<usize>);

/// Folios of P, which has some of the pages to itself and shares the others, all in one VMA and one row of entries.
fn mixture<'w, 'c>(w: &'w World<'c>) -> TestResult<(Actor<'w, 'c>, Vec<Mixture>)> {
    let p = w.actor("P")?;
    let n = w.folio_size()?;
    let own: [fn(usize, usize) -> bool; 3] = [
        |i, n| i < n / 2,
        |i, n| i >= n / 2,
        |i, n| i * 8 / n % 2 == 0,
    ];
    let mut folios = Vec::new();
    for own in own {
        let a = w.place_aligned(n, n);
        w.name(a, "folio");
        p.map_folio(a)?;
        let own: Vec<usize> = (0..n).filter(|&i| own(i, n)).collect();
        for &i in &own {
            p.advise(a.page(i), advice::DONTFORK)?;
        }
        folios.push((a, own));
    }
    p.fork("C")?;
    for (a, _) in &folios {
        p.advise(*a, advice::DOFORK)?;
    }
    Ok((p, folios))
}

/// Those that may be written at once when all may be written again are not the others (change_pte_range(), can_change_pte_writable()).
///
///   P  r, then rw again  [own own own own s s s s]   [s s s s own own own own]   [own s own s own s own s]
///   C                                    [s s s s]   [s s s s]                       [s]   [s]   [s]   [s]
pub fn mixed(w: &World) -> TestResult {
    let (p, folios) = mixture(w)?;
    for (a, _) in &folios {
        p.protect(*a, R)?;
        p.protect(*a, RW)?;
    }
    // Each copy is P's own.
    for (a, own) in &folios {
        let last = (0..a.pages).rev().find(|i| !own.contains(i));
        p.write(a.page(last.expect("some are shared")))?;
    }
    Ok(())
}

/// Forked again: the next child shares all of them, and sees nothing of what P writes to any of them then, whatever may be said of the first of
/// a row of entries (copy_present_ptes(), __folio_try_dup_anon_rmap()).
///
///   P  [own own own own s s s s]   [s s s s own own own own]   [own s own s own s own s]    and then written here and there
///   C                  [s s s s]   [s s s s]                       [s]   [s]   [s]   [s]
///   D  [all]                       [all]                       [all]
pub fn mixed_forked(w: &World) -> TestResult {
    let (p, folios) = mixture(w)?;
    p.fork("D")?;
    for (a, own) in &folios {
        for i in [own[0], own[own.len() / 2], own[own.len() - 1]] {
            p.write(a.page(i))?;
        }
    }
    Ok(())
}

/// Some pages written since the soft-dirty bits were cleared, then not to be written for a while: each entry keeps its own bit (change_pte_range() takes a row of entries
/// of one folio together), and who writes to a clean one is noted.
///
///   P  r, then rw  [. x . . x x x . . . x .]      x: written since
pub fn marked(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    if !w.features().soft_dirty {
        return Err(Stop::Skip("needs soft-dirty bits (CONFIG_MEM_SOFT_DIRTY)"));
    }
    let p = w.actor("P")?;
    let n = w.folio_size()?;
    let mut folios = Vec::new();
    for first in [true, false] {
        let a = w.place_aligned(n, n);
        w.name(a, "folio");
        p.map_folio(a)?;
        // A PMD has one bit for all.
        p.protect(a.page(1), R)?;
        p.protect(a.page(1), RW)?;
        folios.push((a, first));
    }
    w.clear_soft_dirty()?;
    for &(a, first) in &folios {
        for i in (0..n).filter(|i| (i / 3 % 2 == 0) == first) {
            p.write(a.page(i))?;
        }
    }
    w.check()?;
    for (r, rw) in [(0..n, 0..n), (2..n - 1, 0..n), (0..n / 2, 1..n)] {
        for &(a, _) in &folios {
            p.protect(a.sub(r.clone()), R)?;
        }
        w.check()?;
        for &(a, _) in &folios {
            p.protect(a.sub(rw.clone()), RW)?;
        }
        w.check()?;
    }
    for &(a, first) in &folios {
        p.protect(a, RW)?;
        let clean = (0..n).filter(|i| (i / 3 % 2 == 0) != first);
        for i in clean.step_by(2) {
            p.write(a.page(i))?;
        }
    }
    w.check()?;
    walk::every(&w)?;
    w.finish()
}

/// Written again in part when a child has come and gone: of a row of entries of one folio some may be written and some may not, and the
/// next fork has to protect all of them (copy_present_ptes()).
///
///   P  [r w w w w w w w]   [w w w w r r r r]   [r w r w r w r w]      then all are written
///   C  what was there before
pub fn part_writable(w: &World) -> TestResult {
    let p = w.actor("P")?;
    let n = w.folio_size()?;
    let writable: [fn(usize, usize) -> bool; 3] =
        [|i, _| i > 0, |i, n| i < n / 2, |i, n| i * 8 / n % 2 == 1];
    let mut folios = Vec::new();
    for _ in writable {
        let a = w.place_aligned(n, n);
        w.name(a, "folio");
        p.map_folio(a)?;
        folios.push(a);
    }
    p.fork("D")?.exit()?;
    for (a, writable) in folios.iter().zip(writable) {
        for i in (0..n).filter(|&i| writable(i, n)) {
            p.write(a.page(i))?;
        }
    }
    p.fork("C")?;
    p.write_all(&folios)
}

/// Locked through the child's PMD, which may not be written; P's and S's are not locked.
///
///   P, S  rw [======== PMD ========]     C  r, locked [======== PMD ========]
pub fn locked(w: &World) -> TestResult {
    let (p, a) = huge(w)?;
    let c = p.fork("C")?;
    p.fork("S")?;
    c.protect(a, R)?;
    c.lock(a, Lock::Full)
}

/// Locked as a whole and let go: marked, and not longer, so that reclaim may have it (mlock_pte_range()).
pub fn unlocked(w: &World) -> TestResult {
    mlocked::shown(w)?;
    let (p, a) = huge(w)?;
    p.lock(a, Lock::Full)?;
    mlocked::expect(w, p, a.page(0), true)?;
    p.unlock(a)?;
    mlocked::expect(w, p, a.page(0), false)
}

/// Zeroes in a locked area are in pages as anything else, also when their huge page is split, when others may be given the zero page
/// (try_to_map_unused_to_zeropage()).
///
///   P  locked     a [==== PMD, two pages written, zeroes ====]     Q  b |locked, zeroes 0 .. n/2-1|written n/2 ... n-1|
///   C  r, locked  a [==== the same ====]
pub fn zeroes(w: &World) -> TestResult {
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (a, b) = (w.place_huge(1)?, w.place_huge(1)?);
    w.name(a, "a");
    w.name(b, "b");
    let half = b.pages / 2;
    for (actor, area, written) in [(p, a, a.sub(2..4)), (q, b, b.sub(half..b.pages))] {
        actor.map(area)?;
        actor.advise(area, advice::HUGEPAGE)?;
        actor.write(written)?;
        if !w.is_huge(actor.id(), area)? {
            return Err(Stop::Skip("needs a free huge page"));
        }
    }
    p.lock(a, Lock::Full)?;
    q.lock(b.sub(0..half), Lock::Full)?;
    let c = p.fork("C")?;
    c.protect(a, R)?;
    c.lock(a, Lock::Full)
}

/// The half that is locked stays in memory, whatever becomes of the other: try_to_unmap_one() gives up at the locked VMA, or the folio
/// is split first.
///
///   P  |locked 0 .. n/2-1|n/2 ... n-1|     |0 .. n/2-1|locked n/2 ... n-1|
pub fn locked_half(ctx: &mut Ctx, pmd: bool, how: Lock) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = if pmd { huge(&w)? } else { folio(&w)? };
    let n = a.pages;
    let b = if pmd {
        w.place_huge(1)?
    } else {
        w.place_aligned(n, n)
    };
    w.name(b, "b");
    p.map_folio(b)?;
    let halves = [a.sub(0..n / 2), b.sub(n / 2..n)];
    for half in halves {
        p.lock(half, how)?;
    }
    w.check()?;
    let marks = match mlocked::shown(&w) {
        Err(Stop::Skip(why)) => {
            w.diag(format_args!("marks are not looked at: {why}"));
            false
        }
        other => other.map(|()| true)?,
    };
    for _ in 0..2 {
        press(&w)?;
        // Marked as a whole it would be for the other half's sake too (folio_referenced_one()). The mark is seen on a folio's first page,
        // which one of the halves has.
        if marks && w.folio_pages(p.id(), a.vpn)? == n {
            mlocked::expect(&w, p, a.page(0), false)?;
        }
        mlocked::stay(&w, p, &halves)?;
        // What went comes back.
        w.check()?;
    }
    for half in halves {
        p.unlock(half)?;
    }
    p.fork("C")?;
    walk::every_on_offer(&w)?;
    w.finish()
}
