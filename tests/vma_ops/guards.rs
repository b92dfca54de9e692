// SPDX-License-Identifier: GPL-2.0-or-later
//! Guards (MADV_GUARD_INSTALL): entries that no page is behind. They are the area's and not a page's: fork copies them (copy_nonpresent_pte(),
//! also of files, whose entries it leaves out otherwise), mremap carries them along, and giving pages back leaves them. An area
//! that has nothing else has an anon_vma by them, or gets one at its first page.

use super::OPS;
use helpers::supervise::{Ctx, Need, Test};
use helpers::sys::mem::advice;
use helpers::sys::uffd::{FEATURE_POISON, MISSING, WP};
use helpers::topology::{self, R, RW};
use helpers::world::{Actor, Area, Kind, Share, World};
use helpers::{TestResult, walk};

/// Pages of the area.
const N: usize = 8;

///   P   |0 # # # 4 5 # .|     #: a guard, the last one where nothing was
///   C   |0 1'#|. . .|# .|     P's child; to |# 4 5|, which were 3 4 5
///   G                         C's child
fn guarded(w: &World, p: Actor, a: Area, private: bool) -> TestResult {
    p.advise(a.sub(1..4), advice::GUARD_INSTALL)?;
    p.advise(a.page(6), advice::GUARD_INSTALL)?;
    // Twice is once.
    p.advise(a.page(2), advice::GUARD_INSTALL)?;
    w.check()?;
    let c = p.fork("C")?;
    w.check()?;
    // The object has pages behind them.
    if private {
        for who in [p, c] {
            w.check_mincore_marks(who, a.sub(1..4))?;
            w.check_mincore_marks(who, a.page(6))?;
        }
    }
    p.advise(a.sub(2..5), advice::DONTNEED)?;
    if private {
        p.advise(a.page(6), advice::FREE)?;
    }
    w.check()?;
    let to = w.place(3);
    w.name(to, "to");
    c.move_to(a.sub(3..6), to)?;
    c.advise(a.page(1), advice::GUARD_REMOVE)?;
    c.write(a.page(1))?;
    w.check()?;
    let g = c.fork("G")?;
    walk::every(w)?;
    // What comes where a guard was is found as well.
    p.advise(a, advice::GUARD_REMOVE)?;
    w.check()?;
    p.write(a)?;
    g.advise(to.page(0), advice::GUARD_REMOVE)?;
    g.write(to.page(0))?;
    walk::every(w)?;
    topology::write_by_each(w)
}

fn private(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = w.place(N);
    w.name(a, "a");
    p.map(a)?;
    p.write(a.sub(0..6))?;
    guarded(&w, p, a, true)?;
    w.finish()
}

/// An object's pages stay where they are, and are seen again without the guard; Q maps them too.
fn object(ctx: &mut Ctx, share: Share) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, N)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (a, b) = (w.place(N), w.place(N));
    w.name(a, "a");
    w.name(b, "b");
    q.map_object(b, &file, 0, RW, Share::Shared)?;
    q.write(b)?;
    p.map_object(a, &file, 0, RW, share)?;
    p.write(a.sub(2..5))?;
    guarded(&w, p, a, false)?;
    w.finish()
}

/// A guard inside a huge page: the entry is taken apart, and the page is in use without this part.
///
///   P   |H H H # H ... H|     C  P's child
fn huge(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = w.place_huge(1)?;
    w.name(a, "a");
    p.map_folio(a)?;
    p.advise(a.sub(3..4), advice::GUARD_INSTALL)?;
    w.check()?;
    let c = p.fork("C")?;
    walk::every(&w)?;
    c.advise(a.sub(3..4), advice::GUARD_REMOVE)?;
    c.write(a.sub(2..5))?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// An area that joins its neighbours, of which one has guards, or both have: its child has them as well, also of a file, where fork would
/// copy no entries otherwise (VM_MAYBE_GUARD, vma_expand()).
///
///   P   |0 #|. .|4 5|   |0 1|. .|4 #|   |0 #|. .|4 #|      the middle is mapped last, and makes one area of three;
///       |0 #|r 2 3|4 5|   |0 1|r 2 #|4 5|   |0 1|r 2 3|# 5|   it is so by mprotect
///   C   P's child
fn joined(ctx: &mut Ctx, share: Option<Share>) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, N)?;
    let p = w.actor("P")?;
    let map = |at: Area, first: usize| match share {
        None => p.map(at),
        Some(share) => p.map_object(at, &file, first, RW, share),
    };
    for (name, guards) in [("left", &[1][..]), ("right", &[5]), ("both", &[1, 5])] {
        let a = w.place(6);
        w.name(a, name);
        map(a.sub(0..2), 0)?;
        map(a.sub(4..6), 4)?;
        for &i in guards {
            p.advise(a.page(i), advice::GUARD_INSTALL)?;
        }
        map(a.sub(2..4), 2)?;
        p.write(a.page(3))?;
    }
    for (name, guards) in [("first", &[1][..]), ("middle", &[3]), ("last", &[4])] {
        let a = w.place(6);
        w.name(a, name);
        map(a, 0)?;
        p.protect(a.sub(2..4), R)?;
        for &i in guards {
            p.advise(a.page(i), advice::GUARD_INSTALL)?;
        }
        p.protect(a.sub(2..4), RW)?;
    }
    w.check()?;
    let c = p.fork("C")?;
    w.check()?;
    c.fork("G")?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// The whole range of a page table is given back, which may free the table when nothing else is in it (zap_pte_range(), PT_RECLAIM).
