// SPDX-License-Identifier: GPL-2.0-or-later
//! Pages of zeroes, of which swap may note no more than that they are (swap_zeromap_folio_set()), and which have other content when they go there again, to
//! the same slot.

use super::filled;
use helpers::supervise::Ctx;
use helpers::sys::mem::advice;
use helpers::walk::reclaim::swap_out;
use helpers::world::World;
use helpers::{TestResult, walk};

/// Pages.
const N: usize = 8;

/// P brings the pages back without an access (MADV_WILLNEED), reads them, which leaves them in the swap cache, and writes to some: zeroes where something was,
/// something where zeroes were. C shares them in the end.
///
///   P |z z z z 4 5 6 7|  ->  |z z 2 3 z z 6 7|  ->  |z z 2 z z 5 6 7|
pub fn zeroes(ctx: &mut Ctx) -> TestResult {
    let w = World::new(ctx)?;
    let (p, a) = filled(&w, "P", N)?;
    p.write_zeroes(a.sub(0..4))?;
    for (zeroes, others) in [(4..6, 2..4), (3..5, 5..6), (6..8, 0..2)] {
        swap_out(&w)?;
        p.advise(a, advice::WILLNEED)?;
        p.read(a)?;
        p.write_zeroes(a.sub(zeroes))?;
        p.write(a.sub(others))?;
        swap_out(&w)?;
        w.check()?;
    }
    p.fork("C")?;
    walk::every_on_offer(&w)?;
    w.finish()
}
