// SPDX-License-Identifier: GPL-2.0-or-later
//! hugetlb pages that userfaultfd write-protects, or says are lost: the mark is in one mapper's entry, and stays there when the page goes or when
//! the area moves.

use super::{move_all, place, whole, world};
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::sys::uffd::{FEATURE_MINOR_HUGETLBFS, FEATURE_POISON, MINOR, MISSING, WP};
use helpers::topology::{NONE, R, RW};
use helpers::world::{Actor, Answer, Area, Kind, Share, World};
use helpers::{Stop, TestResult};

/// Pages that userfaultfd write-protects for one mapper: the mark comes along when they migrate, stays when the area's rights change, and a
/// child's entries have none.
///
///   P [0. 1. 2]      C  P's child
pub(super) fn write_protected(ctx: &mut Ctx, share: Share) -> TestResult {
    // 5a2f8d22ace4 ("mm/hugetlb: fix uffd-wp during fork()"): without it the child's entries have the mark too, as with the bug made anew.
    if share == Share::Private && ctx.arena.features.version() < (6, 4) {
        return Err(Stop::Skip(
            "needs uffd-wp that a child does not inherit (Linux 6.4)",
        ));
    }
    let w = world(ctx)?;
    let a = place(&w, "a", 3)?;
    let file = w.object(Kind::Hugetlb, whole(&a).pages)?;
    let p = w.actor("P")?;
    p.map_object(whole(&a), &file, 0, RW, share)?;
    p.write(whole(&a))?;
    w.check()?;
    p.guard(whole(&a[..2]))?;
    move_all(&w)?;
    // 51d3d5eb74ff: before it the rights of a shared area made its entries writable.
    if share == Share::Private || w.features().version() >= (6, 2) {
        p.protect(whole(&a), R)?;
        w.check()?;
        p.protect(whole(&a), RW)?;
        w.check()?;
    }
    let c = p.fork("C")?;
    move_all(&w)?;
    c.write(whole(&a[1..]))?;
    move_all(&w)?;
    w.finish()
}

/// Write-protected before anything is touched, where not even a page table is (hugetlb_change_protection()): who has the page first has it so.
///
///   file      0 1 2      Q shared, written
///   P        |0.1.2|     alone in its page table, read and then written
pub(super) fn untouched(ctx: &mut Ctx, share: Share) -> TestResult {
    let w = world(ctx)?;
    let b = place(&w, "b", 3)?;
    let huge = b[0].pages;
    let a = w.far(huge * w.page_size() * (w.page_size() / 8))?;
    let a = [0, 1, 2].map(|i| a.sub(i * huge..(i + 1) * huge));
    w.name(whole(&a), "a");
    let file = w.object(Kind::Hugetlb, 3 * huge)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    q.map_object(whole(&b), &file, 0, RW, Share::Shared)?;
    q.write(whole(&b))?;
    // Nothing is read before it is registered.
    p.map_object(whole(&a), &file, 0, NONE, share)?;
    let k = p.keeper(0)?;
    k.register(whole(&a), WP)?;
    p.protect(whole(&a), RW)?;
    k.protect(whole(&a))?;
    w.check_partly()?;
    p.read(whole(&a))?;
    w.check()?;
    p.write_kept(a[1], &k)?;
    move_all(&w)?;
    k.unprotect(a[0])?;
    p.write(a[0])?;
    w.check()?;
    w.finish()
}

/// Pages that userfaultfd fills in write-protected (hugetlb_mfill_atomic_pte()), and one that it does not protect.
///
///   P [0. 1. 2]      C  P's child
pub(super) fn filled_in(ctx: &mut Ctx, share: Share, with: Answer) -> TestResult {
    if share == Share::Private && ctx.arena.features.version() < (6, 4) {
        return Err(Stop::Skip(
            "needs uffd-wp that a child does not inherit (Linux 6.4)",
        ));
    }
    let w = world(ctx)?;
    let (a, b) = (place(&w, "a", 3)?, place(&w, "b", 3)?);
    let file = w.object(Kind::Hugetlb, whole(&a).pages)?;
    let p = w.actor("P")?;
    // Nothing is read before it is registered.
    p.map_object(whole(&a), &file, 0, NONE, share)?;
    let (k, mode) = match with {
        Answer::Continue => (p.keeper(FEATURE_MINOR_HUGETLBFS)?, MINOR),
        _ => (p.keeper(0)?, MISSING),
    };
    k.register(whole(&a), mode | WP)?;
    if with == Answer::Continue {
        let q = w.actor("Q")?;
        q.map_object(whole(&b), &file, 0, RW, Share::Shared)?;
        q.write(whole(&b))?;
    }
    p.protect(whole(&a), RW)?;
    k.fill_protected(whole(&a), with)?;
    w.check()?;
    k.unprotect(a[2])?;
    w.check()?;
    p.write(a[2])?;
    move_all(&w)?;
    p.fork("C")?;
    move_all(&w)?;
    k.unprotect(a[0])?;
    p.write(a[0])?;
    w.check()?;
    w.finish()
}

