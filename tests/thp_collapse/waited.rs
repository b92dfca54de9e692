// SPDX-License-Identifier: GPL-2.0-or-later
//! Small pages with holes that a userfaultfd waits for: a huge page would fill them unseen (__collapse_huge_page_isolate()).

use super::sparse;
use helpers::supervise::{Ctx, Test};
use helpers::sys::uffd::MISSING;
use helpers::world::{Answer, World};
use helpers::{TestResult, walk};

/// While P has its area registered for missing pages no huge page is made of it, and each hole is told of. When it has given the userfaultfd up one may be.
///
///   P  [0 1 2 - - n/4 .. - - - ...]  registered  ->  a hole told of and filled  ->  not registered: [======== PMD ========]
fn waited_for(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = sparse(&w)?;
    let k = p.keeper(0)?;
    k.register(a, MISSING)?;
    p.collapse_refused(a, "holes that a userfaultfd waits for")?;
    for hole in [5, a.pages / 2 + 5] {
        p.read_kept(a.page(hole), &k, Answer::Copy)?;
    }
    p.collapse_refused(a, "holes that a userfaultfd waits for")?;
    k.close()?;
    w.check()?;
    p.collapse(a)?;
    walk::every(&w)?;
    w.finish()
}

pub const WAITED_FOR: Test = Test {
    name: "waited_for",
    about: "No huge page is made of small ones with holes that a userfaultfd waits for.",
    run: waited_for,
    ..super::COLLAPSED
};
