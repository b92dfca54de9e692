// SPDX-License-Identifier: GPL-2.0-or-later
//! Private copies of a file's pages that are in swap: mincore asks the swap cache for them, and not the file.

use helpers::supervise::{Ctx, Need, Test};
use helpers::sys::mem::advice;
use helpers::topology::{self, NONE, RW, filled};
use helpers::walk::reclaim::swap_out;
use helpers::world::model::Lock;
use helpers::world::{Kind, Share, World};
use helpers::{Stop, TestResult, walk};

/// Copies in swap while the file's own pages are in memory; then some in memory for C, and in swap for P, while some of a memfd's are not.
///
///   file        0 1 2 3 4 5 6 7    Q locks them in memory; then a memfd has a hole, 2 to 5
///   P  private  0'1'2'3'4'5'6'7'   paged out            P  plain [0 .. 7] paged out
///   C  private  0'1'2'3'4'5'6'7'   forked then; reads 0 to 3          plain, reads 0 to 3
fn private(ctx: &mut Ctx, kind: Kind) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(kind, 8)?;
    let (p, plain) = filled(&w, "P", 8)?;
    let q = w.actor("Q")?;
    let (a, b) = (w.place(8), w.place(8));
    w.name(a, "private");
    w.name(b, "shared");
    q.map_object(b, &file, 0, RW, Share::Shared)?;
    q.write(b)?;
    q.lock(b, Lock::Full)?;
    p.map_object(a, &file, 0, RW, Share::Private)?;
    p.write(a)?;
    w.check_mincore()?;
    p.page_out(a)?;
    p.page_out(plain)?;
    w.check_mincore()?;
    w.check_mincore_out(p, a, plain)?;
    if kind == Kind::Memfd {
        w.punch(&file, 2..6)?;
    }
    let c = p.fork("C")?;
    for area in [a, plain] {
        c.read(area.sub(0..4))?;
    }
    w.check_partly()?;
    w.check_mincore()?;
    q.exit()?;
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// A part of what is in swap, asked for by mappings of the part: of a memfd's and of plain memory.
///
///   memfd      0 .. 15   in swap, mapped by nobody       then  Q shared  8 .. 15, asks for 8 to 11     C  Q's child, for 12 to 15
///   P  plain  [0 .. 15]  in swap, asks for 4 to 7, of which 5 is given up
fn willneed(ctx: &mut Ctx) -> TestResult {
    const N: usize = 16;
    let w = World::new(ctx)?;
    let shared = w.object(Kind::Memfd, N)?;
    let (p, plain) = filled(&w, "P", N)?;
    let q = w.actor("Q")?;
    let (all, half) = (w.place(N), w.place(N / 2));
    w.name(all, "all");
    w.name(half, "half");
    q.map_object(all, &shared, 0, RW, Share::Shared)?;
    q.write(all)?;
    swap_out(&w)?;
    q.unmap(all)?;
    // Nothing of it is read yet.
    q.map_object(half, &shared, N / 2, NONE, Share::Shared)?;
    q.protect(half, RW)?;
    let c = q.fork("C")?;
    p.advise(plain.page(N / 4 + 1), advice::DONTNEED)?;
    let asked = [
        w.check_willneed(q, half.sub(0..N / 4))?,
        w.check_willneed(c, half.sub(N / 4..N / 2))?,
        w.check_willneed(p, plain.sub(N / 4..N / 2))?,
    ];
    if !asked.contains(&true) {
        return Err(Stop::Skip("needs pages that stay in swap"));
    }
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

pub const WILLNEED: Test = Test {
    name: "willneed",
    about: "What a process says that it will need comes from swap, and not something else.",
    needs: &[Need::Pfn, Need::Reclaim],
    run: willneed,
    ..Test::DEFAULT
};

const MINCORE: Test = Test {
    about: "mincore tells whether a private copy is in memory, wherever the page of the file is.",
    needs: &[Need::Pfn, Need::Reclaim],
    ..Test::DEFAULT
};
pub const MEMFD: Test = Test {
    name: "mincore.memfd",
    run: |c| private(c, Kind::Memfd),
    ..MINCORE
};
pub const DISK: Test = Test {
    name: "mincore.disk",
    needs: &[Need::Pfn, Need::Reclaim, Need::Disk],
    run: |c| private(c, Kind::Disk),
    ..MINCORE
};
