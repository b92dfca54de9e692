// SPDX-License-Identifier: GPL-2.0-or-later
//! Failures in hugetlb pages whose page tables processes share: who is taken from stops to share the whole table (the hugetlb side of
//! try_to_unmap_one()).

use super::{bystander, from, pool};
use helpers::TestResult;
use helpers::supervise::Ctx;
use helpers::world::{Area, Kind, Share, World};

/// The page is lost to all, and each finds the rest of the table again.
///
///   file   0 . . . 4 . . . . . last      used pages; the rest is never touched
///   P Q    all of it, at the same address
///   R      all of it, at another
///   C      forked by P
pub fn hugetlb_tables(ctx: &mut Ctx, outside: bool) -> TestResult {
    let w = World::new(ctx)?;
    let b = bystander(&w)?;
    pool(&w, 5)?;
    let huge = w.place_huge(1)?.pages;
    // One table of entries that are huge pages.
    let entries = w.page_size() / 8;
    let bytes = huge * w.page_size() * entries;
    let (a, far) = (w.far(bytes)?, w.far(bytes)?);
    w.name(a, "a");
    w.name(far, "far");
    let file = w.object(Kind::Hugetlb, a.pages)?;
    let used = |of: Area| [0, 4, entries - 1].map(|i| of.sub(i * huge..(i + 1) * huge));
    let (p, q, r) = (w.actor("P")?, w.actor("Q")?, w.actor("R")?);
    p.map_parts(a, &file, 0, &used(a), Share::Shared)?;
    for part in used(a) {
        p.write(part.page(1))?;
    }
    q.map_parts(a, &file, 0, &used(a), Share::Shared)?;
    r.map_parts(far, &file, 0, &used(far), Share::Shared)?;
    let c = p.fork("C")?;
    for actor in [p, q, r, c] {
        actor.catch(true)?;
    }
    w.fail_hugetlb_page(p, used(a)[1], 3, from(outside, p))?;
    for (i, actor) in [p, q, c].into_iter().enumerate() {
        actor.write(used(a)[0].page(i))?;
        actor.write(used(a)[2].page(i))?;
    }
    r.write(used(far)[2].page(7))?;
    w.check()?;
    w.fail_hugetlb_page(r, used(far)[2], 0, from(outside, r))?;
    q.unmap(used(a)[0])?;
    c.write(used(a)[0].page(5))?;
    w.check()?;
    for actor in [p, q, r, c, b] {
        actor.exit()?;
    }
    // The pool has them back, and then they can be given back.
    w.truncate(&file, 0)?;
    w.finish()
}
