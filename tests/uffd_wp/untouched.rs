// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages of an object that are write-protected before anybody has touched them: what says so waits in their entries, for which page tables
//! are made (change_pmd_prepare(), userfaultfd_wp_use_markers()).

use super::N;
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::sys::uffd::{FEATURE_WP_UNPOPULATED, WP};
use helpers::topology::{NONE, RW};
use helpers::world::{Kind, Share, World};
use helpers::{TestResult, walk};

/// The area is in two page tables: there is one with a page of it, and none yet.
///
///   memfd    0 1 2 3 4 5 6 7
///   P       |0 - - -|- - - -|      B  P's child while what says so waits    C  P's child when all is there
///              . . . . . .
///   Q            2 3 4 5            shared, written first
pub fn untouched(ctx: &mut Ctx, share: Share) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, N)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (a, other) = (w.place_across(N)?, w.place(4));
    w.name(a, "a");
    w.name(other, "b");
    // Nothing is read before it is registered.
    p.map_object(a, &file, 0, NONE, share)?;
    let k = p.keeper(0)?;
    k.register(a, WP)?;
    p.protect(a, RW)?;
    p.write(a.page(0))?;
    k.protect(a.sub(1..N - 1))?;
    w.check_mincore_marks(p, a.sub(1..N - 1))?;
    w.check_partly()?;
    // Giving back what is not there takes nothing away, however often (zap_pte_range()).
    for _ in 0..2 {
        p.advise(a.sub(2..N - 2), advice::DONTNEED)?;
        w.check_partly()?;
    }
    let b = p.fork("B")?;
    w.check_partly()?;
    b.exit()?;
    // Of each page table one that is let go, one that the object has not, and one that it has when it is written.
    k.unprotect(a.page(3))?;
    k.unprotect(a.page(N - 2))?;
    q.map_object(other, &file, 2, NONE, Share::Shared)?;
    q.protect(other, RW)?;
    q.write(other.page(0))?;
    q.write(other.page(3))?;
    w.check_partly()?;
    p.write_kept(a.sub(1..3), &k)?;
    p.write(a.page(3))?;
    p.write_kept(a.sub(4..6), &k)?;
    p.write(a.sub(N - 2..N))?;
    w.check()?;
    k.protect(a)?;
    p.fork("C")?;
    w.check()?;
    p.write_kept(a.sub(2..4), &k)?;
    walk::every(&w)?;
    w.finish()
}

/// Private memory that nobody has touched: the mark waits in the entry, and is there still when a read has brought the page of zeroes
/// (do_anonymous_page()).
///
///   P |0 1 2 3 4 5 6 7|      2 and 3 are read, 5 and 6 are not, before they are written        B  P's child
///        . . . . . .
pub fn anonymous(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = (w.actor("P")?, w.place_across(N)?);
    w.name(a, "a");
    p.map(a)?;
    let k = p.keeper(FEATURE_WP_UNPOPULATED)?;
    k.register(a, WP)?;
    k.protect(a.sub(1..N - 1))?;
    w.check_mincore_marks(p, a.sub(1..N - 1))?;
    w.check_partly()?;
    p.read(a.sub(2..4))?;
    w.check_partly()?;
    let b = p.fork("B")?;
    w.check_partly()?;
    b.exit()?;
    p.write_kept(a.sub(2..4), &k)?;
    p.write_kept(a.sub(5..7), &k)?;
    p.write(a.page(0))?;
    w.check()?;
    k.protect(a)?;
    p.write_kept(a.sub(2..3), &k)?;
    walk::every(&w)?;
    w.finish()
}
