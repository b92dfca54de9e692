// SPDX-License-Identifier: GPL-2.0-or-later
//! Huge pages of shared memory where no huge entry fits, or not all pages are the file's.

use super::huge::HUGE;
use super::place;
use helpers::supervise::{Ctx, Test};
use helpers::sys::mem::advice;
use helpers::topology::{self, NONE, R, RW};
use helpers::walk;
use helpers::world::{Kind, Share, World};
use helpers::{Stop, TestResult};

/// Areas that are large enough for a huge entry, aligned as one, and map the file from where no huge page begins: each page is at the address of
/// its offset (do_set_pmd(), thp_vma_suitable_order()).
///
///   file  |=== huge page ===|=== huge page ===|=== huge page ===|
///   P     |=== huge page ===|=== huge page ===|=== huge page ===|
///   Q      1 ............................... 2n                     at an address where a huge page could begin
///   R private   n/2 ........................ 3n-1                   the same
fn askew(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (a, b, c) = (w.place_huge(3)?, w.place_huge(2)?, w.place_huge(3)?);
    w.name(a, "a");
    let n = a.pages / 3;
    let file = w.object(Kind::Memfd, a.pages)?;
    let (p, q, r) = (w.actor("P")?, w.actor("Q")?, w.actor("R")?);
    p.fill_huge_object(a, &file)?;
    let c = c.sub(0..a.pages - n / 2);
    for (actor, area, first, share) in [(q, b, 1, Share::Shared), (r, c, n / 2, Share::Private)] {
        w.name(area, "askew");
        actor.map_object(area, &file, first, NONE, share)?;
        actor.advise(area, advice::HUGEPAGE)?;
        actor.protect(area, RW)?;
        actor.read(area)?;
    }
    w.check()?;
    q.write(b.sub(n - 2..n + 2))?;
    r.write(c.sub(n - 2..n + 2))?;
    walk::plain(&w)?;
    topology::write_by_each(&w)?;
    w.finish()
}

/// The huge page of a file that ends inside of it has pages behind the end, which are nobody's: a fault maps its neighbours as far as the file goes
/// (filemap_map_pages()).
///
///   file      |0 1 2 3 4|- - - ....|       one huge page all the same
///   P         |0 1 2 3 4|                  by a PMD, and exits
///   R          0 1 2 3 4 x x x x           each x: SIGBUS
///   S private      2 3 4 x x x x
fn past_end(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let a = w.place_huge(1)?;
    w.name(a, "a");
    let file = w.object(Kind::Memfd, 5)?;
    let p = w.actor("P")?;
    p.map_huge_object(a, &file)?;
    p.write(a.sub(0..5))?;
    if !w.is_huge(p.id(), a.sub(0..5))? {
        return Err(Stop::Skip("needs a free huge page for shared memory"));
    }
    // The huge entry knows no end.
    p.exit()?;
    for (name, first, share) in [("R", 0, Share::Shared), ("S", 2, Share::Private)] {
        let (actor, area) = (w.actor(name)?, place(&w, "past the end", 16));
        actor.map_object(area, &file, first, R, share)?;
        w.check()?;
        if actor.probe(area.sub(5 - first..16))?.contains(&true) {
            return Err(Stop::fail(format_args!(
                "nobody reads behind the end of a file: {name} can"
            )));
        }
    }
    w.check()?;
    w.finish()
}

pub const ASKEW: Test = Test {
    name: "huge.askew",
    about: "Each page of a file is at the address that its offset has, whatever entry maps it.",
    run: askew,
    ..HUGE
};
pub const PAST_END: Test = Test {
    name: "huge.past_end",
    about: "No page behind the end of a file is mapped with its neighbours.",
    run: past_end,
    ..HUGE
};
