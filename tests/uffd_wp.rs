// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that userfaultfd write-protects (UFFDIO_WRITEPROTECT): the mark is in the page-table entry of one mapper, and each walk that
//! takes the entry away has to put it back with the page: try_to_migrate_one(), try_to_unmap_one(), __split_huge_pmd_locked().
//!
//! Nobody writes to such a page, for that would wait forever, but where the test holds the userfaultfd and answers.

#[path = "uffd_wp/cut.rs"]
mod cut;
#[path = "uffd_wp/dropped.rs"]
mod dropped;
#[path = "uffd_wp/ended.rs"]
mod ended;
#[path = "uffd_wp/filled.rs"]
mod filled;
#[path = "uffd_wp/folios.rs"]
mod folios;
#[path = "uffd_wp/merged.rs"]
mod merged;
#[path = "uffd_wp/moved.rs"]
mod moved;
#[path = "uffd_wp/occupied.rs"]
mod occupied;
#[path = "uffd_wp/poisoned.rs"]
mod poisoned;
#[path = "uffd_wp/scanned.rs"]
mod scanned;
#[path = "uffd_wp/untouched.rs"]
mod untouched;

use cut::{thp_cut, thp_zero};
use helpers::supervise::{Ctx, Fix, Knob, Need, Test, main as run};
use helpers::sys::mem::advice;
use helpers::sys::uffd::WP;
use helpers::topology::{self, Grain};
use helpers::walk::reclaim::{swap_off, swap_out};
use helpers::world::{Actor, Area, Keeper, Kind, Share, World};
use helpers::{Stop, TestResult, walk};
use moved::{moved, moved_huge, moved_out};
use untouched::untouched;

/// Pages of each mapping.
const N: usize = 8;

/// All pages of a VMA.
fn all(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = topology::filled(&w, "P", N)?;
    p.guard(a)?;
    walk::every(&w)?;
    w.finish()
}

/// Every second page, and one that is read-only as well.
///
///   P |0 1 2 3 4 5 6 7|
///      .   .   .   .
fn scattered(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = topology::filled(&w, "P", N)?;
    for i in (0..N).step_by(2) {
        p.guard(a.page(i))?;
    }
    p.protect(a.page(4), topology::R)?;
    walk::every(&w)?;
    w.finish()
}

/// The child shares the pages and has none of them write-protected: a walk that takes one mapper's mark for all shows here. What
/// the child writes is its own.
fn child(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = topology::filled(&w, "P", N)?;
    p.guard(a.sub(1..N - 1))?;
    let c = p.fork("C")?;
    w.check()?;
    walk::every(&w)?;
    c.write(a.sub(2..5))?;
    walk::every(&w)?;
    w.finish()
}

/// The child has write-protected what it shares, the parent has not.
fn by_child(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = topology::filled(&w, "P", N)?;
    let c = p.fork("C")?;
    c.guard(a.sub(2..N))?;
    walk::every(&w)?;
    p.write(a.sub(0..4))?;
    walk::every(&w)?;
    w.finish()
}

/// A huge page, by its PMD: migrated as a whole, and split by what asks for it. One that a child has as well, unprotected, is nobody's own when it
/// migrates (set_pmd_migration_entry(), remove_migration_pmd()).
///
///   P [==== PMD, protected ====]      C [========= PMD =========]  if shared
fn thp(ctx: &mut Ctx, shared: bool) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Huge.map(&w, p, 1)?;
    p.write(a)?;
    Grain::Huge.verify(&w, p, a)?;
    p.guard(a)?;
    if shared {
        p.fork("C")?;
    }
    walk::every(&w)?;
    w.finish()
}

