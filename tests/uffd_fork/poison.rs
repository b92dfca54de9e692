// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that a userfaultfd says are lost (UFFDIO_POISON): marks in page-table entries that no page is behind, which fork has to copy
//! (copy_nonpresent_pte(), copy_pte_marker()).

use super::{N, end, half};
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::sys::uffd::{FEATURE_POISON, MISSING};
use helpers::topology::RW;
use helpers::world::{Actor, Answer, Area, Kind, Share, World};
use helpers::{Stop, TestResult, walk};

/// Each gives other marks back, and has a page there again; the grandchild has what is left of its parent's.
///
///   P |0 1 2 3 # 5 # .|  registered
///   C |0 1 2 3 4 # # .|  with a userfaultfd of its own, or none       G  C's child, the same
pub(super) fn poisoned(ctx: &mut Ctx, features: u64) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = half(&w, FEATURE_POISON | features, MISSING)?;
    k.poison(a.sub(4..7))?;
    w.check()?;
    w.check_mincore_marks(p, a.sub(4..7))?;
    k.zero_refused(a.sub(4..7))?;
    p.check_poisoned(a.sub(4..7))?;
    let (c, kc) = if features == 0 {
        (p.fork("C")?, None)
    } else {
        let (c, kc) = p.fork_kept("C", &k)?;
        (c, Some(kc))
    };
    w.check_kept()?;
    c.check_poisoned(a.sub(4..7))?;
    p.check_poisoned(a.sub(4..7))?;
    w.check_mincore_marks(c, a.sub(4..7))?;
    c.advise(a.page(4), advice::DONTNEED)?;
    p.advise(a.page(5), advice::DONTNEED)?;
    match &kc {
        Some(kc) => c.write_missing(a.page(4), kc, Answer::Copy)?,
        None => c.write(a.page(4))?,
    }
    p.write_missing(a.page(5), &k, Answer::Copy)?;
    w.check()?;
    let mut keepers = vec![k];
    let g = match kc {
        Some(kc) => {
            let (g, kg) = c.fork_kept("G", &kc)?;
            keepers.extend([kc, kg]);
            g
        }
        None => c.fork("G")?,
    };
    walk::every(&w)?;
    p.check_poisoned(a.page(4))?;
    g.check_poisoned(a.sub(5..7))?;
    c.check_poisoned(a.sub(5..7))?;
    end(&w, keepers)?;
    w.finish()
}

/// Marks over pages that the file has: a fault that maps neighbours as well (filemap_map_pages()) leaves them. A private mapping with a page
/// of its own hands them on to a child; of others fork does not copy the entries (vma_needs_copy()).
///
///   memfd     0 1 2 3 4 5 6 7      small pages, or a part of a huge one
///   Q shared  0 1 2 3 4 5 6 7
///   P         0'1 2 # # 5 6 #      C  P's child, if private
pub(super) fn poisoned_cached(ctx: &mut Ctx, share: Share, huge: bool) -> TestResult {
    let w = World::new(ctx)?;
    let b = if huge { w.place_huge(1)? } else { w.place(N) };
    w.name(b, "b");
    let file = w.object(Kind::Memfd, b.pages)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    q.map_object(b, &file, 0, 0, Share::Shared)?;
    if huge {
        q.advise(b, advice::HUGEPAGE)?;
    }
    q.protect(b, RW)?;
    q.write(b)?;
    if huge && !w.is_huge(q.id(), b)? {
        return Err(Stop::Skip("needs a free huge page for shared memory"));
    }
    let a = w.place(N);
    w.name(a, "a");
    p.map_object(a, &file, b.pages - N, RW, share)?;
    let k = p.keeper(FEATURE_POISON)?;
    k.register(a, MISSING)?;
    p.write(a.page(0))?;
    p.advise(a.sub(1..N), advice::DONTNEED)?;
    let marks = [a.sub(3..5), a.page(7)];
    for part in marks {
        k.poison(part)?;
    }
    let still =
        |who: &Actor, marks: &[Area]| marks.iter().try_for_each(|part| who.check_poisoned(*part));
    p.read(a.page(2))?;
    still(&p, &marks)?;
    p.read(a.page(5))?;
    p.write(a.page(6))?;
    still(&p, &marks)?;
    w.check()?;
    let c = match share {
        Share::Private => Some(p.fork("C")?),
        Share::Shared => None,
    };
    for who in [Some(p), c].into_iter().flatten() {
        for i in [1, 2, 5] {
            who.advise(a.page(i), advice::DONTNEED)?;
            who.read(a.page(i))?;
            still(&who, &marks)?;
        }
    }
    w.check()?;
    walk::every(&w)?;
    for who in [Some(p), c].into_iter().flatten() {
        still(&who, &marks)?;
        who.advise(a.page(4), advice::DONTNEED)?;
        who.read(a.page(4))?;
        still(&who, &[a.page(3), a.page(7)])?;
    }
    end(&w, vec![k])?;
    w.finish()
}