/// P has three pages of a file, all of which Q has written.
fn beside_all<'w, 'c>(w: &'w World<'c>, share: Share) -> TestResult<(Actor<'w, 'c>, Vec<Area>)> {
    let (all, a) = (place(w, "all", 3)?, place(w, "a", 3)?);
    let file = w.object(Kind::Hugetlb, whole(&a).pages)?;
    let q = w.actor("Q")?;
    q.map_object(whole(&all), &file, 0, RW, Share::Shared)?;
    q.write(whole(&all))?;
    let p = w.actor("P")?;
    p.map_object(whole(&a), &file, 0, RW, share)?;
    Ok((p, a))
}

/// Write-protected pages that their mapper gives back, all in one call (__unmap_hugepage_range()): who comes to have a page there again has
/// it write-protected, and no other.
///
///   file         0 1 2
///   Q shared     0 1 2
///   P            0.1 2.      shared; private with its own page 2
pub(super) fn given_back(ctx: &mut Ctx, share: Share) -> TestResult {
    let w = world(ctx)?;
    let (p, a) = beside_all(&w, share)?;
    p.write(a[2])?;
    w.check()?;
    // All of one VMA.
    let k = p.keeper(0)?;
    k.register(whole(&a), WP)?;
    k.protect(a[0])?;
    k.protect(a[2])?;
    w.check()?;
    p.advise(whole(&a), advice::DONTNEED)?;
    w.check()?;
    move_all(&w)?;
    p.advise(whole(&a[1..]), advice::DONTNEED)?;
    w.check()?;
    p.write(a[1])?;
    k.close()?;
    w.check()?;
    p.write(whole(&a))?;
    w.check()?;
    move_all(&w)?;
    w.finish()
}

/// A page that is lost to one mapper (UFFDIO_POISON), which moves its area (move_hugetlb_page_tables()), changes its rights, and forks. It has the
/// page again when it gives the mark back; to its child it stays lost.
///
///   file            0 1 2
///   Q shared        0 1 2
///   P a |0 # 2|  ->  P b |0 # 2|     C  P's child, if private
pub(super) fn lost(ctx: &mut Ctx, share: Share) -> TestResult {
    let w = world(ctx)?;
    let (p, a) = beside_all(&w, share)?;
    let b = place(&w, "b", 3)?;
    p.write(whole(&a))?;
    let k = p.keeper(FEATURE_POISON)?;
    k.register(whole(&a), MISSING)?;
    p.advise(a[1], advice::DONTNEED)?;
    k.poison(a[1])?;
    p.check_poisoned(a[1])?;
    w.check()?;
    p.move_unkept(whole(&a), whole(&b))?;
    p.check_poisoned(b[1])?;
    w.check()?;
    p.protect(whole(&b[1..]), R)?;
    p.check_poisoned(b[1])?;
    p.protect(whole(&b[1..]), RW)?;
    p.check_poisoned(b[1])?;
    move_all(&w)?;
    let c = match share {
        Share::Private => Some(p.fork("C")?),
        Share::Shared => None,
    };
    p.advise(b[1], advice::DONTNEED)?;
    p.write(b[1])?;
    w.check()?;
    if let Some(c) = c {
        c.check_poisoned(b[1])?;
        c.move_to(b[1], a[2])?;
        c.check_poisoned(a[2])?;
        w.check()?;
    }
    k.close()?;
    move_all(&w)?;
    w.finish()
}