/// A huge page of which most was never written, write-protected as a whole: when it is split, zeroes become the zero page, and are
/// write-protected all the same.
///
///   P |0 1 2 3 z z z ... z|
fn thp_zeroes(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let a = Grain::Huge.map(&w, p, 1)?;
    p.advise(a, advice::POPULATE_WRITE)?;
    // A VMA is soft-dirty as a whole until then, whatever its entries say; the write makes the PMD so.
    w.clear_soft_dirty()?;
    p.write(a.sub(0..4))?;
    Grain::Huge.verify(&w, p, a)?;
    p.guard(a)?;
    w.check()?;
    p.split_guarded(a, a.sub(2..a.pages / 2))?;
    p.unguard()?;
    p.advise(a.sub(4..a.pages), advice::DONTNEED)?;
    walk::every(&w)?;
    w.finish()
}

/// A part of a huge page, at either end or between: its PMD is split at once, and nothing outside of it is write-protected.
///
///   P |..====|  |=..===|  |===...|
fn thp_part(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let parts: [fn(Area) -> Area; 3] = [
        |a| a.sub(0..a.pages / 2),
        |a| a.sub(3..a.pages / 2),
        |a| a.sub(a.pages - 5..a.pages),
    ];
    // Registered as a whole: where it is in two VMAs its PMD is split before.
    let k = p.keeper(0)?;
    for part in parts {
        let a = Grain::Huge.map(&w, p, 1)?;
        p.write(a)?;
        Grain::Huge.verify(&w, p, a)?;
        k.register(a, WP)?;
        k.protect(part(a))?;
    }
    let c = p.fork("C")?;
    walk::every(&w)?;
    c.exit()?;
    walk::every(&w)?;
    w.finish()
}

/// Pages of an object, which others have mapped plain. When reclaim takes one, what is left in the entry says that it was write-protected
/// (pte_install_uffd_wp_if_needed()), and who reads it again has it so. A child's entries are its own: without.
///
///   object      0 1 2 3 4 5 6 7
///   P  shared   0 . . . . . . 7         C  P's child
///   Q  shared       2 3 4 5
fn memfd(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, N)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (a, b) = (w.place(N), w.place(4));
    w.name(a, "a");
    w.name(b, "b");
    p.map_object(a, &file, 0, topology::RW, Share::Shared)?;
    p.write(a)?;
    q.map_object(b, &file, 2, topology::RW, Share::Shared)?;
    w.check()?;
    p.guard(a.sub(1..N - 1))?;
    walk::every(&w)?;
    p.fork("C")?;
    walk::every(&w)?;
    q.write(b.sub(1..3))?;
    walk::every(&w)?;
    w.finish()
}

/// A private mapping of an object: copies, which are anonymous pages, and pages of the object itself.
///
///   P  private  0' 1' 2 3 4 5 6 7        C  P's child
///                  .. . . .
fn memfd_private(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, N)?;
    let p = w.actor("P")?;
    let a = w.place(N);
    w.name(a, "a");
    p.map_object(a, &file, 0, topology::RW, Share::Private)?;
    p.write(a.sub(0..2))?;
    w.check()?;
    p.guard(a.sub(1..5))?;
    walk::every(&w)?;
    let c = p.fork("C")?;
    walk::every(&w)?;
    c.write(a.sub(4..6))?;
    walk::every(&w)?;
    w.finish()
}

/// A process with pages that are all registered for write protection.
fn kept<'w, 'c>(w: &'w World<'c>) -> TestResult<(Actor<'w, 'c>, Keeper<'w, 'c>, Area)> {
    let (p, a) = topology::filled(w, "P", N)?;
    let k = p.keeper(0)?;
    k.register(a, WP)?;
    Ok((p, k, a))
}

/// mprotect to read-only and back makes plain pages writable at once where it can (can_change_pte_writable()), and leaves these to the
/// fault that tells the userfaultfd.
fn protected_again(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = kept(&w)?;
    k.protect(a.sub(1..4))?;
    p.protect(a, topology::R)?;
    w.check()?;
    p.protect(a, topology::RW)?;
    w.check()?;
    p.write_kept(a.sub(1..3), &k)?;
    p.write(a.sub(4..N))?;
    walk::every(&w)?;
    w.finish()
}

