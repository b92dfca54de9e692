// SPDX-License-Identifier: GPL-2.0-or-later
//! A source that begins where no page table is: what is moved of it are holes, up to the next table, and no further (move_pages()).

use super::{MOVE, end, moved_there};
use helpers::supervise::{Ctx, Test};
use helpers::sys::mem::advice;
use helpers::world::World;
use helpers::{TestResult, walk};

/// Pages on each side of the border.
const N: usize = 16;

/// The front half of the source has no page table. The move begins shortly before its end, and is as long as it is.
///
///   from |. . . . . . . (.|0 1 2 .. 15 . . .) .|         two page tables, the first of them missing
///   to              |. . . .|0 1 2 .. 15 . . .|
fn untouched(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let from = w.place_huge(2)?;
    w.name(from, "from");
    p.map(from)?;
    p.advise(from, advice::NOHUGEPAGE)?;
    let table = from.pages / 2;
    p.write(from.sub(table..table + N))?;
    let to = moved_there(&w, p, "to", table + N)?;
    p.advise(to, advice::DONTNEED)?;
    p.uffd_open()?;
    p.uffd_register(to)?;
    w.clear_soft_dirty()?;
    p.uffd_move(from.sub(table - N..from.pages), to)?;
    w.check()?;
    walk::every(&w)?;
    p.write(to.sub(N..2 * N))?;
    end(&w, p, from)?;
    w.finish()
}

pub const UNTOUCHED: Test = Test {
    name: "untouched",
    run: untouched,
    ..MOVE
};
