// SPDX-License-Identifier: GPL-2.0-or-later
//! Failures in hugetlb pages. Where processes share their page tables, who is taken from stops to share the whole table (the hugetlb side
//! of try_to_unmap_one()).

use super::{bystander, entries, from};
use helpers::kernel::hugetlb;
use helpers::supervise::Ctx;
use helpers::topology::{NONE, RW};
use helpers::world::{Area, Kind, Share, World, enlarge_pool};
use helpers::{Stop, TestResult};

/// So many free hugetlb pages.
pub fn pool(w: &World, pages: usize) -> TestResult {
    if hugetlb::default_size() != w.features().pmd_size {
        return Err(Stop::Skip("needs hugetlb pages of the PMD size"));
    }
    enlarge_pool(w, pages)?;
    if hugetlb::free() < pages {
        return Err(Stop::Skip("needs free huge pages"));
    }
    Ok(())
}

/// A hugetlb page of a file: one entry in each process, and all of it is lost.
///
///   file      |==== 0 ====|==== 1 ====|
///   P shared  |==== 0 ====|==== 1 ====|     C, its child, the same      Q private |==== 1 ====|, not written
pub fn hugetlb_page(ctx: &mut Ctx, outside: bool) -> TestResult {
    let w = World::new(ctx)?;
    let b = bystander(&w)?;
    let a = w.place_huge(2)?;
    w.name(a, "a");
    let n = a.pages / 2;
    pool(&w, 4)?;
    let file = w.object(Kind::Hugetlb, a.pages)?;
    let (p, q, at) = (w.actor("P")?, w.actor("Q")?, w.place_huge(1)?);
    w.name(at, "private");
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.write(a)?;
    q.map_object(at, &file, n, RW, Share::Private)?;
    let c = p.fork("C")?;
    for actor in [p, q, c] {
        actor.catch(true)?;
    }
    w.fail_hugetlb_page(p, a.sub(0..n), n / 2 + 1, from(outside, p))?;
    let d = p.fork("D")?;
    d.catch(true)?;
    // Nor has anybody who has not had it before, but maps the file (hugetlb_no_page()).
    for share in [Share::Shared, Share::Private] {
        let late = w.actor("late")?;
        late.catch(true)?;
        late.map_object(a.sub(0..n), &file, 0, NONE, share)?;
        late.protect(a.sub(0..n), RW)?;
        entries::lost(&w, late, a.page(1))?;
        late.exit()?;
    }
    entries::lost(&w, d, a.page(n / 2))?;
    w.check_rss()?;
    p.unmap(a.sub(0..n))?;
    w.check_rss()?;
    w.fail_hugetlb_page(q, at, 3, from(outside, c))?;
    for actor in [p, q, c, d, b] {
        actor.exit()?;
    }
    // The pool has them back, and then they can be given back.
    w.truncate(&file, 0)?;
    w.finish()
}

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