/// Pages that are in swap when they are write-protected, or are so no more.
fn swapped(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = kept(&w)?;
    p.page_out(a.sub(0..4))?;
    // The last one is in memory.
    k.protect(a.sub(1..5))?;
    p.page_out(a.page(4))?;
    k.unprotect(a.page(1))?;
    w.check()?;
    p.write(a.sub(0..2))?;
    p.write_kept(a.sub(2..4), &k)?;
    walk::every(&w)?;
    w.finish()
}

/// swapoff(2) brings the pages back, each entry with its mark and no other with one (unuse_pte()). Pages of a memfd come back to it: what
/// says that they were write-protected waits in the entry for the next fault.
///
///   P |0 1 2 3 4 5 6 7|      C  P's child  |0 1 2'3'4 5 6 7|
///        . . . .
fn swapped_off(ctx: &mut Ctx, kind: Option<Kind>) -> TestResult {
    let w = World::new(ctx)?;
    if w.features().version() < (5, 19) {
        return Err(Stop::Skip(
            "needs a swapoff that keeps write protection (Linux 5.19)",
        ));
    }
    let (p, a) = (w.actor("P")?, w.place(N));
    w.name(a, "a");
    match kind {
        Some(kind) => p.map_object(a, &w.object(kind, N)?, 0, topology::RW, Share::Shared)?,
        None => p.map(a)?,
    }
    p.write(a)?;
    let k = p.keeper(0)?;
    k.register(a, WP)?;
    k.protect(a.sub(1..5))?;
    let c = p.fork("C")?;
    if kind.is_none() {
        c.write(a.sub(2..4))?;
    }
    swap_out(&w)?;
    let off = swap_off(&w)?;
    w.check()?;
    p.write_kept(a.sub(1..3), &k)?;
    c.write(a.page(4))?;
    drop(off);
    walk::every(&w)?;
    w.finish()
}

/// A range of several VMAs, of several kinds, write-protected by one call and let go by another: each page of it is.
///
///   P |0 1|2 3|4 5|6 7|m m m m|       4 5 not dumped, 6 7 read only, m a memfd's
///        . . . . . . . . . .
fn several(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    if w.features().version() < (6, 3) {
        return Err(Stop::Skip(
            "needs UFFDIO_WRITEPROTECT of several areas (Linux 6.3)",
        ));
    }
    let file = w.object(Kind::Memfd, 4)?;
    let (p, all) = (w.actor("P")?, w.place(N + 4));
    w.name(all, "all");
    let (a, m) = (all.sub(0..N), all.sub(N..N + 4));
    p.map(a)?;
    p.map_object(m, &file, 0, topology::RW, Share::Shared)?;
    p.write(all)?;
    let k = p.keeper(0)?;
    k.register(all, WP)?;
    p.advise(a.sub(4..6), advice::DONTDUMP)?;
    p.protect(a.sub(6..8), topology::R)?;
    p.protect(a.sub(2..4), topology::R)?;
    k.protect(all.sub(1..N + 3))?;
    w.check()?;
    k.unprotect(all.sub(5..N + 1))?;
    w.check()?;
    p.write(all.sub(4 + 1..6))?;
    p.write(m.page(0))?;
    p.protect(a.sub(2..4), topology::RW)?;
    p.write_kept(a.sub(1..3), &k)?;
    p.write_kept(m.page(1), &k)?;
    walk::every(&w)?;
    w.finish()
}

/// The userfaultfd is closed: nothing is write-protected any more (userfaultfd_clear_vma()).
fn let_go(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, k, a) = kept(&w)?;
    k.protect(a.sub(1..N - 1))?;
    let c = p.fork("C")?;
    w.check()?;
    k.close()?;
    w.check()?;
    walk::every(&w)?;
    c.exit()?;
    p.write(a)?;
    w.finish()
}

