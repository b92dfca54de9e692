// SPDX-License-Identifier: GPL-2.0-or-later
//! Memory given up, written again, and inherited: only the entries know that it is to be kept, and the child's are all that is left.

use super::{FREE_FOLIO, press_freed, walks};
use helpers::TestResult;
use helpers::supervise::{Ctx, Test};
use helpers::topology::filled;
use helpers::world::World;

/// A child's entry of a page that is given up is as dirty as the parent's (copy_present_ptes()), and reclaim asks no other when the parent has gone.
/// Small pages, and a folio.
///
///   P  [f f w w w w w w]   given up, w written again after that; forks C, unmaps the upper half, forks D, exits
///   C  [f f w w w w w w]   gives up nothing
///   D  [f f w w . . . .]
fn written_again(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, small) = filled(&w, "P", 8)?;
    let n = w.folio_size()?;
    let folio = w.place_aligned(n, n);
    w.name(folio, "folio");
    p.map_folio(folio)?;
    for a in [small, folio] {
        p.free(a)?;
        p.write(a.sub(a.pages / 4..a.pages))?;
    }
    let c = p.fork("C")?;
    for a in [small, folio] {
        p.unmap(a.sub(a.pages / 2..a.pages))?;
    }
    let d = p.fork("D")?;
    p.exit()?;
    let freed: Vec<_> = [c, d]
        .into_iter()
        .flat_map(|who| [small, folio].map(|a| (who, a.sub(0..a.pages / 4))))
        .collect();
    press_freed(&w, &freed)?;
    walks(w)
}

pub const WRITTEN_AGAIN: Test = Test {
    name: "free.forked",
    about: "What was written after it was given up is kept for a child as well.",
    guards: &[],
    run: written_again,
    ..FREE_FOLIO
};
