// SPDX-License-Identifier: GPL-2.0-or-later
//! The tree of a file's mappings (i_mmap), in shapes that are not left to chance.

use helpers::TestResult;
use helpers::supervise::{Ctx, Test};
use helpers::sys::mem::advice;
use helpers::topology::{self, RW};
use helpers::walk;
use helpers::world::{Area, Kind, Share, World};

/// Pages of each file.
const N: usize = 8;

/// Of several files, with other numbers of short mappings below and above the long one, which comes first or last into the tree. Only the long one is
/// inherited: it goes behind the parent's (vma_interval_tree_insert_after()), among short ones that begin later and that must learn how far it reaches.
///
///   memfd        0 1 2 3 4 5 6 7
///   P long             3 4 5 6 7
///   P below      0 1 2                 a mapping for each, up to three, DONTFORK
///   P above              4 5 6         the same
///   C long             3 4 5 6 7
fn among_short(ctx: &mut Ctx) -> TestResult {
    const LONG: usize = 3;
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let mut files = Vec::new();
    for (below, above, first) in grid() {
        let file = w.object(Kind::Memfd, N)?;
        let long = w.place(N - LONG);
        w.name(long, format!("{below}+{above}"));
        let short = (LONG - below..LONG).chain(LONG + 1..LONG + 1 + above);
        let mut maps: Vec<(Area, usize)> = short.map(|from| (w.place(1), from)).collect();
        maps.insert(if first { 0 } else { maps.len() }, (long, LONG));
        for &(area, from) in &maps {
            p.map_object(area, &file, from, RW, Share::Shared)?;
            p.write(area)?;
            if area.vpn != long.vpn {
                p.advise(area, advice::DONTFORK)?;
            }
        }
        files.push((file, long));
    }
    let c = p.fork("C")?;
    for &(_, long) in &files {
        c.write(long.page(0))?;
    }
    walk::plain(&w)?;
    for (file, long) in &files {
        c.write(*long)?;
        w.punch(file, N - 1..N)?;
    }
    w.check()?;
    for (file, _) in &files {
        topology::take_away(&w, file)?;
    }
    w.finish()
}

/// How many short mappings are below and above, and whether the long one comes before them.
fn grid() -> impl Iterator<Item = (usize, usize, bool)> {
    (0..4)
        .flat_map(|below| (0..4).map(move |above| (below, above)))
        .flat_map(|(below, above)| [(below, above, true), (below, above, false)])
}

pub const AMONG_SHORT: Test = Test {
    name: "intervals.among_short",
    about: "A long mapping of a file that a child inherits is found among shorter ones.",
    run: among_short,
    ..super::FILE
};
