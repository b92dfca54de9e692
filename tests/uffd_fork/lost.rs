// SPDX-License-Identifier: GPL-2.0-or-later
//! The marks of UFFDIO_POISON go where their area goes (move_ptes(), move_page_tables()), and stay when its VMAs are cut and joined
//! (change_pte_range()). The memory is registered or, without UFFD_FEATURE_EVENT_REMAP, is not any more: the marks do not need it.
//! `vma_ops` has them in private memory that is moved in other ways.

use super::{FORK, N, REMAP, end};
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::sys::uffd::{FEATURE_POISON, MISSING};
use helpers::topology::{R, RW};
use helpers::world::{Actor, Answer, Area, Keeper, Kind, Share, World};
use helpers::{TestResult, walk};

/// A registered area moves, told or not.
fn move_to(who: Actor, from: Area, to: Area, told: bool) -> TestResult {
    if told {
        who.move_kept(from, to)
    } else {
        who.move_unkept(from, to)
    }
}

/// A lost page is given back, and can be had again: from the one whom its mapper has to ask for it, if there is one.
fn have_again(who: Actor, page: Area, k: Option<&Keeper>) -> TestResult {
    who.advise(page, advice::DONTNEED)?;
    match k {
        Some(k) => who.write_missing(page, k, Answer::Copy),
        None => who.write(page),
    }
}

/// Moved as a whole, cut by mprotect and joined, moved page by page, a part of it moved onto another; and by a child as well, which has the
/// entries where they are private ones. Where there is a memfd it has all pages, the lost ones too.
///
///   P a |0 1 # # . . # .|   ->   b, the same   ->   c, the same   ->   c |0 1| |. . # #|     C  P's child
fn moved_in(ctx: &mut Ctx, share: Option<Share>, told: bool) -> TestResult {
    let w = World::new(ctx)?;
    let (a, b, c) = (w.place(N), w.place(N), w.place(N));
    for (area, name) in [(a, "a"), (b, "b"), (c, "c")] {
        w.name(area, name);
    }
    let p = w.actor("P")?;
    match share {
        None => p.map(a)?,
        Some(share) => {
            let (q, all) = (w.actor("Q")?, w.place(N));
            w.name(all, "all");
            let file = w.object(Kind::Memfd, N)?;
            q.map_object(all, &file, 0, RW, Share::Shared)?;
            q.write(all)?;
            p.map_object(a, &file, 0, RW, share)?;
        }
    }
    p.write(a.sub(0..2))?;
    let features = if told { FORK | REMAP } else { 0 };
    let k = p.keeper(FEATURE_POISON | features)?;
    k.register(a, MISSING)?;
    // A mark is made where no entry is.
    p.advise(a.sub(2..N), advice::DONTNEED)?;
    k.poison(a.sub(2..4))?;
    k.poison(a.page(6))?;
    // What the memfd has is not missing.
    let asks = told && share.is_none();
    let lost = |who: Actor, at: Area| {
        w.check()?;
        who.check_poisoned(at.sub(2..4))?;
        who.check_poisoned(at.page(6))
    };
    lost(p, a)?;
    move_to(p, a, b, told)?;
    lost(p, b)?;
    p.protect(b.sub(3..7), R)?;
    lost(p, b)?;
    p.protect(b.sub(3..5), RW)?;
    p.protect(b.sub(5..7), RW)?;
    lost(p, b)?;
    for i in [3, 6, 0, 2, 7, 1, 5, 4] {
        move_to(p, b.page(i), c.page(i), told)?;
    }
    lost(p, c)?;
    let mut keepers = Vec::new();
    if share != Some(Share::Shared) {
        let (child, kc) = if told {
            let (child, kc) = p.fork_kept("C", &k)?;
            (child, Some(kc))
        } else {
            (p.fork("C")?, None)
        };
        lost(child, c)?;
        move_to(child, c, a, told)?;
        lost(child, a)?;
        have_again(child, a.page(3), kc.as_ref().filter(|_| asks))?;
        w.check()?;
        child.check_poisoned(a.page(2))?;
        child.check_poisoned(a.page(6))?;
        keepers.extend(kc);
    }
    // Onto a lost page and one that nobody has touched: what is lost there now are the two that came.
    move_to(p, c.sub(2..4), c.sub(6..8), told)?;
    w.check()?;
    p.check_poisoned(c.sub(6..8))?;
    walk::every(&w)?;
    p.check_poisoned(c.sub(6..8))?;
    have_again(p, c.page(6), Some(&k).filter(|_| asks))?;
    w.check()?;
    p.check_poisoned(c.page(7))?;
    keepers.push(k);
    end(&w, keepers)?;
    w.finish()
}

/// Private memory, and both mappings of a memfd.
pub(super) fn moved(ctx: &mut Ctx, told: bool) -> TestResult {
    for share in [None, Some(Share::Shared), Some(Share::Private)] {
        moved_in(ctx, share, told)?;
    }
    Ok(())
}

/// A page table of their own, which mremap can move as a whole (move_normal_pmd()). Then one page is away, and the rest moves entry by
/// entry.
///
///   P a |0 1 # . . ...... . #|   ->   to, the same   ->   a |0 1 #| |. ...... . #|
pub(super) fn moved_table(ctx: &mut Ctx, told: bool) -> TestResult {
    let w = World::new(ctx)?;
    let (a, to) = (w.place_huge(1)?, w.place_huge(1)?);
    w.name(a, "a");
    w.name(to, "to");
    let last = a.pages - 1;
    let p = w.actor("P")?;
    p.map(a)?;
    p.advise(a, advice::NOHUGEPAGE)?;
    p.write(a.sub(0..2))?;
    let k = p.keeper(FEATURE_POISON | if told { REMAP } else { 0 })?;
    k.register(a, MISSING)?;
    let lost = |at: Area| {
        w.check()?;
        p.check_poisoned(at.page(2))?;
        p.check_poisoned(at.page(last))
    };
    k.poison(a.page(2))?;
    k.poison(a.page(last))?;
    lost(a)?;
    move_to(p, a, to, told)?;
    lost(to)?;
    p.unmap(to.page(3))?;
    for (from, to) in [(0, 3), (4, a.pages)].map(|(i, n)| (to.sub(i..n), a.sub(i..n))) {
        move_to(p, from, to, told)?;
    }
    lost(a)?;
    walk::every(&w)?;
    have_again(p, a.page(last), Some(&k).filter(|_| told))?;
    end(&w, vec![k])?;
    w.finish()
}
