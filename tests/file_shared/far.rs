// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages far behind the start of their file. They are looked for by their number in it (rmap_walk_file(), vma_address()): of the first that
//! 32 bits cannot say the offset of in bytes, of others not in pages either.

use super::{FILE, place};
use helpers::supervise::{Ctx, Need, Test};
use helpers::topology::{self, R, RW};
use helpers::world::{Kind, Share, World};
use helpers::{Stop, TestResult, walk};

/// Bytes in front of the pages.
const GIB4: u64 = 1 << 32;
/// So many that 32 bits cannot say how many pages of 4 KiB they are.
const TIB16: u64 = 1 << 44;

///   memfd            - - - - - - - 0 1 2 3 4 5 6 7
///   P, C  shared                   0 1 2|3 4|5 6 7      C: parted in two places
///   P, C  shared                           4 5 6 7
///   P, C  private                      2 3 4 5          4 P's own copy, 3 C's
///   Q     moved                      1 2 3 4
fn far(ctx: &mut Ctx, kind: Kind, before: u64) -> TestResult {
    let w = World::new(ctx)?;
    let base = before / w.page_size() as u64;
    let file = w.object_behind(kind, 8, base as usize)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (whole, upper) = (place(&w, "whole", 8), place(&w, "upper", 4));
    let (private, from, to) = (
        place(&w, "private", 4),
        place(&w, "from", 4),
        place(&w, "to", 4),
    );
    p.map_object(whole, &file, 0, RW, Share::Shared)?;
    p.write(whole)?;
    p.map_object(upper, &file, 4, RW, Share::Shared)?;
    p.map_object(private, &file, 2, RW, Share::Private)?;
    p.write(private.page(2))?;
    let c = p.fork("C")?;
    c.write(private.page(1))?;
    c.protect(whole.sub(3..5), R)?;
    q.map_object(from, &file, 1, RW, Share::Shared)?;
    q.move_to(from, to)?;
    walk::every(&w)?;
    topology::write_by_each(&w)?;
    match w.punch(&file, 5..6) {
        // Not every file system does it.
        Err(Stop::Skip(why)) => w.diag(why),
        other => other?,
    }
    w.check()?;
    w.truncate(&file, 4)?;
    w.check()?;
    p.exit()?;
    walk::plain(&w)?;
    w.finish()
}

pub const MEMFD: Test = Test {
    name: "far",
    about: "Pages behind the first 4 GiB of a file are found, and go with it, as others.",
    run: |c| far(c, Kind::Memfd, GIB4),
    ..FILE
};

pub const FARTHER: Test = Test {
    name: "farther",
    about: "Pages behind the first 16 TiB of a file are found, and go with it, as others.",
    run: |c| far(c, Kind::Memfd, TIB16),
    ..FILE
};

pub const DISK: Test = Test {
    name: "far.disk",
    needs: &[Need::Disk, Need::Pfn, Need::KpageFlags],
    run: |c| far(c, Kind::Disk, GIB4),
    ..MEMFD
};
