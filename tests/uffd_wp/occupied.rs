// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages that are filled in where somebody was faster.

use helpers::supervise::{Ctx, Need, Test};
use helpers::sys::uffd::MISSING;
use helpers::topology::{NONE, RW};
use helpers::world::{Answer, Kind, Share, World};
use helpers::{TestResult, walk};

/// Private and shared memory, filled by a userfaultfd, all of which is to be filled again.
///
///   P private  |f f w w|       P memfd  |f f w w|       w: written by P since
fn occupied(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let p = w.actor("P")?;
    let (a, b) = (w.place(4), w.place(4));
    w.name(a, "private");
    w.name(b, "memfd");
    let file = w.object(Kind::Memfd, 4)?;
    p.map(a)?;
    // Nothing is read before it is registered.
    p.map_object(b, &file, 0, NONE, Share::Shared)?;
    let k = p.keeper(0)?;
    for area in [a, b] {
        k.register(area, MISSING)?;
    }
    p.protect(b, RW)?;
    for area in [a, b] {
        k.fill(area, Answer::Copy)?;
        p.write(area.sub(2..4))?;
    }
    w.check()?;
    for area in [a, b] {
        k.fill_occupied(area)?;
        w.check()?;
    }
    k.close()?;
    p.fork("C")?;
    walk::every(&w)?;
    w.finish()
}

pub const OCCUPIED: Test = Test {
    name: "filled_in.occupied",
    about: "What is filled in where there is a page is refused, takes no memory, and leaves the page alone.",
    run: occupied,
    needs: &[Need::Root, Need::Pfn],
    ..Test::DEFAULT
};
