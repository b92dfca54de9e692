// SPDX-License-Identifier: GPL-2.0-or-later
//! Room for huge pages that nothing was touched of, and that a userfaultfd waits for: no huge page comes by itself, be it of zeroes
//! (do_huge_pmd_anonymous_page()).

use helpers::supervise::{Ctx, Test};
use helpers::sys::mem::advice;
use helpers::sys::uffd::MISSING;
use helpers::topology::{self, Grain};
use helpers::world::{Answer, World};
use helpers::{TestResult, walk};

/// The first access to each is told of, whatever it is.
///
///   P  [. . . r . . .]  [. . . w . . .]  [. . . r . . .]      each has room for one huge page;  r read, w written first
fn waited_for(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let room = w.place_huge(3)?;
    let n = room.pages / 3;
    let [a, b, c] = [0, 1, 2].map(|i| room.sub(i * n..(i + 1) * n));
    w.name(room, "room");
    let p = w.actor("P")?;
    p.map(room)?;
    p.advise(room, advice::HUGEPAGE)?;
    let k = p.keeper(0)?;
    k.register(room, MISSING)?;
    p.read_kept(a.page(3), &k, Answer::Copy)?;
    p.write_missing(b.page(n / 2), &k, Answer::Copy)?;
    p.read_kept(c.page(n - 1), &k, Answer::Zero)?;
    w.check()?;
    // Its neighbours are told of as well.
    p.read_kept(a.page(4), &k, Answer::Zero)?;
    p.write_missing(b.page(n / 2 - 1), &k, Answer::Copy)?;
    p.write_missing(c.page(0), &k, Answer::Copy)?;
    w.check_kept()?;
    walk::plain(&w)?;
    k.close()?;
    topology::write_by_each(&w)?;
    w.finish()
}

pub const WAITED_FOR: Test = Test {
    name: "waited_for",
    about: "No huge page comes where a userfaultfd waits for the first access.",
    needs: Grain::HUGE_NEEDS,
    run: waited_for,
    ..Test::DEFAULT
};
