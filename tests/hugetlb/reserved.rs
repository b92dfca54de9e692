// SPDX-License-Identifier: GPL-2.0-or-later
//! hugetlb pages that are promised to a mapping (hugetlb_reserve_pages()): the pool has back what is not used up.

use super::{move_all, place, whole, world};
use helpers::kernel::features::Features;
use helpers::supervise::Ctx;
use helpers::topology::{NONE, RW};
use helpers::world::{Kind, Share, expect_promised, promised_twice};
use helpers::{Stop, TestResult};

/// Mappings that pages are promised to. The promise is used up by who touches a page first, and what is left of it is given back with the
/// mapping, a hole or the file; a child has none.
///
///   file         0 1 2
///   P reserved   0 1 -       2 not touched
///   C            - 1 -       P's child, its 1 its own when private
pub(super) fn reserved(ctx: &mut Ctx, share: Share) -> TestResult {
    let w = world(ctx)?;
    let a = place(&w, "a", 3)?;
    let huge = a[0].pages;
    let file = w.object(Kind::Hugetlb, 3 * huge)?;
    let p = w.actor("P")?;
    p.map_reserved(whole(&a), &file, 0, NONE, share)?;
    p.protect(whole(&a[..2]), RW)?;
    p.write(whole(&a[..2]))?;
    let c = p.fork("C")?;
    c.write(a[1])?;
    p.write(a[0])?;
    w.check()?;
    c.unmap(a[0])?;
    move_all(&w)?;
    if share == Share::Shared {
        w.punch(&file, 0..huge)?;
        p.write(a[0])?;
    } else {
        p.unmap(a[0])?;
    }
    w.check()?;
    let d = c.fork("D")?;
    c.exit()?;
    d.write(a[1])?;
    move_all(&w)?;
    p.unmap(a[2])?;
    w.check()?;
    w.finish()
}

/// A private mapping that pages are promised to, of a file whose pages another has: its copies use the promise up (hugetlb_wp()).
///
///   file         0 1 2
///   Q shared     0 1 2       written
///   P reserved   0'1'2       0 and 1 its own copies
pub(super) fn beside(ctx: &mut Ctx) -> TestResult {
    let w = world(ctx)?;
    let (b, a) = (place(&w, "b", 3)?, place(&w, "a", 3)?);
    let file = w.object(Kind::Hugetlb, whole(&a).pages)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    q.map_object(whole(&b), &file, 0, RW, Share::Shared)?;
    q.write(whole(&b))?;
    p.map_reserved(whole(&a), &file, 0, NONE, Share::Private)?;
    p.protect(whole(&a), RW)?;
    p.read(whole(&a))?;
    w.check()?;
    p.write(whole(&a[..2]))?;
    w.check()?;
    p.unmap(a[1])?;
    w.check()?;
    move_all(&w)?;
    w.finish()
}

/// Seen: 6.1.192, 6.12.118 and 7.3.4 do it right; on 6.18.44 HugePages_Rsvd comes below 0. Before Linux 6.9 nothing was promised anew. Kernels in between
/// are not judged: no probe tells their bug from the same one made anew.
fn left_to_children(features: &Features) -> bool {
    match features.version() {
        (6, 12) => features.sublevel() >= 118,
        version => !((6, 9)..(7, 3)).contains(&version),
    }
}

/// A private mapping that pages are promised to, whose pages a child has too: what its owner gives back meanwhile is not free, so it is not
/// promised anew (__unmap_hugepage_range()). The number is the machine's: what the kernel does wrong is so each time.
///
///   P reserved   0 1     unmapped one after the other
///   C            0 1     its child, which leaves last
pub(super) fn inherited(ctx: &mut Ctx) -> TestResult {
    promised_twice(ctx, inherited_once)
}

fn inherited_once(ctx: &mut Ctx, base: usize) -> TestResult {
    if !left_to_children(&ctx.arena.features) {
        return Err(Stop::Skip(
            "needs hugetlb pages that are not promised anew while a child has them (Linux 6.12.118 or 7.3)",
        ));
    }
    let w = world(ctx)?;
    let a = place(&w, "a", 2)?;
    let file = w.object(Kind::Hugetlb, whole(&a).pages)?;
    let p = w.actor("P")?;
    p.map_reserved(whole(&a), &file, 0, NONE, Share::Private)?;
    expect_promised(&w, base + 2)?;
    p.protect(whole(&a), RW)?;
    p.write(whole(&a))?;
    expect_promised(&w, base)?;
    let c = p.fork("C")?;
    for page in &a {
        p.unmap(*page)?;
        expect_promised(&w, base)?;
        w.check()?;
    }
    c.exit()?;
    expect_promised(&w, base)?;
    w.finish()
}

/// A hugetlbfs that may have four pages: it has back what a hole, a cut and the end of a private copy leave, wherever the pages have moved to
/// (hugetlbfs_migrate_folio(), free_huge_folio()).
///
///   file         0 1 2
///   P shared     0 1 2
///   Q private      1'        its own copy, which a child shares
pub(super) fn sized(ctx: &mut Ctx) -> TestResult {
    let w = world(ctx)?;
    let (a, b) = (place(&w, "a", 3)?, place(&w, "b", 1)?[0]);
    let huge = a[0].pages;
    let fs = w.sized_hugetlbfs(4)?;
    w.expect_left(&fs, 4)?;
    let file = w.object_of(&fs, 3 * huge)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    p.map_object(whole(&a), &file, 0, RW, Share::Shared)?;
    p.write(whole(&a))?;
    w.expect_left(&fs, 1)?;
    move_all(&w)?;
    w.expect_left(&fs, 1)?;
    q.map_object(b, &file, huge, RW, Share::Private)?;
    q.write(b)?;
    w.expect_left(&fs, 0)?;
    let c = q.fork("C")?;
    w.expect_left(&fs, 0)?;
    p.unmap(a[0])?;
    w.expect_left(&fs, 0)?;
    w.punch(&file, 0..huge)?;
    w.check()?;
    w.expect_left(&fs, 1)?;
    q.exit()?;
    w.expect_left(&fs, 1)?;
    c.exit()?;
    w.expect_left(&fs, 2)?;
    // Private copies stay where they are (unmap_and_move_huge_page()); now there is none.
    move_all(&w)?;
    w.expect_left(&fs, 2)?;
    w.truncate(&file, 0)?;
    w.check()?;
    w.expect_left(&fs, 4)?;
    w.finish()
}

/// A file that is cut: what was promised of its pages behind the end is given back, touched or not (remove_inode_hugepages()).
///
///   file         0 1 2 3      cut behind 2, behind 1, behind 0
///   P reserved   0 1 - -      2 and 3 not touched
pub(super) fn cut(ctx: &mut Ctx) -> TestResult {
    promised_twice(ctx, cut_once)
}

fn cut_once(ctx: &mut Ctx, base: usize) -> TestResult {
    let w = world(ctx)?;
    let a = place(&w, "a", 4)?;
    let huge = a[0].pages;
    let file = w.object(Kind::Hugetlb, 4 * huge)?;
    let p = w.actor("P")?;
    p.map_reserved(whole(&a), &file, 0, NONE, Share::Shared)?;
    expect_promised(&w, base + 4)?;
    p.protect(whole(&a[..2]), RW)?;
    p.write(whole(&a[..2]))?;
    w.check()?;
    expect_promised(&w, base + 2)?;
    for (end, left) in [(3, 1), (2, 0), (1, 0)] {
        w.truncate(&file, end * huge)?;
        w.check()?;
        expect_promised(&w, base + left)?;
    }
    move_all(&w)?;
    w.finish()
}
