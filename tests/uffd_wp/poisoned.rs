// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that a userfaultfd says are lost (UFFDIO_POISON), among others that it write-protects. Both may be marks in entries that no page is
//! behind; who takes the protection away takes the one and leaves the other (change_pte_range()).

use super::{MARK, N};
use helpers::supervise::{Ctx, Need, Test};
use helpers::sys::mem::advice;
use helpers::sys::uffd::{FEATURE_POISON, FEATURE_WP_UNPOPULATED, WP};
use helpers::topology::{self, R, RW};
use helpers::world::{Actor, Area, Kind, Share, World};
use helpers::{TestResult, walk};

/// Protected, let go, protected in part, with mprotect in between; then no longer registered, a part after the other. 4 and 5 have nobody's page
/// at first: what protects them is a mark that goes.
///
///   P |0 1 # # . . # 7|      registered for write protection      C  P's child, not registered
///      . . . . . . . .       protected and let go
///        . . . .   . .       again
///
/// Of a memfd it has 2 to 7 as well. Where the mapping is shared a fork need not copy its entries (vma_needs_copy()).
fn poisoned(ctx: &mut Ctx, share: Option<Share>) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = (w.actor("P")?, w.place(N));
    w.name(a, "a");
    // Who has UFFDIO_POISON (Linux 6.6) can protect what nobody has touched as well (Linux 6.4).
    let k = p.keeper(FEATURE_POISON | FEATURE_WP_UNPOPULATED)?;
    match share {
        None => p.map(a)?,
        Some(share) => p.map_object(a, &w.object(Kind::Memfd, N)?, 0, RW, share)?,
    }
    p.write(a.sub(0..2))?;
    p.write(a.page(7))?;
    // A mark is made where no entry is.
    p.advise(a.sub(2..7), advice::DONTNEED)?;
    k.register(a, WP)?;
    k.poison(a.sub(2..4))?;
    k.poison(a.page(6))?;
    let lost = |who: Actor, at: &[Area]| at.iter().try_for_each(|part| who.check_poisoned(*part));
    let marks = [a.sub(2..4), a.page(6)];
    lost(p, &marks)?;
    k.protect(a)?;
    w.check_partly()?;
    lost(p, &marks)?;
    k.unprotect(a)?;
    w.check_partly()?;
    lost(p, &marks)?;
    // Nobody waits.
    p.write(a.page(0))?;
    p.write(a.page(4))?;
    w.check()?;
    lost(p, &marks)?;
    k.protect(a.sub(1..5))?;
    k.protect(a.sub(6..8))?;
    w.check()?;
    lost(p, &marks)?;
    p.protect(a, R)?;
    w.check()?;
    lost(p, &marks)?;
    p.protect(a.sub(3..7), RW)?;
    w.check()?;
    lost(p, &marks)?;
    p.protect(a, RW)?;
    w.check()?;
    lost(p, &marks)?;
    // What is lost by itself, between two that stay protected.
    k.unprotect(a.page(3))?;
    w.check()?;
    lost(p, &marks)?;
    let child = match share {
        Some(Share::Shared) => None,
        _ => Some(p.fork("C")?),
    };
    if let Some(c) = child {
        w.check()?;
        lost(c, &marks)?;
        c.protect(a, R)?;
        c.protect(a, RW)?;
        c.write(a.sub(4..6))?;
        w.check()?;
        lost(c, &marks)?;
        c.advise(a.page(3), advice::DONTNEED)?;
        c.write(a.page(3))?;
        w.check()?;
        lost(c, &[a.page(2), a.page(6)])?;
    }
    lost(p, &marks)?;
    p.write_kept(a.page(1), &k)?;
    k.unprotect(a.sub(2..8))?;
    w.check()?;
    lost(p, &marks)?;
    k.protect(a)?;
    walk::every(&w)?;
    lost(p, &marks)?;
    k.unregister(a.sub(0..3))?;
    w.check()?;
    lost(p, &marks)?;
    p.write(a.sub(0..2))?;
    k.close()?;
    w.check()?;
    lost(p, &marks)?;
    walk::every(&w)?;
    lost(p, &marks)?;
    // Given back, and there again.
    for part in marks {
        p.advise(part, advice::DONTNEED)?;
        p.write(part)?;
    }
    topology::write_by_each(&w)?;
    w.finish()
}

const POISONED: Test = Test {
    about: "What UFFDIO_POISON has marked is no page to be had, whoever protects what is around it and lets it go.",
    needs: &[Need::Pfn],
    ..MARK
};
pub const ANONYMOUS: Test = Test {
    name: "poisoned",
    run: |c| poisoned(c, None),
    ..POISONED
};
pub const SHARED: Test = Test {
    name: "poisoned.memfd",
    run: |c| poisoned(c, Some(Share::Shared)),
    ..POISONED
};
pub const PRIVATE: Test = Test {
    name: "poisoned.memfd.private",
    run: |c| poisoned(c, Some(Share::Private)),
    ..POISONED
};
