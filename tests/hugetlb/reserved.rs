// SPDX-License-Identifier: GPL-2.0-or-later
//! hugetlb pages that are promised to a mapping (hugetlb_reserve_pages()): the pool has back what is not used up.

use super::{move_all, place, whole, world};
use helpers::TestResult;
use helpers::supervise::Ctx;
use helpers::topology::{NONE, RW};
use helpers::world::{Kind, Share};

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
