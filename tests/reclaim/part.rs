// SPDX-License-Identifier: GPL-2.0-or-later
//! Advice to page out a part of a large folio: it has to be split first, or all of it would go.

use super::walks;
use helpers::supervise::{Ctx, Test};
use helpers::topology::{R, RW, filled};
use helpers::world::World;
use helpers::{Stop, TestResult};

/// Parts of folios that nobody else maps are paged out, what is outside of them stays in memory. Of a small folio and of a huge page,
/// which is mapped by its PMD or by single entries.
///
///   P  [o o . . ]   [. . o . ]   [. . . o ]
fn pageout_part(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, _) = filled(&w, "P", 4)?;
    let sizes = w.folio_sizes()?;
    let pmd = sizes[sizes.len() - 1];
    let mut went = 0;
    for (n, by_ptes) in [(w.folio_size()?, false), (pmd, false), (pmd, true)] {
        let a = w.place_aligned(n, n);
        w.name(a, "a");
        let fresh = || {
            p.map_folio(a)?;
            if by_ptes {
                p.protect(a.page(1), R)?;
                p.protect(a.page(1), RW)?;
            }
            Ok(())
        };
        for (from, to) in [(0, n / 2), (n / 2, n / 2 + 1), (n - n / 4, n)] {
            went += usize::from(p.page_out_part(a, a.sub(from..to), fresh)?);
            w.check_partly()?;
        }
        w.check()?;
    }
    if went == 0 {
        return Err(Stop::Skip("needs MADV_PAGEOUT that takes pages now"));
    }
    walks(w)
}

pub const PAGEOUT: Test = Test {
    name: "pageout.part",
    about: "Advice to page out a part of a large folio leaves the rest of it in memory.",
    needs: super::LARGE_NEEDS,
    knobs: helpers::walk::FOLIO_KNOBS,
    run: pageout_part,
    ..Test::DEFAULT
};
