// SPDX-License-Identifier: GPL-2.0-or-later
//! Shared memory that went to swap in large folios: what smaps says of an area that maps some of them (shmem_partial_swap_usage()).

use helpers::TestResult;
use helpers::supervise::{Ctx, Need, Test};
use helpers::topology::{self, NONE, RW};
use helpers::walk::{self, reclaim};
use helpers::world::{Kind, Share, World};

///   memfd      [==== 0 ====][==== 1 ====][==== 2 ====]   in swap, and P gone from it
///   Q shared                [==== 1 ====]                 C  its child, reads some of it
///   R private               [==== 1 ====][==== 2 ====]
fn part(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let all = w.place_huge(3)?;
    let n = all.pages / 3;
    let (one, two) = (w.place_huge(1)?, w.place_huge(2)?);
    for (area, name) in [(all, "all"), (one, "one"), (two, "two")] {
        w.name(area, name);
    }
    let file = w.object(Kind::Memfd, all.pages)?;
    let (p, q, r) = (w.actor("P")?, w.actor("Q")?, w.actor("R")?);
    p.fill_huge_object(all, &file)?;
    reclaim::swap_out(&w)?;
    p.unmap(all)?;
    // Nothing of it is read yet.
    q.map_object(one, &file, n, NONE, Share::Shared)?;
    r.map_object(two, &file, n, NONE, Share::Private)?;
    q.protect(one, RW)?;
    r.protect(two, RW)?;
    let c = q.fork("C")?;
    w.check_swap_of(&file)?;
    c.read(one.sub(n / 2..n / 2 + 3))?;
    w.check_swap_of(&file)?;
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

pub const PART: Test = Test {
    name: "part.huge",
    about: "What smaps says is in swap of an area is what of its shared memory is, however large the folios are.",
    needs: &[
        Need::Thp,
        Need::Pfn,
        Need::KpageFlags,
        Need::Reclaim,
        Need::MemMib(64),
    ],
    knobs: &[topology::SHARED_HUGE],
    run: part,
    ..Test::DEFAULT
};
