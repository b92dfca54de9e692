// SPDX-License-Identifier: GPL-2.0-or-later
//! Private pages that are taken from a child for the sake of its parent, to whom they were promised and for whom there are no others.

use super::{POOL, move_all, place, whole, world};
use helpers::kernel::hugetlb::{self, Taken};
use helpers::supervise::Ctx;
use helpers::topology::RW;
use helpers::world::{Kind, Share, fill_pool};
use helpers::{Stop, TestResult};

/// Whoever loses a page does not get another one later, when there are some again.
///
///   file         0 1 2
///   W shared     0
///   P reserved   0'1'2'     writes 0 and 1 when the pool is empty
///   C            - -'2'     P's child
///   G            - 1"2'     C's child, its 1 its own
pub(super) fn short(ctx: &mut Ctx) -> TestResult {
    // A pool of others would not come back as it was: there may be no memory for it any more.
    if hugetlb::taken() != Some(Taken::default()) || hugetlb::free() > 0 {
        return Err(Stop::Skip("needs a pool of huge pages that is empty"));
    }
    let w = world(ctx)?;
    let (a, first) = (place(&w, "a", 3)?, place(&w, "first", 1)?[0]);
    let file = w.object(Kind::Hugetlb, whole(&a).pages)?;
    let watcher = w.actor("W")?;
    watcher.map_object(first, &file, 0, RW, Share::Shared)?;
    watcher.write(first)?;
    let p = w.actor("P")?;
    p.map_reserved(whole(&a), &file, 0, RW, Share::Private)?;
    p.write(whole(&a))?;
    let c = p.fork("C")?;
    let g = c.fork("G")?;
    g.write(a[1])?;
    w.check()?;
    w.empty_pool()?;
    for page in &a[..2] {
        p.write_alone(*page)?;
        w.check()?;
        w.check_lost()?;
    }
    fill_pool(&w, POOL)?;
    w.check_lost()?;
    w.check()?;
    move_all(&w)?;
    // What is left is copied as ever.
    c.write(a[2])?;
    g.write(a[1])?;
    w.check()?;
    p.exit()?;
    w.check()?;
    c.unmap(a[1])?;
    w.check_lost()?;
    move_all(&w)?;
    w.finish()
}
