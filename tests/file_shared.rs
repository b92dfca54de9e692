// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages of files and memfds: found through i_mmap by every walk, in all processes, at all offsets.

use helpers::supervise::{Ctx, Test, main as run};
use helpers::topology::{self, RW};
use helpers::walk;
use helpers::world::{Kind, Share, World};
use helpers::{Stop, TestResult};

/// A shared and a private mapping of the same pages, in two processes, at different offsets.
///
///   memfd      0 1 2 3 4 5 6 7
///   P shared   0 1 2 3 4 5 6 7
///   Q private      2 3 4 5         3 its own copy
fn two(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let file = w.object(Kind::Memfd, 8)?;
    let (p, q) = (w.actor("P")?, w.actor("Q")?);
    let (a, b) = (w.place(8), w.place(4));
    w.name(a, "shared");
    w.name(b, "private");
    p.map_object(a, &file, 0, RW, Share::Shared)?;
    p.write(a)?;
    q.map_object(b, &file, 2, RW, Share::Private)?;
    q.write(b.page(1))?;
    walk::every(&w)?;
    w.punch(&file, 4..6)?;
    w.check()?;
    w.truncate(&file, 3)?;
    w.check()?;
    let there = q.probe(b)?;
    if there != [true, false, false, false] {
        return Err(Stop::fail(format_args!(
            "after a truncation to 3 pages the private mapping from page 2 on has {there:?}"
        )));
    }
    topology::write_by_each(&w)?;
    w.finish()
}

const TESTS: &[Test] = &[Test {
    name: "two",
    about: "Shared and private mappings at different offsets have and lose their pages together.",
    run: two,
    ..Test::DEFAULT
}];

fn main() {
    run(
        "file_shared",
        "pages of files and memfds: every mapping is found through i_mmap",
        TESTS,
    )
}
