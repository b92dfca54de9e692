// SPDX-License-Identifier: GPL-2.0-or-later
//! Mappings that go on behind the end of their file.

use super::place;
use helpers::TestResult;
use helpers::supervise::{Ctx, Need, Test};
use helpers::topology::{self, R, RW};
use helpers::walk;
use helpers::walk::reclaim::swap_out;
use helpers::world::{Kind, Share, World};

/// Pages of the file.
const N: usize = 8;

/// The kernel takes the length of a mapping for what it maps of the file, or asks the file where it ends: of each mapping smaps must say
/// what is in swap of the pages that it maps, and of no others (shmem_swap_usage()). Each time all of the file has gone to swap; then it
/// gets a hole, a nearer end and a farther one, all of which move some mapping from one side of these questions to the other.
///
///   memfd       |0 1 2 3 4 5 6 7|
///   P all       |0 1 2 3 4 5 6 7|
///   P longer    |0 1 2 3 4 5 6 7|- - - -
///   P as long         |3 4 5 6 7|- - -             has as many pages as the file
///   P last                    |7|- - - - - - - -   has more
///   P part          |2 3 4|
///   P behind                    |- - - - - - - -   maps nothing
///   C all of P's
///   Q read            |3 4 5 6 7|- - -             private, read-only
///   Q private       |2 3 4 5 6 7|- -               4 its own copy
fn swapped(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, N)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let maps = [
        ("all", 0, N),
        ("longer", 0, N + 4),
        ("as long", 3, N),
        ("last", N - 1, N + 1),
        ("part", 2, 3),
        ("behind", N, N),
    ]
    .map(|(name, first, pages)| (place(&w, name, pages), first));
    for (area, first) in maps {
        p.map_object(area, &file, first, RW, Share::Shared)?;
    }
    let [(all, _), (longer, _), (as_long, _), ..] = maps;
    p.write(all)?;
    let (read, private) = (place(&w, "read", N), place(&w, "private", N));
    q.map_object(read, &file, 3, R, Share::Private)?;
    q.map_object(private, &file, 2, RW, Share::Private)?;
    q.write(private.page(2))?;
    let c = p.fork("C")?;
    swap_out(&w)?;
    // Two VMAs now, one of which maps nothing.
    c.unmap(longer.sub(3..9))?;
    c.write(as_long.sub(1..3))?;
    w.punch(&file, 1..3)?;
    swap_out(&w)?;
    w.truncate(&file, 5)?;
    swap_out(&w)?;
    w.truncate(&file, N + 4)?;
    p.write(longer)?;
    swap_out(&w)?;
    p.exit()?;
    w.check()?;
    walk::plain(&w)?;
    topology::take_away(&w, &file)?;
    w.finish()
}

pub const SWAPPED: Test = Test {
    name: "behind_end.swapped",
    about: "What smaps says is in swap of a mapping is of the pages that it maps, also where it goes on behind the end of its file.",
    needs: &[Need::Pfn, Need::Reclaim],
    run: swapped,
    ..Test::DEFAULT
};