/// Two userfaultfds side by side: each hears of its own pages. The VMAs look alike but for that, and must not be merged.
///
///   P |0 1 2 3|4 5 6 7|
///      one     other
fn neighbours(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = topology::filled(&w, "P", N)?;
    let (one, other) = (p.keeper(0)?, p.keeper(0)?);
    one.register(a.sub(0..N / 2), WP)?;
    other.register(a.sub(N / 2..N), WP)?;
    one.protect(a.sub(1..N / 2))?;
    other.protect(a.sub(N / 2..N - 1))?;
    w.check()?;
    p.write_kept(a.sub(N / 2 - 1..N / 2), &one)?;
    p.write_kept(a.sub(N / 2..N / 2 + 1), &other)?;
    walk::every(&w)?;
    w.finish()
}

/// Small pages of which some are write-protected are not made a huge one, which could only be so as a whole.
fn collapsed(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = topology::small(&w, "P")?;
    let k = p.keeper(0)?;
    k.register(a, WP)?;
    k.protect(a.sub(3..5))?;
    p.collapse_refused(a, "write-protected pages")?;
    w.check()?;
    p.write_kept(a.page(3), &k)?;
    k.close()?;
    p.collapse(a)?;
    walk::every(&w)?;
    w.finish()
}

const MARK: Test = Test {
    about: "A page stays write-protected by userfaultfd for the mapper that asked for it, and for nobody else, whatever walk takes it.",
    ..Test::DEFAULT
};
const HUGE: Test = Test {
    needs: Grain::HUGE_NEEDS,
    ..MARK
};
const ZERO: Test = Test {
    knobs: &[Knob::set(
        "/sys/kernel/mm/transparent_hugepage/use_zero_page",
        "1",
    )],
    ..HUGE
};
const OFF: Test = Test {
    needs: &[Need::Pfn, Need::Reclaim, Need::MemMib(300)],
    ..MARK
};
const TESTS: &[Test] = &[
    Test {
        name: "all",
        run: all,
        ..MARK
    },
    Test {
        name: "scattered",
        run: scattered,
        ..MARK
    },
    Test {
        name: "child",
        run: child,
        ..MARK
    },
    Test {
        name: "by_child",
        run: by_child,
        ..MARK
    },
    merged::MERGED,
    Test {
        name: "memfd",
        run: memfd,
        ..MARK
    },
    folios::WHOLE,
    folios::PARTS,
    folios::HUGE,
    folios::HUGE_PARTS,
    Test {
        name: "memfd.private",
        run: memfd_private,
        ..MARK
    },
    Test {
        name: "protected_again",
        run: protected_again,
        ..MARK
    },
    Test {
        name: "swapped",
        run: swapped,
        ..MARK
    },
    Test {
        name: "swapped_off",
        run: |c| swapped_off(c, None),
        ..OFF
    },
    Test {
        name: "swapped_off.memfd",
        run: |c| swapped_off(c, Some(Kind::Memfd)),
        ..OFF
    },
    filled::ANONYMOUS,
    filled::SHARED,
    filled::PRIVATE,
    filled::CONTINUED,
    filled::OTHER_GROUP,
    occupied::OCCUPIED,
    poisoned::ANONYMOUS,
    poisoned::SHARED,
    poisoned::PRIVATE,
    dropped::TABLE,
    dropped::PART,
    dropped::SWAPPED,
    Test {
        name: "several",
        run: several,
        ..MARK
    },
    Test {
        name: "let_go",
        run: let_go,
        ..MARK
    },
    Test {
        name: "neighbours",
        run: neighbours,
        ..MARK
    },
    Test {
        name: "collapsed",
        run: collapsed,
        ..HUGE
    },
    Test {
        name: "thp",
        run: |c| thp(c, false),
        ..HUGE
    },
    Test {
        name: "thp.shared",
        run: |c| thp(c, true),
        ..HUGE
    },
    Test {
        name: "thp.protected_again",
        run: cut::thp_again,
        ..HUGE
    },
    Test {
        name: "thp.part_read_only",
        run: |c| thp_cut(c, |p, _, part| p.protect(part, topology::R)),
        ..HUGE
    },
    Test {
        name: "thp.part_gone",
        run: |c| thp_cut(c, |p, _, part| p.unmap(part)),
        ..HUGE
    },
    Test {
        name: "thp.part_let_go",
        run: |c| thp_cut(c, |_, k, part| k.unprotect(part)),
        ..HUGE
    },
    Test {
        name: "thp.zero.part_read_only",
        run: |c| thp_zero(c, |p, _, part| p.protect(part, topology::R)),
        ..ZERO
    },
    Test {
        name: "thp.zero.part_gone",
        run: |c| thp_zero(c, |p, _, part| p.unmap(part)),
        ..ZERO
    },
    Test {
        name: "thp.zero.part_let_go",
        run: |c| thp_zero(c, |_, k, part| k.unprotect(part)),
        ..ZERO
    },
    Test {
        name: "moved",
        run: |c| moved(c, false),
        ..HUGE
    },
    Test {
        name: "moved.told",
        run: |c| moved(c, true),
        ..HUGE
    },
    Test {
        name: "moved.huge",
        run: |c| moved_huge(c, false),
        ..HUGE
    },
    Test {
        name: "moved.huge.told",
        run: |c| moved_huge(c, true),
        ..HUGE
    },
    Test {
        name: "moved.out",
        run: |c| moved_out(c, None, false),
        ..MARK
    },
    Test {
        name: "moved.out.memfd",
        run: |c| moved_out(c, Some(Kind::Memfd), false),
        ..MARK
    },
    Test {
        name: "moved.out.told",
        run: |c| moved_out(c, None, true),
        ..MARK
    },
    Test {
        name: "moved.out.memfd.told",
        run: |c| moved_out(c, Some(Kind::Memfd), true),
        ..MARK
    },
    Test {
        name: "moved.beside",
        about: "An area that leaves its userfaultfd leaves it alone.",
        run: moved::beside,
        ..MARK
    },
    Test {
        name: "scanned",
        run: scanned::scanned,
        ..MARK
    },
    Test {
        name: "scanned.huge",
        run: scanned::huge,
        ..HUGE
    },
    Test {
        name: "scanned.huge.parts",
        run: scanned::huge_parts,
        ..HUGE
    },
    Test {
        name: "scanned.limited",
        run: |c| scanned::limited(c, false),
        ..MARK
    },
    Test {
        name: "scanned.huge.limited",
        run: |c| scanned::limited(c, true),
        ..HUGE
    },
    Test {
        name: "unregistered",
        run: |c| ended::unregistered(c, None),
        ..MARK
    },
    Test {
        name: "unregistered.memfd",
        run: |c| ended::unregistered(c, Some(Kind::Memfd)),
        ..MARK
    },
    Test {
        name: "by_thread",
        run: |c| ended::by_thread(c, None),
        ..MARK
    },
    Test {
        name: "by_thread.memfd",
        run: |c| ended::by_thread(c, Some(Kind::Memfd)),
        ..MARK
    },
    Test {
        name: "untouched",
        run: untouched::anonymous,
        ..MARK
    },
    Test {
        name: "untouched.memfd",
        run: |c| untouched(c, Share::Shared),
        ..HUGE
    },
    Test {
        name: "untouched.memfd.private",
        run: |c| untouched(c, Share::Private),
        ..HUGE
    },
    Test {
        name: "thp.zeroes",
        run: thp_zeroes,
        guards: &[Fix {
            commit: "9658d698a8a8",
            subject: "mm/rmap: fix soft-dirty and uffd-wp bit loss when remapping zero-filled mTHP subpage to shared zeropage",
        }],
        ..HUGE
    },
    Test {
        name: "thp.part",
        run: thp_part,
        ..HUGE
    },
];

pub fn main() {
    run(
        "uffd_wp",
        "pages write-protected by userfaultfd: they stay so for the one mapper",
        TESTS,
    )
}