///
///   P   |0 1 .. # .. n/2 . . . #|
fn table(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = w.place_huge(1)?;
    let n = a.pages;
    w.name(a, "a");
    p.map(a)?;
    p.advise(a, advice::NOHUGEPAGE)?;
    p.write(a.sub(0..n / 2))?;
    for i in [5, n / 2, n - 1] {
        p.advise(a.page(i), advice::GUARD_INSTALL)?;
    }
    let c = p.fork("C")?;
    // What it finds to do it may do in several turns.
    for _ in 0..3 {
        p.advise(a, advice::DONTNEED)?;
        c.advise(a.sub(0..n / 2), advice::DONTNEED)?;
        w.check()?;
        p.write(a.sub(0..3))?;
    }
    c.advise(a, advice::DONTNEED)?;
    w.check()?;
    p.advise(a, advice::GUARD_REMOVE)?;
    p.write(a.sub(4..7))?;
    walk::every(&w)?;
    w.finish()
}

/// Guards and other marks that no page is behind, in one table: each goes by what is for it, and by nothing else.
///
///   P   |0 x # # 4 # x .|     x: poisoned by userfaultfd, as 3 was before      #: a guard
fn marks(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = w.place(N);
    w.name(a, "a");
    p.map(a)?;
    p.write(a.sub(0..1))?;
    p.write(a.sub(4..5))?;
    let k = p.keeper(FEATURE_POISON)?;
    k.register(a, MISSING | WP)?;
    k.poison(a.page(1))?;
    k.poison(a.page(3))?;
    k.poison(a.page(6))?;
    for i in [2, 3, 5] {
        p.advise(a.page(i), advice::GUARD_INSTALL)?;
    }
    w.check()?;
    p.check_guards(a)?;
    w.check_mincore_marks(p, a.sub(1..4))?;
    w.check_mincore_marks(p, a.sub(5..7))?;
    k.protect(a.sub(0..1))?;
    k.unprotect(a)?;
    w.check()?;
    p.advise(a.sub(0..4), advice::GUARD_REMOVE)?;
    p.check_poisoned(a.page(1))?;
    w.check()?;
    let c = p.fork("C")?;
    c.check_guards(a)?;
    k.close()?;
    c.check_poisoned(a.page(6))?;
    p.advise(a.sub(0..4), advice::DONTNEED)?;
    w.check()?;
    p.write(a.sub(0..4))?;
    walk::every(&w)?;
    p.check_poisoned(a.page(6))?;
    w.finish()
}

/// Pages of a memfd become a huge page, while one who maps them has a guard there: it stays (file_backed_vma_is_retractable()).
///
///   memfd     |0 ......... n-1|
///   P shared  |0 1 2 # 4 . # .|      Q shared  asks for it
fn collapsed(ctx: &mut Ctx, share: Share) -> TestResult {
    let w = World::new(ctx)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (a, b) = (w.place_huge(1)?, w.place_huge(1)?);
    w.name(a, "a");
    w.name(b, "b");
    let file = w.object(Kind::Memfd, a.pages)?;
    q.map_object(b, &file, 0, RW, Share::Shared)?;
    q.write(b)?;
    p.map_object(a, &file, 0, RW, share)?;
    for i in [3, a.pages / 2] {
        p.advise(a.page(i), advice::GUARD_INSTALL)?;
    }
    w.check()?;
    q.collapse(b)?;
    w.check()?;
    p.fork("C")?;
    walk::every(&w)?;
    p.advise(a, advice::GUARD_REMOVE)?;
    w.check()?;
    p.write(a.sub(2..5))?;
    walk::every(&w)?;
    w.finish()
}

const GUARDS: Test = Test {
    about: "A guard stays where it is, in every child and wherever its area is moved, until it is removed.",
    ..OPS
};

const fn test(name: &'static str, run: fn(&mut Ctx) -> TestResult) -> Test {
    Test {
        name,
        run,
        ..GUARDS
    }
}

pub const PRIVATE: Test = test("guards.private", private);
pub const SHARED: Test = test("guards.memfd.shared", |c| object(c, Share::Shared));
pub const COPIED: Test = test("guards.memfd.private", |c| object(c, Share::Private));
pub const HUGE: Test = test("guards.huge", huge);
pub const JOINED: Test = test("guards.joined", |c| joined(c, None));
pub const JOINED_SHARED: Test = test("guards.joined.memfd.shared", |c| {
    joined(c, Some(Share::Shared))
});
pub const JOINED_COPIED: Test = test("guards.joined.memfd.private", |c| {
    joined(c, Some(Share::Private))
});
pub const TABLE: Test = test("guards.table", table);
pub const MARKS: Test = Test {
    needs: &[Need::Pagemap],
    ..test("guards.marks", marks)
};
pub const COLLAPSED: Test = test("guards.collapsed", |c| collapsed(c, Share::Shared));
pub const COLLAPSED_COPIED: Test =
    test("guards.collapsed.private", |c| collapsed(c, Share::Private));
