// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that come to be in a locked area, and what is counted of large folios: the lock is noted where the page is mapped, not where
//! mlock(2) meets it (mlock_new_folio(), mlock_vma_folio()).

use super::vm_locked;
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::sys::uffd::MISSING;
use helpers::topology::{self, R, RW};
use helpers::walk::mlocked::{self, expect};
use helpers::world::model::Lock;
use helpers::world::{Answer, Kind, Share, World};
use helpers::{Stop, TestResult, walk};

/// Pages of each mapping.
const N: usize = 16;

/// A huge page that takes the place of locked small ones is locked as they were, and not longer than they would be.
///
///   P [small pages, locked] -> |== PMD, locked ==|
pub fn collapsed(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    mlocked::shown(&w)?;
    let (p, a) = topology::small(&w, "P")?;
    p.lock(a, Lock::Full)?;
    expect(&w, p, a, true)?;
    p.collapse(a)?;
    expect(&w, p, a.page(0), true)?;
    p.unlock(a)?;
    expect(&w, p, a.page(0), false)?;
    walk::every_on_offer(&w)?;
    w.finish()
}

/// Pages that a userfaultfd fills in (mfill_atomic_install_pte()) are locked as any other that comes to be there. A child's are not.
///
///   P [locked on fault: 0 1 2 3 . . .]  filled one by one      C the same, not locked
pub fn filled_in(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    mlocked::shown(&w)?;
    let p = w.actor("P")?;
    let a = w.place(N);
    w.name(a, "a");
    p.map(a)?;
    p.lock(a, Lock::OnFault)?;
    let k = p.keeper(0)?;
    k.register(a, MISSING)?;
    p.write_missing(a.sub(0..4), &k, Answer::Copy)?;
    expect(&w, p, a.sub(0..4), true)?;
    let c = p.fork("C")?;
    c.write(a.sub(2..6))?;
    expect(&w, c, a.sub(2..6), false)?;
    p.write_missing(a.sub(8..N), &k, Answer::Copy)?;
    expect(&w, p, a.sub(8..N), true)?;
    vm_locked(&w, p, N as u64)?;
    p.unlock(a)?;
    expect(&w, p, a.sub(8..N), false)?;
    k.close()?;
    walk::every_on_offer(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// A large folio of which the first half is let go, then the other.
///
///   P |== locked ==| -> |   |locked| -> |          |
pub fn halves(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    mlocked::shown(&w)?;
    if w.features().version() < (6, 7) {
        return Err(Stop::Skip(
            "needs parts of large folios that are unlocked (Linux 6.7)",
        ));
    }
    let p = w.actor("P")?;
    let n = w.folio_size()?;
    let (small, huge) = (w.place_aligned(n, n), w.place_huge(1)?);
    w.name(small, "folio");
    w.name(huge, "huge");
    p.map_folio(small)?;
    p.map(huge)?;
    p.advise(huge, advice::HUGEPAGE)?;
    p.write(huge)?;
    for a in [small, huge] {
        // Mapped by PTEs: a PMD that is split at the lock's end takes the mark along.
        p.advise(a.page(0), advice::DONTDUMP)?;
        p.advise(a.page(0), advice::DODUMP)?;
        // A folio in several VMAs is not marked (folio_within_vma()).
        p.needs_one_vma(a)?;
        p.lock(a, Lock::Full)?;
        expect(&w, p, a.page(0), true)?;
        let half = a.pages / 2;
        p.unlock(a.sub(0..half))?;
        p.unlock(a.sub(half..a.pages))?;
        // The mark is the folio's, in its first page.
        expect(&w, p, a.page(0), false)?;
    }
    walk::every_on_offer(&w)?;
    w.finish()
}

/// The area's own lock is still there when a child's has come and gone.
///
///   P [rw, locked before it was written]      C [r, locked for a while]
pub fn anonymous(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    mlocked::shown(&w)?;
    let p = w.actor("P")?;
    let a = w.place(N);
    w.name(a, "a");
    p.map(a)?;
    p.lock(a, Lock::OnFault)?;
    p.write(a)?;
    expect(&w, p, a, true)?;
    let c = p.fork("C")?;
    c.protect(a, R)?;
    c.lock(a, Lock::Full)?;
    expect(&w, c, a, true)?;
    c.unlock(a)?;
    // Isolated from its list for a moment a page's lockers are undercounted: that happens to some pages, not to all.
    if mlocked::count(&w, p, a)? == 0 {
        return Err(Stop::fail(format_args!(
            "a page stays mlocked while the area that it was born in is locked: not one of {N} did"
        )));
    }
    vm_locked(&w, p, N as u64)?;
    c.exit()?;
    p.unlock(a)?;
    expect(&w, p, a, false)?;
    walk::every_on_offer(&w)?;
    w.finish()
}

/// Pages of an object that a locked area gets later, by a fault.
///
///   P [locked] |0 1 . . . . 6 7|  2 to 5 taken from all, two of them written anew by Q
pub fn object(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    super::marked_when_mapped(&w)?;
    let file = w.object(Kind::Memfd, N)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (a, b) = (w.place(N), w.place(N));
    w.name(a, "a");
    w.name(b, "b");
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.write(a)?;
    q.map_object(b, &file, 0, RW, Share::Shared)?;
    p.lock(a, Lock::Full)?;
    expect(&w, p, a, true)?;
    w.punch(&file, 2..6)?;
    q.write(b.sub(2..4))?;
    p.read(a.sub(2..6))?;
    expect(&w, p, a, true)?;
    walk::every_on_offer(&w)?;
    p.unlock(a)?;
    expect(&w, p, a, false)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// MREMAP_DONTUNMAP: the lock goes with the pages, what stays is a plain area.
pub fn left_behind(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    mlocked::shown(&w)?;
    let p = w.actor("P")?;
    let (a, b) = (w.place(N), w.place(N));
    w.name(a, "a");
    w.name(b, "b");
    p.map(a)?;
    p.write(a)?;
    p.lock(a, Lock::Full)?;
    p.move_dontunmap(a, b)?;
    p.write(a)?;
    expect(&w, p, a, false)?;
    expect(&w, p, b, true)?;
    walk::every_on_offer(&w)?;
    w.finish()
}

/// What the machine counts as mlocked has grown by a large folio while it is locked, and not longer. Whoever else locks memory then
/// changes one round, not all.
pub fn large(ctx: &mut Ctx) -> TestResult {
    const ROUNDS: usize = 3;
    let w = World::new(ctx)?;
    mlocked::shown(&w)?;
    let p = w.actor("P")?;
    let a = w.place_huge(1)?;
    w.name(a, "a");
    let mut seen = Vec::new();
    for _ in 0..ROUNDS {
        p.map(a)?;
        p.advise(a, advice::HUGEPAGE)?;
        p.write(a)?;
        if !w.is_huge(p.id(), a)? {
            return Err(Stop::Skip("needs a free huge page"));
        }
        let before = mlocked::machine().ok_or(Stop::Skip("needs Mlocked in /proc/meminfo"))?;
        p.lock(a, Lock::Full)?;
        // The mark is the folio's, in its first page.
        expect(&w, p, a.page(0), true)?;
        let locked = mlocked::machine().unwrap_or(0);
        p.unlock(a)?;
        expect(&w, p, a.page(0), false)?;
        let after = mlocked::machine().unwrap_or(0);
        let pages = |bytes: u64| (bytes as i64 - before as i64) / w.page_size() as i64;
        seen.push((pages(locked), pages(after)));
        p.unmap(a)?;
    }
    let whole = a.pages as i64;
    w.diag(format_args!(
        "Mlocked while locked, and after, pages: {seen:?}"
    ));
    // Each CPU may keep some 100 pages to itself (stat_threshold).
    let near = |pages: i64, expected: i64| (pages - expected).abs() < whole / 2;
    if !seen.iter().any(|s| near(s.0, whole)) || !seen.iter().any(|s| near(s.1, 0)) {
        return Err(Stop::fail(format_args!(
            "Mlocked counts each page of a large folio while it is locked: expected about ({whole}, 0) more than before, seen {seen:?}"
        )));
    }
    w.finish()
}
